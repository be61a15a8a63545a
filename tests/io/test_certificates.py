"""What is said of a certificate that is refused, against a TLS server of the test's own."""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from kchat.core import Sealed
from kchat.io.certificates import certificate_fault
from kchat.io.config import Config
from tests.brokers.certificates import Certificates, issue

FAILED = "SSL handshake failed: certificate verify failed: broker certificate could not be verified"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return issue(tmp_path_factory.mktemp("certificates"), client_name="alice")


@pytest.fixture
def server(request: pytest.FixtureRequest, certificates: Certificates) -> Iterator[str]:
    """Shows the certificate that is the fixture's parameter, to one client."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(getattr(certificates, request.param))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(5)

        def serve() -> None:
            connection, _ = listening.accept()
            connection.settimeout(5)
            try:
                context.wrap_socket(connection, server_side=True).close()
            except OSError:
                connection.close()

        thread = Thread(target=serve)
        thread.start()
        yield f"ssl://127.0.0.1:{listening.getsockname()[1]}/bootstrap: {FAILED}"
        thread.join()


def config(**properties: object) -> Config:
    named = {name.replace("_", "."): value for name, value in properties.items()}
    return Config.of(Sealed({"bootstrap.servers": "unused:9092", **named}))


@pytest.mark.parametrize(
    ("server", "fault"),
    [
        ("server_path", None),
        ("expired_path", "certificate has expired"),
        ("other_host_path", "IP address mismatch, certificate is not valid for '127.0.0.1'."),
    ],
    indirect=["server"],
)
def test_the_fault_is_named(server: str, fault: str | None, certificates: Certificates) -> None:
    assert certificate_fault(config(ssl_ca_location=str(certificates.ca_path)), server) == fault


@pytest.mark.parametrize("server", ["server_path"], indirect=True)
def test_an_authority_may_be_given_as_text(server: str, certificates: Certificates) -> None:
    assert certificate_fault(config(ssl_ca_pem=certificates.ca_path.read_text()), server) is None


@pytest.mark.parametrize("server", ["server_path"], indirect=True)
def test_a_foreign_authority_is_told_as_one(server: str, certificates: Certificates) -> None:
    told = certificate_fault(config(ssl_ca_location=str(certificates.foreign_ca_path)), server)
    assert "certificate" in str(told)


@pytest.mark.parametrize("server", ["other_host_path"], indirect=True)
def test_where_names_are_not_checked_they_are_no_fault(server: str, certificates: Certificates) -> None:
    unchecked = {
        "ssl.ca.location": str(certificates.ca_path),
        "ssl.endpoint.identification.algorithm": "none",
        "bootstrap.servers": "unused:9092",
    }
    assert certificate_fault(Config.of(Sealed(unchecked)), server) is None


@pytest.mark.parametrize(
    "complaint",
    [
        "",
        "ssl://127.0.0.1:1/bootstrap: Disconnected",
        f"sasl_plaintext://127.0.0.1:1/bootstrap: {FAILED}",
        f"ssl://127.0.0.1:1/bootstrap: {FAILED}",
        f"ssl://127.0.0.1:70000/bootstrap: {FAILED}",
    ],
)
def test_where_nothing_can_be_learned_nothing_is_said(complaint: str, tmp_path: Path) -> None:
    assert certificate_fault(config(), complaint) is None
    assert certificate_fault(config(ssl_ca_location=str(tmp_path / "missing")), complaint) is None
