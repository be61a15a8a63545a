"""Kafka's Java clients and librdkafka name some properties differently: from the first to the second.

https://kafka.apache.org/documentation/#configuration and
https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md
"""

from collections.abc import Mapping
from pathlib import PurePath

from kchat.cli.jaas import UnknownJaas, jaas_properties

RENAMED = {
    "send.buffer.bytes": "socket.send.buffer.bytes",
    "receive.buffer.bytes": "socket.receive.buffer.bytes",
    "max.request.size": "message.max.bytes",
    "ssl.truststore.certificates": "ssl.ca.pem",
    "ssl.keystore.certificate.chain": "ssl.certificate.pem",
    "ssl.keystore.key": "ssl.key.pem",
}
"""The same setting, the same values."""

IDLE = frozenset(
    {
        "key.serializer", "value.serializer", "key.deserializer", "value.deserializer",
        "buffer.memory", "max.block.ms", "max.poll.records", "default.api.timeout.ms", "request.timeout.ms",
        "delivery.timeout.ms", "metric.reporters", "metrics.num.samples", "metrics.recording.level",
        "metrics.sample.window.ms", "interceptor.classes", "partition.assignment.strategy",
        "partitioner.class", "group.protocol", "session.timeout.ms", "heartbeat.interval.ms",
        "max.poll.interval.ms", "exclude.internal.topics", "fetch.max.wait.ms", "security.providers",
        "ssl.protocol", "ssl.enabled.protocols", "ssl.trustmanager.algorithm", "ssl.keymanager.algorithm",
        "ssl.truststore.type", "ssl.truststore.password", "ssl.keystore.type",
    }
)  # fmt: skip
"""Settings of Java programs that change nothing of what kchat does, or that others here carry along."""

IDLE_PREFIXES = ("schema.registry.", "basic.auth.", "confluent.")
"""What lies beside Kafka's settings in a file that a vendor hands out."""

PEM_SUFFIXES = frozenset({".pem", ".crt", ".cer", ".cert"})
PKCS12_SUFFIXES = frozenset({".p12", ".pfx", ".pkcs12"})

OIDC_CALLBACK = "OAuthBearerLoginCallbackHandler"


class UntranslatableError(ValueError):
    """A property of Java's with no counterpart; the text quotes no value."""

    def __init__(self, name: str, reason: str, next_step: str) -> None:
        super().__init__(f"{name} cannot be translated for this client: {reason}")
        self.next_step = next_step


def translated(given: Mapping[str, str]) -> dict[str, str]:
    """The properties by librdkafka's names. What is librdkafka's already stays as it is.

    Raises:
        UntranslatableError: a setting matters, and librdkafka has none that says the same.
    """
    properties: dict[str, str] = {}
    for name, value in given.items():
        if name in IDLE or name.startswith(IDLE_PREFIXES):
            continue
        properties |= _translated(name, value, given)
    return properties


def _translated(name: str, value: str, given: Mapping[str, str]) -> dict[str, str]:
    match name:
        case "sasl.jaas.config":
            return _jaas(value)
        case "ssl.truststore.location":
            return _truststore(value, given.get("ssl.truststore.type"))
        case "ssl.keystore.location":
            return _keystore(value, given.get("ssl.keystore.type"))
        case "ssl.endpoint.identification.algorithm":
            return {name: value or "none"}  # empty turns it off in Java
        case "sasl.login.callback.handler.class" if value.endswith(OIDC_CALLBACK):
            return {"sasl.oauthbearer.method": "oidc"}
        case "sasl.login.callback.handler.class" | "sasl.client.callback.handler.class" | "sasl.login.class":
            raise UntranslatableError(
                name, "it names a Java class", "leave it out, and give the login by the sasl.* properties"
            )
        case _:
            return {RENAMED.get(name, name): value}


def _jaas(value: str) -> dict[str, str]:
    properties = jaas_properties(value)
    if isinstance(properties, UnknownJaas):
        raise UntranslatableError(
            "sasl.jaas.config", properties.reason, "give sasl.username and sasl.password in its place"
        )
    return properties


def _truststore(location: str, store_type: str | None) -> dict[str, str]:
    if _store_type(location, store_type) == "PEM":
        return {"ssl.ca.location": location}
    raise UntranslatableError(
        "ssl.truststore.location",
        "the store is no PEM file, and this client reads certificate authorities from PEM alone",
        "write it as PEM with keytool -exportcert -rfc, and name that file as ssl.ca.location",
    )


def _keystore(location: str, store_type: str | None) -> dict[str, str]:
    match _store_type(location, store_type):
        case "PEM":
            return {"ssl.certificate.location": location, "ssl.key.location": location}
        case "JKS":
            raise UntranslatableError(
                "ssl.keystore.location",
                "the store is of Java's own kind, JKS",
                "convert it with keytool -importkeystore -deststoretype PKCS12, and name that file",
            )
        case _:
            return {"ssl.keystore.location": location}  # librdkafka reads PKCS#12 by this name


def _store_type(location: str, store_type: str | None) -> str | None:
    """PEM, PKCS12 or JKS; None where neither the type nor the file's name says it."""
    if store_type:
        return store_type.upper()
    suffix = PurePath(location).suffix.lower()
    if suffix in PEM_SUFFIXES:
        return "PEM"
    if suffix in PKCS12_SUFFIXES:
        return "PKCS12"
    return "JKS" if suffix == ".jks" else None
