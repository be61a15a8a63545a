"""Runs the command: in this process, or in a child as a user would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from click.testing import CliRunner, Result

from kchat.cli.group import kchat

ENVIRONMENT = {"COLUMNS": "100", "KCHAT_BOOTSTRAP": None, "KCHAT_CONFIG": None}
CHILD_SECONDS_MAX = 60
COMMAND = (sys.executable, "-W", "error", "-m", "kchat.cli")


def invoke(*arguments: str, typed: str | None = None, **environment: str) -> Result:
    """Run it here; stdout and stderr are kept apart."""
    runner = CliRunner(env={**ENVIRONMENT, **environment})
    return runner.invoke(kchat, list(arguments), input=typed, prog_name="kchat")


def child_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("KCHAT_")} | {
        "COLUMNS": "100"
    }


def run_child(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        timeout=CHILD_SECONDS_MAX,
        env=child_environment(),
        check=False,
    )


def document(result: Result) -> dict[str, Any]:
    """The JSON document on stdout, which holds nothing else."""
    parsed: dict[str, Any] = json.loads(result.stdout)
    return parsed


def contents(step: dict[str, Any]) -> list[str]:
    """What the messages of one step say."""
    return [delivery["message"]["data"]["content"] for delivery in step["messages"]]


def endings(parsed: dict[str, Any]) -> list[tuple[str, str]]:
    """Each call's name, and how it ended."""
    return [(step["call"].partition("(")[0], step["ended"]) for step in parsed["steps"]]
