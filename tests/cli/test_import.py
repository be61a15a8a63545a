"""`kchat import` on a broker in memory: each message once, whatever happened before."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from kchat.cli import intake
from kchat.cli.formats.entries import Source, Sourced
from kchat.cli.group import kchat
from kchat.cli.held import held_by
from kchat.cli.identity import Chain
from kchat.cli.intake import Counts, Destination, Intake
from kchat.cli.whole_reads import whole_read
from kchat.conversation import conversation
from kchat.core import HEADER_RESENT, CreateTopic, ErrorKind, Message, TopicSettings
from kchat.testing import FakeBroker, LostAnswer, Refuse
from kchat.testing.strategies import messages
from tests.cli.formats.conversations import TURNS
from tests.cli.running import ENVIRONMENT, document, invoke

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path


@pytest.fixture
def planned(fake: FakeBroker, monkeypatch: pytest.MonkeyPatch) -> FakeBroker:
    """The command's own broker: its plan is the command's, and its commands are seen."""
    monkeypatch.setattr(fake, "reopened", lambda: fake)
    return fake


def said(broker: FakeBroker, session: str) -> list[Message]:
    return conversation(broker, session).read().messages


def human(text: str) -> Message:
    return Message("human", {"content": text})


def bare(path: Path, found: Iterable[Message]) -> str:
    path.write_text("".join(json.dumps({"type": m.type, "data": m.data}) + "\n" for m in found))
    return str(path)


def counts(*arguments: str, exit_code: int = 0) -> tuple[int, int, int]:
    """How many were read, were there already, and were appended."""
    result = invoke("import", *arguments, "--json")
    assert result.exit_code == exit_code, result.stderr
    report = document(result)
    return report["read"], report["there_already"], report["appended"]


def taken_in(broker: FakeBroker, session: str, sources: Sequence[Source]) -> Counts:
    taking = Intake(
        Destination(log=broker, session=session),
        held_by(broker, session=session, topic=session),
        Chain.of(""),
    )
    for source in sources:
        taking.take(source)
    taking.end()
    return taking.counts


def test_a_second_import_of_the_same_file_adds_nothing(fake: FakeBroker, tmp_path: Path) -> None:
    path = bare(tmp_path / "a.jsonl", TURNS)
    assert counts(path, "--session", "s") == (5, 0, 5)
    assert counts(path, "--session", "s") == (5, 5, 0)
    assert said(fake, "s") == list(TURNS)
    moved = tmp_path / "another-name"
    (tmp_path / "a.jsonl").rename(moved)
    assert counts(str(moved), "--session", "s") == (5, 5, 0)
    assert counts(str(moved), "--session", "other") == (5, 0, 5)


def test_an_export_goes_into_another_session_and_comes_out_the_same(fake: FakeBroker, tmp_path: Path) -> None:
    conversation(fake, "s").append(TURNS)
    first, second = str(tmp_path / "1.jsonl"), str(tmp_path / "2.jsonl")
    invoke("export", "s", "-o", first)
    assert counts(first, "--session", "t") == (5, 0, 5)
    invoke("export", "t", "-o", second)

    def told(path: str) -> list[tuple[Any, Any]]:
        with open(path, encoding="utf-8") as file:
            return [(line.get("id"), line.get("message")) for line in map(json.loads, file)]

    assert told(first) == told(second)
    assert counts(first, "--session", "s") == (5, 5, 0), "into itself"
    assert counts(second, "--session", "s") == (5, 5, 0)


@given(st.lists(messages(), max_size=6))
def test_every_message_of_any_kind_survives_the_way_out_and_in_again(drawn: list[Message]) -> None:
    broker = FakeBroker()
    conversation(broker, "s").append([human("first"), *drawn])
    sources = [Sourced("", e.message, e.message_id) for e in conversation(broker, "s").read()]
    done = taken_in(broker, "t", sources)
    assert (done.appended, done.there) == (len(sources), 0)
    assert said(broker, "t") == said(broker, "s")
    assert taken_in(broker, "t", sources).appended == 0
    parts = [list(whole_read(broker, session=name, topic=name)) for name in ("s", "t")]
    ids = [[entry.message_id for part in found for entry in part.entries] for found in parts]  # type: ignore[union-attr]
    assert ids[0] == ids[1]


@given(st.lists(st.sampled_from("abc"), max_size=12), st.integers(0, 12), st.integers(1, 4))
def test_stopped_anywhere_it_goes_on_without_a_double(texts: list[str], stored: int, batch: int) -> None:
    """The same text twice is two messages, however often the import is begun."""
    broker = FakeBroker()
    sources = [Sourced(str(number), human(text)) for number, text in enumerate(texts)]
    taken_in(broker, "s", sources[:stored])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intake, "BATCH_RECORDS", batch)
        done = taken_in(broker, "s", sources)
    assert done.there == min(stored, len(texts))
    assert (done.between, done.late) == (0, 0)
    assert [message.text for message in said(broker, "s")] == texts


def test_a_file_that_grew_adds_what_is_new(fake: FakeBroker, tmp_path: Path) -> None:
    assert counts(bare(tmp_path / "a", TURNS[:3]), "--session", "s") == (3, 0, 3)
    assert counts(bare(tmp_path / "b", TURNS), "--session", "s") == (5, 3, 2)
    assert said(fake, "s") == list(TURNS)


def test_two_sources_that_begin_alike_are_told_apart_by_name(fake: FakeBroker, tmp_path: Path) -> None:
    one = bare(tmp_path / "a", [human("hi"), human("one")])
    other = bare(tmp_path / "b", [human("hi"), human("other")])
    assert counts(one, "--session", "s") == (2, 0, 2)
    assert counts(other, "--session", "s", "--source", "b", "--dry-run") == (2, 0, 0)
    assert counts(other, "--session", "s", "--source", "b") == (2, 0, 2)
    assert counts(other, "--session", "s", "--source", "b") == (2, 2, 0)
    assert [message.text for message in said(fake, "s")] == ["hi", "one", "hi", "other"]


def test_a_dry_run_appends_nothing_and_makes_no_topic(fake: FakeBroker, tmp_path: Path) -> None:
    result = invoke("import", bare(tmp_path / "a", TURNS), "--session", "s", "--dry-run", "--json")
    report = document(result)
    assert (report["lacking"], report["appended"], report["dry_run"]) == (5, 0, True)
    assert "5 would be appended" in result.stderr
    assert fake.cluster.topics == {}


def test_another_programs_topic_takes_no_import_unless_it_is_told_to(
    fake: FakeBroker, tmp_path: Path
) -> None:
    fake.cluster.create("orders", partitions=1)
    fake.cluster.inject("orders", b'{"order": 1}')
    path = bare(tmp_path / "a", TURNS)
    for dry in ([], ["--dry-run"]):
        refused = invoke("import", path, "--session", "orders", *dry)
        assert refused.exit_code == 1
        assert "the newest records of the topic orders are no messages" in refused.stderr
        assert "--any-topic imports into it" in refused.stderr
    assert len(fake.cluster.topics["orders"].partitions[0].records) == 1
    assert counts(path, "--session", "orders", "--any-topic")[2] == 5


def test_messages_of_other_origin_in_between_are_told(fake: FakeBroker, tmp_path: Path) -> None:
    counts(bare(tmp_path / "a", TURNS[:2]), "--session", "s")
    conversation(fake, "s").append([human("somebody else")])
    counts(bare(tmp_path / "b", TURNS), "--session", "s")
    result = invoke("import", bare(tmp_path / "b", TURNS), "--session", "s", "--json")
    assert document(result)["of_other_origin_between"] == 1
    assert "holds 1 of other origin between" in result.stderr


def test_what_retention_took_comes_behind_what_is_left_and_is_told(fake: FakeBroker, tmp_path: Path) -> None:
    path = bare(tmp_path / "a", TURNS)
    counts(path, "--session", "s")
    fake.cluster.topics["s"].partitions[0].remove_before(2)
    result = invoke("import", path, "--session", "s", "--dry-run", "--json")
    report = document(result)
    assert (report["there_already"], report["lacking"], report["behind_later_ones"]) == (3, 2, 2)
    assert "2 would stand behind later ones" in result.stderr


def test_a_removed_message_is_not_brought_back(fake: FakeBroker, tmp_path: Path) -> None:
    talk = conversation(fake, "s")
    talk.append(TURNS)
    path = str(tmp_path / "a.jsonl")
    invoke("export", "s", "-o", path)
    talk.redact(talk.read()[1].position)
    assert counts(path, "--session", "s") == (5, 5, 0)
    assert len(talk.read()) == 4


def test_a_removal_by_record_is_carried(fake: FakeBroker, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    bare(path, [human("one"), Message("remove", {"content": "", "id": "kchat:id:x"}), human("two")])
    assert invoke("import", str(path), "--session", "s").exit_code == 0
    assert [message.text for message in said(fake, "s")] == ["one", "two"]


def test_what_cannot_be_carried_is_reported_and_the_rest_is_imported(
    fake: FakeBroker, tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    bare(path, [human("one"), Message("remove", {"content": "", "id": "kchat:0:0"}), human("two")])
    with path.open("a") as file:
        file.write('not json\n{"type": "human", "data": {"content": "x", "score": NaN}}\n')
        file.write(json.dumps({"type": "human", "data": {"content": "x" * 1_000_000}}))
    result = invoke("import", str(path), "--session", "s", "--json")
    assert result.exit_code == 1
    assert [message.text for message in said(fake, "s")] == ["one", "two"]
    assert [(loss["what"], loss["first"]) for loss in document(result)["not_carried"]] == [
        ("a removal by place: it would remove another message here", ["line 2"]),
        ("it is not JSON", ["line 4"]),
        ("NaN or infinity; JSON has no such numbers", ["line 5.score"]),
        ("its record would be larger than the client takes", ["line 6"]),
    ]
    assert "not carried: 1 record: it is not JSON (line 4)" in result.stderr


def test_one_id_for_two_messages_is_told_and_a_second_copy_is_dropped(fake: FakeBroker) -> None:
    one, other = Sourced("line 1", human("one"), "id-1"), Sourced("line 2", human("other"), "id-1")
    taking = Intake(Destination(log=fake, session="s"), held_by(fake, session="s", topic="s"), Chain.of(""))
    for source in (one, one, other):
        taking.take(source)
    taking.end()
    assert (taking.counts.appended, taking.counts.copies) == (1, 1)
    assert [loss["what"] for loss in taking.losses.as_json] == ["another message of the source has its id"]
    again = Intake(Destination(log=fake, session="s"), held_by(fake, session="s", topic="s"), Chain.of(""))
    again.take(other)
    assert [loss["what"] for loss in again.losses.as_json] == ["another message of the session has its id"]


def test_a_batch_that_may_be_stored_is_sent_again_and_read_once(planned: FakeBroker, tmp_path: Path) -> None:
    fake = planned
    conversation(fake, "s").append([human("before")])
    performed = len(fake.commands)
    counts(bare(tmp_path / "dry", TURNS), "--session", "s", "--dry-run")
    # The read of what is there, then the append, whose every answer is lost for a while.
    fake.plan += [None] * (len(fake.commands) - performed) + [None, LostAnswer(), LostAnswer()]
    assert counts(bare(tmp_path / "a", TURNS), "--session", "s") == (5, 0, 5)
    assert said(fake, "s") == [human("before"), *TURNS]


def test_the_first_batch_is_marked_for_what_a_killed_import_may_still_have_on_its_way(
    fake: FakeBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "BATCH_RECORDS", 2)
    counts(bare(tmp_path / "a", TURNS[:1]), "--session", "s")
    counts(bare(tmp_path / "b", TURNS), "--session", "s")
    records = fake.cluster.topics["s"].partitions[0].records
    marked = [record.header(HEADER_RESENT) is not None for record in records]
    assert marked == [False, True, True, False, False]


def test_a_refused_batch_says_how_far_it_came_and_what_to_do(planned: FakeBroker, tmp_path: Path) -> None:
    fake = planned
    conversation(fake, "s").append([human("before")])
    performed = len(fake.commands)
    counts(bare(tmp_path / "dry", TURNS), "--session", "s", "--dry-run")
    fake.plan += [None] * (len(fake.commands) - performed) + [None, Refuse(ErrorKind.DENIED)]
    result = invoke("import", bare(tmp_path / "a", TURNS), "--session", "s")
    assert result.exit_code == 1
    assert "0 messages were appended before that" in result.stderr
    assert "run the same command again" in result.stderr


def test_openai_files_are_known_by_their_look(fake: FakeBroker, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"messages": [{"role": "user", "content": "hi"}]}, indent=2))
    assert counts(str(path), "--session", "s") == (1, 0, 1)
    path.write_text(json.dumps([{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yes"}]))
    assert counts(str(path), "--session", "s") == (2, 1, 1)
    assert [message.type for message in said(fake, "s")] == ["human", "ai"]
    path.write_text("[1, 2")
    refused = invoke("import", str(path), "--session", "s")
    assert refused.exit_code == 1
    assert "the file is no JSON document" in refused.stderr


@pytest.mark.usefixtures("fake")
def test_a_dash_reads_stdin() -> None:
    lines = "".join(json.dumps({"type": m.type, "data": m.data}) + "\n" for m in TURNS)
    runner = CliRunner(env={**ENVIRONMENT, "KCHAT_BOOTSTRAP": "in-memory"})
    result = runner.invoke(kchat, ["import", "-", "--session", "s"], input=lines)
    assert result.exit_code == 0
    assert "5 appended" in result.stderr


def test_a_topic_is_imported_with_its_partitions_merged(fake: FakeBroker) -> None:
    fake.cluster.create("old", partitions=3)
    for number in range(9):
        value = json.dumps({"type": "human", "data": {"content": str(number % 4)}}).encode()
        fake.cluster.inject("old", value, partition=number % 3, timestamp_ms=1_000 + number)
    fake.cluster.inject("old", b"{poison", partition=0, timestamp_ms=2_000)
    assert counts("--from-topic", "old", "--session", "new", exit_code=1) == (9, 0, 9)
    assert counts("--from-topic", "old", "--session", "new", exit_code=1) == (9, 9, 0)
    assert [message.text for message in said(fake, "new")] == [str(number % 4) for number in range(9)]
    assert counts("--from-topic", "old", "--session", "old", exit_code=1) == (9, 9, 0), "into itself"


def test_an_export_of_a_topic_without_ids_and_the_topic_itself_are_one_source(
    fake: FakeBroker, tmp_path: Path
) -> None:
    fake.cluster.create("old", partitions=3)
    for number in range(4):
        value = json.dumps({"type": "human", "data": {"content": "same"}}).encode()
        fake.cluster.inject("old", value, partition=number % 3, timestamp_ms=1_000 + number)
    path = str(tmp_path / "a.jsonl")
    invoke("export", "old", "-o", path)
    assert counts(path, "--session", "new") == (4, 0, 4)
    assert counts("--from-topic", "old", "--session", "new") == (4, 4, 0)
    assert counts(path, "--session", "old") == (4, 4, 0)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "give one source"),
        (["a", "--from-topic", "t"], "No such file"),
        (["--from-topic", "t", "--from-history", "m:C"], "give one source"),
        (["--from-topic", "no/topic"], "no name of a topic"),
        (["--from-topic", "__consumer_offsets"], "no name of a topic"),
        (["--from-topic", "t", "--replication-factor", "0"], "Error: --replication-factor must be"),
        (["--from-topic", "t", "--ttl-ms", "-2"], "Error: --ttl-ms must be"),
        (["--from-topic", "t", "--arg", "a=b"], "--arg is for the class of --from-history"),
        (["--from-topic", "t", "--format", "jsonl"], "--format is that of a FILE"),
    ],
)
@pytest.mark.usefixtures("fake")
def test_wrong_usage_is_exit_code_2(arguments: list[str], told: str) -> None:
    result = invoke("import", *arguments, "--session", "s")
    assert result.exit_code == 2
    assert told in result.stderr


@pytest.mark.usefixtures("fake")
def test_a_topic_that_is_not_there_is_one_sentence() -> None:
    result = invoke("import", "--from-topic", "nowhere", "--session", "s")
    assert result.exit_code == 1
    assert result.stderr.startswith("kchat: there is no topic nowhere\nNext step: ")


@pytest.mark.usefixtures("fake")
def test_a_file_that_cannot_be_read_is_named_and_debug_shows_where() -> None:
    result = invoke("import", "/proc/self/mem", "--session", "s")
    assert result.exit_code == 1
    assert result.stderr.startswith("kchat: /proc/self/mem cannot be read: Input/output error\nNext step: ")
    shown = invoke("import", "/proc/self/mem", "--session", "s", "--debug")
    assert "\nOSError: [Errno 5]" in shown.stderr


def test_the_times_of_records_are_a_part_that_is_not_carried(fake: FakeBroker, tmp_path: Path) -> None:
    conversation(fake, "s").append([human("one"), human("two")])
    path = str(tmp_path / "a.jsonl")
    invoke("export", "s", "-o", path)
    for source, where in (([path], "line 2"), (["--from-topic", "s"], None)):
        result = invoke("import", *source, "--session", f"new-{len(source)}", "--json")
        assert result.exit_code == 0
        [loss] = document(result)["not_carried"]
        assert (loss["what"], loss["count"], loss["whole"]) == ("record time", 2, False)
        assert where is None or loss["first"][0] == where
        assert "kchat: not carried: record time of 2 messages (" in result.stderr
    again = document(invoke("import", path, "--session", "new-1", "--json"))
    assert again["not_carried"] == [], "nothing is appended"
    plain = document(invoke("import", bare(tmp_path / "b", TURNS), "--session", "t", "--json"))
    assert plain["not_carried"] == [], "the file has no times"


def test_a_topic_of_the_same_name_that_was_made_anew_is_another_source(fake: FakeBroker) -> None:
    value = json.dumps({"type": "human", "data": {"content": "same"}}).encode()
    for there in (0, 1):
        fake.cluster.create("old", partitions=1)
        fake.cluster.inject("old", value, timestamp_ms=1_000)
        assert counts("--from-topic", "old", "--session", "new") == (1, 0, 1), there
        fake.cluster.delete("old")


def test_a_topic_is_made_as_it_is_told(planned: FakeBroker, tmp_path: Path) -> None:
    counts(bare(tmp_path / "a", TURNS), "--session", "s", "--ttl-ms", "-1")
    assert [c.settings for c in planned.commands if isinstance(c, CreateTopic)] == [TopicSettings(ttl_ms=-1)]


def test_an_empty_file_is_told(fake: FakeBroker, tmp_path: Path) -> None:
    path = tmp_path / "empty.jsonl"
    path.write_bytes(b"")
    result = invoke("import", str(path), "--session", "s")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("kchat: the file is empty: there is nothing to import\nNext step: ")
    assert "s" not in fake.cluster.topics
