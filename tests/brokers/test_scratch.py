from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.brokers.scratch import scratch_directory

ROOT = Path(__file__).parents[2]

FORKS = """
import os, sys
from tests.brokers.scratch import scratch_directory
class Owner: pass
owner = Owner()
directory, _remove = scratch_directory(owner)
print(directory, flush=True)
if os.fork() == 0:
    sys.exit()
os.wait()
print(directory.is_dir(), flush=True)
"""


class Owner:
    """Has a directory."""


def test_a_directory_is_removed_on_request_and_with_its_owner() -> None:
    owner, another = Owner(), Owner()
    directory, remove = scratch_directory(owner)
    others_directory, _ = scratch_directory(another)
    remove()
    assert not directory.exists()
    assert others_directory.is_dir()
    del another
    assert not others_directory.exists()


def test_a_directory_goes_at_exit_and_not_with_a_fork() -> None:
    done = subprocess.run((sys.executable, "-c", FORKS), cwd=ROOT, capture_output=True, check=True, text=True)
    directory, was_there = done.stdout.split()
    assert was_there == "True"
    assert not Path(directory).exists()
