"""A cluster in memory for the commands that read and append."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from kchat.cli.connection import Connection
from kchat.testing import FakeBroker


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeBroker:
    """What every command connects to, whatever it is told."""
    broker = FakeBroker()

    def log(_: Connection) -> nullcontext[FakeBroker]:
        return nullcontext(broker.reopened())

    monkeypatch.setattr(Connection, "log", log)
    monkeypatch.setenv("KCHAT_BOOTSTRAP", "in-memory")
    return broker
