"""Serves examples/live_page.py from a thread of the test, which can look at its event loop."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import socket
import time
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import uvicorn
from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fastapi import FastAPI

EXAMPLE = Path(__file__).parents[2] / "examples" / "live_page.py"
SECONDS_MAX = 20.0


@frozen
class Served:
    """The example, while it runs."""

    port: int
    loop: asyncio.AbstractEventLoop

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def tasks(self) -> int:
        """How many tasks are alive in the loop; a follower lives in some of them."""
        return len(asyncio.all_tasks(self.loop))

    def say(self, session: str, text: str, role: str = "human") -> None:
        answer = self.asked("POST", f"/sessions/{session}/messages", json.dumps({"role": role, "text": text}))
        assert answer.status == 204, answer.read()

    def events(self, session: str, last_event_id: str = "") -> HTTPResponse:
        """What an EventSource asks for; reading it goes on until the caller closes it."""
        headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
        return self.asked("GET", f"/sessions/{session}/events", None, headers)

    def asked(
        self, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None
    ) -> HTTPResponse:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=SECONDS_MAX)
        kind = {"Content-Type": "application/json"} if body else {}
        # The response owns the socket then: closing it leaves as a browser does.
        connection.request(method, path, body, kind | {"Connection": "close"} | (headers or {}))
        return connection.getresponse()


@contextmanager
def served(port: int = 0) -> Iterator[Served]:
    """The example under uvicorn on the loopback interface; it ends as it does at a deployment."""
    with socket.create_server(("127.0.0.1", port)) as listening:
        # Web sockets are not used, and their import warns.
        config = uvicorn.Config(example(), ws="none", log_level="error", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        loops: list[asyncio.AbstractEventLoop] = []

        async def serve() -> None:
            loops.append(asyncio.get_running_loop())
            await server.serve([listening])

        thread = Thread(target=lambda: asyncio.run(serve()), name="live page")
        thread.start()
        try:
            eventually(lambda: server.started or not thread.is_alive())
            assert thread.is_alive(), "the example did not start"
            yield Served(listening.getsockname()[1], loops[0])
        finally:
            server.should_exit = True
            thread.join(SECONDS_MAX)
            assert not thread.is_alive(), "the example did not end"


def example() -> FastAPI:
    """The application, loaded anew: it opens its log at its start."""
    spec = importlib.util.spec_from_file_location("live_page", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    app: FastAPI = module.app
    return app


def event(response: HTTPResponse) -> tuple[dict[str, Any], str]:
    """The next event: what it says, and its id."""
    fields: dict[str, str] = {}
    while line := response.readline().decode().rstrip("\n"):
        name, _, value = line.partition(": ")
        fields[name] = value
    return (json.loads(fields["data"]), fields["id"]) if "data" in fields else event(response)


def eventually(holds: Callable[[], bool], seconds_max: float = SECONDS_MAX) -> None:
    end = time.monotonic() + seconds_max
    while not holds():
        assert time.monotonic() < end, "it did not come to hold"
        time.sleep(0.01)
