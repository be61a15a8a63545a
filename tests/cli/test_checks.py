"""What `kchat doctor` makes of the facts, and that each danger has its mend."""

from __future__ import annotations

import pytest
from attrs import evolve

from kchat.cli.checks import (
    Check,
    broker_checks,
    clock_check,
    permission_checks,
    security_check,
    topic_checks,
    version_check,
)
from kchat.cli.topic_rules import Level, TopicFacts

SOUND = TopicFacts(
    settings={
        "min.insync.replicas": "2",
        "cleanup.policy": "delete",
        "retention.bytes": "-1",
        "retention.ms": "604800000",
        "unclean.leader.election.enable": "false",
    },
    replicas=3,
    in_sync=3,
    operations=frozenset({"READ", "WRITE", "DELETE"}),
    last_ms=1_000,
)


def with_setting(name: str, value: str) -> TopicFacts:
    return evolve(SOUND, settings={**(SOUND.settings or {}), name: value})


def dangers(checks: tuple[Check, ...]) -> list[tuple[str, Level]]:
    return [(check.name, check.level) for check in checks if check.level not in {Level.OK, Level.NOTE}]


def test_a_sound_topic_is_ok_and_says_how_long_it_keeps() -> None:
    checks = topic_checks({"s": SOUND})
    assert dangers(checks) == []
    assert checks[-1].level is Level.OK
    assert "messages are kept for 7 d" in checks[0].text


@pytest.mark.parametrize(
    ("facts", "danger"),
    [
        (evolve(SOUND, replicas=1, in_sync=2), ("replication", Level.WARNING)),
        (evolve(SOUND, in_sync=2), ("replication", Level.WARNING)),
        (with_setting("min.insync.replicas", "1"), ("min.insync.replicas", Level.WARNING)),
        (with_setting("cleanup.policy", "compact,delete"), ("compaction", Level.ERROR)),
        (with_setting("retention.ms", "86399999"), ("retention", Level.WARNING)),
        (with_setting("retention.bytes", "1000"), ("retention", Level.WARNING)),
        (with_setting("unclean.leader.election.enable", "true"), ("elections", Level.WARNING)),
    ],
)
def test_each_danger_to_a_conversation_is_told_with_its_topics_and_its_mend(
    facts: TopicFacts, danger: tuple[str, Level]
) -> None:
    checks = topic_checks({"sound": SOUND, "s": facts, "z": facts})
    assert dangers(checks) == [danger]
    (check,) = (check for check in checks if check.level is danger[1])
    assert check.topics == ("s", "z")
    assert check.text.startswith("2 topics: ")
    assert check.mend


def test_too_few_in_sync_is_an_error_beside_the_replica_that_lags() -> None:
    found = dangers(topic_checks({"s": evolve(SOUND, in_sync=1)}))
    assert found == [("replication", Level.ERROR), ("replication", Level.WARNING)]


@pytest.mark.parametrize("setting", ["retention.ms", "retention.bytes"])
def test_for_ever_is_no_danger(setting: str) -> None:
    assert dangers(topic_checks({"s": with_setting(setting, "-1")})) == []


UNKNOWN = TopicFacts(settings=None, replicas=None, in_sync=None, operations=None, last_ms=None)
UNSEEN_SETTINGS = "1 topic: settings are not told"
UNSEEN_REPLICAS = "1 topic: replicas are not told"
KEPT = "messages are kept for 7 d"


@pytest.mark.parametrize(
    ("facts", "texts"),
    [
        (UNKNOWN, [UNSEEN_SETTINGS, UNSEEN_REPLICAS]),
        (evolve(SOUND, settings=None), [UNSEEN_SETTINGS]),
        (evolve(SOUND, settings={}), [UNSEEN_SETTINGS]),
        (evolve(SOUND, settings={"retention.ms": "604800000"}), [UNSEEN_SETTINGS, KEPT]),
        (evolve(SOUND, replicas=None), [UNSEEN_REPLICAS, KEPT]),
        (evolve(SOUND, in_sync=None), [UNSEEN_REPLICAS, KEPT]),
    ],
)
def test_what_was_not_told_is_a_note_and_never_ok(facts: TopicFacts, texts: list[str]) -> None:
    checks = topic_checks({"s": facts})
    assert [check.text for check in checks] == texts
    assert {check.level for check in checks} == {Level.NOTE}


def test_only_the_topics_that_were_seen_are_ok() -> None:
    checks = topic_checks({"s": SOUND, "unknown": UNKNOWN})
    assert checks[-1].level is Level.OK
    assert checks[-1].text == "1 topic: nothing endangers a conversation"
    assert topic_checks({})[0].text == "there is no session yet"


@pytest.mark.parametrize(
    ("properties", "local", "levels"),
    [
        ({}, True, [Level.NOTE, Level.NOTE]),
        ({}, False, [Level.WARNING, Level.NOTE]),
        ({"security.protocol": "sasl_plaintext"}, False, [Level.WARNING]),
        ({"security.protocol": "SASL_SSL"}, False, [Level.OK]),
        ({"security.protocol": "SSL"}, False, [Level.NOTE]),
        ({"security.protocol": "SSL", "ssl.key.location": "k"}, False, [Level.OK]),
        (
            {"security.protocol": "SASL_SSL", "enable.ssl.certificate.verification": "false"},
            False,
            [Level.ERROR],
        ),
        ({"security.protocol": "SASL_SSL", "enable.ssl.certificate.verification": "T"}, False, [Level.OK]),
        ({"security.protocol": "SASL_SSL", "enable.ssl.certificate.verification": "0"}, False, [Level.ERROR]),
        ({"security.protocol": "SASL_SSL", "enable.ssl.certificate.verification": "F"}, False, [Level.ERROR]),
        (
            {"security.protocol": "SASL_SSL", "ssl.endpoint.identification.algorithm": "none"},
            False,
            [Level.WARNING],
        ),
    ],
)
def test_the_connection_is_as_secure_as_its_properties(
    properties: dict[str, str], local: bool, levels: list[Level]
) -> None:
    assert [check.level for check in security_check(properties, local=local)] == levels


SAFE = {"auto.create.topics.enable": "false", "unclean.leader.election.enable": "false"}
DANGEROUS = dict.fromkeys(SAFE, "true")


def test_the_brokers_defaults() -> None:
    assert [c.level for c in broker_checks(dict.fromkeys((1, 2, 3), SAFE), (1, 2, 3))] == [Level.OK]
    told = broker_checks({1: DANGEROUS}, (1,))
    assert [(check.name, check.level) for check in told] == [
        ("auto-creation", Level.WARNING),
        ("elections", Level.WARNING),
        ("replication", Level.NOTE),
    ]
    assert all(check.mend for check in told)


def test_one_broker_of_three_that_differs_is_seen() -> None:
    auto, elections = broker_checks({1: SAFE, 2: SAFE, 3: DANGEROUS}, (1, 2, 3))
    assert {auto.level, elections.level} == {Level.WARNING}
    assert auto.text.startswith("auto.create.topics.enable of 1 of 3 brokers: ")


@pytest.mark.parametrize(
    "told", [{}, {1: None, 2: SAFE, 3: SAFE}, {1: {}, 2: SAFE, 3: SAFE}, {2: SAFE, 3: SAFE}]
)
def test_a_broker_that_does_not_tell_is_not_ok(told: dict[int, dict[str, str] | None]) -> None:
    checks = broker_checks(told, (1, 2, 3))
    assert {check.level for check in checks} == {Level.NOTE}
    assert "is not told" in checks[0].text


def test_a_cluster_that_names_no_broker_is_not_ok() -> None:
    assert [check.level for check in broker_checks({}, ())] == [Level.NOTE]


@pytest.mark.parametrize(
    ("releases", "level"),
    [
        ((), Level.NOTE),
        (("4.0",), Level.OK),
        (("3.9", "4.0"), Level.NOTE),
        (("older than 2.3",), Level.WARNING),
    ],
)
def test_the_version_is_told_as_far_as_it_is_known(releases: tuple[str, ...], level: Level) -> None:
    assert version_check(releases).level is level


def test_permissions_that_are_missing_are_notes() -> None:
    everything = frozenset({"CREATE"})
    assert [c.level for c in permission_checks(everything, {"s": SOUND})] == [Level.OK]
    reader = evolve(SOUND, operations=frozenset({"READ"}))
    told = permission_checks(frozenset(), {"s": reader, "t": SOUND})
    assert [check.text for check in told] == [
        "1 topic: this user cannot append to them",
        "1 topic: this user cannot clear them",
        "this user may not create topics everywhere; on a prefix perhaps",
    ]
    assert {check.level for check in told} == {Level.NOTE}


def test_permissions_that_are_not_told_are_not_ok() -> None:
    told = permission_checks(frozenset({"CREATE"}), {"s": SOUND, "unknown": UNKNOWN})
    assert [(check.level, check.topics) for check in told] == [(Level.NOTE, ("unknown",))]
    for topics in ({}, {"s": SOUND}):
        (check,) = permission_checks(None, topics)
        assert (check.level, check.text) == (
            Level.NOTE,
            "whether this user may create sessions is not told",
        )
    (alone,) = permission_checks(frozenset({"CREATE"}), {})
    assert (alone.level, alone.text) == (Level.OK, "this user may create sessions")


def test_clocks() -> None:
    now_ms = 10_000
    assert clock_check(None, 0, {"s": SOUND}, now_ms).level is Level.NOTE
    unseen = clock_check(None, 0, {"s": UNKNOWN}, now_ms)
    assert (unseen.level, unseen.text) == (Level.NOTE, "the brokers' clock was not asked")
    assert clock_check(40, 2, {"s": SOUND}, now_ms).level is Level.OK
    behind = clock_check(-7_000, 2, {"s": SOUND}, now_ms)
    assert (behind.level, behind.text) == (
        Level.WARNING,
        "the broker's clock is 7000 ms (to 2 ms) behind this one",
    )
    ahead = clock_check(0, 2, {"s": evolve(SOUND, last_ms=now_ms + 5_001)}, now_ms)
    assert (ahead.level, ahead.topics) == (Level.WARNING, ("s",))
