"""Mutation testing of src/kchat/core: changes one place of a copy at a time, and the tests must notice.

`python tools/mutants.py` runs all of it (see docs/mutants.md for how long), writes the figures into
docs/mutants.md and fails if too few mutants were killed or if one survived that the page does not explain.
`python tools/mutants.py budget lanes` runs these modules alone, and writes nothing.
"""

import ast
import difflib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

from attrs import frozen
from mutants_page import KILLED_MIN, Figures, Survivor, listed, with_figures

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "mutants.md"
WORK = ROOT / ".mutants"
"""The copy that is mutated. mutmut writes what it makes of it, and its verdicts, into `mutants` below."""

COPIED = (
    "src",
    "tests/__init__.py",
    "tests/mutants.py",
    "tests/core",
    "tools",
    "docs",
    "README.md",
    "pyproject.toml",
)

SECONDS_MAX = 3_600
"""After this the run is stopped, and the page says which modules it did not finish."""

SURVIVED = {0, 5, 33}
"""mutmut's exit codes of a run that noticed nothing, or in which no test calls the function."""

NOT_RUN = {None, 2, 34}
KILLED = {1, 3}
"""Every other code is a mutant that did not end in time, or took its process down: noticed as well."""


@frozen
class Mutant:
    """One change and its verdict."""

    module: str
    code: int | None
    survivor: Survivor


def copy() -> None:
    """A fresh copy of what is mutated and of the tests that judge it."""
    shutil.rmtree(WORK, ignore_errors=True)
    for name in COPIED:
        source, target = ROOT / name, WORK / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    for path in (WORK / "src" / "kchat" / "core").glob("*.py"):
        path.write_text(with_plain_properties(path.read_text()))


def with_plain_properties(text: str) -> str:
    """The same module, with `x = property(x)` below the function in place of `@property` above it.

    mutmut leaves decorated functions alone, and much of the core's arithmetic is in properties.
    """
    lines = text.splitlines()
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    for function in sorted(functions, key=lambda node: node.lineno, reverse=True):
        if [ast.unparse(decorator) for decorator in function.decorator_list] != ["property"]:
            continue
        indent = " " * function.col_offset
        lines.insert(function.end_lineno or 0, f"{indent}{function.name} = property({function.name})")
        del lines[function.decorator_list[0].lineno - 1]
    return "\n".join(lines) + "\n"


def mutate(modules: Sequence[str]) -> None:
    """Run mutmut on the copy, show how far it is, stop it when its time is over."""
    names = [f"kchat.core.{module}.*" for module in modules]
    command = [str(Path(sys.executable).with_name("mutmut")), "run", *names]
    # Made before Python looks at its path: it remembers which directories were missing.
    tests = WORK / "mutants"
    tests.mkdir()
    # Plugins of other projects would take half of a short run's time.
    environ = os.environ | {
        "PYTHONPATH": str(tests),
        "PYTHONUNBUFFERED": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    with subprocess.Popen(
        command,
        cwd=WORK,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as running:
        stop = threading.Timer(SECONDS_MAX, os.killpg, (running.pid, signal.SIGTERM))
        stop.start()
        try:
            said = followed(running.stdout or ())
        except KeyboardInterrupt:
            os.killpg(running.pid, signal.SIGTERM)
            raise
        finally:
            stop.cancel()
    # Stopped by a signal, there are verdicts all the same.
    if running.returncode > 0:
        raise SystemExit(f"mutmut failed:\n{said}")


def followed(lines: Iterable[str], *, every_s: float = 20) -> str:
    """Print mutmut's counters now and then. The answer is the end of what else it said."""
    said: deque[str] = deque(maxlen=40)
    shown = 0.0
    # mutmut writes its counters over one line, many times a second; each counts as a line here.
    for line in lines:
        counters = re.search(r"\d+/\d+ .*", line)
        if not counters:
            said.append(line)
        elif time.monotonic() - shown > every_s:
            shown = time.monotonic()
            sys.stdout.write(f"{counters[0]}\n")
            sys.stdout.flush()
    return "".join(line for line in said if line.strip())


def verdicts() -> Iterator[Mutant]:
    """Every mutant that mutmut made."""
    for meta in sorted((WORK / "mutants" / "src" / "kchat" / "core").glob("*.py.meta")):
        path = meta.with_suffix("")
        sources = functions(path.read_text())
        for name, code in json.loads(meta.read_text())["exit_code_by_key"].items():
            mangled = name.rpartition(".")[2]
            yield Mutant(path.stem, code, Survivor(*change(path.stem, mangled, sources)))


def functions(text: str) -> dict[str, list[str]]:
    """The lines of every function in a file that mutmut wrote: the original ones and their mutants."""
    lines = text.splitlines()
    return {
        node.name: lines[node.lineno - 1 : node.end_lineno]
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def change(module: str, mangled: str, sources: dict[str, list[str]]) -> tuple[str, tuple[str, ...]]:
    """What one mutant is: the function, and the lines that differ."""
    stem = mangled.rpartition("__mutmut_")[0]
    # mutmut's names: x_function, and xǁClassǁmethod.
    names = stem.removeprefix("xǁ").split("ǁ") if "ǁ" in stem else [stem.removeprefix("x_")]
    before, after = (
        [line.replace(mutant, names[-1]) for line in sources[mutant]]
        for mutant in (f"{stem}__mutmut_orig", mangled)
    )
    differing = difflib.unified_diff(before, after, n=0, lineterm="")
    lines = [f"{line[0]} {line[1:].strip()}" for line in differing if line[:2] not in {"--", "++", "@@"}]
    return ".".join([module, *names]), tuple(lines)


def figures(mutants: Sequence[Mutant]) -> list[Figures]:
    """The counts, module by module."""
    counted = []
    for module in sorted({mutant.module for mutant in mutants}):
        codes = [mutant.code for mutant in mutants if mutant.module == module]
        counted.append(
            Figures(
                module=module,
                mutants=len(codes),
                survived=sum(code in SURVIVED for code in codes),
                timed_out=sum(code not in SURVIVED | NOT_RUN | KILLED for code in codes),
                not_run=sum(code in NOT_RUN for code in codes),
            )
        )
    return counted


def versions() -> str:
    """What made the verdicts, besides the project."""
    python = "{}.{}.{}".format(*sys.version_info[:3])
    tools = ", ".join(f"{name} {version(name)}" for name in ("mutmut", "hypothesis", "pytest"))
    return f"Python {python}, {tools}, {os.cpu_count()} cores"


def main(modules: Sequence[str]) -> int:
    """Run, compare with the page, write the figures."""
    began = time.monotonic()
    copy()
    mutate(modules)
    mutants = [mutant for mutant in verdicts() if not modules or mutant.module in modules]
    counted = figures(mutants)
    total = Figures.total(counted)
    survivors = Counter(mutant.survivor for mutant in mutants if mutant.code in SURVIVED)
    known = Counter(entry for entry in listed(PAGE.read_text()) if not modules or entry.module in modules)
    sys.stdout.write("".join(f"survived, and is not explained:\n{entry}\n" for entry in survivors - known))
    sys.stdout.write("".join(f"explained, and does not survive:\n{entry}\n" for entry in known - survivors))
    sys.stdout.write(f"{total.killed} of {total.run} mutants killed, {total.percent}\n")
    if not modules:
        minutes = round((time.monotonic() - began) / 60)
        PAGE.write_text(with_figures(PAGE.read_text(), counted, f"{versions()}, {minutes} minutes"))
    if total.not_run:
        sys.stdout.write(
            f"{total.not_run} mutants were not run: the time was over, or pytest did not start\n"
        )
    failed = total.share_killed < KILLED_MIN or survivors - known or total.not_run
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
