"""Which release of Kafka a broker is, as far as a client can tell.

No request says it. A broker does say which versions of each request it takes, and the client logs that
(`debug=feature`): the newest Fetch tells the release, more or less.
"""

import logging
import re

_LINE = re.compile(r"ApiKey (?P<name>\w+) \(\d+\) Versions (?P<low>\d+)\.\.(?P<high>\d+)")

_RELEASES = (
    (18, "4.1 or newer"),
    (17, "3.9 or 4.0"),
    (16, "3.7 or 3.8"),
    (14, "3.5 or 3.6"),
    (13, "3.1 to 3.4"),
    (12, "2.7 to 3.0"),
    (11, "2.3 to 2.6"),
)
"""The newest version of Fetch, and the releases that have it
(https://github.com/apache/kafka/blob/trunk/clients/src/main/resources/common/message/FetchRequest.json)."""


class ApiVersions(logging.Handler):
    """Listens to the log of a client, and keeps what its brokers say of one request."""

    def __init__(self, request: str = "Fetch") -> None:
        super().__init__()
        self._request = request
        self.ranges: set[tuple[int, int]] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Hear a line."""
        found = _LINE.search(record.getMessage())
        if found is not None and found["name"] == self._request:
            self.ranges.add((int(found["low"]), int(found["high"])))

    @property
    def logger(self) -> logging.Logger:
        """A logger for the client that goes here and nowhere else."""
        logger = logging.Logger("kchat.api_versions", logging.DEBUG)
        logger.addHandler(self)
        return logger


def releases(ranges: set[tuple[int, int]]) -> tuple[str, ...]:
    """The releases that take these versions of Fetch, oldest first; of a cluster that is upgraded several."""
    told = sorted((high, low) for low, high in ranges)
    return tuple(dict.fromkeys(_release(low, high) for high, low in told))


def _release(low: int, high: int) -> str:
    for version, release in _RELEASES:
        if high >= version:
            # Kafka 4.0 takes no Fetch older than 4, and 3.9 does.
            return {True: "4.0", False: "3.9"}[low >= 4] if version == 17 else release
    return "older than 2.3"
