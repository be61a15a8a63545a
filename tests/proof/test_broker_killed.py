"""`kill -9` of a single broker under load, and a restart over the same records."""

import random
import time
from functools import partial

import pytest

from kchat.langchain import KafkaChatMessageHistory
from tests.brokers.distribution import Distribution
from tests.brokers.jars import JarsKafka
from tests.brokers.properties import RESTARTING
from tests.proof.figures import Figures
from tests.proof.ledger import Ledger
from tests.proof.load import Seen, drain_cursor, follow_cursor, replay, running, write_turns

WRITERS = 3


@pytest.mark.row("broker killed", "kill -9 under load, restart over the same records", 0.12)
def test_a_broker_that_is_killed_again_and_again_loses_nothing(
    distribution: Distribution, figures: Figures, row_seconds: float
) -> None:
    ledger, seen = Ledger(), Seen()
    with (
        JarsKafka(distribution, extra=RESTARTING) as kafka,
        KafkaChatMessageHistory("killed", kafka.bootstrap) as history,
        KafkaChatMessageHistory("killed", kafka.bootstrap, replay=True) as whole,
    ):
        until = time.monotonic() + row_seconds
        writers = [
            partial(write_turns, history, ledger, f"w{n}", figures, until, pause_seconds=0.001)
            for n in range(WRITERS)
        ]
        with running(figures, *writers, partial(follow_cursor, history, seen, figures, until)):
            while time.monotonic() < until:
                time.sleep(random.uniform(0.2, 1.5))
                kafka.kill()
                figures.add(faults=1)
                time.sleep(random.uniform(0.0, 0.5))
                kafka.restart()
        drain_cursor(history, seen, figures)
        ledger.judge(replay(whole, figures), figures, "a replay")
        ledger.judge(seen, figures, "the cursor")
