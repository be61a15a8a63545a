"""What is published: built twice alike, and described so that a package index takes it."""

import subprocess
import sys
import tarfile
import tomllib
import warnings
from pathlib import Path
from typing import Any

import pytest
from trove_classifiers import classifiers

from tests.packaging.loading import ROOT, load

dist, verify_types = load("dist"), load("verify_types")

EPOCH = "1700000000"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    found: dict[str, Path] = dist.build(ROOT, tmp_path_factory.mktemp("built"), EPOCH)
    return found


def test_the_sdist_builds_itself_and_the_same_wheel(built: dict[str, Path], tmp_path: Path) -> None:
    assert sorted(path.suffix for path in built.values()) == [".gz", ".whl"]
    assert dist.differing(built, dist.rebuilt(built, EPOCH, tmp_path)) == []


def test_the_first_releases_of_python_3_11_unpack_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before 3.11.4 there is no filter."""
    (tmp_path / "a").write_text("text")
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "a", "b")
    extract = tarfile.TarFile.extractall

    def without_filter(archive: tarfile.TarFile, path: Path) -> None:
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            extract(archive, path)

    monkeypatch.delattr(tarfile, "data_filter", raising=False)
    monkeypatch.setattr(tarfile.TarFile, "extractall", without_filter)
    dist.unpack(tmp_path / "a.tar.gz", tmp_path)
    assert (tmp_path / "b").read_text() == "text"


def test_the_metadata_is_what_an_index_takes(built: dict[str, Path]) -> None:
    command = [str(Path(sys.executable).with_name("twine")), "check", "--strict", *map(str, built.values())]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_a_difference_is_named(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for directory, wheel in ((first, b"one"), (second, b"two")):
        directory.mkdir()
        (directory / "a.whl").write_bytes(wheel)
        (directory / "a.tar.gz").write_bytes(b"same")
    built = [{path.name: path for path in directory.iterdir()} for directory in (first, second)]
    assert dist.differing(*built) == ["a.whl"]
    del built[0]["a.tar.gz"]
    assert dist.differing(*built) == ["a.tar.gz", "a.whl"]


def test_the_time_in_the_archives_is_the_last_commit_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "42")
    assert dist.committed_at() == "42"
    if (ROOT / ".git").exists():
        monkeypatch.delenv("SOURCE_DATE_EPOCH")
        assert int(dist.committed_at()) > 1_700_000_000


def test_a_command_that_fails_makes_it_unfit() -> None:
    with pytest.raises(dist.Unfit, match="failed"):
        dist.run(sys.executable, "-c", "raise SystemExit(3)")


def test_the_project_is_described() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(project["classifiers"]) - set(classifiers) == set()
    assert sorted(project["classifiers"]) == project["classifiers"]
    # An address is claimed when there is one.
    assert [url for url in project.get("urls", {}).values() if "example" in url or "OWNER" in url] == []


def symbol(name: str, **parts: Any) -> dict[str, Any]:
    usual = {"isExported": True, "isTypeKnown": True, "isTypeAmbiguous": False, "diagnostics": []}
    return {"name": name, **usual, **parts}


def test_a_name_without_a_type_is_told() -> None:
    why = [{"message": "Return type is unknown"}]
    report = [
        symbol("kchat.core.good"),
        symbol("kchat.core.bad", isTypeKnown=False, diagnostics=why),
        symbol("kchat.core.guessed", isTypeAmbiguous=True),
        symbol("kchat.core._private", isExported=False, isTypeKnown=False),
        symbol("kchat.cli.main", isTypeKnown=False),
    ]
    assert verify_types.incomplete({"typeCompleteness": {"symbols": report}}) == [
        "kchat.core.bad: Return type is unknown",
        "kchat.core.guessed: see its parts",
        "kchat.cli.main: see its parts",
    ]


def test_a_report_without_names_is_an_error() -> None:
    with pytest.raises(LookupError, match="no public name"):
        verify_types.incomplete({"typeCompleteness": {"symbols": []}})
