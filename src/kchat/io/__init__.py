"""The IO shell: runs the core's machines on confluent-kafka. The only package that imports it."""

try:
    import confluent_kafka as _confluent_kafka  # noqa: F401
except ModuleNotFoundError as _missing:
    raise ModuleNotFoundError(
        "kchat.io needs confluent-kafka, which the extra kchat[kafka] brings"
    ) from _missing

from kchat.io.aio_log import AsyncKafkaLog
from kchat.io.capabilities import APACHE_KAFKA, MOCK_CLUSTER, Capabilities
from kchat.io.config import REFUSED
from kchat.io.embedded import EmbeddedKafka
from kchat.io.log import KafkaLog
from kchat.io.sharing import SharedLog, share_log

__all__ = [
    "APACHE_KAFKA",
    "MOCK_CLUSTER",
    "REFUSED",
    "AsyncKafkaLog",
    "Capabilities",
    "EmbeddedKafka",
    "KafkaLog",
    "SharedLog",
    "share_log",
]
