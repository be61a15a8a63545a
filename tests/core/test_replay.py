"""A run that a property does not hold for comes out as a script, and the script does what the run did."""

import contextlib
import io
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kchat.core import (
    FromBeginning,
    JsonDecoder,
    ReadRequest,
    TopicCreated,
    appending,
    provisioning,
    reading,
)
from tests.core import driving
from tests.core.replay import FIRST_LINE, script, scripts_in, source
from tests.core.tracing import feed
from tests.core.walks import WALKS, Walk
from tests.planted.bugs import BUGS
from tests.planted.plant import ROOT, copied, planted

LEFT_OUT = next(bug for bug in BUGS if bug.name == "the last record before the end is left out")
PROPERTY = "test_what_is_handed_out_is_the_beginning_of_the_one_order"
SECTION = re.compile(r"^-+ a script that replays the run -+\n(.*?)^[=-]{4}", re.MULTILINE | re.DOTALL)


def played(text: str) -> tuple[Any, list[str]]:
    """The last state of a script that is run here, and what it printed."""
    namespace: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(text, "script", "exec"), namespace)
    return namespace["state"], printed.getvalue().splitlines()


@pytest.mark.parametrize(
    ("machine", "walk"),
    [(machine, walk) for machine, walks in WALKS.items() for walk in walks],
    ids=lambda value: value.__name__.rpartition(".")[2] if isinstance(value, ModuleType) else "",
)
def test_the_script_of_a_walk_comes_to_the_same_state(machine: ModuleType, walk: Walk) -> None:
    request, events = walk
    text = script(machine, request, 7, events)
    state, printed = played(text)
    assert state == feed(machine, machine.start(request, 7), *events)
    assert sum(line.startswith("state: ") for line in printed) == len(events)
    assert f"# {printed[-1]}" == text.splitlines()[-1]


@given(st.sampled_from([reading, appending, provisioning]), st.data())
def test_a_request_and_an_answer_are_what_their_source_makes(
    machine: ModuleType, data: st.DataObject
) -> None:
    shell = driving.Shell(data, machine)
    kinds = st.sampled_from([*driving.contents])
    for value in (data.draw(driving.requests[machine]), shell.draw(data.draw(kinds))):
        used: set[type] = set()
        text = source(value, used)
        assert eval(text, {kind.__name__: kind for kind in used}) == value


def test_content_that_a_repr_leaves_out_is_in_the_script() -> None:
    request = ReadRequest(
        topic="t", start=FromBeginning(), decoder=JsonDecoder(frozenset({"ai"})), key=b"a key\xff"
    )
    text = script(reading, request, 0, ())
    assert "b'a key\\xff'" in text
    assert "frozenset(['ai'])" in text
    assert played(text)[0].request == request


def test_a_run_that_left_the_machine_ends_where_it_did() -> None:
    request = ReadRequest(topic="t", start=FromBeginning(), decoder=JsonDecoder())
    text = script(reading, request, 0, (TopicCreated(at_ms=1),))
    with pytest.raises(AssertionError) as raised:
        played(text)
    assert text.splitlines()[-1] == f"# AssertionError: {raised.value}"


def test_what_has_no_source_is_refused_in_words() -> None:
    with pytest.raises(TypeError, match="no source for a object"):
        source((object(),), set())


def test_scripts_are_taken_from_all_failures_of_a_group() -> None:
    first, second = AssertionError("one"), AssertionError("two")
    group = ExceptionGroup("both", [first, second])
    for error, number in ((first, 1), (second, 2)):
        error.add_note(f"{FIRST_LINE} {number}")
        error.add_note("another note")
    assert scripts_in(group) == [f"{FIRST_LINE} 1", f"{FIRST_LINE} 2"]
    assert first.__notes__ == second.__notes__ == ["another note"]


def test_a_broken_property_prints_a_script_that_ends_as_the_run_did(tmp_path: Path) -> None:
    """A planted bug, the property that notices it, and its script: on the bug, and without it."""
    broken = copied(str(tmp_path))
    assert planted(LEFT_OUT, broken / "kchat" / "core") is None
    text = printed_script(broken)
    file = tmp_path / "elsewhere" / "replay.py"  # beside the copy it would find that one, whatever it is told
    file.parent.mkdir()
    file.write_text(text)
    end = text.splitlines()[-1].removeprefix("# ")
    assert end.startswith("in the end: ")
    assert last_line(file, broken) == end
    assert last_line(file, ROOT / "src") != end


def printed_script(source_: Path) -> str:
    """What pytest prints when the property fails against this copy of kchat."""
    environ = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(source_), str(ROOT)]),
        "KCHAT_PLANTED_SRC": str(source_),
        "HYPOTHESIS_PROFILE": "planted",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    options = ["-q", "-p", "tests.planted.quick", "-p", "no:cacheprovider", "-k", PROPERTY]
    command = [sys.executable, "-m", "pytest", *options, "tests/core/test_reading_safety.py"]
    done = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 1, done.stdout
    found = SECTION.findall(done.stdout)
    assert len(found) == 1, done.stdout
    return str(found[0])


def last_line(file: Path, source_: Path) -> str:
    """What the script prints last, with this copy of kchat and nothing else of the project."""
    done = subprocess.run(
        [sys.executable, str(file)],
        cwd=file.parent,
        env=os.environ | {"PYTHONPATH": str(source_)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.splitlines()[-1]
