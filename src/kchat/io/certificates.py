"""Why a broker's certificate is refused: librdkafka says the same of an expired one and of a foreign one."""

import re
import socket
import ssl
from pathlib import Path

from kchat.io.config import Config

ASK_SECONDS_MAX = 0.4
"""How long the broker may take to show its certificate once more; on one machine it takes 5 ms (measured)."""

_ADDRESS = re.compile(r"ssl://\[?(?P<host>[^/]+?)\]?:(?P<port>\d+)/")
_VERIFY_FAILED = "certificate verify failed"


def certificate_fault(config: Config, complaint: str) -> str | None:
    """What is wrong with the certificate of the broker that a complaint names, or None where that is not it.

    Connects and shakes hands as the client would, with the caller's authorities, and sends nothing.
    """
    address = _ADDRESS.search(complaint)
    if address is None or _VERIFY_FAILED not in complaint:
        return None
    try:
        context = _context(config)
        with (
            socket.create_connection((address["host"], int(address["port"])), ASK_SECONDS_MAX) as connection,
            context.wrap_socket(connection, server_hostname=address["host"]),
        ):
            return None
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    except (OSError, ValueError):
        return None


def _context(config: Config) -> ssl.SSLContext:
    """The caller's authorities and check of names, or Python's own authorities where none are given."""
    location, pem = config.get("ssl.ca.location"), config.get("ssl.ca.pem")
    if pem is not None:
        context = ssl.create_default_context(cadata=str(pem))
    elif location is None or location == "probe":
        context = ssl.create_default_context()
    elif Path(location).is_dir():
        context = ssl.create_default_context(capath=str(location))
    else:
        context = ssl.create_default_context(cafile=str(location))
    context.check_hostname = config.get("ssl.endpoint.identification.algorithm") != "none"
    return context
