"""The log on confluent-kafka keeps its contract on librdkafka's mock cluster."""

from collections.abc import Iterator

import pytest

from kchat.io import EmbeddedKafka, KafkaLog
from kchat.testing.conformance import Abilities, LogConformance
from tests.conformance.foreign import ForeignWriter


class TestMockCluster(LogConformance):
    @pytest.fixture
    def log(self, embedded_log: KafkaLog) -> KafkaLog:
        return embedded_log

    @pytest.fixture
    def abilities(self) -> Abilities:
        return Abilities(
            chooses_partitions=False,
            deletes_topics=False,
            truncates_topics=False,
            lists_cursors=False,
            finds_times=False,
        )

    @pytest.fixture
    def another_log(self, embedded: EmbeddedKafka) -> Iterator[KafkaLog]:
        with embedded.log() as log:
            yield log

    @pytest.fixture
    def foreign_write(self, embedded: EmbeddedKafka) -> ForeignWriter:
        return ForeignWriter(embedded.bootstrap_servers)
