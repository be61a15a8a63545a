"""Where imported messages come from: a file, or a topic, its own or one of langchain_community's class."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, assert_never

import click

from kchat.cli.errors import CommandError, system_reason
from kchat.cli.formats.choice import looks_like, reader
from kchat.cli.formats.entries import NoConversation, Placed, Poison, Source, Sourced, Unusable
from kchat.cli.identity import digest, placed_id
from kchat.cli.whole_reads import Part, whole_read
from kchat.core import Log, is_legal_topic
from kchat.core.checks import KAFKA_TOPICS

PEEK_BYTES = 65_536

READABLE = "give JSON Lines or the OpenAI chat format; --format says which of them a file is of"


def from_file(file: IO[bytes], format_name: str | None) -> Iterator[Source]:
    """The messages of a file, of the format that is named or that it looks like.

    Raises:
        CommandError: it cannot be read, is empty, or is a document, but no conversation.
    """
    with _reading(file):
        if format_name is None:
            peek = getattr(file, "peek", None)
            begin = None if peek is None else peek(PEEK_BYTES)
            if begin == b"":
                raise CommandError("the file is empty: there is nothing to import", "name another")
            format_name = "jsonl" if begin is None else looks_like(begin)
        try:
            yield from reader(format_name)(file)
        except NoConversation as error:
            raise CommandError(str(error), READABLE) from None


def lines_in(file: IO[bytes]) -> int | None:
    """How many lines a file has, None for a pipe.

    Raises:
        CommandError: it cannot be read.
    """
    if not file.seekable():
        return None
    with _reading(file):
        begin = file.tell()
        count = sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
        file.seek(begin)
    return count


@contextmanager
def _reading(file: IO[bytes]) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        told = f"{file.name} cannot be read: {system_reason(error)}"
        raise CommandError(told, "name a file that can be read from its beginning, or - for stdin") from error


def checked_topic(_: click.Context, __: click.Parameter, given: str | None) -> str | None:
    """A topic that may hold a conversation."""
    if given is not None and (not is_legal_topic(given) or given in KAFKA_TOPICS):
        raise click.BadParameter("this is no name of a topic that can hold a conversation")
    return given


def from_topic(log: Log, topic: str) -> Iterator[Source]:
    """The messages of a topic, in the order in which kchat reads it.

    Raises:
        CommandError: there is none of this name.
        ReadFailed: the broker cannot be reached, or denies it.
    """
    for part in whole_read(log, session=topic, topic=topic):
        if not part.exists:
            raise CommandError(f"there is no topic {topic}", "kchat ls lists the sessions that are there")
        for entry in part.entries:
            yield _sourced(topic, part, entry)


def _sourced(topic: str, part: Part, entry: Placed | Poison) -> Source:
    match entry:
        case Poison(place=place, reason=reason):
            return Unusable(f"{place}, {reason}", "it is no message")
        case Placed(place=place, message=message, message_id=message_id):
            known = message_id or _place_id(topic, part, entry)
            return Sourced(str(place), message, known, timed=True)
        case _:
            assert_never(entry)


def _place_id(topic: str, part: Part, entry: Placed) -> str | None:
    try:
        said = digest(entry.message)
    except RecursionError:  # no import can write it: it is refused for its depth
        return None
    return placed_id(topic, part.topic_id, entry.place.partition, entry.place.offset, said)
