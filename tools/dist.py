"""Build what is published, and see that it is what it should be: `make dist`.

It builds the sdist and the wheel, and both once more from that sdist, in another place: equal to the byte, or
the build depends on something that is not in them. The sdist holds what is committed and nothing else. twine
reads the metadata as the package index will. The wheel runs where nothing of the project is.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
BIN = Path(sys.executable).parent
CONSTRAINTS = str(ROOT / "constraints.txt")
GENERATED = {"PKG-INFO"}
"""In the sdist, and in no commit."""


class Unfit(Exception):
    """What was built must not be published; the text says why."""


def run(*command: str | Path, **environment: str) -> str:
    """The output of a command that has to succeed; what it complains of is shown."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Unfit(f"{Path(command[0]).name} {command[1]} failed:\n{done.stdout}")
    return done.stdout


def committed_at() -> str:
    """The time that all files in the archives carry: the last commit's, in seconds since 1970."""
    return os.environ.get("SOURCE_DATE_EPOCH") or run("git", "log", "-1", "--format=%ct").strip()


def build(source: Path, target: Path, epoch: str) -> dict[str, Path]:
    """The sdist and the wheel of a source tree, by file name; the build backend is the pinned one."""
    options = ("--quiet", "--build-constraint", CONSTRAINTS, "--out-dir", target)
    run(BIN / "uv", "build", *options, source, SOURCE_DATE_EPOCH=epoch)
    return {path.name: path for path in sorted(target.iterdir()) if path.suffix in {".gz", ".whl"}}


def one(built: dict[str, Path], suffix: str) -> Path:
    """The file of this kind."""
    [path] = [path for path in built.values() if path.suffix == suffix]
    return path


def unpack(sdist: Path, target: Path) -> None:
    """Unpack what was built here; Python knows the filter, without which later ones warn, since 3.11.4."""
    options: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
    with tarfile.open(sdist) as archive:
        archive.extractall(target, **options)  # noqa: S202  # of what was built here


def rebuilt(built: dict[str, Path], epoch: str, scratch: Path) -> dict[str, Path]:
    """The same, built from the sdist alone, in another directory."""
    sdist = one(built, ".gz")
    unpack(sdist, scratch)
    return build(scratch / sdist.name.removesuffix(".tar.gz"), scratch / "again", epoch)


def differing(first: dict[str, Path], second: dict[str, Path]) -> list[str]:
    """Names that are not in both, or not with the same bytes."""
    return sorted(
        name
        for name in first.keys() | second.keys()
        if name not in first or name not in second or first[name].read_bytes() != second[name].read_bytes()
    )


def not_as_committed(sdist: Path) -> list[str]:
    """Files that are in the sdist and in no commit, or the other way round, or not as they were committed."""
    tracked = set(run("git", "ls-files").splitlines())
    changed = set(run("git", "diff", "--name-only", "HEAD").splitlines())
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()} - GENERATED
    return sorted((held ^ tracked) | changed)


def try_out(wheel: Path, scratch: Path) -> str:
    """What the command of the wheel says of itself, in an environment that has nothing else."""
    environment = scratch / "environment"
    run(BIN / "uv", "venv", "--quiet", environment)
    python = ("--python", environment / "bin" / "python")
    run(BIN / "uv", "pip", "install", "--quiet", *python, "--constraint", CONSTRAINTS, f"{wheel}[cli]")
    return run(environment / "bin" / "kchat", "--version").strip()


def main() -> int:
    """Build, check, and leave the two files in dist/; 1 if they are not fit to be published."""
    shutil.rmtree(DIST, ignore_errors=True)
    try:
        with tempfile.TemporaryDirectory() as scratch:
            epoch = committed_at()
            built = build(ROOT, DIST, epoch)
            if names := differing(built, rebuilt(built, epoch, Path(scratch))):
                raise Unfit(f"not built twice alike: {', '.join(names)}")
            if names := not_as_committed(one(built, ".gz")):
                raise Unfit(f"commit, ignore or name in pyproject.toml: {', '.join(names)}")
            run(BIN / "twine", "check", "--strict", *built.values())
            said = try_out(one(built, ".whl"), Path(scratch))
    except Unfit as unfit:
        print(f"dist/ is not fit to be published: {unfit}", file=sys.stderr)  # noqa: T201
        return 1
    print(f"{said}: {', '.join(built)} in dist/, built twice alike")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
