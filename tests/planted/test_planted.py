"""The pure tests are worth what they catch: no planted bug may survive them."""

from pathlib import Path

import pytest
from attrs import evolve

from tests.planted.bugs import BUGS
from tests.planted.plant import ROOT, Verdict, judge, judge_all, planted, table

CORE = ROOT / "src" / "kchat" / "core"


@pytest.mark.timeout(2_400)
def test_every_planted_bug_is_caught() -> None:
    trouble, findings = judge_all()
    assert trouble is None, f"the tests fail without any bug:\n{trouble}"
    missed = [finding for finding in findings if finding.verdict is not Verdict.CAUGHT]
    assert not missed, table(missed)


def test_there_are_bugs_for_most_promises_and_no_two_are_alike() -> None:
    assert len({bug.name for bug in BUGS}) == len({(bug.file, bug.new) for bug in BUGS}) == len(BUGS) >= 14
    promises = {bug.promise.split()[0] for bug in BUGS}
    assert promises >= {"P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8", "P9", "P10"}


@pytest.mark.parametrize("old", ["no such text", "return"])
def test_a_bug_whose_place_is_lost_is_told(old: str, tmp_path: Path) -> None:
    lost = evolve(BUGS[0], old=old)
    (tmp_path / lost.file).write_text((CORE / lost.file).read_text())
    assert "times in" in str(planted(lost, tmp_path))
    assert judge(lost).verdict is Verdict.UNUSABLE


def test_a_harmless_change_survives() -> None:
    """The judge can say no."""
    harmless = evolve(BUGS[0], new=BUGS[0].old + "  # harmless", tests=("test_lanes.py",))
    assert judge(harmless).verdict is Verdict.SURVIVED


def test_a_copy_that_cannot_be_imported_proves_nothing() -> None:
    broken = evolve(BUGS[0], new="if if", tests=("test_lanes.py",))
    assert judge(broken).verdict is Verdict.UNUSABLE
