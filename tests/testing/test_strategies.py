"""What the public strategies draw is what they say, and enough of it."""

import json
from typing import TypeVar, get_args

import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis.strategies import SearchStrategy

from kchat.core import (
    MESSAGE_TYPES,
    Complete,
    Failed,
    FromBeginning,
    FromCommitted,
    JsonDecoder,
    Message,
    NewRecord,
    OnCorrupt,
    Partial,
    ReadRequest,
    Record,
    Start,
    Unstorable,
    encode,
)
from kchat.testing import FalseLow, Fault, FaultPlan
from kchat.testing.strategies import (
    ANY_FAULTS,
    DrawnLog,
    fault_plans,
    json_values,
    logs,
    messages,
    read_requests,
)

T = TypeVar("T")


def drawn(strategy: SearchStrategy[T], count: int = 400) -> list[T]:
    """A sample, the same at each run."""
    sample: list[T] = []

    @settings(phases=[Phase.generate], max_examples=count, database=None, derandomize=True)
    @given(strategy)
    def collect(value: T) -> None:
        sample.append(value)

    collect()
    return sample


@given(messages())
def test_every_drawn_message_is_stored_and_reads_back_equal(message: Message) -> None:
    record = encode(message, key=b"key", message_id="id")
    assert isinstance(record, NewRecord)
    back = JsonDecoder().decode(Record(0, 0, 0, record.key, record.value, record.headers))
    assert back == message
    assert repr(back) == repr(message)


@pytest.mark.parametrize("data", [{"content": "a\ud800\udfff"}, {"content": {"\ud800\udfff": 1}}])
def test_surrogates_that_json_would_join_are_refused(data: dict[str, object]) -> None:
    refused = encode(Message("human", data), key=b"key", message_id="id")
    assert isinstance(refused, Unstorable)
    assert refused.path == ".content"


def test_every_type_of_message_is_drawn() -> None:
    assert {message.type for message in drawn(messages())} == MESSAGE_TYPES


def test_types_can_be_chosen() -> None:
    assert {message.type for message in drawn(messages({"ai", "human"}))} == {"ai", "human"}


@pytest.mark.parametrize("trap", ["\ud800", "\\u0000", "[[", '": {"', "e-"])
def test_wide_json_is_drawn(trap: str) -> None:
    # Only a lone surrogate stays one in this text; a pair is a character.
    assert any(trap in json.dumps(value, ensure_ascii=False) for value in drawn(json_values()))


@given(logs())
def test_the_model_of_a_drawn_log_is_what_a_reader_gets(log: DrawnLog) -> None:
    request = ReadRequest(
        topic=log.topic, start=FromBeginning(), decoder=JsonDecoder(), on_corrupt=OnCorrupt.SKIP
    )
    outcome = log.broker().read(request)
    assert isinstance(outcome, Complete)
    assert outcome.progress.messages == log.messages


@given(logs(), fault_plans())
def test_passing_faults_change_no_read(log: DrawnLog, plan: FaultPlan) -> None:
    # A low watermark that is false when retention has just passed a position is believed: see test_faults.py.
    assume(not (any(log.expired) and FalseLow() in plan))
    request = ReadRequest(
        topic=log.topic,
        start=FromBeginning(),
        decoder=JsonDecoder(),
        on_corrupt=OnCorrupt.SKIP,
        wait_ms_max=60_000,
    )
    outcome = log.broker(plan).read(request)
    assert isinstance(outcome, Complete)
    assert outcome.progress.messages == log.messages


@given(logs(), read_requests(group="chat"), fault_plans(ANY_FAULTS))
def test_every_drawn_read_ends_within_its_time_whatever_happens(
    log: DrawnLog, request: ReadRequest[Message], plan: FaultPlan
) -> None:
    broker = log.broker(plan)
    outcome = broker.read(request)
    assert isinstance(outcome, Complete | Partial | Failed)
    if request.wait_ms_max is not None:
        assert broker.cluster.now_ms <= request.wait_ms_max + 1_000


def test_logs_have_what_readers_stumble_over() -> None:
    sample = drawn(logs())
    slots = [slot for log in sample for partition in log.partitions for slot in partition]
    assert {len(log.partitions) for log in sample} == {1, 2, 3}
    assert any(isinstance(slot.content, bytes) for slot in slots)
    assert any(slot.content is None for slot in slots)
    assert any(any(log.expired) for log in sample)
    assert any(log.broker().cluster.topics["chat"].partitions[0].low > 0 for log in sample)


def test_what_readers_stumble_over_can_be_left_out() -> None:
    sample = drawn(logs(poison=False, gaps=False, partitions_max=1))
    assert {len(log.partitions) for log in sample} == {1}
    assert all(isinstance(slot.content, Message) for log in sample for slot in log.partitions[0])


def test_every_fault_is_drawn() -> None:
    kinds = {type(fault) for plan in drawn(fault_plans(ANY_FAULTS)) for fault in plan}
    assert kinds == {*get_args(Fault), type(None)}


def test_every_start_is_drawn_and_a_cursor_only_where_a_group_is_named() -> None:
    grouped, groupless = drawn(read_requests(group="chat")), drawn(read_requests())
    assert {type(request.start) for request in grouped} == set(get_args(Start))
    assert {request.commit_to for request in grouped} == {None, "chat"}
    assert not any(isinstance(request.start, FromCommitted) or request.commit_to for request in groupless)
