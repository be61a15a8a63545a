"""What a read hands to LangChain: messages, skipped records, and what the next replay can start from."""

import logging

from attrs import frozen
from langchain_core.messages import BaseMessage

from kchat.core import CorruptRecord, ReadOutcome, ReadRequest, Replayed, corrupt_record, delivered
from kchat.langchain.asking import Asking

logger = logging.getLogger("kchat.langchain")


@frozen(kw_only=True)
class Handed:
    """What is there for the caller."""

    messages: list[BaseMessage]
    skipped: tuple[CorruptRecord, ...]
    replayed: Replayed[BaseMessage] | None


def handed(ask: Asking, request: ReadRequest[BaseMessage], outcome: ReadOutcome[BaseMessage]) -> Handed:
    """The messages of an outcome.

    Raises:
        CorruptRecord: a record is no message.
        ReadFailed: the read failed, or found no topic where one had to be.
    """
    session, topic = ask.session_id, ask.placement.topic
    ask.check_found(outcome)
    progress = delivered(outcome, session=session, topic=topic)
    found = progress if progress.replayed is None else progress.replayed
    skipped = tuple(corrupt_record(corrupt, session=session, topic=topic) for corrupt in found.skipped)
    for record in skipped:
        logger.warning("skipped a record: %s", record)
    if progress.unmoved is not None:
        logger.warning("the place of %a may be where it was: %s", session, progress.unmoved.reason)
    return Handed(
        messages=found.messages if isinstance(found, Replayed) else list(found.messages),
        skipped=skipped,
        replayed=None if request.replayed is None else progress.replayed or Replayed(),
    )
