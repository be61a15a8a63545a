"""What an import costs, package by package, as Python itself tells (`-X importtime`)."""

from collections.abc import Collection, Mapping

from attrs import frozen

from bench.children.running import run_python

SECONDS_MAX = 60.0
LINE = "import time:"
BOUNDARY = "-- what follows is the import that is looked at --"


@frozen
class Own:
    """What the modules of one package cost by themselves, without what they import."""

    package: str
    microseconds: int
    modules: int


def own_times(needed: Collection[str], wanted: str, environment: Mapping[str, str]) -> list[Own]:
    """Import what is needed, then what is wanted, in a child; tell what the second import cost.

    Measuring each module makes all of them slower: the shares are right, and the sum is too much.

    Raises:
        ChildFailedError: it could not be imported.
    """
    code = f"import sys, {', '.join(needed)}\nsys.stderr.write({BOUNDARY!r} + chr(10))\nimport {wanted}"
    done = run_python("-X", "importtime", "-c", code, seconds_max=SECONDS_MAX, environment=environment)
    return parsed(done.stderr)


def parsed(said: str) -> list[Own]:
    """The same from what Python says: of what stands behind the boundary, the costliest package first."""
    found: dict[str, list[int]] = {}
    for line in said.partition(f"{BOUNDARY}\n")[2].splitlines():
        if line.startswith(LINE):
            own, _, name = line.removeprefix(LINE).split("|")
            found.setdefault(name.strip().partition(".")[0], []).append(int(own))
    packages = [Own(package, sum(costs), len(costs)) for package, costs in found.items()]
    return sorted(packages, key=lambda each: -each.microseconds)
