"""`kchat import`: messages of a file, a topic or another history into a session."""

from collections.abc import Iterable
from typing import IO

import click
from attrs import frozen

from kchat.cli.connection import Connection, connection_options
from kchat.cli.errors import CommandError, sentence
from kchat.cli.formats.choice import READ
from kchat.cli.formats.entries import Source
from kchat.cli.held import held_by
from kchat.cli.history_arguments import Arguments, arguments_option
from kchat.cli.identity import Chain
from kchat.cli.import_report import report
from kchat.cli.intake import Destination, Intake
from kchat.cli.options import debug_option, json_option
from kchat.cli.progress import Advance, progress
from kchat.cli.session_argument import checked_session
from kchat.cli.sources import checked_topic, from_file, from_topic, lines_in
from kchat.cli.whose import check_whose
from kchat.core import AppendRefused, AppendUnknown, Log, TopicSettings, place
from kchat.core.topics import TTL_MS_DEFAULT


@click.command("import")
@click.argument("file", type=click.File("rb"), required=False)
@click.option(
    "--from-topic", "topic", metavar="TOPIC", callback=checked_topic, help="A topic of this cluster."
)
@click.option(
    "--from-history",
    "history",
    metavar="MODULE:CLASS",
    help="A LangChain history class. Its module is imported and the class is called: it runs as you.",
)
@arguments_option
@click.option(
    "--session", required=True, metavar="ID", callback=checked_session, help="The session to import into."
)
@click.option("--format", "format_name", type=click.Choice(READ), help="[default: what FILE looks like]")
@click.option(
    "--source",
    default="",
    metavar="NAME",
    help="Name the source, where two sources of one session begin alike and their messages have no ids.",
)
@click.option("--dry-run", is_flag=True, help="Read all, append nothing, and report.")
@click.option("--replication-factor", default=1, show_default=True, help="Of a topic that is created.")
@click.option("--ttl-ms", default=TTL_MS_DEFAULT, show_default=True, help="The same; -1 keeps for ever.")
@click.option("--any-topic", is_flag=True, help="Into a topic, too, whose newest records are no messages.")
@connection_options
@json_option
@debug_option
def import_(
    connection: Connection,
    file: IO[bytes] | None,
    topic: str | None,
    history: str | None,
    arguments: Arguments,
    session: str,
    format_name: str | None,
    source: str,
    dry_run: bool,
    replication_factor: int,
    ttl_ms: int,
    any_topic: bool,
    as_json: bool,
) -> None:
    """Append the messages of FILE ("-" is stdin), of a topic or of another history to a session.

    What the session has already is not appended again: the same import a second time adds nothing, and one
    that was stopped goes on. What cannot be carried is reported on stderr, and with --json on stdout.
    A topic whose newest records are no messages is somebody else's, most likely: nothing is appended to it.
    """
    arguments.keep_secret(click.get_current_context())
    if sum(given is not None for given in (file, topic, history)) != 1:
        raise click.UsageError("give one source: FILE, --from-topic or --from-history")
    if arguments.given and history is None:
        raise click.UsageError("--arg is for the class of --from-history, and there is none")
    if format_name is not None and file is None:
        raise click.UsageError("--format is that of a FILE, and there is none")
    settings = _settings(replication_factor, ttl_ms)
    origin = _Origin(file=file, format_name=format_name, topic=topic, history=history, arguments=arguments)
    with connection.log() as log, progress("importing") as advance:
        if not any_topic:
            check_whose(log, session, "imports into it")
        to = Destination(log=log, session=session, settings=settings, dry_run=dry_run)
        intake = _taken_in(origin, to, Chain.of(source), advance)
    report(session, intake, dry_run=dry_run, as_json=as_json)


@frozen(kw_only=True)
class _Origin:
    """The one source that was given."""

    file: IO[bytes] | None
    format_name: str | None
    topic: str | None
    history: str | None
    arguments: Arguments

    def messages(self, log: Log) -> tuple[Iterable[Source], int | None]:
        """The messages, and how many they are, as far as that is known."""
        if self.topic is not None:
            return from_topic(log, self.topic), None
        if self.history is not None:
            from kchat.cli.histories import messages_of  # LangChain is slow to import, and mostly not needed

            listed = messages_of(self.history, self.arguments)
            return listed, len(listed)
        if self.file is None:
            raise AssertionError("no source")
        total = lines_in(self.file)
        return from_file(self.file, self.format_name), total


def _settings(replication_factor: int, ttl_ms: int) -> TopicSettings:
    try:
        return TopicSettings(replication_factor=replication_factor, ttl_ms=ttl_ms)
    except ValueError as error:
        told = str(error)
        for name in ("replication_factor", "ttl_ms"):  # here they are options
            told = told.replace(name, f"--{name.replace('_', '-')}")
        raise click.UsageError(told) from None


def _taken_in(origin: _Origin, to: Destination, ids: Chain, advance: Advance) -> Intake:
    """Take in all messages of the source.

    Raises:
        CommandError: the session could not take them all.
    """
    sources, total = origin.messages(to.log)
    intake = Intake(to, held_by(to.log, session=to.session, topic=place(to.session).topic), ids)
    try:
        for done, source in enumerate(sources, start=1):
            intake.take(source)
            advance(done, total)
        intake.end()
    except (AppendRefused, AppendUnknown) as error:
        raise CommandError(
            f"{sentence(error)}; {intake.counts.appended:,} messages were appended before that",
            "mend the cause and run the same command again: what is there is not appended twice",
        ) from None
    return intake
