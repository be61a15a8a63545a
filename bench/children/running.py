"""Runs a module of this package as a child, and takes the figures that it prints."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
"""Where `bench` is found: it is not installed."""

LAST_WORDS_MAX = 500
"""Characters of a failed child's traceback: its end has the error."""

Figures = dict[str, Any]


class ChildFailedError(Exception):
    """A child ended without figures; the text has its last words."""


def figures_of(
    child: str, *arguments: object, seconds_max: float, environment: Mapping[str, str] | None = None
) -> Figures:
    """Run a module of this package to its end, and take its figures.

    Args:
        child: the module's name.
        arguments: its command line.
        seconds_max: it is killed after so long.
        environment: as in `run_python`.

    Raises:
        ChildFailedError: it failed, said nothing, or was killed.
    """
    command = ("-m", f"{__package__}.{child}", *map(str, arguments))
    done = run_python(*command, seconds_max=seconds_max, environment=environment)
    lines = done.stdout.splitlines()
    if not lines:
        raise ChildFailedError(f"{child} said nothing")
    figures: Figures = json.loads(lines[-1])
    return figures


def run_python(
    *command: str, seconds_max: float, environment: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run this Python with a command line, where `bench` and kchat are found.

    Args:
        command: what follows the interpreter.
        seconds_max: it is killed after so long.
        environment: the whole of its environment; None: the one here.

    Raises:
        ChildFailedError: it failed, or was killed.
    """
    try:
        done = subprocess.run(  # noqa: S603
            (sys.executable, *command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds_max,
            cwd=ROOT,
            env=dict(os.environ if environment is None else environment),
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ChildFailedError(f"{' '.join(command[:2])}: not done after {seconds_max:g} s") from None
    if done.returncode:
        raise ChildFailedError(f"{' '.join(command[:2])}: {done.stderr.strip()[-LAST_WORDS_MAX:]}")
    return done
