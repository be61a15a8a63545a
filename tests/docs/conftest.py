"""Where the code of the pages runs: every address in them is an embedded Kafka."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from kchat.core import Sealed
from kchat.io import MOCK_CLUSTER, Capabilities, EmbeddedKafka, KafkaLog
from kchat.io.config import Config

# The embedded Kafka takes everybody in. What a page says of these is checked by the properties' own tests.
SECURITY = ("security.", "sasl.", "ssl.", "oauth_cb")


@pytest.fixture
def everywhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A log on any servers, however it is made, is one on an embedded Kafka of the page's own."""
    embedded = EmbeddedKafka()
    build = KafkaLog.__init__

    def built(
        self: KafkaLog, config: Mapping[str, Any], *, capabilities: Capabilities = MOCK_CLUSTER
    ) -> None:
        del capabilities
        Config.of(Sealed(config))
        open_to_all = {name: value for name, value in config.items() if not name.startswith(SECURITY)}
        here = {**open_to_all, "bootstrap.servers": embedded.bootstrap_servers}
        build(self, here, capabilities=MOCK_CLUSTER)

    monkeypatch.setattr(KafkaLog, "__init__", built)
    # A log that an earlier page left open is not one of this page's.
    logs: dict[object, Any] = {}
    monkeypatch.setattr("kchat.io.sharing._registry._logs", logs)
    yield
    for shared in logs.values():
        shared.log.close()
    embedded.close()
