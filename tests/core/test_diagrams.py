"""docs/machines.md shows the machines as they are."""

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kchat.core import appending, provisioning, reading
from tests.core import driving

ROOT = Path(__file__).parents[2]
MACHINES = [reading, appending, provisioning]


def load() -> Any:
    """The tool, which is a script and in no package."""
    path = ROOT / "tools" / "draw_machines.py"
    spec = importlib.util.spec_from_file_location("draw_machines", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


TOOL = load()


def test_the_page_is_what_the_tables_give() -> None:
    assert TOOL.PAGE.read_text(encoding="utf-8") == TOOL.page(), "run python tools/draw_machines.py"


def test_check_fails_when_the_page_is_stale_and_writing_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(TOOL, "PAGE", tmp_path / "machines.md")
    assert TOOL.main(["--check"]) == 1
    assert "run python tools/draw_machines.py" in capsys.readouterr().err
    assert TOOL.main([]) == 0
    assert TOOL.main(["--check"]) == 0
    TOOL.PAGE.write_text(TOOL.page() + " ")
    assert TOOL.main(["--check"]) == 1
    assert TOOL.main(["--draw"]) == 2


@pytest.mark.parametrize("machine", MACHINES)
def test_every_transition_is_an_arrow_and_every_arrow_a_transition(machine: ModuleType) -> None:
    drawn = {
        (before, event, after)
        for before, after, events in re.findall(r"(\w+) --> (\w+): (.+)", "\n".join(TOOL.arrows(machine)))
        for event in events.split(", ")
    }
    table = {
        (before.__name__, event.__name__, after.__name__)
        for (before, event), afters in machine.TRANSITIONS.items()
        for after in afters
    }
    assert drawn == table


@pytest.mark.parametrize("machine", MACHINES)
@given(data=st.data())
def test_a_machine_starts_where_the_diagram_says(machine: ModuleType, data: st.DataObject) -> None:
    assert type(machine.start(data.draw(driving.requests[machine]), 0)) in TOOL.STARTS[machine]


def test_the_starts_that_are_drawn_are_all_taken() -> None:
    taken = {type(machine.start(request, 0)) for machine, request in driving.FIRST_REQUESTS}
    assert taken == {start for starts in TOOL.STARTS.values() for start in starts}
