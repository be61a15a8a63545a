from __future__ import annotations

import pytest

from tests.brokers import External, KafkaMissingError, Missing, open_kafka


def test_an_external_cluster_is_taken_as_it_is() -> None:
    with open_kafka(External("kafka.example:9092")) as bootstrap:
        assert bootstrap == "kafka.example:9092"


def test_a_missing_kafka_cannot_be_opened() -> None:
    missing = Missing("no Docker engine answers", "start Docker")
    with (
        pytest.raises(KafkaMissingError, match="no Docker engine answers; start Docker"),
        open_kafka(missing),
    ):
        pass
