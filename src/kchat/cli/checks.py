"""What `kchat doctor` makes of the facts about a cluster: checks, each with its mend. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from attrs import field, frozen

from kchat.cli.quantities import age_text
from kchat.cli.topic_rules import RULES, Level, TopicFacts, number, setting, untold


@frozen
class Check:
    """One thing that was looked at. `mend` is what to do about it; `topics` are those that it is about."""

    name: str
    level: Level
    text: str
    mend: str = ""
    topics: tuple[str, ...] = field(default=())


TRUE = frozenset({"true", "t", "1"})
"""What librdkafka takes for yes (2.16.1); "false", "f" and "0" are no, and anything else it refuses."""


def security_check(properties: Mapping[str, str], *, local: bool) -> tuple[Check, ...]:
    """What the properties of the connection keep from others on the network; `local`: there is no network."""
    protocol = properties.get("security.protocol", "plaintext").upper()
    checks = []
    if not protocol.endswith("SSL"):
        level = Level.NOTE if local else Level.WARNING
        text = f"{protocol}: " + (
            "nothing leaves this machine" if local else "anybody on the network reads along"
        )
        checks.append(Check("security", level, text, "set security.protocol=SASL_SSL and ssl.ca.location"))
    if protocol in {"PLAINTEXT", "SSL"} and not any(name.startswith("ssl.key") for name in properties):
        text = "nobody logs in: the broker cannot tell one user from another"
        checks.append(Check("security", Level.NOTE, text, "set the sasl.* properties, docs/security.md"))
    if protocol.endswith("SSL"):
        if properties.get("enable.ssl.certificate.verification", "true").lower() not in TRUE:
            text = "the broker's certificate is not looked at: anybody can be the broker"
            checks.append(Check("security", Level.ERROR, text, "remove enable.ssl.certificate.verification"))
        if properties.get("ssl.endpoint.identification.algorithm", "https").lower() == "none":
            text = "the certificate may be another host's"
            mend = "remove ssl.endpoint.identification.algorithm=none"
            checks.append(Check("security", Level.WARNING, text, mend))
    return tuple(checks) or (Check("security", Level.OK, f"{protocol}, with the certificate checked"),)


def version_check(releases: tuple[str, ...]) -> Check:
    """The brokers' releases, as their API versions tell."""
    if not releases:
        return Check("version", Level.NOTE, "the brokers did not say which versions of requests they take")
    text = f"Kafka {' and '.join(releases)}, as the brokers' API versions tell"
    if releases[0].startswith("older"):
        return Check("version", Level.WARNING, text, "upgrade the brokers: kchat is tested on Kafka 4")
    if len(releases) > 1:
        return Check("version", Level.NOTE, text, "finish the upgrade of the cluster")
    return Check("version", Level.OK, text)


@frozen
class BrokerDanger:
    """A setting of brokers that endangers sessions where it is true."""

    name: str
    setting: str
    text: str


BROKER_DANGERS = (
    BrokerDanger(
        "auto-creation",
        "auto.create.topics.enable",
        "who asks for a session makes its topic, with wrong settings",
    ),
    BrokerDanger(
        "elections",
        "unclean.leader.election.enable",
        "a replica that lacks acknowledged messages may lead",
    ),
)


def broker_checks(
    told: Mapping[int, Mapping[str, str] | None], brokers: Collection[int]
) -> tuple[Check, ...]:
    """What the brokers' defaults do to sessions that begin from now on.

    Args:
        told: the settings of each broker that was asked; None where it did not tell them.
        brokers: all brokers there are.
    """
    checks = []
    for danger in BROKER_DANGERS:
        values = {broker: (settings or {}).get(danger.setting) for broker, settings in told.items()}
        wrong = sorted(broker for broker, value in values.items() if value == "true")
        if wrong:
            text = f"{danger.setting}{_which(wrong, brokers)}: {danger.text}"
            mend = f"set {danger.setting}=false on the brokers"
            checks.append(Check(danger.name, Level.WARNING, text, mend))
        unknown = [broker for broker in brokers if values.get(broker) is None]
        if unknown:
            text = f"{danger.setting} is not told{_which(unknown, brokers)}"
            checks.append(Check("brokers", Level.NOTE, text, "have DescribeConfigs granted on the cluster"))
    if len(brokers) < 3:
        text = f"{_counted(len(brokers), 'broker')}: there is no room for three replicas"
        checks.append(
            Check("replication", Level.NOTE, text, "run three brokers, where a conversation must not be lost")
        )
    return tuple(checks) or (Check("brokers", Level.OK, "their defaults endanger no session"),)


def _which(some: Sequence[int], brokers: Collection[int]) -> str:
    """The brokers that are meant, where those are not all of them."""
    return "" if len(some) == len(brokers) else f" of {len(some)} of {len(brokers)} brokers"


NOT_TOLD = {
    "settings": "have DescribeConfigs granted on these topics",
    "replicas": "have Describe granted on these topics",
}
"""What a topic may not tell, and the mend of that."""


def topic_checks(topics: Mapping[str, TopicFacts]) -> tuple[Check, ...]:
    """What the topics' own settings do to the conversations in them; topics with the same are one check."""
    if not topics:
        return (Check("topics", Level.NOTE, "there is no session yet"),)
    found = [
        _topics_check(rule.name, rule.level, rule.text, rule.mend, broken)
        for rule in RULES
        if (broken := [topic for topic, facts in topics.items() if rule.is_broken_by(facts)])
    ]
    missing = {topic: untold(facts) for topic, facts in topics.items()}
    for what, mend in NOT_TOLD.items():
        unseen = [topic for topic, lacking in missing.items() if what in lacking]
        if unseen:
            found.append(_topics_check("topics", Level.NOTE, f"{what} are not told", mend, unseen))
    ages = {
        age_text(number(facts, "retention.ms", -1))
        for facts in topics.values()
        if setting(facts, "retention.ms") is not None
    }
    if ages:
        kept = f"messages are kept for {', '.join(sorted(ages))}" if len(ages) <= 5 else "retention differs"
        found.append(
            Check(
                "retention", Level.NOTE, kept, "ttl_ms at creation, or retention.ms of the topic, changes it"
            )
        )
    seen = sum(not lacking for lacking in missing.values())
    if seen and all(check.level is Level.NOTE for check in found):
        found.append(
            Check("topics", Level.OK, f"{_counted(seen, 'topic')}: nothing endangers a conversation")
        )
    return tuple(found)


MEND_UNSEEN = "have Describe granted on the cluster and on the topics; the first append and read tell it too"


def permission_checks(cluster: frozenset[str] | None, topics: Mapping[str, TopicFacts]) -> tuple[Check, ...]:
    """What this user may not do. A reader need not write: each is a note."""
    told = {topic: facts.operations for topic, facts in topics.items() if facts.operations is not None}
    checks = []
    for operation, use in (("READ", "read"), ("WRITE", "append to"), ("DELETE", "clear")):
        lacking = [topic for topic, operations in told.items() if operation not in operations]
        if lacking:
            text, mend = (
                f"this user cannot {use} them",
                f"have {operation.title()} granted on them, docs/security.md",
            )
            checks.append(_topics_check("permissions", Level.NOTE, text, mend, lacking))
    if cluster is not None and "CREATE" not in cluster:
        text = "this user may not create topics everywhere; on a prefix perhaps"
        checks.append(
            Check("permissions", Level.NOTE, text, "have Create granted on the cluster or on a prefix")
        )
    unseen = [topic for topic in topics if topic not in told]
    if unseen:
        text = "what this user may do with them is not told"
        checks.append(_topics_check("permissions", Level.NOTE, text, MEND_UNSEEN, unseen))
    if cluster is None:
        text = "whether this user may create sessions is not told"
        checks.append(Check("permissions", Level.NOTE, text, MEND_UNSEEN))
    may = "create, read, append to and clear sessions" if topics else "create sessions"
    return tuple(checks) or (Check("permissions", Level.OK, f"this user may {may}"),)


def clock_check(skew_ms: int | None, exact_ms: int, topics: Mapping[str, TopicFacts], now_ms: int) -> Check:
    """The brokers' clock and the writers' clocks beside this one."""
    ahead = [topic for topic, facts in topics.items() if (facts.last_ms or 0) > now_ms + CLOCK_MS_MAX]
    if ahead:
        text = "their newest message is of the future: the clock of a writer is wrong, or the one here"
        return _topics_check("clock", Level.WARNING, text, "set the clocks by NTP", ahead)
    if skew_ms is None:
        seen = any(facts.last_ms is not None for facts in topics.values())
        text = ("no message is of the future; " if seen else "") + "the brokers' clock was not asked"
        return Check("clock", Level.NOTE, text, "run kchat doctor --probe, which makes a topic for a moment")
    side = "ahead of" if skew_ms >= 0 else "behind"
    text = f"the broker's clock is {abs(skew_ms)} ms (to {exact_ms} ms) {side} this one"
    if abs(skew_ms) > CLOCK_MS_MAX + exact_ms:
        return Check("clock", Level.WARNING, text, "set the clocks by NTP: retention and --since go by them")
    return Check("clock", Level.OK, text)


CLOCK_MS_MAX = 5_000
"""Clocks that differ by less do no harm to anything that people ask for by time."""


def _topics_check(name: str, level: Level, text: str, mend: str, topics: Iterable[str]) -> Check:
    concerned = tuple(topics)
    return Check(name, level, f"{_counted(len(concerned), 'topic')}: {text}", mend, concerned)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
