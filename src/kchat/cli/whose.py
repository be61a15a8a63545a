"""Whose a topic is: a conversation's, or another program's (docs/adr/0029-which-topics-are-sessions.md)."""

from attrs import frozen

from kchat.cli.errors import CommandError
from kchat.cli.session_rows import SAMPLE_MAX, WHOLE_MAX, is_conversation
from kchat.core import FromBefore, Log, ReadFailed, ReadRequest, Record, delivered, place

DENIED = frozenset({"TOPIC_AUTHORIZATION_FAILED", "GROUP_AUTHORIZATION_FAILED"})


def check_whose(log: Log, session: str, if_any_topic: str) -> None:
    """See that a session's topic is none of another program, as far as its newest records show.

    One that is missing or empty is nobody's. Who may not read it is not told.

    Args:
        log: the cluster.
        session: whose topic it may be.
        if_any_topic: what the command does to it with --any-topic.

    Raises:
        CommandError: its newest records are no messages.
        ReadFailed: the broker did not answer.
    """
    topic = place(session).topic
    try:
        is_other = _is_other(log, session, topic)
    except ReadFailed as error:
        if error.code in DENIED:
            return
        raise
    if is_other:
        raise CommandError(
            f"the newest records of the topic {topic} are no messages: it may be another program's",
            f"look at it with kchat ls --all and kchat verify; --any-topic {if_any_topic}",
        )


@frozen
class _AsItIs:
    def decode(self, record: Record) -> Record:
        return record


def _is_other(log: Log, session: str, topic: str) -> bool:
    """Whether `kchat ls` leaves the topic out.

    The newest record is mostly a message, and then no other one is fetched: messages may be large.
    """
    return not (
        _has_message(_newest(log, session, topic, 1))
        or is_conversation(_newest(log, session, topic, WHOLE_MAX))
    )


def _has_message(newest: tuple[Record, ...]) -> bool:
    return bool(newest) and is_conversation(newest)


def _newest(log: Log, session: str, topic: str, offsets: int) -> tuple[Record, ...]:
    """Those of so many newest records of each partition that kchat ls judges a topic by."""
    request = ReadRequest(topic=topic, start=FromBefore(offsets), decoder=_AsItIs())
    progress = delivered(log.read(request), session=session, topic=topic)
    firsts = {p.partition: p.offset - SAMPLE_MAX for p in progress.positions if p.partition in progress.older}
    return tuple(d.message for d in progress.deliveries if d.offset >= firsts.get(d.partition, 0))
