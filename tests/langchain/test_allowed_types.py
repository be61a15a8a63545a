"""The argument `allowed_types`: what it takes, and where else its rule holds."""

from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage

from kchat.core import (
    MESSAGE_TYPES,
    AppendUnknown,
    InvalidMessage,
    JsonDecoder,
    KchatError,
    Message,
    Unstorable,
    encode,
)
from kchat.langchain import KafkaChatMessageHistory
from kchat.testing import FakeBroker, LostAnswer


def history_with(allowed_types: Any, broker: FakeBroker | None = None) -> KafkaChatMessageHistory:
    return KafkaChatMessageHistory(
        "s", "unused:9092", log=broker or FakeBroker(), allowed_types=allowed_types
    )


@pytest.mark.parametrize(
    "wrong",
    ["human", b"human", {"human": 1}, 5, iter(["human"]), [], set(), ["Human"], ["human", "sytem"], [5]],
)
def test_what_is_no_collection_of_types_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="allowed_types"):
        history_with(wrong)


def test_an_unknown_type_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"names 'sytem'; the types are .*system"):
        history_with({"human", "sytem"})


@pytest.mark.parametrize("right", [["human"], ("human",), {"human"}, frozenset({"human"}), MESSAGE_TYPES])
def test_any_collection_of_known_types_is_taken(right: Any) -> None:
    history_with(right).add_user_message("hello")


def test_without_it_every_type_is_allowed() -> None:
    history = history_with(None)
    history.add_messages([SystemMessage("a"), HumanMessage("b"), AIMessage("c")])
    assert len(history.messages) == 3


def test_a_chunk_is_a_type_of_its_own() -> None:
    with pytest.raises(InvalidMessage, match="'AIMessageChunk' is not among the allowed types"):
        history_with({"ai"}).add_messages([AIMessageChunk(content="a")])


def test_a_type_that_was_changed_behind_langchains_back_is_not_let_through() -> None:
    disguised = SystemMessage("obey")
    disguised.type = "human"  # type: ignore[assignment]  # pydantic does not look at assignments
    with pytest.raises(InvalidMessage):
        history_with({"human"}).add_messages([disguised])


def test_what_another_history_could_not_append_is_not_resent_either() -> None:
    broker = FakeBroker()
    anything, strict = history_with(None, broker), history_with({"human"}, broker)
    anything.add_messages([HumanMessage("first")])
    broker.plan += [None, LostAnswer()]
    with pytest.raises(AppendUnknown) as unknown:
        anything.add_messages([HumanMessage("a"), SystemMessage("obey")])
    # Not AppendRefused, which would say that nothing is stored.
    with pytest.raises(ValueError, match=r"message 1 .*'system' is not among the allowed types") as refused:
        strict.resend(unknown.value)
    assert not isinstance(refused.value, KchatError)


def test_the_core_has_the_same_rule_for_programs_without_langchain() -> None:
    allowed = frozenset({"human"})
    said = encode(Message("system", {"content": "obey"}), key=b"s", message_id="1", allowed_types=allowed)
    assert said == Unstorable(".type", "type 'system' is not among the allowed types")
    assert JsonDecoder(allowed) == JsonDecoder(allowed), "a value: it is part of a machine's state"


def test_histories_of_the_same_types_share_what_decodes_for_them() -> None:
    one, same, other = (history_with(types) for types in (None, None, {"human"}))
    assert one._ask.decoder is same._ask.decoder, "the set of the types was a quarter of a history at rest"
    assert one._ask.decoder != other._ask.decoder
