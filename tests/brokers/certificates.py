"""Certificates for one broker and one client, from an authority that nobody else trusts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import trustme
from attrs import frozen
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from tests.brokers.ports import HOST

if TYPE_CHECKING:
    from pathlib import Path

OTHER_HOST = "another-host.example"
KEY_PASSWORD = "canary-key-password"  # of the client's locked key
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC)


@frozen
class Certificates:
    """PEM files. Key, certificate and authority are in one file, as Kafka's PEM stores want it."""

    ca_path: Path
    foreign_ca_path: Path
    server_path: Path
    other_host_path: Path
    expired_path: Path
    client_path: Path
    client_locked_path: Path
    expired_client_path: Path
    foreign_client_path: Path


def issue(directory: Path, client_name: str) -> Certificates:
    """Write all files; `client_name` becomes the common name of the client's certificate."""
    ca, foreign_ca = trustme.CA(), trustme.CA()
    certificates = Certificates(
        ca_path=directory / "ca.pem",
        foreign_ca_path=directory / "foreign-ca.pem",
        server_path=directory / "server.pem",
        other_host_path=directory / "other-host.pem",
        expired_path=directory / "expired.pem",
        client_path=directory / "client.pem",
        client_locked_path=directory / "client-locked.pem",
        expired_client_path=directory / "expired-client.pem",
        foreign_client_path=directory / "foreign-client.pem",
    )
    ca.cert_pem.write_to_path(str(certificates.ca_path))
    foreign_ca.cert_pem.write_to_path(str(certificates.foreign_ca_path))
    valid_from, valid_to = LONG_AGO
    _write_store(ca, ca.issue_cert(HOST, "localhost"), certificates.server_path)
    _write_store(ca, ca.issue_cert(OTHER_HOST), certificates.other_host_path)
    expired = ca.issue_cert(HOST, "localhost", not_before=valid_from, not_after=valid_to)
    _write_store(ca, expired, certificates.expired_path)
    # The client has no host; but Java refuses a certificate whose list of names is empty.
    host = f"{client_name}.example"
    client = ca.issue_cert(host, common_name=client_name)
    _write_store(ca, client, certificates.client_path)
    _write_store(ca, client, certificates.client_locked_path, password=KEY_PASSWORD)
    expired = ca.issue_cert(host, common_name=client_name, not_before=valid_from, not_after=valid_to)
    _write_store(ca, expired, certificates.expired_client_path)
    foreign = foreign_ca.issue_cert(host, common_name=client_name)
    _write_store(foreign_ca, foreign, certificates.foreign_client_path)
    return certificates


def _write_store(
    ca: trustme.CA, certificate: trustme.LeafCert, path: Path, password: str | None = None
) -> None:
    chain = [blob.bytes() for blob in certificate.cert_chain_pems]
    key = _pkcs8(certificate.private_key_pem.bytes(), password)
    path.write_bytes(b"".join([key, *chain, ca.cert_pem.bytes()]))


def _pkcs8(key_pem: bytes, password: str | None) -> bytes:
    """Rewrite a private key: Kafka reads no other PEM form than PKCS 8."""
    key = load_pem_private_key(key_pem, password=None)
    lock = NoEncryption() if password is None else BestAvailableEncryption(password.encode())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)
