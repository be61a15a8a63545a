"""What a run ran on: the machine in general words, and the versions of what took part."""

import os
import platform
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bench.servers.absence import NotHereError
from bench.servers.kafka import kafka_version
from bench.servers.postgres import postgres_version
from bench.servers.redis import redis_version

PACKAGES = (
    "kchat",
    "msgspec",
    "confluent-kafka",
    "langchain-core",
    "langchain-community",
    "redis",
    "SQLAlchemy",
    "psycopg",
)
CPU_MODEL = Path("/proc/cpuinfo")
MEMORY_NAMES = ("SC_PAGE_SIZE", "SC_PHYS_PAGES")


def description() -> dict[str, str]:
    """Names and values, in the order in which they are shown."""
    return {
        "processor": f"{_cpu_model()}, {os.cpu_count()} cores",
        "memory": _memory(),
        "system": f"{platform.system()}, {platform.machine()}",
        "load of others": f"{os.getloadavg()[0]:.1f} runnable on average in the minute before",
        "Python": platform.python_version(),
        "Kafka": _or_absent(kafka_version),
        "Redis": _or_absent(redis_version),
        "PostgreSQL": _or_absent(postgres_version),
        **{package: _package(package) for package in PACKAGES},
    }


def _cpu_model() -> str:
    with suppress(OSError):
        for line in CPU_MODEL.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown"


def _memory() -> str:
    page, pages = (os.sysconf(name) for name in MEMORY_NAMES)
    return f"{page * pages / (1 << 30):.0f} GiB"


def _package(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _or_absent(ask: Callable[[], str]) -> str:
    try:
        return ask()
    except (NotHereError, OSError) as error:
        return f"not here: {error}"
