"""`python -m bench.scale [--write] [--quick] [--assume name=value ...]`."""

import argparse
import logging
import math
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from attrs import evolve

from bench.machine import description
from bench.scale.broker import HEAP, open_broker
from bench.scale.growth import Assumptions, changed, layout, steps
from bench.scale.marks import between
from bench.scale.shared import SharedRead, shared_reads
from bench.scale.stages import Filled, Plan, fill
from bench.scale.tables import (
    assumptions_table,
    each_table,
    layouts_table,
    making_table,
    shared_table,
    steps_table,
    topics_table,
    where_table,
)
from bench.servers.absence import NotHereError

PAGE = Path(__file__).parents[2] / "docs" / "scale.md"
SECONDS_MAX = 270.0
"""No further stage begins after so long."""

PLANS = (
    Plan(partitions=3, one_by_one=200, sizes=(1_000,), deleted=200, rounds=20, seconds_max=12.0),
    Plan(partitions=1, one_by_one=1_000, sizes=(1_000, 5_000), deleted=1_000, rounds=20, seconds_max=25.0),
)
"""Five thousand topics of three partitions would take more minutes than one waits for."""

QUICK_PLANS = (
    Plan(partitions=1, one_by_one=50, sizes=(100, 200), deleted=50, rounds=5, seconds_max=20.0),
    Plan(partitions=3, one_by_one=20, sizes=(50, 100), deleted=50, rounds=5, seconds_max=20.0),
)
SHARED_SIZES = (0, 10_000, 100_000)
SHARED_ROUNDS = 10
LAYOUTS = (1, 25, 250, 2_500)
NAMED = ("processor", "memory", "system", "load of others", "Python", "Kafka", "kchat", "confluent-kafka")
MEASURED = ("bytes_per_message", "read_ms", "records_per_second")


def main() -> int:
    """Measure, compute, and print or write the tables; 1 where there is no Kafka."""
    arguments = _arguments()
    try:
        assumed = changed(Assumptions(), arguments.assume)
    except ValueError as error:
        return _fail(error)
    if arguments.assume:
        _tell("\n\n".join(growth(assumed)))
        return 0
    try:
        blocks = _measured(assumed, quick=arguments.quick)
    except NotHereError as error:
        return _fail(error)
    _tell("\n\n".join(blocks.values()))
    if arguments.write:
        page = PAGE.read_text(encoding="utf-8")
        for name, text in blocks.items():
            page = between(page, name, text)
        PAGE.write_text(page, encoding="utf-8")
    return 0


def growth(assumed: Assumptions, measured: Sequence[str] = ()) -> tuple[str, str, str]:
    """The arithmetic in three tables."""
    layouts = [layout(assumed, sessions) for sessions in LAYOUTS]
    return assumptions_table(assumed, measured), steps_table(steps(assumed)), layouts_table(layouts)


def with_measured(assumed: Assumptions, reads: Sequence[SharedRead]) -> Assumptions:
    """What the reads of shared topics say, in the place of what is assumed, in two digits."""
    alone, most = reads[0], reads[-1]
    passed = most.foreign / (most.whole.median - alone.whole.median)
    return evolve(
        assumed,
        bytes_per_message=_rounded(most.record_bytes),
        read_ms=_rounded(alone.whole.median * 1_000),
        records_per_second=_rounded(passed),
    )


def _measured(assumed: Assumptions, *, quick: bool) -> Mapping[str, str]:
    end = time.monotonic() + SECONDS_MAX
    machine = description()
    with open_broker() as broker:
        reads = shared_reads(broker, SHARED_SIZES, SHARED_ROUNDS)
    runs = [_run(plan, end) for plan in (QUICK_PLANS if quick else PLANS) if time.monotonic() < end]
    took = time.monotonic() - end + SECONDS_MAX
    now = datetime.now(UTC).date().isoformat()
    where = {"date": now, **{name: machine[name] for name in NAMED}, "broker": f"one, heap {HEAP}, G1"}
    where["the script took"] = f"{took:.0f} s"
    by_measure = with_measured(assumed, reads)
    return {
        "where": where_table(where),
        "topics": topics_table(runs),
        "each": each_table(runs),
        "making": making_table(runs),
        "shared": shared_table(reads),
        "growth": "\n\n".join(growth(by_measure, MEASURED)),
    }


def _run(plan: Plan, end: float) -> Filled:
    return fill(plan, _tell, time_left=lambda: end - time.monotonic())


def _rounded(value: float) -> float:
    """To two digits."""
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return float(f"{round(value / unit) * unit:.6g}")


def _tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _fail(error: Exception) -> int:
    sys.stderr.write(f"{error}\n")
    return 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the tables into docs/scale.md")
    parser.add_argument("--quick", action="store_true", help="few topics: a minute; cannot be written")
    parser.add_argument(
        "--assume", action="append", default=[], metavar="name=value", help="only the arithmetic, with this"
    )
    arguments = parser.parse_args()
    if arguments.write and (arguments.quick or arguments.assume):
        parser.error("--write needs the whole run")
    return arguments


if __name__ == "__main__":
    logging.getLogger("kchat").setLevel(logging.CRITICAL)
    sys.exit(main())
