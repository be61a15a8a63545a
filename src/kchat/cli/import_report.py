"""What an import did, in words and as JSON."""

from collections.abc import Iterator

import click

from kchat.cli.intake import Counts, Intake
from kchat.cli.json_lines import print_json
from kchat.conversation.escaping import printable
from kchat.core import place


def report(session: str, intake: Intake, *, dry_run: bool, as_json: bool) -> None:
    """Say what was done. A message that could not be carried is exit code 1."""
    counts, losses = intake.counts, intake.losses
    if as_json:
        print_json(
            {
                "session": session,
                "topic": place(session).topic,
                "dry_run": dry_run,
                "read": counts.read,
                "there_already": counts.there,
                "second_copies": counts.copies,
                "lacking": counts.lacking,
                "appended": counts.appended,
                "of_other_origin_between": counts.between,
                "behind_later_ones": counts.late,
                "not_carried": losses.as_json,
            }
        )
    for line in (*_lines(session, counts, dry_run=dry_run), *losses.lines()):
        click.echo(printable(f"kchat: {line}"), err=True)
    if losses.whole_count:
        click.get_current_context().exit(1)


def _lines(session: str, counts: Counts, *, dry_run: bool) -> Iterator[str]:
    done = f"{counts.lacking:,} would be appended" if dry_run else f"{counts.appended:,} appended"
    copies = f", {counts.copies:,} second copies in the source" if counts.copies else ""
    messages = "message" if counts.read == 1 else "messages"
    yield f"{counts.read:,} {messages} for session {session}: {done}, {counts.there:,} there already{copies}"
    if counts.between:
        yield f"the session holds {counts.between:,} of other origin between those that were there"
    if counts.late:
        verb = "would stand" if dry_run else "stand"
        yield f"{counts.late:,} {verb} behind later ones of the source, which were there before"
