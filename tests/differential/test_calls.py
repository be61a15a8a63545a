"""Whole calls end alike on the fake broker and on a real one, but for what `differences` names."""

import uuid
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from kchat.io import KafkaLog
from kchat.testing import FakeBroker
from tests.differential.calls_machine import CallsMachine


@pytest.mark.hypothesis
def test_every_sequence_of_calls_ends_alike(kafka_log: KafkaLog) -> None:
    def machine() -> CallsMachine:
        return CallsMachine(kafka_log, FakeBroker(), f"differential-{uuid.uuid4().hex}-")

    run: Any = run_state_machine_as_test  # untyped: it takes whatever makes a machine
    run(machine, settings=settings(max_examples=settings().max_examples // 5, stateful_step_count=15))
