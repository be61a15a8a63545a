"""Whether a process is still there."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

LINUX_PROCESSES = Path("/proc")


def is_running(pid: int) -> bool:
    """Tell whether a process runs; one that ended and was never waited for does not."""
    try:
        os.kill(pid, 0)
        return _state(pid) not in ("", "Z")
    except (ProcessLookupError, FileNotFoundError):
        return False


def _state(pid: int) -> str:
    if LINUX_PROCESSES.is_dir():  # small images have no ps
        return (LINUX_PROCESSES / str(pid) / "stat").read_text().rpartition(")")[2].split()[0]
    shown = subprocess.run(("ps", "-o", "stat=", "-p", str(pid)), capture_output=True, check=False, text=True)
    return shown.stdout.strip()[:1]
