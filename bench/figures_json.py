"""docs/performance.json: the figures, for programs."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import asdict

from bench.figures import Timing
from bench.tables import Found


def as_json(found: Sequence[Found], machine: Mapping[str, str], date: str, *, quick: bool) -> str:
    """Everything that the page has, without words around it. Times are in seconds."""
    whole = {
        "date": date,
        "quick": quick,
        "machine": dict(machine),
        "workloads": [_workload(each) for each in found],
    }
    return json.dumps(whole, indent=1) + "\n"


def _workload(found: Found) -> dict[str, Any]:
    findings = found.findings
    return {
        "number": found.number,
        "title": found.title,
        "crash": found.crash,
        "timings": [_timing(timing) for timing in findings.timings],
        "goals": [asdict(goal) for goal in findings.goals],
        "absent": [asdict(absent) for absent in findings.absent],
        "notes": list(findings.notes),
    }


def _timing(timing: Timing) -> dict[str, Any]:
    return {
        "contender": timing.contender,
        "case": timing.case,
        "size": timing.size,
        "runs": len(timing.seconds),
        "median": timing.median,
        "p99": timing.p99,
    }
