"""Plain messages: texts, metadata, usage and tool calls, in which LangChain's validation changes nothing.

Most messages of most conversations are plain. To validate one takes LangChain 3 to 10 us, and gives its
fields as they were: so a plain one is made as pickle makes it, in 1 to 3 us, and written as it is. What is
plain is decided here, by exact types; all others are LangChain's to judge (docs/adr/0027-plain-messages.md).
"""

from collections.abc import Iterable
from functools import cache
from typing import Any

from attrs import frozen
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from kchat.core import Message
from kchat.core.json_values import is_exact
from kchat.langchain.plain_parts import DETAILS, are_tool_calls, is_status, is_text, is_usage

_CALL = {"name": "\ud800", "args": {"": [{"a": 1.5}], "type": "x"}, "id": None, "type": "tool_call"}
_COUNTS = {"input_tokens": -1, "output_tokens": 0, "total_tokens": 1 << 70}
# A name that a later LangChain adds is tried, too, and one that it will hardly add.
_INPUT, _OUTPUT = (dict.fromkeys([*names, "\x00 "], 1 << 70) for names in DETAILS.values())

PROBES: tuple[dict[str, Any], ...] = (
    {"content": ""},
    {"content": " \x00\u00e9\ud800 ", "name": " ", "id": "7"},
    {
        "content": "text",
        "additional_kwargs": {"refusal": None, "id": 1, "": [{"a": [1 << 70, 1.5, -0.0, True]}]},
        "response_metadata": {"type": "ai", "content": ["x"], "tool_calls": [{"name": "x"}]},
    },
    {"usage_metadata": _COUNTS},
    {"usage_metadata": {**_COUNTS, "input_token_details": _INPUT}},
    {"usage_metadata": {**_COUNTS, "output_token_details": _OUTPUT}},
    {"usage_metadata": {**_COUNTS, "input_token_details": {}, "output_token_details": {}}},
    {"tool_calls": [_CALL, {**_CALL, "name": "", "args": {}, "id": " "}]},
    {"tool_calls": [_CALL], "additional_kwargs": {"tool_calls": [{"function": {"name": "x"}}]}},
    {"tool_call_id": " \x00\ud800 ", "status": "error"},
)
"""LangChain has to make these, of the fields that a class has, as they are made here. One that strips texts,
fills in another field, orders them otherwise or reads the metadata makes all messages itself."""

_JUDGES = {
    "tool_calls": are_tool_calls,
    "usage_metadata": is_usage,
    "tool_call_id": is_text,
    "status": is_status,
}
_CONTAINERS = ("additional_kwargs", "response_metadata", "tool_calls", "usage_metadata")

_set = object.__setattr__


@frozen
class Shape:
    """The plain messages of one class.

    Attributes:
        made_by: the class.
        kind: its type.
        empty: the fields of an empty message, in the order of LangChain's own dump.
        fields: their names.
        rest: the values of those behind the first six.
        rest_types: their types.
        containers: those that are dicts or lists, empty.
    """

    made_by: type[BaseMessage]
    kind: str
    empty: dict[str, Any]
    fields: tuple[str, ...]
    rest: list[Any]
    rest_types: list[type]
    containers: dict[str, Any]

    @classmethod
    def of(cls, made_by: type[BaseMessage]) -> "Shape":
        """The shape of a class, as LangChain makes an empty message of it."""
        required = {"tool_call_id": ""} if issubclass(made_by, ToolMessage) else {}
        empty = dict(vars(made_by(content="", **required)))
        rest = list(empty.values())[6:]
        containers = {name: value for name, value in empty.items() if type(value) in (dict, list)}
        return cls(made_by, empty["type"], empty, tuple(empty), rest, list(map(type, rest)), containers)

    def fits(self, data: dict[str, Any]) -> bool:
        """Whether these are the fields of a plain message.

        Args:
            data: of JSON's own types alone (`is_exact`): what is in there is compared.
        """
        if tuple(data) != self.fields:
            return False
        content, kwargs, metadata, kind, name, message_id, *rest = data.values()
        return (
            type(content) is str
            and type(kwargs) is dict
            and type(metadata) is dict
            and kind == self.kind
            and (name is None or type(name) is str)
            and (message_id is None or type(message_id) is str)
            and ((rest == self.rest and list(map(type, rest)) == self.rest_types) or self._fit(rest))
            # LangChain would parse those that are in there, if it is given none that are parsed.
            and not ("tool_calls" in kwargs and not data.get("tool_calls"))
        )

    def _fit(self, rest: Iterable[Any]) -> bool:
        for name, value, empty in zip(self.fields[6:], rest, self.rest, strict=True):
            judge = _JUDGES.get(name)
            if judge is None:
                if type(value) is not type(empty) or value != empty:
                    return False
            elif not judge(value):
                return False
        return True

    def make(self, data: dict[str, Any]) -> BaseMessage:
        """The message of such fields, `made_by(**data)`; they become the message's own."""
        message = self.made_by.__new__(self.made_by)
        # As pydantic's __setstate__ does, in two thirds of its time.
        _set(message, "__dict__", data)
        _set(message, "__pydantic_fields_set__", set(self.fields))
        _set(message, "__pydantic_extra__", {})
        _set(message, "__pydantic_private__", None)
        return message

    def holds(self) -> bool:
        """Whether this LangChain makes such messages just so."""
        try:
            return all(self._is_made_so(probe) for probe in PROBES if probe.keys() <= self.empty.keys())
        except Exception:  # whatever is different: then LangChain makes them
            return False

    def _is_made_so(self, probe: dict[str, Any]) -> bool:
        data = {**self.empty, **probe}
        made = self.made_by(**data)
        return (
            self.fits(data)
            and exactly(self.make(dict(data))) == exactly(made)
            and repr(made.model_dump()) == repr(data)
        )


def exactly(message: BaseMessage) -> str:
    """All that a message is. A repr keeps the order, and tells 1 from True and 0.0 from -0.0."""
    fields_set = sorted(message.__pydantic_fields_set__)
    extra, private = message.__pydantic_extra__, message.__pydantic_private__
    return repr((type(message), vars(message), fields_set, extra, private, message.model_dump()))


CLASSES: tuple[type[BaseMessage], ...] = (HumanMessage, AIMessage, SystemMessage, ToolMessage)


# At the first message and not at the import, which it would make longer.
@cache
def shapes() -> dict[str | type[BaseMessage], Shape]:
    """Those that hold, by type and by class."""
    held = [shape for shape in map(Shape.of, CLASSES) if shape.holds()]
    return {shape.kind: shape for shape in held} | {shape.made_by: shape for shape in held}


def made_plain(message: Message) -> BaseMessage | None:
    """LangChain's message, if it is a plain one; None for all others. It takes over `message.data`.

    Args:
        message: as it was read out of JSON.
    """
    shape = shapes().get(message.type)
    return shape.make(message.data) if shape is not None and shape.fits(message.data) else None


def stored_plain(message: BaseMessage) -> Message | None:
    """What is stored of a plain message, and is known to read back equal; None for all others.

    Nothing of a foreign object is called.
    """
    shape = shapes().get(type(message))
    if shape is None or message.__pydantic_extra__:
        return None
    # A copy: what is checked is what is written, whatever another thread does to the message meanwhile.
    data = dict(vars(message))
    if type(data.get("content")) is not str or not is_exact(list(data.values())) or not shape.fits(data):
        return None
    if any(map(data.get, _CONTAINERS)):
        dumped = message.model_dump()
        kept = dumped == data and is_exact(dumped) and shape.fits(dumped)
        return Message(shape.kind, dumped) if kept else None
    return Message(shape.kind, data | shape.containers)
