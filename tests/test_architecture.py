"""What import-linter cannot say: what the core may use, and how long and how named things are."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src" / "kchat").rglob("*.py"))
CORE = [path for path in SOURCES if "core" in path.relative_to(ROOT / "src" / "kchat").parts]

CORE_MAY_IMPORT = {
    "attrs",
    "collections",
    "contextlib",
    "base64",
    "binascii",
    "bisect",
    "enum",
    "functools",
    "itertools",
    "json",
    "math",
    "re",
    "types",
    "typing",
}
"""Nothing here has an effect, a clock or a thread. Whoever adds a module says why it is as harmless."""

CORE_MAY_IMPORT_ONCE = {
    # Where it is installed, at the first record: bytes in, a value out, as pure as the json in its place.
    ("kchat.core.fast_json", "msgspec"),
}

EFFECTS = {"open", "print", "input", "exec", "eval", "compile", "__import__", "breakpoint", "globals"}
"""Builtins that reach out of a function."""

BANNED = {"manager", "handler", "service", "helper", "util", "utils", "process", "data", "info"}
"""Words that say nothing. A message's `data` is LangChain's word, and a field: fields are not looked at."""

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70

Function = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(path: Path) -> Iterator[Function]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, Function):
            yield node


def words(name: str) -> set[str]:
    """`CursorMemory` and `_cursor_memory` are both "cursor" and "memory"."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)}


def test_the_core_imports_only_what_has_no_effect() -> None:
    graph = grimp.build_graph("kchat", include_external_packages=True, cache_dir=None)
    core = {module for module in graph.modules if f"{module}.".startswith("kchat.core.")}
    imported = {
        (module, other)
        for module in core
        for other in graph.find_modules_directly_imported_by(module)
        if other not in core and other not in CORE_MAY_IMPORT
    }
    assert len(core) > 20
    assert imported == CORE_MAY_IMPORT_ONCE


def test_the_accelerator_is_loaded_at_the_first_record_and_not_before() -> None:
    code = """
import sys
from kchat.core import JsonDecoder, Record
before = "msgspec" in sys.modules
JsonDecoder().decode(Record(0, 0, 0, None, b"{}"))
print(before, "msgspec" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False True\n"


@pytest.mark.parametrize("path", CORE, ids=name_of)
def test_the_core_calls_no_builtin_that_has_an_effect(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert names & EFFECTS == set()


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_no_file_is_too_long_to_be_read_at_once(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= FILE_LINES_MAX
    long = [f.name for f in functions(path) if (f.end_lineno or 0) - f.lineno >= FUNCTION_LINES_MAX]
    assert long == []


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_no_name_is_an_empty_word(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    classes = [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    # The name of a test is a sentence, and may speak of processes.
    called = [function.name for function in functions(path) if not function.name.startswith("test_")]
    names = [*path.relative_to(ROOT).parts, *classes, *called]
    assert [name for name in names if words(name.removesuffix(".py")) & BANNED] == []


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("DataManager", {"data", "manager"}),
        ("_process_info", {"process", "info"}),
        ("metadata", {"metadata"}),
        ("HTTPHandler2", {"http", "handler2"}),
        ("information", {"information"}),
    ],
)
def test_words_are_whole_words(name: str, found: set[str]) -> None:
    assert words(name) == found
