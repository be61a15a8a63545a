"""The machines of the core, alone: no broker, no client, no clock."""

from collections.abc import Callable, Sequence

from attrs import evolve, frozen

from bench.figures import Findings, Timing
from bench.measuring import NotDoneError, Task, measure
from bench.workload import Surroundings
from kchat.core import (
    HEADER_ID,
    Acknowledged,
    Appended,
    AppendRequest,
    Complete,
    Event,
    Fetched,
    FromBeginning,
    NewRecord,
    OffsetsListed,
    Position,
    Produced,
    ReadRequest,
    Record,
    TopicDescribed,
    Watermarks,
    appending,
    reading,
)

TOPIC, KEY = "bench", b"bench"
RECORDS = 10_000
FETCHED = 1_000
PARTITIONS = (0, 1, 2)
"""As many as kchat makes; the session is in the first."""

MACHINE = "the machine alone"
PER_RECORD = f"a read of {RECORDS:,} in fetches of {FETCHED:,}, per record"
PER_EVENT = f"a read of {RECORDS:,} in fetches of {FETCHED:,}, per event"
APPEND = "an append of 2 records"
APPENDS = 200
"""In one run: a single one is too short to be timed."""


@frozen
class Offset:
    """A decoder that costs nothing: the message is the record's offset."""

    def decode(self, record: Record) -> int:
        """The offset."""
        return record.offset


@frozen
class Machine:
    """Workload 11."""

    number: int = 11
    title: str = "the machine itself"

    def run(self, around: Surroundings) -> Findings:
        """Measure."""
        events = read_events()
        tasks = (
            Task(
                contender=MACHINE,
                case=PER_RECORD,
                prepare=lambda: lambda: read(events),
                check=lambda returned: returned == RECORDS,
                per=RECORDS,
            ),
            Task(contender=MACHINE, case=APPEND, prepare=_appends, per=APPENDS),
        )
        record, append = measure(tasks, around.rounds(10, 200), seconds_max=around.rounds(1, 5))
        event = evolve(
            record, case=PER_EVENT, seconds=tuple(each * RECORDS / len(events) for each in record.seconds)
        )
        return Findings(timings=(record, event, append), notes=(_note(record, event, append),))


def read_events() -> list[Event]:
    """All that a shell answers during the read."""
    records = [
        Record(0, offset, 1_700_000_000_000, KEY, b"{}", ((HEADER_ID, b"%032x" % offset),))
        for offset in range(RECORDS)
    ]
    ends = {partition: RECORDS if partition == 0 else 0 for partition in PARTITIONS}
    return [
        TopicDescribed(at_ms=0, partitions=PARTITIONS),
        OffsetsListed(at_ms=0, watermarks=tuple(Watermarks(p, 0, high) for p, high in ends.items())),
        *(
            Fetched(
                at_ms=0,
                records=tuple(records[first : first + FETCHED]),
                positions=(Position(0, first + FETCHED),),
            )
            for first in range(0, RECORDS, FETCHED)
        ),
    ]


def read(events: Sequence[Event]) -> int:
    """Run the reading machine through all events; how many messages it handed out."""
    request = ReadRequest(topic=TOPIC, start=FromBeginning(), decoder=Offset())
    state = reading.start(request, 0)
    for event in events:
        reading.pending(state)
        state = reading.advance(state, event)
    outcome = reading.pending(state)
    if not isinstance(outcome, Complete):
        raise NotDoneError(f"{type(outcome).__name__} after all events")
    return len(outcome.progress.deliveries)


def append(request: AppendRequest, event: Event) -> None:
    """Run the appending machine through one event."""
    state = appending.start(request, 0)
    appending.pending(state)
    outcome = appending.pending(appending.advance(state, event))
    if not isinstance(outcome, Appended):
        raise NotDoneError(f"{type(outcome).__name__} after all reports")


def _appends() -> Callable[[], object]:
    records = tuple(NewRecord(KEY, b"{}", ((HEADER_ID, b"%032x" % number),)) for number in range(2))
    request = AppendRequest(topic=TOPIC, records=records, topic_known=True, partition=0)
    event = Produced(at_ms=1, reports=(Acknowledged(0, 0), Acknowledged(0, 1)))

    def run() -> None:
        for _ in range(APPENDS):
            append(request, event)

    return run


def _note(record: Timing, event: Timing, append: Timing) -> str:
    return (
        f"A second has {1 / record.median:,.0f} records, {1 / event.median:,.0f} events of a read, or"
        f" {1 / append.median:,.0f} appends."
    )


WORKLOAD = Machine()
