"""What the machine took is told from what a call took."""

import time

import pytest

from tests.proof.figures import Figures
from tests.proof.pulse import LATE_SECONDS, Pulse


@pytest.mark.parametrize(
    ("begun", "ended", "kept"),
    [(0.0, 20.0, 3.0), (11.0, 20.0, 1.0), (0.0, 10.5, 1.5), (13.0, 20.0, 0.0), (0.0, 5.0, 0.0)],
    ids=["all of it", "its end", "its beginning", "after it", "before it"],
)
def test_what_the_machine_took_counts_as_far_as_the_call_lasted(
    begun: float, ended: float, kept: float
) -> None:
    pulse = Pulse()
    pulse.note(12.0, 3.0)
    assert pulse.kept_seconds(begun, ended) == pytest.approx(kept)


def test_an_everyday_lateness_excuses_nothing() -> None:
    pulse = Pulse()
    pulse.note(12.0, LATE_SECONDS)
    assert pulse.kept_seconds(0.0, 20.0) == 0


def test_a_machine_that_works_excuses_no_call(monkeypatch: pytest.MonkeyPatch) -> None:
    figures, pulse = Figures("crowd", "none"), Pulse()
    monkeypatch.setattr("tests.proof.figures.PULSE", pulse)
    figures.took(5.0, 7.0)
    assert figures.overruns == 1
    pulse.note(time.monotonic(), 1.5)
    figures.took(5.0, 7.0)
    assert figures.overruns == 1
    assert figures.stood_still_seconds == pytest.approx(1.5, abs=0.1)
