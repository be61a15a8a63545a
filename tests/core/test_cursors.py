import pytest
from hypothesis import given
from hypothesis import strategies as st

from kchat.core import METADATA_BYTES_MAX, CursorMemory, FromCommitted, JsonDecoder, ReadRequest
from kchat.core.cursors import IDS_MAX, RESENT_IDS_MAX
from kchat.core.wire import MESSAGE_ID
from kchat.testing import FakeBroker

VALUE = b'{"type": "human", "data": {"content": "x"}}'

uuids = st.uuids().map(lambda u: u.hex)


@given(
    st.none() | st.uuids().map(str),
    st.lists(uuids, max_size=IDS_MAX - RESENT_IDS_MAX),
    st.lists(uuids, max_size=RESENT_IDS_MAX),
)
def test_what_a_cursor_remembers_comes_back_equal(
    topic_id: str | None, ids: list[str], resent: list[str]
) -> None:
    memory = CursorMemory(topic_id, tuple(ids), tuple(resent))
    assert CursorMemory.from_metadata(memory.to_metadata()) == memory


names = st.text(max_size=100) | st.from_regex(r"[0-9a-f]{64}", fullmatch=True)


@given(st.lists(names, max_size=300), st.data())
def test_it_always_fits_and_keeps_the_latest(ids: list[str], data: st.DataObject) -> None:
    resent = frozenset(data.draw(st.lists(st.sampled_from(ids or [""]), max_size=150)))
    memory = CursorMemory().followed_by(tuple(ids), resent)
    metadata = memory.to_metadata()
    assert len(metadata.encode()) <= METADATA_BYTES_MAX
    kept = CursorMemory.from_metadata(metadata)
    assert len(kept.ids) + len(kept.resent) <= IDS_MAX
    assert kept.known <= set(ids)
    for few, of in ((kept.ids, memory.ids), (kept.resent, memory.resent)):
        usable = [known for known in of if MESSAGE_ID.fullmatch(known.encode())]
        assert list(few) == usable[len(usable) - len(few) :]


def test_ids_of_resent_records_are_kept_for_longest() -> None:
    ids = tuple(f"{number:032x}" for number in range(500))
    memory = CursorMemory().followed_by(ids, frozenset(ids[:RESENT_IDS_MAX]))
    kept = CursorMemory.from_metadata(memory.to_metadata())
    assert kept.resent == ids[:RESENT_IDS_MAX]
    assert kept.ids == ids[RESENT_IDS_MAX - IDS_MAX :]


@pytest.mark.parametrize("resent", [0, 30, RESENT_IDS_MAX])
def test_where_ids_are_long_the_oldest_give_way(resent: int) -> None:
    ids = tuple(f"{number:064x}" for number in range(IDS_MAX))
    memory = CursorMemory("0" * 22).followed_by(ids, frozenset(ids[:resent]))
    kept = CursorMemory.from_metadata(memory.to_metadata())
    assert METADATA_BYTES_MAX - 66 < len(memory.to_metadata()) <= METADATA_BYTES_MAX
    assert kept.resent == ids[:resent][-len(kept.resent) or resent :]
    assert kept.ids == (ids[-len(kept.ids) :] if kept.ids else ())
    assert not kept.ids or len(kept.resent) == resent


def test_a_full_window_of_kchats_own_ids_fits() -> None:
    ids = tuple(f"{number:032x}" for number in range(IDS_MAX + 5))
    memory = CursorMemory("0" * 22, ()).followed_by(ids)
    assert CursorMemory.from_metadata(memory.to_metadata()).ids == ids[5:]


@given(st.text())
def test_another_programs_metadata_says_nothing(metadata: str) -> None:
    if not metadata.startswith("kchat "):
        assert CursorMemory.from_metadata(metadata) == CursorMemory()


@given(
    batches=st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=6), max_size=8),
    messages_max=st.integers(1, 5),
    partitions=st.integers(1, 3),
)
def test_a_second_copy_is_dropped_wherever_the_cursor_stands_between_the_two(
    batches: list[list[int]], messages_max: int, partitions: int
) -> None:
    """Reads by different processes, with appends between them that repeat any record of before."""
    broker = FakeBroker()
    broker.cluster.create("t", partitions=partitions)
    read: list[str] = []
    for batch in batches:
        for number in batch:
            broker.cluster.inject("t", VALUE, key=b"k", headers=(("kchat-id", b"id-%d" % number),))
        request = ReadRequest(
            topic="t",
            start=FromCommitted("g"),
            commit_to="g",
            decoder=JsonDecoder(),
            messages_max=messages_max,
        )
        outcome = broker.reopened().read(request)
        read += [str(delivery.message_id) for delivery in outcome.progress.deliveries]
    appended = [f"id-{number}" for batch in batches for number in batch]
    assert read == list(dict.fromkeys(appended))[: len(read)]
    assert len(read) == len(set(read))


@pytest.mark.parametrize(
    ("metadata", "memory"),
    [
        ("kchat A", CursorMemory("A")),
        ("kchat A ", CursorMemory("A")),
        ("kchat", CursorMemory()),
        ("kchat - id-1", CursorMemory(None, ("id-1",))),
        ("kchat A id-1,,id-2", CursorMemory("A", ("id-1", "id-2"))),
    ],
)
def test_a_string_that_lost_white_space_on_its_way_says_the_same(metadata: str, memory: CursorMemory) -> None:
    assert CursorMemory.from_metadata(metadata) == memory


@pytest.mark.parametrize(("last", "kept"), [(57, 63), (58, 62)], ids=["just fits", "one too many"])
def test_the_string_is_filled_to_its_last_byte(last: int, kept: int) -> None:
    ids = ("x" * last, *(f"{number:064}" for number in range(62)))
    metadata = CursorMemory("A", ids).to_metadata()
    assert CursorMemory.from_metadata(metadata).ids == ids[-kept:]
    assert (len(metadata) == METADATA_BYTES_MAX) is (last == 57)


@pytest.mark.parametrize(("last", "kept"), [(60, 62), (61, 61)], ids=["just fits", "one too many"])
def test_so_it_is_with_resent_ids_which_give_way_last(last: int, kept: int) -> None:
    resent = ("x" * last, *(f"{number:064}" for number in range(61)))
    metadata = CursorMemory("A", ("one",) * (last == 61), resent).to_metadata()
    assert CursorMemory.from_metadata(metadata) == CursorMemory("A", (), resent[-kept:])
    assert (len(metadata) == METADATA_BYTES_MAX) is (last == 60)
