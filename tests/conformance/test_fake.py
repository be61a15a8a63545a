"""The fake broker keeps the contract of a log."""

import pytest

from kchat.testing import FakeBroker
from kchat.testing.conformance import ForeignWrite, LogConformance, Schedule


class TestFakeBroker(LogConformance):
    @pytest.fixture
    def log(self) -> FakeBroker:
        return FakeBroker()

    @pytest.fixture
    def another_log(self, log: FakeBroker) -> FakeBroker:
        return log.reopened()

    @pytest.fixture
    def foreign_write(self, log: FakeBroker) -> ForeignWrite:
        return log.cluster.inject

    @pytest.fixture
    def schedule(self, log: FakeBroker) -> Schedule:
        return lambda after_ms, action: log.cluster.at(log.cluster.now_ms + after_ms, action)
