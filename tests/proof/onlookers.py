"""Readers that look on while others write; what each saw is held against the replay at the end."""

import time
from collections.abc import Sequence
from itertools import pairwise

from attrs import define, field

from kchat.core import (
    Failed,
    FromCommitted,
    FromEnd,
    FromPositions,
    JsonDecoder,
    KchatError,
    Message,
    Progress,
    ReadRequest,
    Start,
    place,
)
from kchat.io import KafkaLog
from kchat.langchain import KafkaChatMessageHistory
from tests.proof.figures import Figures
from tests.proof.load import LIMIT_SECONDS

REPLAY_SECONDS_MAX = 60.0
FOLLOW_MS_MAX = 1_000
OUT_OF_TIME = "_TIMED_OUT"
"""The code of an error that says that nobody has answered within the call's limit."""


@define(eq=False)
class Replaying:
    """Replays the conversation again and again: each time it begins with what was there before."""

    history: KafkaChatMessageHistory
    last: list[str] = field(factory=list)
    replays: int = 0
    failures: int = 0

    def until(self, end: float, figures: Figures) -> None:
        """Replay until then, at least once after it."""
        over = False
        while not over:
            over = time.monotonic() >= end
            try:
                with figures.call(REPLAY_SECONDS_MAX):
                    texts = [str(message.content) for message in self.history.messages]
            except KchatError as error:
                if error.code == OUT_OF_TIME:
                    self.failures += 1  # the limit is short, and the machine may be slow
                else:
                    figures.went_wrong(f"a replay beside the writers failed: {error}")
                continue
            self.replays += 1
            if texts[: len(self.last)] != self.last:
                figures.went_wrong(
                    f"replay {self.replays} does not begin with the {len(self.last)} before it"
                )
            self.last = texts

    def judge(self, whole: Sequence[str], figures: Figures) -> None:
        """All replays are beginnings of the one order."""
        if list(whole[: len(self.last)]) != self.last:
            figures.went_wrong("two readers replay in different orders")


@define(eq=False)
class Watching:
    """Reads a session on a log of its own, beside the session's cursor: follows it, or shares a group."""

    log: KafkaLog
    session: str
    seen: list[str] = field(factory=list)
    failures: int = 0

    def follow(self, end: float, figures: Figures) -> None:
        """From the end on, from position to position: every message once, none left out."""
        start: Start = FromEnd()
        while time.monotonic() < end:
            progress = self._read(start, figures, follow=True)
            if progress.positions:
                start = FromPositions(progress.positions)

    def share(self, group: str, end: float, figures: Figures) -> None:
        """From a cursor that others move, too."""
        while time.monotonic() < end:
            self._read(FromCommitted(group), figures, group=group)
            time.sleep(0.01)

    def drain(self, group: str, figures: Figures) -> None:
        """Read what is left behind a shared cursor."""
        while self._read(FromCommitted(group), figures, group=group).messages:
            pass

    def _read(
        self, start: Start, figures: Figures, *, follow: bool = False, group: str | None = None
    ) -> Progress[Message]:
        request = ReadRequest(
            topic=place(self.session).topic,
            start=start,
            decoder=JsonDecoder(),
            messages_max=500,
            wait_ms_max=FOLLOW_MS_MAX if follow else int(LIMIT_SECONDS * 1000),
            follow=follow,
            commit_to=group,
        )
        with figures.call(LIMIT_SECONDS):
            outcome = self.log.read(request)
        if isinstance(outcome, Failed):
            self.failures += 1  # the limit is short, and the machine may be slow
            return Progress()
        self.seen += [message.text for message in outcome.progress.messages]
        return outcome.progress


def judge_slice(texts: Sequence[str], whole: Sequence[str], figures: Figures, reader: str) -> None:
    """What a reader saw is one piece of the order, with nothing left out, doubled or swapped."""
    if not texts:
        return
    places = {text: index for index, text in enumerate(whole)}
    seen = [places.get(text, -1) for text in texts]
    gaps = sum(after > before + 1 for before, after in pairwise(seen))
    again = len(seen) - len(set(seen))
    backwards = sum(after < before for before, after in pairwise(seen))
    if gaps or again or backwards or -1 in seen:
        figures.add(lost=gaps, duplicates=again, out_of_order=backwards)
        figures.went_wrong(f"{reader}: {gaps} gaps, {again} again, {backwards} backwards")
