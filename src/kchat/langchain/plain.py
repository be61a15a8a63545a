"""Plain messages: a text and its metadata, in which LangChain's validation changes nothing.

Most messages of most conversations are plain. To validate one takes LangChain 3 to 5 us, and gives its fields
as they were: so a plain one is made as pickle makes it, in 1 us, and written as it is. What is plain is
decided here, by exact types; all others are LangChain's to judge (docs/adr/0027-plain-messages.md).
"""

from typing import Any

from attrs import frozen
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from kchat.core import Message
from kchat.core.json_values import is_exact

PROBES: tuple[dict[str, Any], ...] = (
    {"content": ""},
    {"content": " \x00\u00e9\ud800 ", "name": " ", "id": "7"},
    {
        "content": "text",
        "additional_kwargs": {"refusal": None, "id": 1, "": [{"a": [1 << 70, 1.5, -0.0, True]}]},
        "response_metadata": {"type": "ai", "content": ["x"], "tool_calls": [{"name": "x"}]},
    },
)
"""LangChain has to make these as they are made here. One that strips texts, fills in another field or reads
the metadata makes all messages itself."""

_set = object.__setattr__
_TEXTS = ("content", "name", "id")


@frozen
class Shape:
    """The plain messages of one class.

    Attributes:
        made_by: the class.
        kind: its type.
        empty: the fields of an empty message, in the order of LangChain's own dump.
        fields: their names.
        rest: the values of those behind the first six; a message with other ones is not plain.
        rest_types: their types.
    """

    made_by: type[BaseMessage]
    kind: str
    empty: dict[str, Any]
    fields: tuple[str, ...]
    rest: list[Any]
    rest_types: list[type]

    @classmethod
    def of(cls, made_by: type[BaseMessage]) -> "Shape":
        """The shape of a class, as LangChain makes an empty message of it."""
        empty = dict(vars(made_by(content="")))
        rest = list(empty.values())[6:]
        return cls(made_by, empty["type"], empty, tuple(empty), rest, list(map(type, rest)))

    def fits(self, data: dict[str, Any]) -> bool:
        """Whether these are the fields of a plain message, but for what is in its metadata.

        By types alone, and by the equality of those: nothing of a foreign object is called.
        """
        if tuple(data) != self.fields:
            return False
        content, kwargs, metadata, kind, name, message_id, *rest = data.values()
        return (
            type(content) is str
            and type(kwargs) is dict
            and type(metadata) is dict
            and type(kind) is str
            and kind == self.kind
            and (name is None or type(name) is str)
            and (message_id is None or type(message_id) is str)
            and list(map(type, rest)) == self.rest_types
            and rest == self.rest
            # LangChain would parse tool calls that are in there.
            and (not kwargs or (is_exact(kwargs) and "tool_calls" not in kwargs))
        )

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
            return all(map(self._is_made_so, PROBES))
        except Exception:  # whatever is different: then LangChain makes them
            return False

    def _is_made_so(self, probe: dict[str, Any]) -> bool:
        data = {**self.empty, **probe}
        return self.fits(data) and exactly(self.make(dict(data))) == exactly(self.made_by(**data))


def exactly(message: BaseMessage) -> str:
    """All that a message is. A repr keeps the order, and tells 1 from True and 0.0 from -0.0."""
    fields_set = sorted(message.__pydantic_fields_set__)
    extra, private = message.__pydantic_extra__, message.__pydantic_private__
    return repr((type(message), vars(message), fields_set, extra, private, message.model_dump()))


_CLASSES: tuple[type[BaseMessage], ...] = (HumanMessage, AIMessage, SystemMessage)
_SHAPES = [shape for shape in map(Shape.of, _CLASSES) if shape.holds()]
_BY_TYPE = {shape.kind: shape for shape in _SHAPES}
_BY_CLASS = {shape.made_by: shape for shape in _SHAPES}


def made_plain(message: Message) -> BaseMessage | None:
    """LangChain's message, if it is a plain one; None for all others. It takes over `message.data`.

    Args:
        message: as it was read out of JSON.
    """
    shape = _BY_TYPE.get(message.type)
    return shape.make(message.data) if shape is not None and shape.fits(message.data) else None


def stored_plain(message: BaseMessage) -> Message | None:
    """What is stored of a plain message, and is known to read back equal; None for all others."""
    shape = _BY_CLASS.get(type(message))
    if shape is None or message.__pydantic_extra__:
        return None
    # A copy: what is checked is what is written, whatever another thread does to the message meanwhile.
    data = dict(vars(message))
    if not shape.fits(data) or not is_exact(list(data.values())):
        return None
    if data["additional_kwargs"] or data["response_metadata"]:
        dumped = message.model_dump()
        return Message(shape.kind, dumped) if dumped == data and is_exact(dumped) else None
    return Message(shape.kind, shape.empty | {name: data[name] for name in _TEXTS})
