"""The log on confluent-kafka keeps its contract on a real Apache Kafka."""

from collections.abc import Iterator

import pytest

from kchat.io import KafkaLog
from kchat.testing.conformance import LogConformance
from tests.conformance.foreign import ForeignWriter


class TestApacheKafka(LogConformance):
    @pytest.fixture
    def log(self, kafka_log: KafkaLog) -> KafkaLog:
        return kafka_log

    @pytest.fixture
    def another_log(self, kafka: str) -> Iterator[KafkaLog]:
        with KafkaLog({"bootstrap.servers": kafka}) as log:
            yield log

    @pytest.fixture
    def foreign_write(self, kafka: str) -> ForeignWriter:
        return ForeignWriter(kafka)
