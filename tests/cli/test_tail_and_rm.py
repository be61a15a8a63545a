"""`kchat tail` and `kchat rm` on a broker in memory; that one follows is in test_commands_kafka.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kchat.conversation import conversation
from kchat.core import Message
from tests.cli.running import invoke
from tests.cli.test_show import CONTROLS, HOSTILE, append, human, lines, texts

if TYPE_CHECKING:
    from kchat.testing import FakeBroker


def test_tail_merges_the_newest_of_several_sessions_by_time(fake: FakeBroker) -> None:
    for number in range(4):
        append(fake, human(f"{number}"), session="ab"[number % 2])
        fake.cluster.sleep(1_000)
    result = invoke("tail", "b", "a", "b", "--json")
    assert [(line["session"], line["message"]["data"]["content"]) for line in lines(result.stdout)] == [
        ("a", "0"),
        ("b", "1"),
        ("a", "2"),
        ("b", "3"),
    ]
    assert texts(invoke("tail", "a", "b", "-n", "1", "--json").stdout) == ["2", "3"]
    assert invoke("tail", "a", "-n", "0").stdout == ""
    too_many = invoke("tail", "a", "-n", "99999999999")
    assert too_many.exit_code == 2
    assert "is not in the range 0<=x<=2147483647" in too_many.stderr
    assert texts(invoke("tail", "a", "-n", "2147483647", "--json").stdout) == ["0", "2"]


def test_tail_names_the_session_where_there_are_several(fake: FakeBroker) -> None:
    append(fake, human("one"), session="a")
    append(fake, human("two"), session="b\x1b")
    assert invoke("tail", "a").stdout.startswith("human  ")
    assert [
        line.partition(" human")[0] for line in invoke("tail", "a", "b\x1b").stdout.splitlines()[::3]
    ] == [
        "a",
        "b\\x1b",
    ]


def test_tail_shows_nothing_that_controls_a_terminal(fake: FakeBroker) -> None:
    append(fake, human(HOSTILE), Message("ai", {"content": HOSTILE, "name": HOSTILE}))
    for more in ([], ["--raw"], ["--json"]):
        result = invoke("tail", "s", *more)
        assert result.exit_code == 0
        assert CONTROLS & set(result.output) == set()


def test_tail_of_a_missing_session_is_an_error(fake: FakeBroker) -> None:
    append(fake, human("one"), session="a")
    result = invoke("tail", "a", "nobody")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "there is no session 'nobody'" in result.stderr


def test_tail_goes_on_with_a_session_that_begins_anew(
    fake: FakeBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(fake, human("before"))
    broker = fake.reopened()
    monkeypatch.setattr(fake, "reopened", lambda: broker)
    cluster = fake.cluster

    def begin_anew() -> None:
        cluster.delete("s")
        cluster.create("s", partitions=3)
        cluster.inject("s", b'{"type": "human", "data": {"content": "anew"}}')

    cluster.at(cluster.now_ms + 2_000, begin_anew)
    cluster.at(cluster.now_ms + 300_000, broker.close)  # which ends what follows
    result = invoke("tail", "-f", "s", "--json")
    assert result.exit_code == 0
    assert texts(result.stdout) == ["before", "anew"]
    assert result.stderr.startswith("kchat: session 's' was deleted, or lost this place")


def test_tail_tells_of_what_it_leaves_out(fake: FakeBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.cluster.create("s", partitions=1)
    append(fake, human("before"))
    fake.cluster.inject("s", b"{poison")
    append(fake, human("after"))
    left_out = "kchat: a record that is no message, and left out: "
    result = invoke("tail", "s", "--json")
    assert (result.exit_code, texts(result.stdout)) == (0, ["before", "after"])
    [told] = result.stderr.splitlines()
    assert told.startswith(f"{left_out}0:1 of topic s, not JSON")
    assert "poison" not in told

    broker = fake.reopened()
    monkeypatch.setattr(fake, "reopened", lambda: broker)
    cluster = fake.cluster
    cluster.at(cluster.now_ms + 2_000, lambda: cluster.inject("s", b"{more"))
    cluster.at(cluster.now_ms + 4_000, lambda: append(fake, human("last")))
    cluster.at(cluster.now_ms + 300_000, broker.close)  # which ends what follows
    followed = invoke("tail", "-f", "s", "--json")
    assert texts(followed.stdout) == ["before", "after", "last"]
    places = [line.removeprefix(left_out).partition(" ")[0] for line in followed.stderr.splitlines()]
    assert places == ["0:1", "0:3"]


def test_rm_deletes_another_programs_topic_only_where_it_is_told_to(fake: FakeBroker) -> None:
    append(fake, human("one"), session="orders")
    for _ in range(19):
        fake.cluster.inject("orders", b'{"order": 1}', key=b"orders")
    assert invoke("rm", "orders", "--yes").exit_code == 0, "all records of a short one are looked at"
    append(fake, human("one"), session="orders")
    for _ in range(20):
        fake.cluster.inject("orders", b'{"order": 1}', key=b"orders")
    refused = invoke("rm", "orders", "--yes")
    assert refused.exit_code == 1
    assert refused.stderr.startswith("kchat: the newest records of the topic orders are no messages")
    assert "--any-topic deletes it" in refused.stderr
    assert "orders" in fake.cluster.topics
    append(fake, human("two"), session="orders")
    assert invoke("rm", "orders", "--yes").exit_code == 0, "a message among the five newest"
    fake.cluster.create("orders", partitions=1)
    assert invoke("rm", "orders", "--yes").exit_code == 0, "an empty topic"
    fake.cluster.create("orders", partitions=1)
    fake.cluster.inject("orders", b"1")
    assert invoke("rm", "orders", "--yes", "--any-topic").exit_code == 0
    assert "orders" not in fake.cluster.topics


def test_rm_asks_where_somebody_can_be_asked_and_else_wants_yes(fake: FakeBroker) -> None:
    append(fake, human("one"))
    asked = invoke("rm", "s")
    assert asked.exit_code == 2
    assert "Next step: give --yes" in asked.stderr
    assert "s" in fake.cluster.topics
    done = invoke("rm", "s", "--yes", "--json")
    assert (done.exit_code, lines(done.stdout)) == (
        0,
        [{"session": "s", "topic": "s", "kept_topic": False}],
    )
    assert "s" not in fake.cluster.topics
    assert invoke("rm", "s", "--yes").exit_code == 1


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1), ("\n", 1)])
def test_rm_does_what_is_answered(
    fake: FakeBroker, monkeypatch: pytest.MonkeyPatch, answer: str, code: int
) -> None:
    monkeypatch.setattr("kchat.cli.rm.can_ask", lambda: True)
    append(fake, human("one"))
    result = invoke("rm", "s", typed=answer)
    assert result.exit_code == code
    assert result.stdout == ""
    assert "Delete the topic of session 's' (topic s) for good? [y/N]" in result.stderr
    assert ("s" in fake.cluster.topics) == (code == 1)
    said = "session 's' is left as it is: the answer was no" if code else "session 's' is deleted"
    assert result.stderr.endswith(f"\nkchat: {said}\n")


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (KeyboardInterrupt, 130, "\nkchat: interrupted\n"),
        (EOFError, 1, "kchat: the question was not answered\nNext step: answer it, or see --help\n"),
    ],
)
def test_a_question_that_gets_no_answer_deletes_nothing(
    fake: FakeBroker,
    monkeypatch: pytest.MonkeyPatch,
    error: type[BaseException],
    code: int,
    told: str,
) -> None:
    def ask(*_: object) -> str:
        raise error

    monkeypatch.setattr("kchat.cli.rm.can_ask", lambda: True)
    monkeypatch.setattr("click.termui._readline_prompt", ask)
    append(fake, human("one"))
    result = invoke("rm", "s")
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr == told
    assert "s" in fake.cluster.topics


def test_rm_can_keep_the_topic(fake: FakeBroker) -> None:
    append(fake, human("one"))
    result = invoke("rm", "s", "--yes", "--keep-topic")
    assert result.exit_code == 0
    assert result.stderr == "kchat: session 's' is emptied; topic s stays\n"
    assert conversation(fake, "s").read().messages == []
    assert "s" in fake.cluster.topics
