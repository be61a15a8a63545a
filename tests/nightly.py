"""The nightly run of all properties: how much of everything, and what its last lines say."""

import os
from collections.abc import Mapping, Sequence

EXAMPLES_DEFAULT = 20_000

SECONDS_MAX = 10_800
"""No property may take longer: it is ended, and has failed."""


def examples(environ: Mapping[str, str] = os.environ) -> int:
    """How many examples each property gets; NIGHTLY_EXAMPLES asks for fewer, or for more."""
    return int(environ.get("NIGHTLY_EXAMPLES", EXAMPLES_DEFAULT))


def is_nightly(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether this run is one."""
    return environ.get("HYPOTHESIS_PROFILE") == "nightly"


def last_lines(passed: int, failed: Sequence[str]) -> list[str]:
    """What ran, and where the failures are: Hypothesis keeps their examples, and begins with them again."""
    count = f"{passed + len(failed)} properties with {examples():,} examples each"
    if not failed:
        return [f"nightly: {count}: all hold"]
    again = [f"  {name}\n    again: .venv/bin/pytest '{name}'" for name in failed]
    return [f"nightly: {count}: {len(failed)} do not hold", *again, "  their examples are in .hypothesis"]
