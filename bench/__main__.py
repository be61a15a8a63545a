"""`python -m bench [--quick] [--only 1,4] [--write]`."""

import argparse
import logging
import sys
import time
import traceback
import warnings

from bench.discovery import workloads
from bench.figures import Findings
from bench.machine import description
from bench.servers.absence import NotHereError
from bench.servers.surroundings import open_surroundings
from bench.tables import Found, told
from bench.workload import Surroundings, Workload


def main() -> int:
    """Run the workloads; 1 where one crashed or a count is not what it has to be."""
    arguments = _arguments()
    chosen = workloads(arguments.only)
    # LangChain's, of the classes that are compared; it asks to have them shown when it is imported.
    warnings.simplefilter("ignore", DeprecationWarning)
    machine = description()
    begun = time.monotonic()
    try:
        with open_surroundings(quick=arguments.quick) as around:
            found = [_run(workload, around) for workload in chosen]
    except NotHereError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{time.monotonic() - begun:.0f} s in all")
    if arguments.write:
        # Imported where used: the plots need matplotlib, and the tables do not.
        from bench.writing import write

        write(found, machine, quick=arguments.quick)
    return 1 if any(_has_failed(each) for each in found) else 0


def _run(workload: Workload, around: Surroundings) -> Found:
    begun = time.monotonic()
    try:
        findings, crash = workload.run(around), ""
    except Exception as error:  # whatever it is, the other workloads shall run
        traceback.print_exc()
        findings, crash = Findings(), f"{type(error).__name__}: {error}"
    found = Found(number=workload.number, title=workload.title, findings=findings, crash=crash)
    print(f"{told(found)}\n\n({time.monotonic() - begun:.0f} s)\n", flush=True)
    return found


def _has_failed(found: Found) -> bool:
    return bool(found.crash) or any(goal.structural and not goal.met for goal in found.findings.goals)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="kchat beside the alternatives")
    parser.add_argument("--quick", action="store_true", help="fewer rounds: two minutes instead of ten")
    parser.add_argument("--only", type=_numbers, default=(), metavar="1,4", help="these workloads alone")
    parser.add_argument("--write", action="store_true", help="write docs/performance.*")
    arguments = parser.parse_args()
    if arguments.only and arguments.write:
        parser.error("--write needs all workloads: a page without the others would say less than it does now")
    return arguments


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split(","))


if __name__ == "__main__":
    logging.getLogger("kchat").setLevel(logging.CRITICAL)
    sys.exit(main())
