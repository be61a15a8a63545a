"""Certificates for one broker and one client, from an authority that nobody else trusts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trustme
from attrs import frozen
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from tests.brokers.ports import HOST

if TYPE_CHECKING:
    from pathlib import Path

OTHER_HOST = "another-host.example"


@frozen
class Certificates:
    """PEM files. Key, certificate and authority are in one file, as Kafka's PEM stores want it."""

    ca_path: Path
    foreign_ca_path: Path
    server_path: Path
    other_host_path: Path
    client_path: Path


def issue(directory: Path, client_name: str) -> Certificates:
    """Write all files; `client_name` becomes the common name of the client's certificate."""
    ca = trustme.CA()
    certificates = Certificates(
        ca_path=directory / "ca.pem",
        foreign_ca_path=directory / "foreign-ca.pem",
        server_path=directory / "server.pem",
        other_host_path=directory / "other-host.pem",
        client_path=directory / "client.pem",
    )
    ca.cert_pem.write_to_path(str(certificates.ca_path))
    trustme.CA().cert_pem.write_to_path(str(certificates.foreign_ca_path))
    _write_store(ca, ca.issue_cert(HOST, "localhost"), certificates.server_path)
    _write_store(ca, ca.issue_cert(OTHER_HOST), certificates.other_host_path)
    # The client has no host; but Java refuses a certificate whose list of names is empty.
    client = ca.issue_cert(f"{client_name}.example", common_name=client_name)
    _write_store(ca, client, certificates.client_path)
    return certificates


def _write_store(ca: trustme.CA, certificate: trustme.LeafCert, path: Path) -> None:
    chain = [blob.bytes() for blob in certificate.cert_chain_pems]
    path.write_bytes(b"".join([_pkcs8(certificate.private_key_pem.bytes()), *chain, ca.cert_pem.bytes()]))


def _pkcs8(key_pem: bytes) -> bytes:
    """Rewrite a private key: Kafka reads no other PEM form than PKCS 8."""
    key = load_pem_private_key(key_pem, password=None)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
