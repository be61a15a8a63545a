"""What a read hands to LangChain: messages, skipped records, and what the next replay can start from."""

import logging

from attrs import frozen
from langchain_core.messages import BaseMessage

from kchat.core import (
    CorruptRecord,
    FromBeginning,
    KchatError,
    ReadOutcome,
    ReadRequest,
    Removals,
    Replayed,
    corrupt_record,
    delivered,
)
from kchat.langchain.asking import Asking
from kchat.langchain.removing import any_removal, settled

logger: logging.Logger = logging.getLogger("kchat.langchain")


@frozen(kw_only=True)
class Handed:
    """What is there for the caller."""

    messages: list[BaseMessage]
    skipped: tuple[CorruptRecord, ...]
    replayed: Replayed[BaseMessage] | None
    marked: bool


Judged = tuple[ReadOutcome[BaseMessage], Handed | KchatError]
"""An outcome, and what is there for the caller: messages, or an error to be raised."""


def handed(
    ask: Asking, request: ReadRequest[BaseMessage], outcome: ReadOutcome[BaseMessage], *, marked: bool
) -> Handed:
    """The messages of an outcome, without those that are removed.

    `marked`: earlier reads for the same replay have met a marker.

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
    new = [delivery.message for delivery in progress.deliveries]
    marked = marked or any_removal(new)
    if isinstance(found, Replayed):
        messages = Removals.of(found.ranked).left(found.ranked) if marked else found.messages
    elif marked:
        anew = request.commit_to is None or isinstance(request.start, FromBeginning)
        messages = settled(progress.deliveries, whole=anew)
    else:
        messages = new
    return Handed(
        messages=messages,
        marked=marked and request.replayed is not None,
        skipped=skipped,
        replayed=None if request.replayed is None else progress.replayed or Replayed(),
    )
