"""Which values JSON gives back as they were, and which it would change in silence."""

import math
import re
from collections.abc import Iterable
from typing import Any

from attrs import frozen

from kchat.core.wire import DEPTH_MAX, INT_DIGITS_MAX

_JOINED = re.compile("[\ud800-\udbff][\udc00-\udfff]")
"""Two surrogates side by side: JSON reads their escapes as one character."""

_JOINED_REASON = "two surrogates side by side; JSON would join them into one character"

_INT_TOO_LONG: int = 10**INT_DIGITS_MAX

_CONSTANTS = frozenset({bool, type(None)})
_SCALARS = frozenset({str, int, float})


@frozen
class Unstorable:
    """A value that would not read back equal: where it is, and why. The value itself is not repeated."""

    path: str
    reason: str


def find_unstorable(value: object, path: str = "") -> Unstorable | None:
    """The first value below `value` that JSON cannot keep, or None where all can be kept.

    Refused are non-string keys, NaN and infinities, ints of more than 4,300 digits, nesting deeper than 100,
    and every type that is not a JSON type: bytes, datetimes, sets, tuples, objects. Lone surrogates are kept;
    two that JSON would join into one character are refused.
    """
    # The whole check without the paths first, which cost four times as much.
    return None if is_exact(value) else _first_fault(value, path)


def is_exact(value: object) -> bool:
    """Whether JSON gives this back as it is, value by value and of the very same types.

    False for what holds an object of a subclass of str, dict or any other: `find_unstorable` takes those, for
    most read back equal. What another says of its equality is not believed here.
    """
    # An explicit stack: the depth of a hostile value must not be the depth of this function.
    waiting: list[tuple[Iterable[Any], int]] = [((value,), 0)]
    while waiting:
        items, depth = waiting.pop()
        for item in items:
            kind = type(item)
            if (kind is str and item.isascii()) or kind in _CONSTANTS:
                continue
            if kind is dict or kind is list:
                if depth > DEPTH_MAX or (kind is dict and item and not _are_exact_keys(item)):
                    return False
                if item:
                    waiting.append((item.values() if kind is dict else item, depth + 1))
            elif kind not in _SCALARS or _scalar_fault(item) is not None:
                return False
    return True


def _are_exact_keys(keys: dict[Any, Any]) -> bool:
    for key in keys:  # noqa: SIM110 - all() makes a generator for each object: half as much again
        if type(key) is not str or not (key.isascii() or not _is_joined(key)):
            return False
    return True


def _first_fault(value: object, path: str) -> Unstorable | None:
    waiting: list[tuple[object, str, int]] = [(value, path, 0)]
    while waiting:
        item, where, depth = waiting.pop()
        if item is None or isinstance(item, bool):
            continue
        if isinstance(item, dict | list) and depth > DEPTH_MAX:
            return Unstorable(where, f"nested deeper than {DEPTH_MAX}")
        if isinstance(item, dict):
            reason = _key_fault(item)
            if reason is not None:
                return Unstorable(where, reason)
            waiting += [(child, f"{where}.{key}", depth + 1) for key, child in reversed(item.items())]
        elif isinstance(item, list):
            waiting += [(child, f"{where}[{i}]", depth + 1) for i, child in reversed(list(enumerate(item)))]
        else:
            reason = _scalar_fault(item)
            if reason:
                return Unstorable(where, reason)
    return None


def _key_fault(keys: Iterable[object]) -> str | None:
    for key in keys:
        if not isinstance(key, str):
            return f"a key of type {type(key).__name__}; JSON keys are strings"
        if not key.isascii() and _is_joined(key):
            return "a key with " + _JOINED_REASON
    return None


def _is_joined(text: str) -> bool:
    # isascii() is a flag of the string, and UTF-8 has no surrogates: few texts are searched.
    if text.isascii():
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return _JOINED.search(text) is not None
    return False


def _scalar_fault(item: Any) -> str | None:
    if isinstance(item, str):
        return "a text with " + _JOINED_REASON if _is_joined(item) else None
    if isinstance(item, int):
        return "an int of more than 4,300 digits" if abs(item) >= _INT_TOO_LONG else None
    if isinstance(item, float):
        return None if math.isfinite(item) else "NaN or infinity; JSON has no such numbers"
    return f"a value of type {type(item).__name__}; JSON would change or lose it"
