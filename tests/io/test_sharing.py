import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from kchat.core import Closed, FromBeginning, JsonDecoder, ReadRequest, place
from kchat.io import EmbeddedKafka, KafkaLog, SharedLog, share_log, sharing
from kchat.io.sharing import _Registry, _registry


@pytest.fixture
def servers() -> Iterator[str]:
    with EmbeddedKafka() as embedded:
        yield embedded.bootstrap_servers


def read(log: KafkaLog, session_id: str = "s") -> object:
    return log.read(ReadRequest(topic=place(session_id).topic, start=FromBeginning(), decoder=JsonDecoder()))


def test_equal_settings_share_a_log_and_others_do_not() -> None:
    one = share_log({"bootstrap.servers": "a:1", "client.id": "x"})
    same = share_log({"client.id": "x", "bootstrap.servers": "a:1"})
    other = share_log({"bootstrap.servers": "a:1", "client.id": "y"})
    typed = share_log({"bootstrap.servers": "a:1", "socket.timeout.ms": 1000})
    text = share_log({"bootstrap.servers": "a:1", "socket.timeout.ms": "1000"})
    assert one.log is same.log
    assert len({id(share.log) for share in (one, other, typed, text)}) == 4
    for share in (one, same, other, typed, text):
        share.release()


def test_the_log_lives_until_the_last_release(servers: str) -> None:
    first, second = (share_log({"bootstrap.servers": servers}) for _ in range(2))
    first.release()
    first.release()  # a second release of the same share must not count
    read(second.log)
    second.release()
    with pytest.raises(Closed):
        read(second.log)


def test_the_next_share_after_the_last_release_is_a_new_log(servers: str) -> None:
    first = share_log({"bootstrap.servers": servers})
    first.release()
    second = share_log({"bootstrap.servers": servers})
    assert second.log is not first.log
    read(second.log)
    second.release()


def test_a_share_that_is_dropped_keeps_the_log_for_the_next(servers: str) -> None:
    kept = share_log({"bootstrap.servers": servers}).log
    later = share_log({"bootstrap.servers": servers})
    assert later.log is kept
    kept.close()


def test_a_second_history_costs_no_thread_and_no_connection(servers: str) -> None:
    first = share_log({"bootstrap.servers": servers})
    read(first.log)
    threads = native_threads()
    more: list[SharedLog] = [share_log({"bootstrap.servers": servers}) for _ in range(200)]
    for number, share in enumerate(more):
        read(share.log, f"session-{number}")
    assert native_threads() < threads + len(more) // 10  # clients of other tests may still come and go
    for share in [first, *more]:
        share.release()


def test_the_last_release_ends_the_threads(servers: str) -> None:
    before = settled_threads()
    shares = [share_log({"bootstrap.servers": servers}) for _ in range(2)]
    for share in shares:
        read(share.log)
    assert native_threads() > before
    shares[0].release()
    read(shares[1].log)
    assert native_threads() > before
    shares[1].release()
    end = time.monotonic() + 10
    while native_threads() > before and time.monotonic() < end:
        time.sleep(0.05)
    assert native_threads() <= before


def settled_threads() -> int:
    """Their number, once those of other tests have ended: it was the same for half a second."""
    seen = [native_threads()]
    end = time.monotonic() + 10
    while (len(seen) < 10 or len(set(seen[-10:])) > 1) and time.monotonic() < end:
        time.sleep(0.05)
        seen.append(native_threads())
    return seen[-1]


def native_threads() -> int:
    """Threads of the operating system: librdkafka's are not Python's."""
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("Threads:"))
    except FileNotFoundError:
        return threading.active_count()


def test_shares_that_are_dropped_leave_nothing_behind(servers: str) -> None:
    kept = share_log({"bootstrap.servers": servers})
    for _ in range(100):
        share_log({"bootstrap.servers": servers})
    gc.collect()
    assert len(_registry._logs[kept.key].users) == 1
    kept.release()
    read(kept.log)  # it is there for the next one
    kept.log.close()


def ends(work: Callable[[], object]) -> bool:
    """Whether it comes to its end, in a thread of its own, and does not wait for itself."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(10)
    return not thread.is_alive()


def test_a_signal_handler_may_release_a_share_while_the_code_it_interrupts_makes_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sharing, "_registry", _Registry())
    other = share_log({"bootstrap.servers": "a:1", "client.id": "other"})

    class Interrupted(KafkaLog):
        def __init__(self, config: Mapping[str, Any]) -> None:
            other.release()  # here and now, in this very thread: as a handler does
            super().__init__(config)

    monkeypatch.setattr(sharing, "KafkaLog", Interrupted)
    assert ends(lambda: share_log({"bootstrap.servers": "a:1"}).release())


def test_a_share_that_a_signal_handler_closes_under_the_making_of_the_next_is_not_handed_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sharing, "_registry", _Registry())
    first = share_log({"bootstrap.servers": "a:1"})
    made: list[SharedLog] = []

    def interrupted(log: KafkaLog, key: object) -> SharedLog:
        first.release()
        return SharedLog(log, key)

    monkeypatch.setattr(sharing, "SharedLog", interrupted)
    assert ends(lambda: made.append(share_log({"bootstrap.servers": "a:1"})))
    monkeypatch.undo()
    assert made[0].log is not first.log


def test_two_releases_of_one_log_one_in_the_midst_of_the_other_both_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sharing, "_registry", _Registry())
    first, second = (share_log({"bootstrap.servers": "a:1"}) for _ in range(2))

    def interrupted(user: object) -> object:
        monkeypatch.setattr(sharing, "ref", weakref.ref)
        second.release()
        return weakref.ref(user)

    monkeypatch.setattr(sharing, "ref", interrupted)
    assert ends(first.release)
    with pytest.raises(Closed):
        read(first.log)
