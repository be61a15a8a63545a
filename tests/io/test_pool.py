import gc
import time
from threading import Thread

import pytest

from kchat.io.pool import LOOK_SECONDS, Pool, Waiting


class Thing:
    """Something to lease, printed as its key and number."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __eq__(self, other: object) -> bool:
        return self.name == (other.name if isinstance(other, Thing) else other)

    def __hash__(self) -> int:
        return hash(self.name)


class Things:
    def __init__(self) -> None:
        self.made: list[str] = []
        self.ended: list[Thing] = []

    def make(self, key: str) -> Thing:
        self.made.append(f"{key}{len(self.made)}")
        return Thing(self.made[-1])

    def pool(self, size: int = 2) -> "Pool[Thing]":
        return Pool(size, self.make, self.ended.append)


def test_a_free_one_is_leased_again_before_another_is_made() -> None:
    things = Things()
    pool = things.pool()
    first = pool.lease("a", 1)
    assert first is not None
    pool.give_back("a", first)
    assert pool.lease("a", 1) == first
    assert things.made == ["a0"]


def test_the_pool_never_holds_more_than_its_size() -> None:
    things = Things()
    pool = things.pool(size=2)
    assert [pool.lease("a", 0.01) for _ in range(3)] == ["a0", "a1", None]


def test_one_that_is_lost_makes_room_when_it_is_garbage() -> None:
    things = Things()
    pool = things.pool(size=1)
    lost = pool.lease("a", 0.01)
    assert pool.lease("a", 0.01) is None
    del lost
    gc.collect()
    assert pool.lease("a", 0.01) == "a1"


class Owner:
    """Gives back what it leased when it is garbage: it brings the thing back, as a coroutine does."""

    def __init__(self, pool: "Pool[Thing]") -> None:
        self.me = self
        self.pool = pool
        self.leased = pool.lease("a", 1)

    def __del__(self) -> None:
        assert self.leased is not None
        self.pool.give_back("a", self.leased)


def test_one_that_comes_back_from_among_the_garbage_counts_again() -> None:
    things = Things()
    pool = things.pool(size=1)
    Owner(pool)
    gc.collect()
    again = pool.lease("a", 1)
    assert again == "a0"
    assert pool.lease("a", 0.01) is None
    assert things.made == ["a0"]


def test_one_that_comes_back_when_another_has_its_place_is_ended() -> None:
    things = Things()
    pool = things.pool(size=1)
    owner = Owner(pool)
    pool._alive.clear()  # the garbage collector clears what refers to it weakly, before it calls `__del__`
    another = pool.lease("a", 1)
    assert another == "a1"
    del owner
    gc.collect()
    assert things.ended == ["a0"]
    pool.give_back("a", another)
    assert pool.lease("a", 1) == "a1"


def test_a_lease_waits_for_one_to_come_back() -> None:
    things = Things()
    pool = things.pool(size=1)
    held = pool.lease("a", 1)
    assert held is not None
    leased: list[Thing | None] = []
    waiting = Thread(target=lambda: leased.append(pool.lease("a", 10)))
    waiting.start()
    pool.give_back("a", held)
    waiting.join(10)
    assert leased == ["a0"]


def test_another_key_takes_the_place_of_the_one_free_for_longest() -> None:
    things = Things()
    pool = things.pool(size=2)
    a, b = pool.lease("a", 1), pool.lease("b", 1)
    assert a is not None
    assert b is not None
    pool.give_back("b", b)
    pool.give_back("a", a)
    assert pool.lease("c", 1) == "c2"
    assert things.ended == ["b1"]


def test_closing_ends_the_free_ones_now_and_the_leased_ones_when_they_come_back() -> None:
    things = Things()
    pool = things.pool()
    free, leased = pool.lease("a", 1), pool.lease("a", 1)
    assert free is not None
    assert leased is not None
    pool.give_back("a", free)
    pool.close()
    assert things.ended == [free]
    pool.give_back("a", leased)
    assert things.ended == [free, leased]


def test_one_that_cannot_be_made_leaves_its_place_free() -> None:
    def fail(_: str) -> Thing:
        raise RuntimeError("cannot be made")

    pool: Pool[Thing] = Pool(1, fail, lambda _: None)
    for _ in range(3):
        with pytest.raises(RuntimeError, match="cannot be made"):
            pool.lease("a", 0.01)


def test_who_came_first_is_served_first() -> None:
    things = Things()
    pool = things.pool(size=1)
    held = pool.lease("a", 1)
    assert held is not None
    served: list[int] = []

    def wait(number: int) -> None:
        leased = pool.lease("a", 10)
        assert leased is not None
        served.append(number)
        pool.give_back("a", leased)

    waiting = [Thread(target=wait, args=(number,)) for number in range(5)]
    for number, thread in enumerate(waiting, 1):
        thread.start()
        while len(pool._waiting) < number:  # it is in the queue before the next one comes
            time.sleep(0.001)
    time.sleep(2 * LOOK_SECONDS)  # looking by itself, nobody loses the place
    pool.give_back("a", held)
    for thread in waiting:
        thread.join(10)
    assert served == [0, 1, 2, 3, 4]


def test_one_who_waits_gets_the_place_of_another_key() -> None:
    things = Things()
    pool = things.pool(size=1)
    held = pool.lease("a", 1)
    assert held is not None
    leased: list[Thing | None] = []
    waiting = Thread(target=lambda: leased.append(pool.lease("b", 10)))
    waiting.start()
    while not pool._waiting:
        time.sleep(0.001)
    pool.give_back("a", held)
    waiting.join(10)
    assert leased == ["b1"]
    assert things.ended == ["a0"]


@pytest.mark.parametrize("how", ["discarded", "lost"])
def test_one_who_waits_gets_the_room_of_one_that_is_gone(how: str) -> None:
    things = Things()
    pool = things.pool(size=1)
    held = [pool.lease("a", 1)]
    leased: list[Thing | None] = []
    waiting = Thread(target=lambda: leased.append(pool.lease("a", 10)))
    waiting.start()
    while not pool._waiting:
        time.sleep(0.001)
    if how == "discarded":
        assert held[0] is not None
        pool.discard(held[0])
    held.clear()
    gc.collect()
    waiting.join(10)
    assert leased == ["a1"]


def test_what_is_given_to_one_who_is_interrupted_goes_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    things = Things()
    pool = things.pool(size=1)
    held = pool.lease("a", 1)
    assert held is not None

    def interrupted(waiting: Waiting[Thing]) -> None:
        pool._put("a", held)  # it was just called
        assert waiting.given is not None
        raise KeyboardInterrupt

    monkeypatch.setattr(pool, "_given", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pool.lease("a", 0.01)
    monkeypatch.undo()
    assert pool.lease("a", 0.01) == "a0"


def test_one_that_comes_back_while_another_is_given_up_stays() -> None:
    things = Things()
    pool = things.pool(size=2)
    busy, idle = pool.lease("a", 1), pool.lease("b", 1)
    assert busy is not None
    assert idle is not None
    pool.give_back("b", idle)
    claim = pool._claim("c")  # what `lease` has when another thread comes in between
    assert claim is not None
    pool.give_back("a", busy)
    assert things.ended == []
    assert pool.lease("a", 0) == busy
