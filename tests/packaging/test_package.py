"""The package as a user gets it: built, installed into an empty environment, imported."""

import json
import subprocess
import sys
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
UV = str(Path(sys.executable).with_name("uv"))

FORBIDDEN = {"asyncio", "socket", "threading", "logging", "time", "selectors", "ssl", "subprocess", "random"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("dist")
    subprocess.run([UV, "build", "--quiet", "--wheel", "--out-dir", str(directory), str(ROOT)], check=True)
    [built] = directory.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The interpreter of a fresh environment with kchat and what it brings, and nothing else."""
    environment = tmp_path_factory.mktemp("fresh") / "env"
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, str(environment)], check=True)
    python = str(environment / "bin" / "python")
    subprocess.run([UV, "pip", "install", "--quiet", "--python", python, str(wheel)], check=True)
    return python


def run(python: str, code: str) -> str:
    done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def loaded_by(python: str, code: str) -> set[str]:
    names: list[str] = json.loads(
        run(python, f"{code}\nimport json, sys; print(json.dumps(sorted(sys.modules)))")
    )
    return set(names)


def test_the_core_and_the_fake_broker_need_attrs_alone(python: str) -> None:
    installed = run(
        python, "import importlib.metadata as m; print(sorted(d.name for d in m.distributions()))"
    )
    assert set(eval(installed)) <= {"attrs", "kchat"}
    used = """
from kchat.core import AppendRequest, FromBeginning, JsonDecoder, Message, ReadRequest, TopicSettings, encode
from kchat.testing import FakeBroker
record = encode(Message("human", {"content": "hi"}), key=b"s", message_id="1")
broker = FakeBroker()
broker.append(AppendRequest(topic="s", records=(record,), settings=TopicSettings()))
outcome = broker.read(ReadRequest(topic="s", start=FromBeginning(), decoder=JsonDecoder()))
print(outcome.progress.messages[0].text)
"""
    assert run(python, used) == "hi\n"


def test_importing_the_core_loads_no_client_no_chat_library_and_no_effects(python: str) -> None:
    without = loaded_by(python, "import attrs")
    added = loaded_by(python, "import attrs, kchat.core") - without
    top_level = {name.partition(".")[0] for name in added}
    assert not FORBIDDEN & top_level
    text = {"base64", "binascii", "_struct", "struct"}
    pure = {"kchat", "json", "_json", "math", "re", "bisect", "_bisect"} | text
    assert top_level <= pure, "something new: is it pure?"
    assert not {"confluent_kafka", "langchain_core"} & loaded_by(python, "import kchat.core")


@pytest.mark.parametrize(("package", "extra"), [("io", "kafka"), ("langchain", "langchain"), ("cli", "cli")])
def test_a_missing_extra_is_named(python: str, package: str, extra: str) -> None:
    code = f"import kchat.{package}" if package != "cli" else "import kchat.cli as c; c.main()"
    done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"the extra kchat[{extra}] brings" in done.stderr


def test_the_wheel_says_what_it_needs_and_what_it_is(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = archive.namelist()
        [metadata_name] = [name for name in names if name.endswith(".dist-info/METADATA")]
        metadata = Parser().parsestr(archive.read(metadata_name).decode())
    assert "kchat/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"
    needs = metadata.get_all("Requires-Dist") or []
    assert {need.split(";")[0].strip() for need in needs if "extra ==" not in need} == {
        "attrs>=24.2",
    }
    extras = {(need.split(";")[0].strip(), need.split("'")[1]) for need in needs if "extra ==" in need}
    assert ("confluent-kafka<3,>=2.16", "kafka") in extras
    assert ("langchain-core<2,>=1.2.5", "langchain") in extras
    assert ("confluent-kafka<3,>=2.16", "langchain") in extras


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"kchat"}
