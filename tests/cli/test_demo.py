"""`kchat demo` on the embedded Kafka."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kchat.cli.demo_messages import ARRIVING, ASYNC, default_conversation
from tests.cli.running import contents, document, endings, invoke

if TYPE_CHECKING:
    from click.testing import Result

EVERY_WAY = [
    ("add_messages", "acknowledged"),
    ("messages", "count limit"),
    ("messages", "end of log"),
    ("messages, again", "end of log"),
    ("messages_from_beginning", "count limit"),
    ("messages_from_last_consumed", "end of log"),
    ("messages_from_latest", "time limit"),
    ("messages_from_last_consumed", "end of log"),
    ("messages_from_latest", "count limit"),
    ("messages, with replay=True", "end of log"),
    ("await aadd_messages", "acknowledged"),
    ("await aget_messages", "end of log"),
    ("clear", "not possible here"),
]


@pytest.fixture(scope="module")
def default() -> Result:
    return invoke("demo", "--json")


@pytest.fixture(scope="module")
def text() -> Result:
    return invoke("demo")


def test_it_reads_the_conversation_back_in_every_way_and_says_how_each_read_ended(default: Result) -> None:
    assert default.exit_code == 0
    parsed = document(default)
    assert endings(parsed) == EVERY_WAY
    assert parsed["error"] is None
    assert all(step["took_ms"] >= 0 for step in parsed["steps"])


def test_the_json_has_the_messages_where_they_are_stored(default: Result) -> None:
    steps = document(default)["steps"]
    said = [str(message.content) for message in [*default_conversation(), ARRIVING, ASYNC]]
    first, second, again, beginning, rest, nothing, unmoved, arrived, replayed = (
        contents(step) for step in steps[1:10]
    )
    assert first + second == said[:-2]
    assert again == nothing == unmoved == []
    assert beginning + rest == said[:-2]
    assert arrived == [ARRIVING.content]
    assert replayed == said[:-1]
    assert contents(steps[11]) == said
    assert [delivery["offset"] for delivery in steps[11]["messages"]] == list(range(len(said)))
    assert len({delivery["partition"] for delivery in steps[11]["messages"]}) == 1
    assert all(delivery["time"].endswith("Z") for delivery in steps[11]["messages"])


def test_what_is_said_is_what_is_printed() -> None:
    one = invoke("demo", "--say", "the first text", "--say", "its answer")
    other = invoke("demo", "--say", "something else")
    assert one.exit_code == other.exit_code == 0
    # In: messages, messages_from_beginning, replay, the async replay.
    assert one.stdout.count("the first text") == one.stdout.count("its answer") == 4
    assert "human   the first text" in one.stdout
    assert "ai      its answer" in one.stdout
    assert "something else" in other.stdout
    assert "the first text" not in other.stdout
    assert "umbrella" not in one.stdout + other.stdout


def test_the_text_says_where_it_runs_what_each_read_took_and_what_the_broker_cannot(text: Result) -> None:
    assert text.exit_code == 0
    assert text.stderr == ""
    assert "librdkafka's mock cluster" in text.stdout
    assert "its content is gone" in text.stdout
    assert "5 messages · count limit · " in text.stdout
    assert "0 messages · time limit · " in text.stdout
    assert 'calls forecast(city="Lima", days=1)' in text.stdout
    assert "this broker has no DeleteTopics" in text.stdout
    assert all(len(line) <= 100 for line in text.stdout.splitlines())


def test_notes_go_to_stderr_beside_json(default: Result) -> None:
    assert "librdkafka's mock cluster" in default.stderr


def test_control_characters_never_reach_the_terminal() -> None:
    evil = "\x1b[2J\x1b]0;title\x07 \x9b31m \x7f \r\n \u202e"
    plain = invoke("demo", "--say", evil, COLUMNS="160")
    assert plain.exit_code == 0
    assert r"\x1b[2J\x1b]0;title\x07 \x9b31m \x7f \r\n \u202e" in plain.stdout
    assert not set("\x1b\x07\x9b\x7f\r\u202e") & set(plain.stdout + plain.stderr)
    parsed = invoke("demo", "--json", "--say", evil)
    assert not set("\x1b\x07\x9b\x7f\r\u202e") & set(parsed.stdout + parsed.stderr)
    assert contents(document(parsed)["steps"][1]) == [evil]


def test_markup_is_text() -> None:
    assert "[bold]not bold[/bold]" in invoke("demo", "--say", "[bold]not bold[/bold]").stdout


def test_a_session_of_any_name_shows_its_topic() -> None:
    result = invoke("demo", "--session", "one/two\x1b", "--say", "hello")
    assert result.exit_code == 0
    assert r"Session one/two\x1b, in topic kchat--one-2ftwo-1b" in result.stdout


def test_kept_the_topic_is_not_cleared() -> None:
    parsed = document(invoke("demo", "--keep", "--json", "--say", "hello"))
    assert parsed["steps"][-1]["call"].startswith("await aget_messages")
