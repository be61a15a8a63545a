"""The figures as tables in Markdown."""

import statistics
from collections.abc import Callable, Mapping, Sequence

from attrs import asdict

from bench.figures import Timing
from bench.page import table
from bench.scale.census import Census
from bench.scale.growth import Assumptions, Layout, Step
from bench.scale.shared import SharedRead
from bench.scale.stages import Filled, Latency, Stage
from bench.scale.topics import Bulk
from bench.tables import duration

KB, MIB = 1_000, 1 << 20
NOT_MEASURED = "-"


def where_table(rows: Mapping[str, str]) -> str:
    """When, with what and on what."""
    return table(("", ""), list(rows.items()))


def topics_table(runs: Sequence[Filled]) -> str:
    """One column for each broker with so many topics."""
    stages = [stage for run in runs for stage in run.stages]
    header = ["", *(f"{stage.topics:,} x {stage.partitions}" for stage in stages)]
    rows = [
        ("open file descriptors", _of_census(lambda c: f"{c.descriptors:,}")),
        ("memory map areas", _of_census(lambda c: f"{c.maps:,}")),
        ("files", _of_census(lambda c: f"{c.files:,}")),
        ("disk used", _of_census(lambda c: _mib(c.disk_bytes))),
        ("heap after a collection", _of_census(lambda c: _mib(c.heap_bytes))),
        ("memory (RSS)", _of_census(lambda c: _mib(c.rss_bytes))),
        ("append of a turn, median", lambda s: duration(s.latency.append.median)),
        ("append of a turn, slowest", lambda s: duration(max(s.latency.append.seconds))),
        ("replay of 50, median", lambda s: duration(s.latency.replay.median)),
        ("append, in the process that made them", lambda s: _append(s.same_log)),
        ("all metadata (`list_topics()`)", lambda s: _kb(s.all_bytes)),
        ("its time", lambda s: _seconds(s.all_seconds)),
        ("metadata of one topic", lambda s: _bytes(s.one_bytes)),
        ("its time ", lambda s: _seconds(s.one_seconds)),
        ("stop in good order", lambda s: _seconds(s.restarted and s.restarted.stop)),
        ("start after it", lambda s: _seconds(s.restarted and s.restarted.start)),
        ("until all have leaders", lambda s: _seconds(s.led_seconds)),
        ("memory (RSS) after the start", lambda s: _mib(s.after_restart and s.after_restart.rss_bytes)),
    ]
    return table(header, [[name.strip(), *map(tell, stages)] for name, tell in rows])


def each_table(runs: Sequence[Filled]) -> str:
    """What one topic more costs a broker."""
    header = ["each topic more", *(title for run in runs for title in _each_titles(run))]
    columns = [column for run in runs for column in _each_columns(run)]
    names = ("files", "descriptors", "map areas", "disk", "named size of the files", "heap")
    return table(header, [[name, *(column[row] for column in columns)] for row, name in enumerate(names)])


def making_table(runs: Sequence[Filled]) -> str:
    """How topics are made and deleted."""
    body = []
    for run in runs:
        body += [_first_row(run)]
        body += [_bulk_row("made in bulk", run.partitions, s) for s in run.stages if s.bulk is not None]
        if run.deleted is not None:
            title = f"deleted in bulk, of {run.stages[-1].topics:,}"
            body.append((title, f"{run.partitions}", *_bulk_cells(run.deleted)))
    header = ("", "partitions", "topics", "answered after", "seen by all after", "files there or gone after")
    return table(header, body)


def shared_table(reads: Sequence[SharedRead]) -> str:
    """What it costs to read one session among others."""
    header = ("records of others", "whole", "whole, slowest", "again, nothing new", "next 5 from a cursor")
    body = [
        (
            f"{read.foreign:,}",
            *(duration(s) for s in (read.whole.median, max(read.whole.seconds))),
            *(duration(timing.median) for timing in (read.again, read.following)),
        )
        for read in reads
    ]
    return table(header, body)


def assumptions_table(assumed: Assumptions, measured: Sequence[str] = ()) -> str:
    """Names and values."""
    body = [
        (f"`{name}`", _number(value), "measured" if name in measured else "assumed")
        for name, value in asdict(assumed).items()
    ]
    return table(("assumption", "value", ""), body)


def steps_table(steps: Sequence[Step]) -> str:
    """The arithmetic, line by line."""
    body = [(step.what, step.how, f"{_number(step.value)} {step.unit}".strip()) for step in steps]
    return table(("", "how", ""), body)


def layouts_table(layouts: Sequence[Layout]) -> str:
    """What each way of laying out the sessions asks for, step by step."""
    rows: list[tuple[str, Callable[[Layout], str]]] = [
        ("topics = kept / sessions of a topic", lambda x: f"{x.topics:,}"),
        ("replicas = topics x replicas", lambda x: f"{x.replicas:,}"),
        ("brokers for them = / replicas_per_broker", lambda x: f"{x.brokers_for_partitions:,}"),
        ("brokers for the bytes = stored / broker_disk_gb", lambda x: f"{x.brokers_for_disk:,}"),
        ("records of a topic", lambda x: _number(x.records_per_topic)),
        ("a cold read = read_ms + others / records_per_second", lambda x: duration(x.cold_read_seconds)),
        (
            "a warm read passes over = others x active_share x 2 records",
            lambda x: _number(x.records_between_turns),
        ),
        ("cold reads send, MB/s", lambda x: _number(x.cold_mb_per_second)),
        ("brokers for them = / broker_mb_per_second", lambda x: f"{x.brokers_for_reads:,}"),
        ("brokers, the most of these, at least `replicas`", lambda x: f"{x.brokers:,}"),
        ("clusters = topics / partitions_per_cluster", lambda x: f"{x.clusters:,}"),
    ]
    header = ["sessions of a topic", *(f"{each.sessions_per_topic:,}" for each in layouts)]
    return table(header, [[name, *map(tell, layouts)] for name, tell in rows])


def _of_census(tell: Callable[[Census], str]) -> Callable[[Stage], str]:
    return lambda stage: tell(stage.census)


def _each_titles(run: Filled) -> list[str]:
    kinds = ["with one turn", "empty"] if _last_bulk(run) else ["with one turn"]
    return [f"{kind}, {_of(run.partitions)}" for kind in kinds]


def _each_columns(run: Filled) -> list[list[str]]:
    first = run.first_appends
    columns = [_each(first.before, first.after, len(first.seconds))]
    stage = _last_bulk(run)
    if stage is not None and stage.bulk is not None and stage.before_bulk is not None:
        columns.append(_each(stage.before_bulk, stage.census, stage.bulk.count))
    return columns


def _last_bulk(run: Filled) -> Stage | None:
    return next((stage for stage in reversed(run.stages) if stage.bulk is not None), None)


def _each(before: Census, after: Census, count: int) -> list[str]:
    heap = None if after.heap_bytes is None else after.heap_bytes - (before.heap_bytes or 0)
    return [
        f"{(after.files - before.files) / count:.1f}",
        f"{(after.descriptors - before.descriptors) / count:.1f}",
        f"{(after.maps - before.maps) / count:.1f}",
        _kb((after.disk_bytes - before.disk_bytes) / count),
        f"{(after.named_bytes - before.named_bytes) / count / MIB:.0f} MiB",
        NOT_MEASURED if heap is None else _kb(heap / count),
    ]


def _first_row(run: Filled) -> tuple[str, ...]:
    seconds = run.first_appends.seconds
    each = f"{duration(statistics.median(seconds))} each, slowest {duration(max(seconds))}"
    whole = f"{sum(seconds):.0f} s in all"
    return ("made by first appends", f"{run.partitions}", f"{len(seconds):,}", each, whole, NOT_MEASURED)


def _bulk_row(title: str, partitions: int, stage: Stage) -> tuple[str, ...]:
    if stage.bulk is None:
        raise ValueError("nothing was made at this stage")
    return (f"{title}, up to {stage.topics:,}", f"{partitions}", *_bulk_cells(stage.bulk))


def _bulk_cells(bulk: Bulk) -> tuple[str, ...]:
    return (f"{bulk.count:,}", *(_seconds(s) for s in (bulk.taken, bulk.seen, bulk.done)))


def _append(latency: Latency | None) -> str:
    return NOT_MEASURED if latency is None else _median(latency.append)


def _median(timing: Timing) -> str:
    return duration(timing.median)


def _of(partitions: int) -> str:
    return "1 partition" if partitions == 1 else f"{partitions} partitions"


def _seconds(seconds: float | None) -> str:
    return NOT_MEASURED if seconds is None else duration(seconds)


def _mib(size: float | None) -> str:
    return NOT_MEASURED if size is None else f"{size / MIB:,.0f} MiB"


def _kb(size: float | None) -> str:
    return NOT_MEASURED if size is None else f"{size / KB:,.1f} KB"


def _bytes(size: int | None) -> str:
    return NOT_MEASURED if size is None else f"{size:,} bytes"


def _number(value: float) -> str:
    """Whole, or with three digits."""
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"
