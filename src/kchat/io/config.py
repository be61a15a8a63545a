"""From the caller's librdkafka properties to those of each kind of client."""

import logging
import re
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from kchat.core import RECORD_BYTES_MAX, InvalidConfig, Sealed

logger: logging.Logger = logging.getLogger("kchat")
# librdkafka's own log goes here: silent unless the application configures logging, as a library's should be.
logger.addHandler(logging.NullHandler())

REFUSED = {
    "acks": "an append is acknowledged by all in-sync replicas, or it is not acknowledged",
    "request.required.acks": "an append is acknowledged by all in-sync replicas, or it is not acknowledged",
    "enable.idempotence": "without it the client itself stores a record twice when it tries again",
    "partitioner": "all writers of a session must choose the same partition, or its order is lost",
    "transactional.id": "kchat does not use transactions (docs/adr/0002-order-and-keys.md)",
    "allow.auto.create.topics": "asking for a cleared session would create its topic with wrong settings",
    "enable.auto.commit": "the cursor moves only over messages that were handed to the caller",
    "enable.auto.offset.store": "the cursor moves only over messages that were handed to the caller",
    "auto.offset.reset": "an offset out of range must be seen, not jumped over",
    "isolation.level": "records of aborted transactions are not messages",
    "enable.partition.eof": "a read could not know that it is at the end",
    "fetch.wait.max.ms": "it decides what kind of consumer one is: a reader must not wait, a tail must",
    "group.id": "the session decides it",
    "group.instance.id": "kchat never joins a group",
    "error_cb": "kchat collects the client's errors itself, to name the cause of a time-out",
    "on_commit": "kchat uses it to hear of its own commits",
    "on_delivery": "kchat uses it to hear of its own records",
    "default.topic.config": "name topic properties beside the others, as librdkafka does since 1.0",
    "delivery.report.only.error": "an append ends when every record is acknowledged",
}
"""Properties that would break a promise, and which one."""

PRODUCER = {
    "enable.idempotence": True,
    "acks": "all",
    "partitioner": "murmur2_random",  # the Java client's: a key is where others look for it
    "linger.ms": 5,  # with the flush that follows, the records of one call make one batch; 0 splits them
    # For single appends zstd saves 20 % and makes reads 8 times slower (measured).
    "compression.type": "none",
    # Without a topic the client would hold a record for 30 s before it says so.
    "topic.metadata.propagation.max.ms": 500,
}
CONSUMER = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "error",
    "isolation.level": "read_committed",
    "enable.partition.eof": True,
    "fetch.error.backoff.ms": 10,  # the default, 500, is what a leader change would cost a read
}
READER = CONSUMER | {
    "group.id": "kchat-reader",  # the client demands one; nothing is committed to it
    "fetch.wait.max.ms": 0,  # a read asks for what is there; 1 costs 2.5 ms, the default 500 (measured)
}
TAIL = CONSUMER | {
    "group.id": "kchat-tail",
    "fetch.wait.max.ms": 500,  # the broker holds the request: 1.5 ms to a new record at 0.1 % CPU (measured)
}
WATCHER = TAIL | {
    "group.id": "kchat-watcher",
    "enable.partition.eof": False,
    # Its records are thrown away: this bounds what a thousand watched partitions hold of them.
    "queued.max.messages.kbytes": 1_024,
    "fetch.message.max.bytes": 65_536,
}
SAMPLER = READER | {
    "group.id": "kchat-sampler",
    "fetch.wait.max.ms": 10,  # 0 would ask for a thousand partitions without a pause
    "fetch.message.max.bytes": 65_536,  # of each of them
}
CURSOR = CONSUMER
RECONNECT_FIRST, RECONNECT_LATEST = "reconnect.backoff.ms", "reconnect.backoff.max.ms"
"""How long the client waits before it connects again: at first, and after it failed several times."""

EVERY_CLIENT = {
    # Asking for metadata creates topics otherwise: a cleared session would come back, settings wrong.
    "allow.auto.create.topics": False,
    # A broker that hangs is left for another after so long. With the default, 60 s, reads of a cluster of
    # three failed for as long as one broker hung (35 s), although another led after 3 s (measured). Not less
    # than the 5 s that a call waits for an answer: a slow link may need them.
    "socket.timeout.ms": 5_000,
    # Each request that a hanging broker does not answer ends its connection, and the next one waits twice as
    # long: with the default, 10 s, readers had none for up to 6 s after the broker was back (measured).
    RECONNECT_LATEST: 500,
}

_SECRET = re.compile(r"password|secret|token|pem|username|oauthbearer|jaas")
"""Names of properties whose values appear in no text."""

_CALLBACKS = frozenset({"oauth_cb", "stats_cb", "throttle_cb"})
"""Functions that the client takes, apart from those that kchat refuses."""

_YIELDING = (
    "linger.ms",
    "compression.type",
    "topic.metadata.propagation.max.ms",
    "fetch.error.backoff.ms",
    "socket.timeout.ms",
    RECONNECT_LATEST,
)


@frozen
class Config:
    """The properties that the caller gave, checked. Its repr names the servers and nothing else."""

    properties: dict[str, Any] = field(repr=False)

    @classmethod
    def of(cls, given: Sealed[Mapping[str, Any]]) -> "Config":
        """Check properties by librdkafka's names, `bootstrap.servers` among them.

        Raises:
            InvalidConfig: a property would break a promise, or no servers are named.
        """
        if not isinstance(given.content, Mapping):
            raise InvalidConfig(
                f"config is a mapping of librdkafka's properties, not {type(given.content).__name__}"
            )
        for name in given.content:
            if not isinstance(name, str):
                raise InvalidConfig(f"a property name is a string, not {type(name).__name__}")
            if str.__str__(name) in REFUSED:  # a subclass may hash as something else
                raise InvalidConfig(
                    f"the property {name} cannot be set: {REFUSED[name]}", next_step="leave it out"
                )
        unusable = _unusable(given)
        if unusable is not None:
            raise InvalidConfig(
                f"the property {unusable} must be a string, a number, True or False, or a callback"
            )
        servers = given.content.get("bootstrap.servers")
        if not isinstance(servers, str) or not servers.strip() or "\0" in servers:
            raise InvalidConfig(
                "bootstrap.servers must name at least one broker",
                next_step='give it as "host:port,host:port"',
            )
        if not callable(getattr(given.content.get("logger", logger), "log", None)):
            raise InvalidConfig(
                "logger must be a logging.Logger", next_step="leave it out for the logger kchat"
            )
        # As the client reads them: a subclass of str may say something else of itself.
        config = cls({str.__str__(name): _exact(value) for name, value in given.content.items()})
        _ = config.record_bytes_max  # raises for a limit that is no number, now and not at the first append
        return config

    @property
    def servers(self) -> str:
        """The bootstrap servers, to name in errors."""
        return str(self.properties["bootstrap.servers"])

    @property
    def record_bytes_max(self) -> int:
        """What a record may have: `message.max.bytes` less the 100 bytes that a batch of one costs."""
        limit = "message.max.bytes"
        try:
            return RECORD_BYTES_MAX if self.get(limit) is None else int(self.get(limit)) - 100
        except (TypeError, ValueError):
            raise InvalidConfig(f"{limit} must be a number of bytes") from None

    def get(self, name: str) -> Any:
        """What the caller gave for a property, or None."""
        return self.properties.get(name)

    def for_client(self, kind: Mapping[str, Any], **more: Any) -> Sealed[dict[str, Any]]:
        """The properties of one client. The caller wins where kchat's choice is only a matter of speed."""
        own = {**EVERY_CLIENT, **kind, **more}
        if self.get(RECONNECT_FIRST) is not None:
            del own[RECONNECT_LATEST]  # the client takes no first wait above the longest one
        kept = own.keys() - set(_YIELDING)
        return Sealed(
            {"logger": logger, **own, **{n: v for n, v in self.properties.items() if n not in kept}}
        )

    def without_secrets(self, text: str) -> str:
        """A text of the client's, without the values of properties that are nobody's business."""
        hidden = (str(value) for name, value in self.properties.items() if _SECRET.search(name))
        pattern = "|".join(re.escape(value) for value in sorted(hidden, key=len, reverse=True) if value)
        return re.sub(pattern, "...", text) if pattern else text


def _unusable(given: Sealed[Mapping[str, Any]]) -> str | None:
    """A property whose value is nothing that a setting can be; the client makes a string of anything."""
    return next((name for name, value in given.content.items() if not _is_usable(name, value)), None)


def _exact(value: object) -> object:
    return str.__str__(value) if isinstance(value, str) else value


def _is_usable(name: str, value: object) -> bool:
    if isinstance(value, int):  # True and False, too
        return abs(value) < 1 << 63
    return value is None or isinstance(value, str | float) or name == "logger" or _is_callback(name, value)


def _is_callback(name: str, value: object) -> bool:
    return name in _CALLBACKS and callable(value)
