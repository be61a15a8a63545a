"""Plants each bug in a copy of src/kchat and demands that the pure tests fail.

`python -m tests.planted.plant` prints a table and exits with 1 if a bug survives.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import Enum, unique
from pathlib import Path

from attrs import frozen

from tests.planted.bugs import BUGS, Bug

ROOT = Path(__file__).parents[2]
SECONDS_MAX = 400
"""For one bug, on a very busy machine; usually it is two."""


@unique
class Verdict(Enum):
    """What became of a bug."""

    CAUGHT = "caught"
    SURVIVED = "SURVIVED"
    UNUSABLE = "UNUSABLE"


@frozen(kw_only=True)
class Finding:
    """One bug, and the test that noticed it or the reason why there is none."""

    bug: Bug
    verdict: Verdict
    by: str


def planted(bug: Bug, core: Path) -> str | None:
    """Put the bug into a copy of the core. The answer says why that cannot be done."""
    path = core / bug.file
    text = path.read_text()
    found = text.count(bug.old)
    if found != 1:
        return f"its text occurs {found} times in {bug.file}"
    path.write_text(text.replace(bug.old, bug.new))
    return None


def run_tests(
    source: Path, tests: Sequence[str], *, seconds_max: int = SECONDS_MAX
) -> subprocess.CompletedProcess[str]:
    """Run test files of tests/core against the copy of kchat in `source`."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "--tb=no", "--noconftest"]
    plugins = ("tests.planted.quick", "no:cacheprovider", "pytest_timeout", "_hypothesis_pytestplugin")
    options = [option for plugin in plugins for option in ("-p", plugin)]
    environ = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(source), str(ROOT)]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "KCHAT_PLANTED_SRC": str(source),
        # Half of a run's time went into plugins of other projects.
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    files = [f"tests/core/{name}" for name in tests]
    return subprocess.run(
        [*command, *options, *files],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=seconds_max,
        check=False,
    )


def copied(directory: str) -> Path:
    """A copy of the sources."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "src" / "kchat", Path(directory) / "kchat", ignore=ignored)
    return Path(directory)


def judge(bug: Bug) -> Finding:
    """Plant one bug and run the tests that should notice."""
    with tempfile.TemporaryDirectory() as directory:
        source = copied(directory)
        trouble = planted(bug, source / "kchat" / "core")
        if trouble:
            return Finding(bug=bug, verdict=Verdict.UNUSABLE, by=trouble)
        try:
            done = run_tests(source, bug.tests)
        except subprocess.TimeoutExpired:
            return Finding(bug=bug, verdict=Verdict.UNUSABLE, by=f"no end within {SECONDS_MAX} s")
    lines = done.stdout.splitlines()
    failures = [line for line in lines if line.startswith("FAILED ")]
    if done.returncode == 1 and failures:
        return Finding(bug=bug, verdict=Verdict.CAUGHT, by=failures[0].split("::")[1].split(" - ")[0])
    if done.returncode == 0:
        return Finding(bug=bug, verdict=Verdict.SURVIVED, by=", ".join(bug.tests))
    # A copy that cannot even be imported proves nothing about the tests.
    return Finding(bug=bug, verdict=Verdict.UNUSABLE, by=(done.stderr or done.stdout).strip()[-300:])


def healthy() -> str | None:
    """What is wrong with a copy without a bug: the tests must pass on it, or a failure means nothing."""
    tests = sorted({name for bug in BUGS for name in bug.tests})
    with tempfile.TemporaryDirectory() as directory:
        try:
            done = run_tests(copied(directory), tests, seconds_max=3 * SECONDS_MAX)
        except subprocess.TimeoutExpired as error:
            return str(error)
    return None if done.returncode == 0 else done.stdout[-2_000:] + done.stderr[-2_000:]


def judge_all(bugs: Sequence[Bug] = BUGS) -> tuple[str | None, list[Finding]]:
    """What is wrong without a bug, and every bug; two runs at a time."""
    with ThreadPoolExecutor(2) as pool:
        trouble = pool.submit(healthy)
        findings = list(pool.map(judge, bugs))
        return trouble.result(), findings


def table(findings: Sequence[Finding]) -> str:
    """The findings in columns."""
    width = max(len(finding.bug.name) for finding in findings)
    return "\n".join(f"{f.verdict.value:9} {f.bug.name:{width}}  {f.by}" for f in findings)


def main() -> int:
    """Judge all bugs, print the table."""
    trouble, findings = judge_all()
    if trouble:
        sys.stdout.write(f"the tests fail without any bug:\n{trouble}\n")
        return 1
    caught = sum(finding.verdict is Verdict.CAUGHT for finding in findings)
    sys.stdout.write(f"{table(findings)}\n{caught} of {len(findings)} bugs caught\n")
    return 0 if caught == len(findings) else 1


if __name__ == "__main__":
    sys.exit(main())
