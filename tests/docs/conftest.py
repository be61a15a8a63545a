"""Where the code of the pages runs: every address in them is one Kafka, embedded or real."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from kchat.core import Sealed
from kchat.io import APACHE_KAFKA, MOCK_CLUSTER, Capabilities, EmbeddedKafka, KafkaLog
from kchat.io.config import Config

# The test's Kafka takes everybody in. The settings themselves are tested in tests/io/test_security.py.
SECURITY = ("security.", "sasl.", "ssl.", "oauth_cb")


@contextmanager
def every_log_on(servers: str, can: Capabilities) -> Iterator[None]:
    """A log on any servers, however it is made, is one on these."""
    build = KafkaLog.__init__

    def built(self: KafkaLog, config: Mapping[str, Any], *, capabilities: Capabilities = can) -> None:
        del capabilities
        Config.of(Sealed(config))
        open_to_all = {name: value for name, value in config.items() if not name.startswith(SECURITY)}
        build(self, {**open_to_all, "bootstrap.servers": servers}, capabilities=can)

    logs: dict[object, Any] = {}
    with pytest.MonkeyPatch.context() as patching:
        patching.setattr(KafkaLog, "__init__", built)
        # A log that was shared before is not one on these servers.
        patching.setattr("kchat.io.sharing._registry._logs", logs)
        yield
    for shared in logs.values():
        shared.log.close()


@pytest.fixture
def on_the_mock() -> Iterator[None]:
    """An embedded Kafka of the page's own."""
    with EmbeddedKafka() as embedded, every_log_on(embedded.bootstrap_servers, MOCK_CLUSTER):
        yield


@pytest.fixture
def on_a_cluster(kafka: str) -> Iterator[None]:
    """The real Kafka, which keeps what an earlier run has left."""
    with every_log_on(kafka, APACHE_KAFKA):
        yield
