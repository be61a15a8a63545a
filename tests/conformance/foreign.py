"""Another program that writes to a Kafka: the plain client, nothing of kchat."""

from confluent_kafka import KafkaError, Message, Producer

from kchat.core import Headers


class ForeignWriter:
    """A `kchat.testing.conformance.ForeignWrite` on a Kafka."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._producer = Producer({"bootstrap.servers": bootstrap_servers, "linger.ms": 0})

    def __call__(
        self,
        topic: str,
        value: bytes | None,
        *,
        key: bytes | None = None,
        headers: Headers = (),
        partition: int | None = None,
    ) -> None:
        errors: list[KafkaError] = []

        def delivered(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                errors.append(error)

        chosen = -1 if partition is None else partition
        self._producer.produce(topic, value, key, chosen, on_delivery=delivered, headers=list(headers))
        left = self._producer.flush(10)
        assert not left
        assert not errors
