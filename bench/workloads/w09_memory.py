"""Memory: a conversation that is read as a stream costs its batches, and not itself."""

from collections.abc import Mapping, Sequence
from contextlib import closing

from attrs import frozen

from bench.children.replay_memory import STREAM
from bench.children.running import Figures, figures_of
from bench.contenders.kchat import Kchat
from bench.contenders.names import KCHAT
from bench.conversation import conversation, session_name
from bench.figures import Absent, Findings, Goal, Timing
from bench.measuring import NotDoneError
from bench.workload import Surroundings
from kchat.langchain import KafkaChatMessageHistory

BATCH = 1_000
SIZE_QUICK, SIZE_FULL = 10_000, 100_000
PEAK_RATIO_MAX = 2.0
CHILD_SECONDS_MAX = 240.0
KCHAT_STREAM = f"{KCHAT}, {STREAM}"
MIB = 1 << 20


@frozen
class Memory:
    """Workload 9."""

    number: int = 9
    title: str = f"memory: a long conversation read as a stream, in batches of {BATCH:,}"

    def run(self, around: Surroundings) -> Findings:
        """Measure."""
        size = around.rounds(SIZE_QUICK, SIZE_FULL)
        read = Reading(bootstrap=around.bootstrap, sessions=_filled(around.bootstrap, (BATCH, size)))
        rounds = around.rounds(1, 2)
        whole = [read.figures("whole", "plain", size) for _ in range(rounds)]
        timings = [_timing(KCHAT, size, whole)]
        if not hasattr(KafkaChatMessageHistory, STREAM):
            absent = Absent(contender=KCHAT_STREAM, why=f"this kchat has no {STREAM}")
            return Findings(timings=tuple(timings), absent=(absent,))
        stream = [read.figures("stream", "plain", size) for _ in range(rounds)]
        timings.append(_timing(KCHAT_STREAM, size, stream))
        goal = peak_goal(
            stream=read.figures("stream", "traced", size)["peak"],
            batch=read.figures("whole", "traced", BATCH)["peak"],
            whole=read.figures("whole", "traced", size)["peak"],
        )
        return Findings(timings=tuple(timings), goals=(goal,), notes=(_NOTE, _resident_note(stream, whole)))


_NOTE = (
    "The peak is of what Python allocates while it reads; of a batch it is that of a conversation of"
    f" {BATCH:,} messages that is read whole. Each run is a process of its own."
)


@frozen(kw_only=True)
class Reading:
    """Reads conversations of known sizes, each time in a child."""

    bootstrap: str
    sessions: Mapping[int, str]

    def figures(self, how: str, traced: str, size: int) -> Figures:
        """Those of `bench.children.replay_memory`. Raises NotDoneError if it was not the conversation."""
        figures = figures_of(
            "replay_memory",
            *(how, traced, self.bootstrap, self.sessions[size], BATCH),
            seconds_max=CHILD_SECONDS_MAX,
        )
        if figures["count"] != size:
            raise NotDoneError(f"{how}: {figures['count']:,} messages, not {size:,}")
        return figures


def _filled(bootstrap: str, sizes: Sequence[int]) -> Mapping[int, str]:
    sessions = {size: session_name(f"w09_{size}") for size in sizes}
    with closing(Kchat(bootstrap)) as kchat:
        for size, session in sessions.items():
            kchat.open(session).fill(conversation(size))
    return sessions


def _timing(contender: str, size: int, children: Sequence[Figures]) -> Timing:
    seconds = tuple(each["seconds"] for each in children)
    return Timing(contender=contender, case=f"{size:,} messages", seconds=seconds, size=size)


def peak_goal(*, stream: int, batch: int, whole: int) -> Goal:
    """The peak of a stream against that of one of its batches; what the whole would take stands beside it."""
    return Goal(
        goal=f"peak of a stream: <= {PEAK_RATIO_MAX:g}x that of one batch of {BATCH:,}",
        measured=(
            f"{stream / batch:.2f}x ({_mib(stream)} to {_mib(batch)}; {_mib(whole)} with the whole in a list)"
        ),
        met=stream <= PEAK_RATIO_MAX * batch,
    )


def _resident_note(stream: Sequence[Figures], whole: Sequence[Figures]) -> str:
    grown = [max(each["resident"] for each in children) for children in (stream, whole)]
    return (
        "Resident memory, in which the Kafka client's own buffers are, too, grew by"
        f" {_mib(grown[0])} for the stream and by {_mib(grown[1])} for the whole."
    )


def _mib(count: int) -> str:
    return f"{count / MIB:,.1f} MiB"


WORKLOAD = Memory()
