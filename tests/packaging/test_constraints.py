"""What development uses is pinned: all of it, as it is installed here."""

import re
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
MEND = "run make constraints, and install again"


def pins() -> dict[str, set[str]]:
    """The versions of each package; with a marker, it may have several."""
    found: dict[str, set[str]] = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        pinned = Requirement(line)
        [version] = pinned.specifier
        assert version.operator == "=="
        found.setdefault(canonicalize_name(pinned.name), set()).add(version.version)
    return found


def needed(names: list[str]) -> Iterator[str]:
    """Every package that these need here, as installed."""
    seen: set[tuple[str, str]] = set()
    waiting = [(Requirement(name), "") for name in names]
    while waiting:
        wanted, asking = waiting.pop()
        name = canonicalize_name(wanted.name)
        if not _holds(wanted.marker, asking):
            continue
        for extra in ("", *sorted(wanted.extras)):
            if (name, extra) not in seen:
                seen.add((name, extra))
                yield name
                waiting += [(Requirement(line), extra) for line in metadata.requires(name) or ()]


def _holds(marker: Marker | None, extra: str) -> bool:
    return marker is None or marker.evaluate({"extra": extra})


def test_everything_that_is_used_here_is_pinned_as_it_is() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    pinned = pins()
    used = {name: metadata.version(name) for name in set(needed(groups["dev"])) - {"kchat"}}
    assert len(used) > 100
    wrong = {name: version for name, version in used.items() if version not in pinned.get(name, set())}
    assert wrong == {}, MEND


def test_every_dependency_has_a_lower_bound() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lists = [
        project["project"]["dependencies"],
        *project["project"]["optional-dependencies"].values(),
        *project["dependency-groups"].values(),
    ]
    named = [line for lines in lists for line in lines if isinstance(line, str)]
    assert [line for line in named if not re.search(r">=|^kchat\[", line)] == []


def test_the_pins_are_made_for_the_oldest_python() -> None:
    """Those of a later patch release would leave out the ones before it: some packages need 3.11.5."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    made_for = re.findall(r"--python-version (\S+)", (ROOT / "Makefile").read_text(encoding="utf-8"))
    assert [f">={version}" for version in made_for] == [project["requires-python"]]
