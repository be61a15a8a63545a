"""Run the tests on the other supported Python versions that this machine has.

Each gets an environment of its own, `.venv-3.x`. A version that is not here is named, not fetched.
"""

import os
import subprocess
import sys
from pathlib import Path

VERSIONS = ("3.11", "3.12", "3.13")
HERE = "{}.{}".format(*sys.version_info[:2])
UV = str(Path(sys.executable).with_name("uv"))
# What depends on the Python version: not how a broker is found, and not the bugs planted in the source.
TESTS = ("tests", "--ignore=tests/brokers", "--ignore=tests/planted", "--ignore=tests/packaging")


def interpreter(version: str) -> str | None:
    """The interpreter of a version, or None where there is none that runs."""
    found = subprocess.run(
        [UV, "python", "find", version, "--no-python-downloads", "--no-project", "--system"],
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip() if found.returncode == 0 else None


def test(version: str, python: str) -> bool:
    """Make the environment and run the tests in it."""
    environment = Path(f".venv-{version}")
    if not environment.exists():
        subprocess.run([UV, "venv", "--quiet", "--python", python, str(environment)], check=True)
    inside = str(environment / "bin" / "python")
    install = [UV, "pip", "install", "--quiet", "--python", inside, "--constraint", "constraints.txt"]
    subprocess.run([*install, "--editable", ".", "--group", "dev"], check=True)
    print(f"\n== Python {version}", flush=True)  # noqa: T201
    return subprocess.run([inside, "-m", "pytest", "-q", *TESTS, *sys.argv[1:]], check=False).returncode == 0


def main() -> int:
    """Test every other version; the exit code is 1 if one failed."""
    failed = []
    for version in VERSIONS:
        if version == HERE:
            continue
        python = interpreter(version)
        if python is None:
            print(f"Python {version} is not here: not tested on it", flush=True)  # noqa: T201
        elif not test(version, python):
            failed.append(version)
    if failed:
        print(f"failed on Python {', '.join(failed)}", file=sys.stderr)  # noqa: T201
    return 1 if failed else 0


if __name__ == "__main__":
    os.chdir(Path(__file__).parent.parent)
    sys.exit(main())
