"""`kchat import --from-history`: any LangChain history class, by its name and its arguments."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest
from langchain_community.chat_message_histories import SQLChatMessageHistory
from langchain_core.chat_history import InMemoryChatMessageHistory
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from kchat.conversation import conversation
from kchat.core import Message
from kchat.langchain import KafkaChatMessageHistory
from tests.cli.running import document, invoke

if TYPE_CHECKING:
    from pathlib import Path

    from kchat.testing import FakeBroker

SECRET = "hunter2-correct-horse"

TURNS: list[BaseMessage] = [
    HumanMessage("What is 6 times 7?", id="h1"),
    AIMessage("", tool_calls=[{"name": "times", "args": {"a": 6}, "id": "c1", "type": "tool_call"}]),
    ToolMessage("42", tool_call_id="c1", artifact={"steps": [6, 7]}),
    HumanMessage("yes"),
    HumanMessage("yes"),
]


class MyMessage(HumanMessage):
    """A class of somebody's own."""


def in_memory() -> InMemoryChatMessageHistory:
    """A history that is there, as the factory of an application gives it."""
    return InMemoryChatMessageHistory(messages=[*TURNS, MyMessage(content="mine")])


def unreachable(password: str) -> InMemoryChatMessageHistory:
    """A history that fails, and quotes its arguments."""
    raise ConnectionError(f"cannot log in with {password}")


def quoting_the_environment(a: str) -> InMemoryChatMessageHistory:
    """A history that quotes what the connection was given, too."""
    assert a
    raise ConnectionError(f"cannot log in with {os.environ['KCHAT_KAFKA__SASL__PASSWORD']}")


class Failing(InMemoryChatMessageHistory):
    """A history that is made and gives nothing."""

    url: str = ""

    def __getattribute__(self, name: str) -> object:
        if name == "messages":
            raise ConnectionError(f"cannot reach {self.url}")
        return super().__getattribute__(name)


HERE = __name__
LACKING = "tests.cli.lacking"

pytestmark = pytest.mark.filterwarnings(
    "ignore:The class .*ChatMessageHistory. was deprecated:DeprecationWarning"
)


def replayed(broker: FakeBroker, session: str) -> list[BaseMessage]:
    return KafkaChatMessageHistory(session, "unused:9092", log=broker, replay=True).messages


def test_a_history_in_memory_and_what_of_it_cannot_be_carried(fake: FakeBroker) -> None:
    for appended in (5, 0):
        result = invoke("import", "--from-history", f"{HERE}:in_memory", "--session", "s", "--json")
        assert result.exit_code == 1
        report = document(result)
        assert (report["read"], report["appended"]) == (5, appended)
        [loss] = report["not_carried"]
        assert loss["first"] == ["message 6"]
        assert loss["what"].startswith("MyMessage would be read back as another class")
    assert replayed(fake, "s") == TURNS


def test_a_history_in_a_database(fake: FakeBroker, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/history.db"
    SQLChatMessageHistory("alice", connection=url).add_messages(TURNS)
    command = (
        *("import", "--from-history", "langchain_community.chat_message_histories:SQLChatMessageHistory"),
        *("--arg", "session_id=alice", "--arg", f"connection={url}", "--session", "s", "--json"),
    )
    assert [document(invoke(*command))["appended"] for _ in range(2)] == [5, 0]
    assert replayed(fake, "s") == TURNS


def test_arguments_are_texts_or_json(fake: FakeBroker) -> None:
    messages = '[{"content": "hi", "type": "human"}]'
    named = ("--from-history", "langchain_core.chat_history:InMemoryChatMessageHistory")
    result = invoke("import", *named, "--arg", f"messages:={messages}", "--session", "s", "--json")
    assert result.exit_code == 1, "pydantic makes a BaseMessage of it, which is no message to store"
    assert conversation(fake, "s").read().messages == []
    text = invoke("import", *named, "--arg", "messages=[]", "--session", "s")
    assert text.exit_code == 2
    assert "could not be made (ValidationError)" in text.stderr


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize(
    ("arguments", "exit_code", "told"),
    [
        ([f"{HERE}:unreachable", "--arg", f"password={SECRET}"], 2, "could not be made (ConnectionError)"),
        (
            [f"{HERE}:unreachable", "--arg", f'password:=["{SECRET}"]'],
            2,
            "could not be made (ConnectionError)",
        ),
        ([f"{HERE}:unreachable", "--arg", f"pass={SECRET}"], 2, "a required argument: 'password'"),
        ([f"{HERE}:Failing", "--arg", f"url=redis://:{SECRET}@x"], 1, "could not give its messages"),
        ([f"{HERE}:in_memory", "--arg", SECRET], 2, "number 1 is not of the form NAME=VALUE"),
        ([f"{HERE}:in_memory", "--arg", f"a:={SECRET}"], 2, "number 1 (a) is no JSON"),
        ([f"{HERE}:Missing", "--arg", f"a={SECRET}"], 2, "has no class Missing"),
        (["no.such.module:Class", "--arg", f"a={SECRET}"], 2, "there is no module no"),
        (
            [f"{LACKING}:History", "--arg", f"a={SECRET}"],
            2,
            "cannot be imported: the other library is required",
        ),
        ([f"{HERE}:HERE", "--arg", f"a={SECRET}"], 2, "has no class HERE"),
        ([f"{HERE}:in_memory", "--arg", f"pass={SECRET}"], 2, "an unexpected keyword argument 'pass'"),
        (["no-colon", "--arg", f"a={SECRET}"], 2, "--from-history takes MODULE:CLASS"),
        (["builtins:dict", "--arg", f"a={SECRET}"], 2, "makes no LangChain chat message history"),
    ],
)
def test_an_argument_is_never_shown(arguments: list[str], exit_code: int, told: str) -> None:
    for debug in ([], ["--debug"]):
        result = invoke("import", "--from-history", *arguments, "--session", "s", *debug)
        assert result.exit_code == exit_code
        assert told in result.stderr
        assert SECRET not in result.output


@pytest.mark.usefixtures("fake")
def test_a_secret_argument_comes_from_a_file_or_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "url").write_text(f"redis://u:{SECRET}@h/0\n")
    (tmp_path / "json").write_text(f'["{SECRET}"]')
    for given, typed in (
        (f"password=@{tmp_path}/url", None),
        ("password=@", f"redis://u:{SECRET}@h/0\n"),
        (f"password:=@{tmp_path}/json", None),
    ):
        named = ("--from-history", f"{HERE}:unreachable", "--arg", given, "--session", "s")
        result = invoke("import", *named, "--debug", typed=typed)
        assert "ConnectionError: cannot log in with " in result.stderr
        assert "warning" not in result.stderr
        assert SECRET not in result.output
    missing = invoke("import", "--from-history", "m:C", "--arg", "url=@/nowhere/hunter2", "--session", "s")
    assert (missing.exit_code, "hunter2" in missing.output) == (2, False)
    assert "the file of url cannot be read: No such file or directory" in missing.stderr


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize(
    ("given", "warned"),
    [
        (f"url=redis://u:{SECRET}@h/0", True),
        (f"url=redis://:{SECRET}@h/0", True),
        (f'urls:=["redis://u:{SECRET}@h/0"]', True),
        (f"password={SECRET}", True),
        (f"API_KEY={SECRET}", True),
        ("url=redis://h:6379/0", False),
        ("session_id=alice@example.com", False),
    ],
)
def test_a_secret_among_the_arguments_is_warned_of(given: str, warned: bool) -> None:
    result = invoke("import", "--from-history", f"{HERE}:in_memory", "--arg", given, "--session", "s")
    name = given.partition("=")[0]
    assert (f"can see the value of --arg {name} in the list" in result.stderr) == warned
    assert ("warning" in result.stderr) == warned
    assert SECRET not in result.output


@pytest.mark.usefixtures("fake")
def test_the_password_of_the_connection_stays_hidden_beside_arguments() -> None:
    named = ("--from-history", f"{HERE}:quoting_the_environment", "--arg", "a=b", "--session", "s", "--debug")
    result = invoke("import", *named, KCHAT_KAFKA__SASL__PASSWORD=SECRET)
    assert "ConnectionError: cannot log in with ..." in result.stderr
    assert SECRET not in result.output


@pytest.mark.usefixtures("fake")
def test_debug_shows_where_a_history_fails() -> None:
    named = ("--from-history", f"{HERE}:unreachable", "--arg", f"password={SECRET}")
    result = invoke("import", *named, "--session", "s", "--debug")
    assert "ConnectionError: cannot log in with ..." in result.stderr


def test_a_module_in_the_working_directory_is_found_behind_all_others(
    fake: FakeBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)  # of the standard library
    for name in ("my_history_of_mine", "colorsys"):
        (tmp_path / f"{name}.py").write_text(
            "from langchain_core.chat_history import InMemoryChatMessageHistory\n"
            "from langchain_core.messages import HumanMessage\n"
            "def Mine(): return InMemoryChatMessageHistory(messages=[HumanMessage('hi')])\n"
        )
    assert invoke("import", "--from-history", "my_history_of_mine:Mine", "--session", "s").exit_code == 0
    assert conversation(fake, "s").read()[0].message == Message("human", {**_plain("hi")})
    assert invoke("import", "--from-history", "colorsys:Mine", "--session", "s").exit_code == 2


def _plain(text: str) -> dict[str, object]:
    return {**HumanMessage(text).model_dump()}
