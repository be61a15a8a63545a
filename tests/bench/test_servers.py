from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bench.servers import postgres
from bench.servers.absence import NotHereError
from bench.servers.postgres import open_postgres
from bench.servers.redis import open_redis, redis_version

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(postgres, "DEBIAN", tmp_path)


def test_a_redis_that_is_not_installed_says_so() -> None:
    with pytest.raises(NotHereError, match="redis-server is not installed"), open_redis():
        pass
    with pytest.raises(NotHereError):
        redis_version()


def test_a_postgresql_that_is_not_installed_says_so() -> None:
    with pytest.raises(NotHereError, match="PostgreSQL is not installed"), open_postgres():
        pass
