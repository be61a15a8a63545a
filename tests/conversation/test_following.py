"""How a follower waits: for short times at first, since a client hears late of what is new to it."""

from kchat.conversation import conversation
from kchat.core import Message, WatchRequest
from kchat.core.following import FIRST_WATCH_MS, WATCH_MS_MAX
from kchat.testing import FakeBroker


class Recording(FakeBroker):
    """It remembers how long each watch may take."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[int] = []

    def watch(self, request: WatchRequest) -> bool:
        """Watch, and remember."""
        self.waits.append(request.wait_ms_max)
        return super().watch(request)


def test_the_first_watches_of_a_follower_are_short_and_only_those() -> None:
    broker = Recording()
    talk = conversation(broker, "talk")
    talk.append([Message("human", {"content": "x"})])
    short = [FIRST_WATCH_MS << number for number in range(4)]
    following = talk.follow(seconds_max=70.0)
    assert next(following).message.text == "x"
    broker.cluster.at(broker.now_ms + 40_000, lambda: talk.append([Message("human", {"content": "y"})]))
    assert [entry.message.text for entry in following] == ["y"]
    assert broker.waits[:6] == [*short, WATCH_MS_MAX, WATCH_MS_MAX]
    assert min(broker.waits[4:-1]) > short[-1], "what came is no reason to be impatient again"
    assert len(broker.waits) <= 8
