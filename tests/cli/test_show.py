"""`kchat show` on a broker in memory: what is shown, and what never reaches the terminal."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from kchat.conversation import conversation
from kchat.core import ChatPosition, Message
from tests.cli.running import invoke

if TYPE_CHECKING:
    from kchat.testing import FakeBroker

CALL = {"name": "forecast", "args": {"city": "Lima"}, "id": "c", "type": "tool_call"}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAABBBB"}}
HOSTILE = "\x1b[2J\x1b]0;title\x07\x9b31m\x7f\r\x00\u202e\u2066 &#8238; &#27; [l](http://x/%1b) \ud800"
CONTROLS = set("\x1b\x07\x9b\x7f\r\x00\u202e\u2066\ud800")


def append(broker: FakeBroker, *messages: Message, session: str = "s") -> None:
    conversation(broker, session).append(list(messages))


def human(text: str) -> Message:
    return Message("human", {"content": text})


def lines(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def texts(output: str) -> list[str]:
    return [line["message"]["data"]["content"] for line in lines(output)]


def test_a_transcript_has_roles_times_calls_and_placeholders(fake: FakeBroker) -> None:
    append(
        fake,
        human("Will it **rain**?\n\n- in Lima\n- in Cusco"),
        Message("ai", {"content": [{"type": "text", "text": "Let me look."}, IMAGE], "tool_calls": [CALL]}),
        Message("tool", {"content": '{"rain": "**no**"}', "tool_call_id": "c", "name": "forecast"}),
    )
    result = invoke("show", "s")
    assert result.exit_code == 0
    assert result.stderr == ""
    first, second, third = re.split(r"\n\n(?=ai |tool )", result.stdout.rstrip())
    assert first.startswith("human  2023-11-14 22:13:20")
    assert "UTC  offset 0" in first
    assert first.endswith("offset 0\n  Will it **rain**?\n\n  - in Lima\n  - in Cusco")
    assert "Let me look." in second
    assert "[image, image/png, about 6 bytes]" in second
    assert 'calls forecast(city="Lima")' in second
    assert third.startswith("tool forecast  ")
    assert '{"rain": "**no**"}' in third
    assert "\x1b" not in result.stdout  # no colours into a pipe


@pytest.mark.parametrize("raw", [[], ["--raw"]])
@pytest.mark.parametrize("command", ["show", "tail"])
def test_a_pipe_gets_texts_as_they_were_written_whatever_their_width(
    fake: FakeBroker, command: str, raw: list[str]
) -> None:
    text = f"42.\nfirst\n  second &amp; <b> [l](http://x)\n\n{'long ' * 100}end"
    append(fake, Message("ai", {"content": text}))
    shown = invoke(command, "s", *raw).stdout.splitlines()
    assert shown[1:] == [
        "  42.",
        "  first",
        "    second &amp; <b> [l](http://x)",
        "",
        f"  {'long ' * 100}end",
        "",
    ]


@pytest.mark.parametrize("arguments", [[], ["--raw"], ["--json"], ["--pager"]])
def test_control_characters_never_reach_the_terminal(fake: FakeBroker, arguments: list[str]) -> None:
    session = "s\x1b[2J"
    append(fake, human(HOSTILE), session=session)
    hostile_type = Message(
        "ai",
        {
            "content": [
                {"type": HOSTILE},
                {"type": "image", "url": HOSTILE},
                5,
                {"type": "text", "text": HOSTILE},
            ],
            "name": HOSTILE,
            "tool_calls": [{"name": HOSTILE, "args": {HOSTILE: HOSTILE}}, {"args": [HOSTILE]}, 5],
        },
    )
    append(fake, hostile_type, session=session)
    result = invoke("show", session, *arguments, PAGER="cat", COLUMNS="400")
    assert result.exit_code == 0
    assert CONTROLS & set(result.output) == set()
    assert len(result.stdout.splitlines()) >= 2


def test_json_is_lossless(fake: FakeBroker) -> None:
    append(fake, human(HOSTILE))
    (line,) = lines(invoke("show", "s", "--json").stdout)
    assert line["message"] == {"type": "human", "data": {"content": HOSTILE}}
    assert (line["session"], line["partition"], line["offset"]) == ("s", 0, 0)
    assert line["time"].startswith("2023-11-14T22:13:20")
    assert ChatPosition.parse(line["position"]).session == "s"


def test_n_offset_since_and_until_choose_messages(fake: FakeBroker) -> None:
    for number in range(6):
        append(fake, human(f"{number}"))
        fake.cluster.sleep(3_600_000)
    begun = datetime.fromtimestamp(1_700_000_000, UTC)
    half_past = [(begun + timedelta(minutes=30 + 60 * hour)).isoformat() for hour in range(6)]

    def shown(*arguments: str) -> list[str]:
        return texts(invoke("show", "s", "--json", *arguments).stdout)

    assert shown("-n", "2") == ["4", "5"]
    assert shown("--offset", "4") == ["4", "5"]
    assert shown("--offset", "2", "-n", "2") == ["2", "3"]
    assert shown("--since", half_past[2]) == ["3", "4", "5"]
    assert shown("--until", half_past[2].replace("+00:00", "")) == ["0", "1", "2"]
    assert shown("--since", half_past[1], "--until", half_past[4], "-n", "2") == ["3", "4"]
    assert shown("--since", "1h") == []  # they are of 2023
    assert invoke("show", "s", "--since", "1h").stderr == "kchat: no messages in this range\n"


def test_records_that_are_no_messages_are_left_out_and_told(fake: FakeBroker) -> None:
    append(fake, human("one"))
    fake.cluster.inject("s", b"\x1b[31mnothing")
    result = invoke("show", "s", "--json")
    assert texts(result.stdout) == ["one"]
    assert (
        result.stderr == "kchat: records that are no messages, and left out: 1; kchat verify 's' says which\n"
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ('{"type": "human", "data": {"content": 5}}', "[content that is no text; --json shows it]"),
        ('{"type": "human", "data": {"content": "x", "type": "ai"}}', "x"),
        ('{"type": "ai", "data": {"content": "x", "tool_calls": "no"}}', "x"),
        ('{"type": "ai", "data": {"content": "", "tool_calls": [{"name": "f", "id": [1]}]}}', "calls f()"),
        ('{"type": "ai", "data": {"content": [{"type": "tool_use", "id": [1]}]}}', "calls ?()"),
    ],
)
def test_a_message_is_what_is_one_without_langchain(fake: FakeBroker, value: str, shown: str) -> None:
    append(fake, human("one"))
    fake.cluster.inject("s", value.encode(), key=b"s")
    for command in ("show", "tail"):
        assert invoke(command, "s").stdout.splitlines()[-2] == f"  {shown}"
    for name in ("jsonl", "markdown", "html"):
        exported = invoke("export", "s", "--format", name)
        assert exported.exit_code == 0
        assert f"2 records as {name}" in exported.stderr


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ({"content": [{"type": "tool_use", "name": "f", "input": {"x": 1}, "id": "a"}]}, ["calls f(x=1)"]),
        (
            {
                "content": [{"type": "tool_use", "name": "f", "input": {"x": 1}, "id": "a"}],
                "tool_calls": [{"name": "f", "args": {"x": 1}, "id": "a"}],
            },
            ["calls f(x=1)"],
        ),
        (
            {
                "content": [{"type": "input_json_delta", "partial_json": "{"}],
                "tool_calls": [{"name": "f", "args": {"x": 1}, "id": "a"}],
            },
            ["calls f(x=1)"],
        ),
        (
            {
                "content": "",
                "invalid_tool_calls": [{"name": "g", "args": "{no", "id": "b", "error": "no JSON"}],
            },
            ['calls g("{no")'],
        ),
        (
            {
                "content": [
                    {"type": "output_text", "text": "yes"},
                    {"type": "refusal", "refusal": "I will not"},
                ]
            },
            ["yes", "I will not"],
        ),
    ],
)
def test_no_turn_of_a_model_is_empty_that_says_something(
    fake: FakeBroker, data: dict[str, Any], shown: list[str]
) -> None:
    append(fake, Message("ai", data))
    assert invoke("show", "s").stdout.splitlines()[1:-1] == [f"  {line}" for line in shown]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["nobody"], 1, "kchat: there is no session 'nobody' on this cluster\nNext step: kchat ls"),
        (["s", "--since", "yesterday"], 2, "this is no moment; give a time as"),
        (["s", "-n", "0"], 2, "0 is not in the range"),
        (["s", "-n", "99999999999"], 2, "99999999999 is not in the range 1<=x<=2147483647"),
        ([""], 2, "the session id is empty"),
    ],
)
def test_what_cannot_be_shown_is_told(fake: FakeBroker, arguments: list[str], code: int, told: str) -> None:
    append(fake, human("one"))
    result = invoke("show", *arguments)
    assert result.exit_code == code
    assert result.stdout == ""
    assert told in result.stderr


def test_a_pager_gets_the_whole_transcript(fake: FakeBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    paged: list[str] = []
    monkeypatch.setattr("click.echo_via_pager", lambda given, color: paged.extend(given))  # noqa: ARG005
    append(fake, human("one"), human("two"))
    result = invoke("show", "s", "--pager")
    assert result.stdout == ""
    assert ["one" in paged[0], "two" in paged[1]] == [True, True]
