"""A broker with every kind of lock on its door, and a listener for each."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import field, frozen
from confluent_kafka.admin import AclOperation  # documented, but not in its __all__

from tests.brokers.access import GROUP, TOPIC, Permission, grant
from tests.brokers.certificates import Certificates, issue
from tests.brokers.jars import PLAINTEXT as PLAINTEXT
from tests.brokers.jars import JarsKafka
from tests.brokers.properties import CONTROLLER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.brokers.distribution import Distribution

SCRAM = "SCRAM"
PLAIN = "PLAIN"
TLS = "TLS"
MTLS = "MTLS"
SCRAM_TLS = "SCRAMTLS"
PLAIN_TLS = "PLAINTLS"
OAUTH = "OAUTH"  # takes unsigned tokens: whoever says so is who they say
WRONG_HOST_TLS = "WRONGHOST"  # its certificate is another host's
EXPIRED_TLS = "EXPIRED"  # its certificate is no longer valid

PROTOCOLS: Mapping[str, str] = {
    PLAINTEXT: "PLAINTEXT",
    SCRAM: "SASL_PLAINTEXT",
    PLAIN: "SASL_PLAINTEXT",
    TLS: "SSL",
    MTLS: "SSL",
    SCRAM_TLS: "SASL_SSL",
    PLAIN_TLS: "SASL_SSL",
    OAUTH: "SASL_PLAINTEXT",
    WRONG_HOST_TLS: "SSL",
    EXPIRED_TLS: "SSL",
}

_MECHANISMS = {
    SCRAM: "SCRAM-SHA-256",
    PLAIN: "PLAIN",
    SCRAM_TLS: "SCRAM-SHA-256",
    PLAIN_TLS: "PLAIN",
    OAUTH: "OAUTHBEARER",
}
_LOGIN_MODULES = "org.apache.kafka.common.security"


@frozen
class User:
    """Who may log in by SCRAM, PLAIN, and an unsigned token."""

    name: str
    password: str = field(repr=False)


ALICE = User("alice", "alice-password")  # may do all with topics and groups
WRITER = User("writer", "writer-password")  # may write to topics, and nothing else
READER = User("reader", "reader-password")  # may do all with topics, and nothing with groups
PEEKER = User("peeker", "peeker-password")  # may do all with topics, and see groups, but not commit
GRANTEE = User("grantee", "grantee-password")  # may do nothing but what a test grants
USERS = (ALICE, WRITER, READER, PEEKER, GRANTEE)


@frozen
class SecuredKafka:
    """Where a secured broker listens, and how a client gets in.

    Who comes by `PLAINTEXT` or `TLS` has no name, and may do everything. The client's certificate for
    `MTLS` is Alice's.
    """

    listeners: Mapping[str, str]
    certificates: Certificates
    broker: JarsKafka = field(repr=False)

    @property
    def ca_path(self) -> Path:
        return self.certificates.ca_path

    def client_config(self, listener: str, user: User = ALICE) -> dict[str, str]:
        """Settings that are right for the listener; tests of refusals change one of them."""
        protocol = PROTOCOLS[listener]
        config = {"bootstrap.servers": self.listeners[listener], "security.protocol": protocol}
        if listener in _MECHANISMS:
            config["sasl.mechanism"] = _MECHANISMS[listener]
        if listener == OAUTH:
            config["enable.sasl.oauthbearer.unsecure.jwt"] = "true"
            config["sasl.oauthbearer.config"] = f"principal={user.name}"
        elif listener in _MECHANISMS:
            config["sasl.username"] = user.name
            config["sasl.password"] = user.password
        if protocol.endswith("SSL"):
            config["ssl.ca.location"] = str(self.certificates.ca_path)
        if listener == MTLS:
            config["ssl.certificate.location"] = str(self.certificates.client_path)
            config["ssl.key.location"] = str(self.certificates.client_path)
        return config


@contextmanager
def open_secured(distribution: Distribution) -> Iterator[SecuredKafka]:
    """Run a secured broker; its users have their rights."""
    with tempfile.TemporaryDirectory(prefix="kchat-certificates-") as directory:
        certificates = issue(Path(directory), client_name=ALICE.name)
        broker = JarsKafka(
            distribution,
            extra=_server_properties(certificates),
            listeners=tuple(PROTOCOLS),
            format_arguments=_scram_users(),
        )
        with broker:
            _grant(broker.listeners[PLAINTEXT])
            yield SecuredKafka(broker.listeners, certificates, broker)


def _scram_users() -> tuple[str, ...]:
    """SCRAM's users are in the log that `format` begins, so that they are there from the start."""
    return tuple(
        argument
        for user in USERS
        for argument in ("--add-scram", f"SCRAM-SHA-256=[name={user.name},password={user.password}]")
    )


def _server_properties(certificates: Certificates) -> dict[str, str]:
    plain_users = " ".join(f'user_{user.name}="{user.password}"' for user in USERS)
    scram_login = f"{_LOGIN_MODULES}.scram.ScramLoginModule required;"
    plain_login = f"{_LOGIN_MODULES}.plain.PlainLoginModule required {plain_users};"
    # The broker logs in nowhere, but has to have a login.
    oauth_module = f"{_LOGIN_MODULES}.oauthbearer.OAuthBearerLoginModule"
    oauth_login = f'{oauth_module} required unsecuredLoginStringClaim_sub="broker";'
    protocols = {**PROTOCOLS, CONTROLLER: "PLAINTEXT"}
    return {
        "listener.security.protocol.map": ",".join(f"{name}:{kind}" for name, kind in protocols.items()),
        "sasl.enabled.mechanisms": "SCRAM-SHA-256,PLAIN,OAUTHBEARER",
        **_sasl(SCRAM, scram_login),
        **_sasl(PLAIN, plain_login),
        **_sasl(SCRAM_TLS, scram_login),
        **_sasl(PLAIN_TLS, plain_login),
        **_sasl(OAUTH, oauth_login),
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(certificates.server_path),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(certificates.ca_path),
        # "User:alice", not "User:CN=alice,OU=...": the rest of the name is drawn by trustme.
        "ssl.principal.mapping.rules": "RULE:^.*CN=([^,]+).*$/$1/",
        f"listener.name.{MTLS.lower()}.ssl.client.auth": "required",
        **_store(WRONG_HOST_TLS, certificates.other_host_path),
        **_store(EXPIRED_TLS, certificates.expired_path),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",  # the broker's own, over the controller's listener
        "allow.everyone.if.no.acl.found": "false",
    }


def _sasl(listener: str, login: str) -> dict[str, str]:
    mechanism = _MECHANISMS[listener]
    prefix = f"listener.name.{listener.lower()}"
    return {
        f"{prefix}.sasl.enabled.mechanisms": mechanism,
        f"{prefix}.{mechanism.lower()}.sasl.jaas.config": login,
    }


def _store(listener: str, path: Path) -> dict[str, str]:
    prefix = f"listener.name.{listener.lower()}.ssl.keystore"
    return {f"{prefix}.type": "PEM", f"{prefix}.location": str(path)}


def _grant(bootstrap: str) -> None:
    everything = (
        Permission(ALICE.name, TOPIC, AclOperation.ALL),
        Permission(ALICE.name, GROUP, AclOperation.ALL),
        Permission(WRITER.name, TOPIC, AclOperation.WRITE),
        Permission(READER.name, TOPIC, AclOperation.ALL),
        Permission(PEEKER.name, TOPIC, AclOperation.ALL),
        Permission(PEEKER.name, GROUP, AclOperation.DESCRIBE),
    )
    grant(bootstrap, everything)
