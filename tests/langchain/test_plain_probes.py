"""A LangChain that makes messages otherwise makes them itself: the probes find it."""

from typing import Any

import pytest
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    ToolMessage,
)
from pydantic import Field, field_serializer

from kchat.langchain.plain import CLASSES, PROBES, Shape, shapes
from kchat.langchain.plain_parts import DETAILS
from tests.langchain.plain_strategies import empty_of


@pytest.mark.parametrize("made_by", CLASSES)
def test_every_plain_class_is_known_to_be_made_so_here(made_by: type[BaseMessage]) -> None:
    assert Shape.of(made_by).holds()
    assert made_by in shapes()
    assert empty_of(made_by)["type"] in shapes()


class Stripping(HumanMessage):
    """A LangChain that strips texts."""

    def __init__(self, content: Any = None, **more: Any) -> None:
        super().__init__(content=content.strip(), **more)


class Counting(HumanMessage):
    """A LangChain that fills in a field."""

    tokens: int = 0

    def __init__(self, content: Any = None, **more: Any) -> None:
        super().__init__(content=content, **(more | {"tokens": len(content)}))


class Filled(HumanMessage):
    """A LangChain with a private field, that each message has."""

    _seen: bool = False


class Reading(HumanMessage):
    """A LangChain that reads the metadata."""

    def __init__(self, content: Any = None, **more: Any) -> None:
        super().__init__(content=content, **more)
        self.name = self.response_metadata.get("type", self.name)


class Reordered(HumanMessage):
    """A LangChain whose fields have another order."""

    content: Any = Field(default="")
    added: int = 0

    def __init__(self, content: Any = None, **more: Any) -> None:
        super().__init__(content=content, **more)
        fields = vars(self)
        fields["content"] = fields.pop("content")


class Costing(AIMessage):
    """A LangChain that completes the counts of tokens."""

    def __init__(self, content: Any = None, **more: Any) -> None:
        super().__init__(content=content, **more)
        if self.usage_metadata is not None and "input_token_details" not in self.usage_metadata:
            self.usage_metadata["input_token_details"] = {}


class Naming(AIMessage):
    """A LangChain that has given a provider's count another type."""

    def __init__(self, content: Any = None, **more: Any) -> None:
        super().__init__(content=content, **more)
        for name, details in (self.usage_metadata or {}).items():
            if isinstance(details, dict):
                self.usage_metadata[name] = {each: float(count) for each, count in details.items()}  # type: ignore[index,literal-required]


class Indexing(AIMessage):
    """A LangChain that numbers the tool calls."""

    def __init__(self, content: Any = None, **more: Any) -> None:
        super().__init__(content=content, **more)
        self.tool_calls = [{**call, "index": 0} for call in self.tool_calls]  # type: ignore[typeddict-unknown-key]


class Reparsing(AIMessage):
    """A LangChain that parses tool calls again, even where they are parsed."""

    def __init__(self, content: Any = None, **more: Any) -> None:
        super().__init__(content=content, **more)
        if "tool_calls" in self.additional_kwargs:
            self.tool_calls = []


class Forgiving(ToolMessage):
    """A LangChain that knows no failures of tools."""

    def __init__(self, content: Any = None, **more: Any) -> None:
        super().__init__(content=content, **{**more, "status": "success"})


class Dumping(AIMessage):
    """A LangChain that writes a field otherwise than it holds it."""

    @field_serializer("usage_metadata")
    def written(self, usage: Any) -> Any:
        return usage and {"total_tokens": usage["total_tokens"], **usage}


@pytest.mark.parametrize(
    "made_by",
    [
        *(Stripping, Counting, Filled, Reading, Reordered),
        *(Costing, Naming, Indexing, Reparsing, Forgiving, Dumping),
    ],
)
def test_a_langchain_that_makes_them_otherwise_makes_them_itself(made_by: type[BaseMessage]) -> None:
    assert not Shape.of(made_by).holds()


def test_the_probes_are_plain() -> None:
    for shape in map(Shape.of, CLASSES):
        own = [probe for probe in PROBES if probe.keys() <= shape.empty.keys()]
        assert all(shape.fits({**shape.empty, **probe}) for probe in own)
    assert all(any(probe.keys() <= empty_of(made_by).keys() for made_by in CLASSES) for probe in PROBES)


@pytest.mark.parametrize("part", DETAILS)
def test_each_count_that_langchain_names_is_in_a_probe_before_one_that_it_does_not(part: str) -> None:
    probed = [probe.get("usage_metadata", {}).get(part, {}) for probe in PROBES]
    assert any(tuple(counts)[:-1] == DETAILS[part] for counts in probed)
