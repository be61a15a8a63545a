"""Reading a conversation again after one more turn, by the history that has read it before."""

from collections.abc import Callable, Sequence
from contextlib import closing

from attrs import frozen

from bench.contenders.kchat import Kchat, KchatConversation
from bench.contenders.names import KCHAT, RAW_DECODED
from bench.contenders.raw import Raw, RawConversation
from bench.conversation import conversation, session_name
from bench.figures import Findings, Goal, Timing
from bench.measuring import Task, measure
from bench.record_count import counting_records
from bench.workload import Surroundings

SIZES = (100, 1_000, 10_000)
SIZE_FULL_RUN = 100_000
TURN = 2
CASE = "{:,} messages and one turn more"


@frozen
class ReplayAgain:
    """Workload 3."""

    number: int = 3
    title: str = "replay again after one more turn, on the same history object"

    def run(self, around: Surroundings) -> Findings:
        """Measure."""
        sizes = SIZES if around.quick else (*SIZES, SIZE_FULL_RUN)
        with closing(Kchat(around.bootstrap)) as kchat, closing(Raw(around.bootstrap, decode=True)) as raw:
            opened: dict[int, KchatConversation] = {}
            tasks: list[Task] = []
            for size in sizes:
                session = session_name(f"w03_{size}")
                opened[size] = kchat.open(session)
                opened[size].fill(conversation(size))
                tasks += _tasks(size, opened[size], raw.open(session), around)
            timings = measure(tasks, around.rounds(6, 40), seconds_max=5.0 if around.quick else 50.0)
            fetched = {size: _fetched(each) for size, each in opened.items()}
            for each in opened.values():
                each.close()
        return Findings(timings=timings, goals=_goals(timings, sizes, fetched), notes=(_note(fetched),))


def _note(fetched: dict[int, int]) -> str:
    counts = ", ".join(f"{size:,}: {count:,}" for size, count in fetched.items())
    return (
        f"Records fetched for {TURN} new ones, by messages in the conversation: {counts}. A raw client that"
        " remembers nothing reads all of them."
    )


def _tasks(size: int, kchat: KchatConversation, raw: RawConversation, around: Surroundings) -> Sequence[Task]:
    case = CASE.format(size)

    def after_a_turn() -> Callable[[], object]:
        kchat.append(conversation(TURN))
        return kchat.replay

    return (
        Task(
            contender=KCHAT,
            case=case,
            prepare=after_a_turn,
            size=size,
            check=lambda returned: isinstance(returned, list) and len(returned) > size,
        ),
        Task(
            contender=RAW_DECODED,
            case=case,
            prepare=lambda: raw.replay,
            size=size,
            rounds_max=around.rounds(2, 5),
        ),
    )


def _fetched(kchat: KchatConversation) -> int:
    kchat.replay()
    kchat.append(conversation(TURN))
    with counting_records() as counted:
        kchat.replay()
    return counted.count


def _goals(timings: Sequence[Timing], sizes: Sequence[int], fetched: dict[int, int]) -> tuple[Goal, ...]:
    least, largest = sizes[0], sizes[-1]
    medians = {timing.size: timing.median for timing in timings if timing.contender == KCHAT}
    # Not against the smallest: a constant may be more than there is in it.
    constant = fetched[1_000] - TURN
    return (
        Goal.ratio_max(
            f"{largest:,} messages: <= 1.5x the time of {least:,}", medians[largest] / medians[least], 1.5
        ),
        Goal.count_max(
            f"records fetched beyond the new ones at {largest:,}: not more than at 1,000",
            fetched[largest] - TURN,
            constant,
        ),
    )


WORKLOAD = ReplayAgain()
