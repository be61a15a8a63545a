"""Builds the documentation into build/site, and fails on any warning: of a link, a docstring, a missing name.

Zensical's strict mode knows links, anchors and snippets. It prints what Griffe says of docstrings and lets it
pass, and does not know which names must be in the API reference: both are looked at here.
"""

import importlib
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

from mkdocstrings import Inventory

ROOT = Path(__file__).parents[1]
INVENTORY = ROOT / "build" / "site" / "objects.inv"
PACKAGES = ("core", "conversation", "io", "langchain", "testing")
WARNINGS = ("griffe:", "mkdocstrings:", "mkdocs_autorefs:", "Warning")


def build() -> str:
    """Build the site; what the builder printed.

    Raises:
        SystemExit: it failed, or it warned.
    """
    command = [str(Path(sys.executable).with_name("zensical")), "build", "--strict", "--clean"]
    # The builder draws the diagrams with a module of this project's: it must find it.
    found = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    done = subprocess.run(command, cwd=ROOT, env=found, capture_output=True, text=True, check=False)
    printed = done.stdout + done.stderr
    if done.returncode or any(line.startswith(WARNINGS) for line in printed.splitlines()):
        raise SystemExit(printed)
    return printed


def left_out() -> list[str]:
    """The public names that the built API reference does not have."""
    with INVENTORY.open("rb") as inventory:
        described = Inventory.parse_sphinx(inventory)
    names = [
        f"kchat.{package}.{name}"
        for package in PACKAGES
        for name in importlib.import_module(f"kchat.{package}").__all__
        if not isinstance(getattr(importlib.import_module(f"kchat.{package}"), name), ModuleType)
    ]
    # A function in a module of its own name is described as that.
    return [name for name in names if not {name, f"{name}.{name.rpartition('.')[2]}"} & described.keys()]


def main() -> None:
    """Build, look, and say where it is."""
    build()
    if missing := left_out():
        raise SystemExit(f"not in the API reference, for want of a docstring: {', '.join(missing)}")
    print(f"the documentation is in {INVENTORY.parent.relative_to(ROOT)}/index.html")  # noqa: T201


if __name__ == "__main__":
    main()
