"""Run the tests in the other environments that kchat supports: other Pythons, and its oldest dependencies.

Each has an environment of its own, `.venv-NAME`, and runs what depends on it. A Python that is not on this
machine is named, not fetched.
"""

import os
import subprocess
import sys
from pathlib import Path

from attrs import frozen

HERE = "{}.{}".format(*sys.version_info[:2])
PYTHONS = ("3.11", "3.12", "3.13")
UV = str(Path(sys.executable).with_name("uv"))

# Everything that is Python. The same everywhere, and so not run again: how a broker is found, which bugs the
# tests catch, what is in the wheel, what a browser shows, and what librdkafka does with the wire and with
# brokers that die.
TESTS = (
    "tests/core",
    "tests/testing",
    "tests/conformance/test_fake.py",
    "tests/conformance/test_history.py",
    "tests/conformance/test_runnable.py",
    "tests/langchain",
    "tests/io/test_config.py",
    "tests/io/test_lifecycle.py",
    "tests/io/test_translate.py",
    "tests/examples/test_examples.py",
)
# langchain_community wants a newer langchain-core than the oldest one that kchat takes.
TESTS_OLDEST = (
    "tests/core",
    "tests/conformance/test_fake.py",
    "tests/conformance/test_history.py",
    "tests/langchain/test_messages.py",
    "tests/langchain/test_plain.py",
    "tests/langchain/test_plain_probes.py",
    "tests/io/test_config.py",
    "tests/io/test_translate.py",
)


@frozen
class Environment:
    """What to install, and what to run there."""

    name: str
    python: str
    install: tuple[str, ...]
    tests: tuple[str, ...]


def environments() -> tuple[Environment, ...]:
    """All but the one that runs this."""
    current = ("--constraint", "constraints.txt", "--editable", ".", "--group", "dev")
    others = [Environment(version, version, current, TESTS) for version in PYTHONS if version != HERE]
    # The oldest of what users run with; what the tests run with is today's.
    tools = ("pytest>=9", "pytest-timeout>=2.3", "hypothesis>=6.150", "trustme>=1.2")
    oldest = ("--resolution", "lowest-direct", "--editable", ".[cli,fast,testing]", *tools)
    return (*others, Environment("oldest", HERE, oldest, TESTS_OLDEST))


def interpreter(version: str) -> str | None:
    """The interpreter of a version, on the search path or kept by pyenv; None where none runs."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    kept = sorted(pyenv.glob(f"versions/{version}.*/bin/python"))
    for candidate in (f"python{version}", *map(str, kept)):
        ask = [candidate, "-c", "import sys; print(sys.executable, '%d.%d' % sys.version_info[:2])"]
        try:
            answer = subprocess.run(ask, capture_output=True, text=True, check=False).stdout.split()
        except FileNotFoundError:
            continue
        if answer[1:] == [version]:  # pyenv's shim is on the path even where it runs nothing
            return answer[0]
    return None


def test(environment: Environment, python: str) -> bool:
    """Make the environment and run its tests."""
    directory = Path(f".venv-{environment.name}")
    if not directory.exists():
        subprocess.run([UV, "venv", "--quiet", "--python", python, str(directory)], check=True)
    inside = str(directory / "bin" / "python")
    subprocess.run([UV, "pip", "install", "--quiet", "--python", inside, *environment.install], check=True)
    print(f"\n== {environment.name} ({python})", flush=True)  # noqa: T201
    command = [inside, "-m", "pytest", "-q", *environment.tests, *sys.argv[1:]]
    profile = {**os.environ, "HYPOTHESIS_PROFILE": "quick"}
    return subprocess.run(command, env=profile, check=False).returncode == 0


def main() -> int:
    """Test every other environment; the exit code is 1 if one failed."""
    failed = []
    for environment in environments():
        python = interpreter(environment.python)
        if python is None:
            print(f"Python {environment.python} is not here: not tested on it", flush=True)  # noqa: T201
        elif not test(environment, python):
            failed.append(environment.name)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)  # noqa: T201
    return 1 if failed else 0


if __name__ == "__main__":
    os.chdir(Path(__file__).parent.parent)
    sys.exit(main())
