"""`kchat verify`: reads every record of a session, and says what is wrong with it."""

import time
from typing import Any

import click

from kchat.cli.auditing import Audit, Remarks
from kchat.cli.colors import colored
from kchat.cli.connection import Connection, connection_options
from kchat.cli.errors import CommandError
from kchat.cli.json_lines import print_json
from kchat.cli.options import debug_option, json_option
from kchat.cli.session_argument import missing_session, session_argument
from kchat.conversation.escaping import printable
from kchat.core import BrokerError, Corrupt, JsonDecoder, Placement, Record, place
from kchat.io.survey import Survey
from kchat.langchain import LangChainDecoder

READ_SECONDS_MAX = 3_600.0
"""How long a whole session may take; 100,000 records take 3 s of one core (measured)."""

SHOWN_MAX = 50
"""Remarks shown of each kind; --json has more, and how many there are of each."""


@click.command()
@session_argument
@connection_options
@json_option
@debug_option
@click.pass_context
def verify(context: click.Context, connection: Connection, session: str, as_json: bool) -> None:
    """Report what is wrong with a conversation.

    Reads every record of it; exit code 1 where something is found.
    Findings: records that are no messages; messages that LangChain's classes cannot have; messages of one id
    that are not marked as resent; messages with another session's key; messages in several partitions. Notes,
    which are no findings: second copies that reads drop, offsets without a record (transactions, compaction,
    retention), clocks that went back.
    """
    placement = place(session)
    with connection.survey() as survey:
        audit = _audited(survey, session, placement)
    if as_json:
        print_json(_document(session, placement, audit))
    else:
        _print(session, placement, audit)
    if audit.findings.counts:
        context.exit(1)


def _audited(survey: Survey, session: str, placement: Placement) -> Audit:
    partitions = survey.topics().get(placement.topic)
    if partitions is None:
        raise survey.hidden(placement.topic) or missing_session(session)
    audit = Audit(placement.key, _fault, time.time_ns() // 1_000_000, _strange)
    starts = {}
    for where, told in survey.ends([(placement.topic, partition) for partition in partitions]).items():
        if isinstance(told, BrokerError):
            raise CommandError(f"partition {where[1]} cannot be read: {told.reason}", "run kchat doctor")
        audit.begin(where[1], told[0])
        if told[1] > told[0]:
            starts[where] = told[0]
    for record in survey.records(starts, READ_SECONDS_MAX):
        audit.add(record)
    audit.end()
    return audit


_DECODER = LangChainDecoder()


def _fault(record: Record) -> Corrupt | None:
    """Why this is no message to any reader of kchat's."""
    decoded = JsonDecoder().decode(record)
    return decoded if isinstance(decoded, Corrupt) else None


def _strange(record: Record) -> Corrupt | None:
    """Why LangChain cannot have this message: its readers are the strictest."""
    decoded = _DECODER.decode(record)
    return decoded if isinstance(decoded, Corrupt) else None


def _print(session: str, placement: Placement, audit: Audit) -> None:
    where = "" if placement.topic == session else f", topic {placement.topic}"
    partitions = ", ".join(f"{count} in partition {p}" for p, count in sorted(audit.records.items()))
    click.secho(printable(f"session {session}{where}"), bold=True)
    messages = "message" if audit.messages == 1 else "messages"
    click.echo(f"{audit.messages} {messages}; records: {partitions or 'none'}")
    formats = ", ".join(f"{count} of {name}" for name, count in sorted(audit.formats.items()))
    click.echo(f"formats: {formats or 'none'}")
    _print_remarks("finding", audit.findings, "red")
    _print_remarks("note", audit.notes, "yellow")
    if not audit.findings.counts:
        click.echo(colored("nothing is wrong", "green"))


def _print_remarks(word: str, remarks: Remarks, color: str) -> None:
    for kind, count in remarks.counts.items():
        for remark in [remark for remark in remarks.kept if remark.kind == kind][:SHOWN_MAX]:
            places = (("partition", remark.partition), ("offset", remark.offset))
            where = ", ".join(f"{name} {number}" for name, number in places if number is not None)
            text = printable((f"{where}: " if where else "") + remark.text)
            click.echo(colored(f"{word}: ", color) + text)
        if count > SHOWN_MAX:
            click.echo(f"... and {count - SHOWN_MAX:,} more {word}s of this kind ({kind})")


def _document(session: str, placement: Placement, audit: Audit) -> dict[str, Any]:
    def remarks(found: Remarks) -> list[dict[str, Any]]:
        return [
            {"kind": r.kind, "text": r.text, "partition": r.partition, "offset": r.offset} for r in found.kept
        ]

    return {
        "session": session,
        "topic": placement.topic,
        "messages": audit.messages,
        "records": {str(partition): count for partition, count in sorted(audit.records.items())},
        "formats": dict(audit.formats),
        "findings": remarks(audit.findings),
        "finding_counts": dict(audit.findings.counts),
        "notes": remarks(audit.notes),
        "note_counts": dict(audit.notes.counts),
    }
