from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from kchat.io import clients

if TYPE_CHECKING:
    from collections import Counter

pytest.importorskip("psutil", reason="of make bench alone")
from bench.children.histories_in_use import KINDS, counting_clients


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    for kind in KINDS:
        monkeypatch.setattr(clients, kind, lambda properties: SimpleNamespace(**properties))
    return counting_clients()


def test_clients_are_counted_by_kind_and_are_what_they_were(made: Counter[str]) -> None:
    groups = ("kchat-reader", "kchat-tail", "kchat-reader", "session")
    handles = [vars(clients)["Consumer"]({"group.id": group}) for group in groups]
    for kind in ("Producer", "AdminClient"):
        vars(clients)[kind]({})
    assert made == {"kchat-reader": 2, "kchat-tail": 1, "cursor": 1, "Producer": 1, "AdminClient": 1}
    assert [handle.__dict__["group.id"] for handle in handles] == list(groups)
