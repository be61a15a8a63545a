"""The fake broker answers every command as a real one does, but for what `differences` names."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from kchat.core import Sealed
from kchat.io.clients import Clients
from kchat.io.config import Config
from kchat.testing import FakeBroker, FakeCluster
from tests.differential.commands_machine import CommandsMachine
from tests.differential.lenient import LENIENT
from tests.differential.pair import Pair

pytestmark = pytest.mark.kafka


@pytest.fixture(scope="module")
def clients(kafka: str) -> Iterator[Clients]:
    clients = Clients(Config.of(Sealed({"bootstrap.servers": kafka})))
    yield clients
    clients.close()


def compare(clients: Clients, cluster: type[FakeCluster], **how: Any) -> None:
    """Draw sequences of at most 20 commands, and perform them on a real broker and on such a fake one."""

    brokers = len(clients.admin().handle.describe_cluster().result(timeout=30).nodes)

    def machine() -> CommandsMachine:
        fake = FakeBroker()
        fake.cluster = cluster(brokers=brokers)
        return CommandsMachine(Pair(clients, fake))

    run: Any = run_state_machine_as_test  # untyped: it takes whatever makes a machine
    run(machine, settings=settings(stateful_step_count=20, **how))


@pytest.mark.hypothesis
def test_both_answer_every_sequence_of_commands_alike(clients: Clients) -> None:
    compare(clients, FakeCluster, max_examples=settings().max_examples // 4)


@pytest.mark.parametrize("cluster", LENIENT, ids=lambda cluster: cluster.__name__)
def test_a_lenient_fake_is_noticed(clients: Clients, cluster: type[FakeCluster]) -> None:
    """Always the same sequences: a difference that is found need not be made small."""
    fixed = {"derandomize": True, "database": None, "phases": [Phase.generate]}
    with pytest.raises(AssertionError, match="the fake: "):
        compare(clients, cluster, max_examples=60, **fixed)
