"""One Kafka server: its directory, and one process after the other over the same data."""

from __future__ import annotations

import base64
import subprocess
import uuid
from typing import TYPE_CHECKING

from tests.brokers.process import ChildProcess, StartError
from tests.brokers.properties import render

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.brokers.distribution import Distribution

READY_LINE = "Kafka Server started"
FORMAT_LIMIT_SECONDS = 30.0
READY_LIMIT_SECONDS = 30.0
STOP_LIMIT_SECONDS = 10.0


class Node:
    """A server that can be started, hung, killed and started again."""

    def __init__(
        self,
        distribution: Distribution,
        directory: Path,
        properties: Mapping[str, str],
        *,
        jvm_options: tuple[str, ...],
    ) -> None:
        self._distribution = distribution
        self._directory = directory
        self._jvm_options = jvm_options
        self._properties_path = directory / "server.properties"
        self._launches = 0
        self._process: ChildProcess | None = None
        directory.mkdir(parents=True)
        self._properties_path.write_text(render(properties))

    @property
    def pid(self) -> int | None:
        """The process that runs now, if any."""
        return self._process.pid if self._process is not None and self._process.running else None

    def format(self, cluster_id: str, arguments: tuple[str, ...] = ()) -> None:
        """Prepare the data directory.

        By Kafka's own program each time, not from a template: 0.3 s, and SCRAM users come the same way.

        Raises:
            StartError: with what the program said.
        """
        where = ("-t", cluster_id, "-c", str(self._properties_path))
        command = self._distribution.command("kafka.tools.StorageTool", "format", *where, *arguments)
        try:
            subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=FORMAT_LIMIT_SECONDS,
                check=True,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise StartError(f"format: {error}") from error
        except subprocess.CalledProcessError as error:
            said = bytes(error.stdout).decode(errors="replace")
            raise StartError(f"format ended with code {error.returncode}:\n{said}") from error

    def launch(self) -> None:
        """Start the process without waiting for it."""
        self._launches += 1
        log_path = self._directory / f"server-{self._launches}.log"  # a new one: it holds no old "ready"
        command = self._distribution.command(
            "kafka.Kafka", str(self._properties_path), jvm_options=self._jvm_options
        )
        self._process = ChildProcess(command, log_path)

    def wait_ready(self, timeout_seconds: float = READY_LIMIT_SECONDS) -> None:
        """Wait until it serves clients.

        Raises:
            StartError: if it ends, or is not ready in time; it is ended then.
        """
        process = self._running_process()
        try:
            process.wait_for_line(READY_LINE, timeout_seconds)
        except BaseException:  # Ctrl-C, too
            process.kill()
            raise

    def restart(self) -> None:
        """Start it again over the same data, on the same ports; a running one is stopped first."""
        self.stop()
        self.launch()
        self.wait_ready()

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate(STOP_LIMIT_SECONDS)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    def pause(self) -> None:
        self._running_process().pause()

    def resume(self) -> None:
        self._running_process().resume()

    def _running_process(self) -> ChildProcess:
        if self._process is None:
            raise RuntimeError("the server was not started")
        return self._process


def new_cluster_id() -> str:
    while True:
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not cluster_id.startswith("-"):  # Kafka's command line would take it for an option
            return cluster_id
