"""The time a call may take: fixed when it starts, spent by events, shared out to commands."""

from attrs import evolve, frozen

from kchat.core.failures import BrokerError, ErrorKind

SLICE_MS = 200
"""First time limit of a command. A shell hears Ctrl-C between two commands."""

SLICE_MS_MAX = 800
"""A command that timed out is asked again with twice the time, up to this: slow links get through, and
Ctrl-C still works within a second (docs/adr/0008-slices.md)."""

BACKOFF_MS_MAX = 100
"""A command that failed otherwise is asked again after 5, 10, 20 ... ms, up to this."""

STALL_MS_MAX_DEFAULT = 5_000
"""How long a call without a limit of its own waits for a broker that gives no answer."""


@frozen(kw_only=True)
class Budget:
    """What is left of a call's time.

    `deadline_ms` is None for a call without a limit. Such a call still ends when nothing was answered for
    `stall_ms_max`: a dead broker must not hold its caller for ever.
    """

    now_ms: int
    deadline_ms: int | None
    stall_ms_max: int
    answered_ms: int
    failures: int = 0
    timeouts: int = 0
    trouble: BrokerError | None = None

    @classmethod
    def start(
        cls, *, at_ms: int, wait_ms_max: int | None, stall_ms_max: int = STALL_MS_MAX_DEFAULT
    ) -> "Budget":
        """The budget of a call that begins now and may take `wait_ms_max`, or as long as answers come."""
        deadline_ms = None if wait_ms_max is None else at_ms + wait_ms_max
        return cls(now_ms=at_ms, deadline_ms=deadline_ms, stall_ms_max=stall_ms_max, answered_ms=at_ms)

    @property
    def end_ms(self) -> int:
        """When the call must be over, as things stand."""
        return self.answered_ms + self.stall_ms_max if self.deadline_ms is None else self.deadline_ms

    @property
    def spent(self) -> bool:
        """Whether the time is over."""
        return self.now_ms >= self.end_ms

    @property
    def backoff_ms(self) -> int:
        """How long to wait before the next command: nothing, unless the last one failed."""
        if not self.failures:
            return 0
        return max(0, min(5 << min(self.failures - 1, 10), BACKOFF_MS_MAX, self.end_ms - self.now_ms - 1))

    @property
    def timeout_ms(self) -> int:
        """The time limit of the next command: a slice, not beyond the end of the call, at least 1."""
        slice_ms = min(SLICE_MS << min(self.timeouts, 10), SLICE_MS_MAX)
        return max(1, min(slice_ms, self.end_ms - self.now_ms - self.backoff_ms))

    def answered(self, at_ms: int) -> "Budget":
        """After an answer that brought the call forward."""
        return evolve(self, now_ms=at_ms, answered_ms=at_ms, failures=0, timeouts=0, trouble=None)

    def waited(self, at_ms: int) -> "Budget":
        """After an answer that brought nothing: time has passed, and no more is known."""
        return evolve(self, now_ms=at_ms)

    def not_yet(self, at_ms: int) -> "Budget":
        """After an answer that says: ask again later."""
        return evolve(self, now_ms=at_ms, answered_ms=at_ms, failures=self.failures + 1)

    def failed(self, at_ms: int, error: BrokerError) -> "Budget":
        """After a failure that may pass: remember it, it is the reason should the time run out."""
        if error.kind is ErrorKind.TIMED_OUT:
            # The time itself was waited already; a cause that was named before says more than "timed out".
            cause = error if self.trouble is None or error.reason else self.trouble
            return evolve(self, now_ms=at_ms, timeouts=self.timeouts + 1, trouble=cause)
        return evolve(self, now_ms=at_ms, failures=self.failures + 1, trouble=error)

    def extended(self, wait_ms_min: int) -> "Budget":
        """With at least `wait_ms_min` from now on, for the one step that must still be tried."""
        end_ms = max(self.end_ms, self.now_ms + wait_ms_min)
        return evolve(self, deadline_ms=end_ms, failures=0, timeouts=0, trouble=None)
