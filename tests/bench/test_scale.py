"""The arithmetic of docs/scale.md, what is read out of the words of others, and writing between the marks."""

import struct
from pathlib import Path

import pytest
from attrs import evolve
from bench.figures import Timing
from bench.scale.__main__ import LAYOUTS, PAGE, growth, with_measured
from bench.scale.answers import request
from bench.scale.broker import Restarted
from bench.scale.census import Census, file_count, memory, used_heap
from bench.scale.growth import (
    Assumptions,
    changed,
    connections_per_broker,
    kept_sessions,
    layout,
    programs,
    steps,
    stored_bytes,
    turns_per_second,
)
from bench.scale.marks import between, marks
from bench.scale.shared import SharedRead
from bench.scale.stages import Filled, FirstAppends, Latency, Stage
from bench.scale.tables import (
    assumptions_table,
    each_table,
    layouts_table,
    making_table,
    shared_table,
    steps_table,
    topics_table,
)
from bench.scale.topics import Bulk

SMALL = Assumptions(
    sessions_per_day=100,
    retention_days=10,
    messages_per_session=40,
    bytes_per_message=500,
    active_share=0.1,
    seconds_per_turn=10,
    cold_share=0.5,
    replicas=3,
    replicas_per_broker=100,
    partitions_per_cluster=400,
    broker_disk_gb=0.02,
    broker_mb_per_second=0.1,
    turns_per_program=4,
    readers_per_program=8,
    read_ms=5,
    records_per_second=1_000,
)
BEFORE = Census(
    files=10,
    named_bytes=0,
    disk_bytes=0,
    descriptors=90,
    maps=400,
    rss_bytes=100 << 20,
    anonymous_bytes=90 << 20,
    heap_bytes=30 << 20,
)
AFTER = evolve(
    BEFORE,
    files=30,
    named_bytes=80 << 20,
    disk_bytes=48_000,
    descriptors=94,
    maps=408,
    heap_bytes=(30 << 20) + 40_000,
)


def timing(*seconds: float) -> Timing:
    return Timing(contender="kchat", case="", seconds=seconds)


LATENCY = Latency(append=timing(0.001, 0.002, 0.009), replay=timing(0.005))
FIRST = FirstAppends(seconds=(0.02, 0.03, 0.02, 0.02), before=BEFORE, after=AFTER)
EMPTY = Stage(partitions=1, topics=0, census=BEFORE, latency=LATENCY)
FULL = Stage(
    partitions=1,
    topics=8,
    census=AFTER,
    latency=LATENCY,
    same_log=LATENCY,
    bulk=Bulk(count=4, taken=0.1, seen=0.2, done=0.3),
    before_bulk=BEFORE,
    all_bytes=1_500,
    all_seconds=0.01,
    one_bytes=126,
    one_seconds=0.001,
    restarted=Restarted(stop=1.0, start=2.0),
    led_seconds=0.5,
    after_restart=BEFORE,
)
RUN = Filled(
    partitions=1,
    stages=(EMPTY, FULL),
    first_appends=FIRST,
    deleted=Bulk(count=4, taken=0.1, seen=0.2, done=None),
)
READS = [
    SharedRead(
        foreign=foreign,
        record_bytes=431.7,
        whole=timing(seconds),
        again=timing(0.001),
        following=timing(0.02),
    )
    for foreign, seconds in ((0, 0.005), (100_000, 1.005))
]


def test_the_load_follows_from_the_assumptions() -> None:
    assert kept_sessions(SMALL) == 1_000
    assert turns_per_second(SMALL) == 10  # 100 are talking, one turn in 10 s each
    assert stored_bytes(SMALL) == 1_000 * 40 * 500
    assert programs(SMALL) == 3  # 2.5 of them
    assert connections_per_broker(SMALL) == 3 * (8 * 2 + 2)


def test_a_topic_for_each_session_needs_brokers_for_its_partitions() -> None:
    own = layout(SMALL, 1)
    assert (own.topics, own.replicas, own.clusters) == (1_000, 3_000, 3)
    assert own.brokers_for_partitions == 30
    assert own.brokers_for_disk == 3  # 20 MB, three times, of which a broker holds 20
    assert own.cold_read_seconds == pytest.approx(0.005)
    assert own.records_between_turns == 0
    assert own.brokers == 30


def test_a_shared_topic_needs_brokers_for_its_cold_reads() -> None:
    shared = layout(SMALL, 100)
    assert (shared.topics, shared.replicas, shared.clusters) == (10, 30, 1)
    assert shared.records_per_topic == 4_000
    assert shared.cold_read_seconds == pytest.approx(0.005 + 3.96)
    assert shared.cold_mb_per_second == pytest.approx(5 * 4_000 * 500 / 1e6)
    assert shared.records_between_turns == pytest.approx(99 * 0.1 * 2)
    assert shared.brokers == shared.brokers_for_reads == 100


def test_there_are_never_fewer_brokers_than_replicas() -> None:
    assert layout(evolve(SMALL, sessions_per_day=0.1, active_share=0.001), 1).brokers == 3


def test_the_page_is_about_ten_million_sessions() -> None:
    assert kept_sessions(Assumptions()) == 10_000_000


def test_every_assumption_can_be_changed_by_its_name() -> None:
    assert changed(SMALL, ["retention_days=20", "replicas=2"]) == evolve(SMALL, retention_days=20, replicas=2)


@pytest.mark.parametrize("change", ["sessions=1", "replicas", "replicas=0", "replicas=nan", "replicas=two"])
def test_what_is_no_assumption_is_refused(change: str) -> None:
    with pytest.raises(ValueError, match=r"none of|number above zero|could not convert"):
        changed(SMALL, [change])


def test_what_was_measured_takes_the_place_of_what_was_assumed() -> None:
    measured = with_measured(SMALL, READS)
    assert measured == evolve(SMALL, bytes_per_message=430, read_ms=5, records_per_second=100_000)


def test_the_arithmetic_is_shown_with_its_names() -> None:
    assumptions, lines, layouts = growth(SMALL, ["read_ms"])
    assert "| `read_ms` | 5 | measured |" in assumptions
    assert "| `replicas` | 3 | assumed |" in assumptions_table(SMALL)
    assert "| sessions kept | sessions_per_day x retention_days | 1,000 |" in lines
    assert steps_table(steps(SMALL)) == lines
    assert layouts_table([layout(SMALL, 1)]) in layouts_table([layout(SMALL, 1)])
    assert f"| sessions of a topic | {' | '.join(f'{n:,}' for n in LAYOUTS)} |" in layouts


def test_each_stage_is_a_column_and_what_was_not_measured_a_dash() -> None:
    lines = topics_table([RUN]).splitlines()
    assert lines[0] == "|  | 0 x 1 | 8 x 1 |"
    assert "| open file descriptors | 90 | 94 |" in lines
    assert "| append of a turn, median | 2 ms | 2 ms |" in lines
    assert "| append of a turn, slowest | 9 ms | 9 ms |" in lines
    assert "| all metadata (`list_topics()`) | - | 1.5 KB |" in lines
    assert "| start after it | - | 2 s |" in lines


def test_what_one_topic_more_costs_is_a_difference() -> None:
    lines = each_table([RUN]).splitlines()
    assert lines[0] == "| each topic more | with one turn, 1 partition | empty, 1 partition |"
    assert "| files | 5.0 | 5.0 |" in lines
    assert "| map areas | 2.0 | 2.0 |" in lines
    assert "| disk | 12.0 KB | 12.0 KB |" in lines
    assert "| heap | 10.0 KB | 10.0 KB |" in lines


def test_a_heap_that_cannot_be_asked_is_a_dash() -> None:
    blind = evolve(AFTER, heap_bytes=None)
    run = evolve(RUN, stages=(EMPTY,), first_appends=evolve(FIRST, after=blind))
    assert "| heap | - |" in each_table([run])


def test_making_and_deleting_are_rows() -> None:
    lines = making_table([RUN]).splitlines()
    assert lines[2:] == [
        "| made by first appends | 1 | 4 | 20 ms each, slowest 30 ms | 0 s in all | - |",
        "| made in bulk, up to 8 | 1 | 4 | 100 ms | 200 ms | 300 ms |",
        "| deleted in bulk, of 8 | 1 | 4 | 100 ms | 200 ms | - |",
    ]


def test_shared_reads_are_rows() -> None:
    assert "| 100,000 | 1 s | 1 s | 1 ms | 20 ms |" in shared_table(READS)


def test_what_is_between_the_marks_is_replaced_and_nothing_else() -> None:
    begin, end = marks("one")
    page = f"Before.\n{begin}\nold\nlines\n{end}\nAfter.\n"
    written = between(page, "one", "new \\1 text\n")
    assert written == f"Before.\n{begin}\nnew \\1 text\n{end}\nAfter.\n"
    assert between(written, "one", "new \\1 text") == written


def test_marks_may_have_nothing_between_them() -> None:
    begin, end = marks("one")
    assert between(f"{begin}\n{end}\n", "one", "text") == f"{begin}\ntext\n{end}\n"


@pytest.mark.parametrize("times", [0, 2])
def test_marks_are_there_once(times: int) -> None:
    with pytest.raises(ValueError, match="needs the marks"):
        between("\n".join(marks("one")) * times, "one", "text")


@pytest.mark.parametrize("name", ["where", "topics", "each", "making", "shared", "growth"])
def test_the_page_has_a_place_for_every_table(name: str) -> None:
    assert "anything" in between(PAGE.read_text(encoding="utf-8"), name, "anything")


def test_a_metadata_request_has_its_length_before_it() -> None:
    everything, one, long = request(None), request("chat"), request("x" * 200)
    for each in (everything, one, long):
        assert struct.unpack(">i", each[:4])[0] == len(each) - 4
        assert struct.unpack(">hh", each[4:8]) == (3, 12)
    assert one.endswith(b"\x05chat" + bytes(4))
    assert b"\xc9\x01" + b"x" * 200 in long


def test_the_used_heap_is_read_from_what_java_says() -> None:
    assert used_heap("1:\n garbage-first heap   total 65536K, used 32100K [0x00, 0x01)\n") == 32_100 * 1_024
    reserved = " garbage-first heap   total reserved 1048576K, committed 65536K, used 7K [0x00)"
    assert used_heap(reserved) == 7 * 1_024
    assert used_heap("no such target VM") is None


def test_memory_is_read_from_the_kernels_words(tmp_path: Path) -> None:
    path = tmp_path / "status"
    path.write_text("Name:\tjava\nVmRSS:\t  200 kB\nRssAnon:\t     150 kB\nRssFile:\t 50 kB\n")
    assert memory(path) == (200 * 1_024, 150 * 1_024)


def test_files_are_counted_in_all_directories(tmp_path: Path) -> None:
    (tmp_path / "topic-0").mkdir()
    (tmp_path / "topic-0" / "log").touch()
    (tmp_path / "checkpoint").touch()
    assert file_count(tmp_path) == 2
    assert file_count(tmp_path / "not there") == 0
