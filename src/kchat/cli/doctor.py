"""`kchat doctor`: looks at a cluster as a conversation would have it, and says what to mend."""

import shutil
import sys
import textwrap
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from kchat.cli.checks import (
    Check,
    broker_checks,
    clock_check,
    permission_checks,
    security_check,
    topic_checks,
    version_check,
)
from kchat.cli.colors import colored
from kchat.cli.completing import complete_session
from kchat.cli.connection import Connection, connection_options
from kchat.cli.errors import next_step, sentence
from kchat.cli.json_lines import print_json
from kchat.cli.options import debug_option, json_option
from kchat.cli.session_argument import checked_sessions, missing_session
from kchat.cli.session_rows import SessionRow
from kchat.cli.session_survey import survey_sessions
from kchat.cli.topic_rules import Level, TopicFacts
from kchat.conversation.escaping import printable
from kchat.core import BrokerError, ReadFailed, place, session_id_of
from kchat.io.api_versions import ApiVersions, releases
from kchat.io.probing import mend_left, probe_clock
from kchat.io.shapes import TopicShape
from kchat.io.survey import Survey

STYLES = {Level.OK: "green", Level.NOTE: "cyan", Level.WARNING: "yellow", Level.ERROR: "red"}

BROKERS_MAX = 50
"""Brokers asked for their settings: each is a request. The others are called not told."""

NAMED_MAX = 3
"""Topics named of each check; --json names all."""

INDENT = 9
"""Columns that the levels take, before the text."""

LOOPBACK = ("localhost", "127.", "[::1]")


@click.command()
@click.argument(
    "sessions", metavar="[SESSION]...", nargs=-1, callback=checked_sessions, shell_complete=complete_session
)
@click.option("--probe", is_flag=True, help="Ask for the broker's clock too: makes a topic, and deletes it.")
@connection_options
@json_option
@debug_option
@click.pass_context
def doctor(
    context: click.Context, connection: Connection, sessions: Sequence[str], probe: bool, as_json: bool
) -> None:
    """Say what endangers the conversations on a cluster.

    Looks at the connection, the brokers and the topics of all sessions, or of these, with the mend of each.
    Exit code 1 where there is an error or a warning. Nothing is changed; with --probe a topic of its own is
    made and deleted.
    """
    checks = []
    for check in _checks(connection, sessions, probe=probe):
        checks.append(check)
        if not as_json:
            _print(check)
    if as_json:
        print_json({"cluster": connection.servers, "checks": [_check_json(check) for check in checks]})
    if any(check.level in {Level.WARNING, Level.ERROR} for check in checks):
        context.exit(1)


def _checks(connection: Connection, sessions: Sequence[str], *, probe: bool) -> Iterator[Check]:
    servers = connection.named_servers
    heard = ApiVersions()
    listening = {"debug": "feature", "logger": heard.logger}
    with connection.survey(**listening) as survey:
        yield from security_check(connection.properties, local=_is_local(servers))
        try:
            partitions, cluster = survey.topics(), survey.cluster()
        except ReadFailed as error:
            yield Check("connection", Level.ERROR, sentence(error), next_step(error))
            return
        count = len(cluster.brokers)
        text = f"{count} broker{'' if count == 1 else 's'}, cluster {cluster.cluster_id}"
        yield Check("connection", Level.OK, text)
        survey.listen()
        yield version_check(releases(heard.ranges))
        told = survey.broker_settings(cluster.brokers[:BROKERS_MAX])
        known = {broker: None if isinstance(it, BrokerError) else it for broker, it in told.items()}
        yield from broker_checks(known, cluster.brokers)
        looked_at = _session_topics(survey, partitions, sessions)
        topics = _topic_facts(survey, looked_at, partitions, named=bool(sessions))
    yield from permission_checks(cluster.operations, topics)
    yield from topic_checks(topics)
    yield from _clock(connection, topics, probe=probe)


def _session_topics(
    survey: Survey, partitions: Mapping[str, tuple[int, ...]], sessions: Sequence[str]
) -> dict[str, str]:
    """The topics to look at, and their sessions: those that are named, or all."""
    if not sessions:
        named = ((topic, session_id_of(topic)) for topic in partitions)
        return {topic: session for topic, session in named if session is not None}
    topics = {place(session).topic: session for session in sessions}
    for topic, session in topics.items():
        if topic not in partitions:
            raise survey.hidden(topic) or missing_session(session)
    return topics


def _topic_facts(
    survey: Survey, sessions: Mapping[str, str], partitions: Mapping[str, tuple[int, ...]], *, named: bool
) -> dict[str, TopicFacts]:
    """The facts of these topics, where they are not `named` without those that have no conversation."""
    rows = sorted(survey_sessions(survey, sessions, partitions, _no_progress), key=lambda row: row.topic)
    rows = [row for row in rows if named or row.is_conversation]
    if not rows:
        return {}
    topics = [row.topic for row in rows]
    settings, shapes = survey.topic_settings(topics), survey.shapes(topics)
    return {row.topic: _facts(row, settings[row.topic], shapes[row.topic]) for row in rows}


def _no_progress(_: int, __: int) -> None:
    """A doctor says what it finds as it goes."""


def _facts(
    row: SessionRow, settings: dict[str, str] | BrokerError, shape: TopicShape | BrokerError
) -> TopicFacts:
    known = None if isinstance(shape, BrokerError) else shape
    return TopicFacts(
        settings=None if isinstance(settings, BrokerError) else settings,
        replicas=None if known is None else known.replicas_min,
        in_sync=None if known is None else known.in_sync_min,
        operations=None if known is None else known.operations,
        last_ms=row.last_ms,
    )


def _clock(connection: Connection, topics: Mapping[str, TopicFacts], *, probe: bool) -> Iterator[Check]:
    now_ms = time.time_ns() // 1_000_000
    if not probe:
        yield clock_check(None, 0, topics, now_ms)
        return
    try:
        probed = probe_clock(connection.with_servers)
    except ReadFailed as error:
        yield Check("clock", Level.WARNING, sentence(error), next_step(error))
        return
    yield clock_check(probed.skew_ms, probed.exact_ms, topics, now_ms)
    if probed.left is not None:
        text = "the topic of the probe could not be deleted"
        yield Check("probe", Level.WARNING, text, mend_left(probed.left), (probed.left,))


def _is_local(servers: str) -> bool:
    return all(server.strip().startswith(LOOPBACK) for server in servers.split(","))


def _print(check: Check) -> None:
    word = colored(f"{check.level.value:<{INDENT}}", STYLES[check.level])
    first, *more = _wrapped(f"{check.name}: {check.text}")
    click.echo(word + first)
    for line in more:
        click.echo(" " * INDENT + line)
    if check.topics:
        rest = len(check.topics) - NAMED_MAX
        named = ", ".join(check.topics[:NAMED_MAX]) + (f" and {rest:,} more" if rest > 0 else "")
        click.secho(" " * INDENT + printable(named), dim=True)
    if check.mend and check.level is not Level.OK:
        for line in _wrapped(f"mend: {check.mend}"):
            click.echo(" " * INDENT + line)


def _wrapped(text: str) -> list[str]:
    """The lines of a text behind the indent: those of the terminal's width, or one into a pipe."""
    if not sys.stdout.isatty():
        return [printable(text)]
    width = max(shutil.get_terminal_size().columns - INDENT, INDENT)
    return textwrap.wrap(printable(text), width, break_on_hyphens=False)


def _check_json(check: Check) -> dict[str, Any]:
    return {
        "name": check.name,
        "level": check.level.value,
        "text": check.text,
        "mend": check.mend,
        "topics": list(check.topics),
    }
