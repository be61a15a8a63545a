"""What GitHub is told: well-formed, with no more rights than it needs, and about this project as it is."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.packaging.loading import ROOT, load

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
BIN = Path(sys.executable).parent


def run(*command: str | Path) -> None:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_workflows_are_what_github_reads() -> None:
    run(BIN / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS)
    run(BIN / "check-jsonschema", "--builtin-schema", "vendor.dependabot", GITHUB / "dependabot.yml")
    forms = sorted(path for path in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml") if path.stem != "config")
    run(BIN / "check-jsonschema", "--builtin-schema", "vendor.github-issue-forms", *forms)


def test_an_audit_of_the_workflows_finds_nothing() -> None:
    """Actions that are not pinned, credentials that stay, rights that are too wide, texts run as commands."""
    run(BIN / "zizmor", "--offline", "--pedantic", "--no-progress", "--quiet", GITHUB)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_no_job_may_write(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {}
    rights = {name: job["permissions"] for name, job in workflow["jobs"].items()}
    publishing = rights.pop("publish", None)
    assert publishing in (None, {"contents": "read", "id-token": "write"})
    assert all(right == {"contents": "read"} for right in rights.values())
    assert all(0 < job["timeout-minutes"] < 360 for job in workflow["jobs"].values())


def test_every_python_is_tested_and_named() -> None:
    jobs = yaml.safe_load((GITHUB / "workflows" / "ci.yml").read_text(encoding="utf-8"))["jobs"]
    tested = jobs["tests"]["strategy"]["matrix"]["python"]
    assert tuple(tested) == load("other_environments").PYTHONS
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert re.findall(r'"Programming Language :: Python :: (3\.\d+)"', project) == tested


def test_every_make_target_exists() -> None:
    texts = "\n".join(path.read_text(encoding="utf-8") for path in WORKFLOWS)
    called = set(re.findall(r"make PYTHON=python ([\w.-][\w./-]*)", texts))
    called |= set(re.findall(r"- target: (\S+)", texts))
    assert called >= {"check", "docs", "dist", "nightly", "proof", "bench"}
    targets = set(re.findall(r"^([\w./-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert called - targets == set()
