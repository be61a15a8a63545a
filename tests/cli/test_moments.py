"""Moments as a user types them."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from kchat.cli.moments import moment

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("2026-02-28", datetime(2026, 2, 28, tzinfo=UTC)),
        ("2026-02-28T09:30", datetime(2026, 2, 28, 9, 30, tzinfo=UTC)),
        ("2026-02-28T09:30:00+02:00", datetime(2026, 2, 28, 7, 30, tzinfo=UTC)),
        ("2026-02-28T09:30:00.5Z", datetime(2026, 2, 28, 9, 30, 0, 500_000, tzinfo=UTC)),
        ("90s", NOW - timedelta(seconds=90)),
        ("15m", NOW - timedelta(minutes=15)),
        ("1.5h", NOW - timedelta(minutes=90)),
        ("1d", NOW - timedelta(days=1)),
        ("2w", NOW - timedelta(days=14)),
        ("500ms", NOW - timedelta(milliseconds=500)),
    ],
)
def test_a_text_names_a_moment_wherever_it_is_typed(
    monkeypatch: pytest.MonkeyPatch, text: str, named: datetime
) -> None:
    monkeypatch.setenv("TZ", "UTC+5")
    time.tzset()
    try:
        assert moment(text, NOW) == named
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("text", ["", "soon", "2h ago", "-1h", "1y", "999999999w", "2026-13-01", "1\x1bh"])
def test_any_other_text_names_none(text: str) -> None:
    with pytest.raises(ValueError, match="this is no moment"):
        moment(text, NOW)
