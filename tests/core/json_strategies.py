"""JSON values of every kind that a message may hold, and values that it may not."""

from typing import Any

from hypothesis import strategies as st

from kchat.core import MESSAGE_TYPES, Message

HIGH, LOW = "\ud83d", "\ude00"
"""Halves of one character: each alone is kept by JSON, side by side they are read back as one."""

odd_text = st.text(st.characters() | st.sampled_from([HIGH, LOW]), max_size=12)
any_text = odd_text.filter(
    lambda text: text == text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
)
"""With lone surrogates, NUL and everything else that a str can hold, but for halves side by side."""

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([2**53 + 1, 2**63, 2**70, -(2**70), 10**4299]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([-0.0, 5e-324, 1.7976931348623157e308]),
    any_text,
)
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(any_text, inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(any_text, values, max_size=5)
messages = st.builds(Message, st.sampled_from(sorted(MESSAGE_TYPES)), objects)

unstorable_scalars: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from([float("nan"), float("inf"), float("-inf"), 10**4300, -(10**4300), 1j, object()]),
    st.binary(),
    st.tuples(scalars),
    st.frozensets(st.integers()),
    st.datetimes(),
    st.decimals(),
)


def exactly(value: Any) -> Any:
    """A form in which 0.0 and -0.0, 1 and 1.0 and True differ: Python's == calls them equal."""
    match value:
        case dict():
            return {key: exactly(child) for key, child in value.items()}, list(value)
        case list():
            return [exactly(child) for child in value]
        case float():
            return "float", value.hex()
        case _:
            return type(value).__name__, value
