"""Which values JSON gives back as they were, and which it would change in silence."""

import math
import re
from typing import Any

from attrs import frozen

from kchat.core.wire import DEPTH_MAX, INT_DIGITS_MAX

_JOINED = re.compile("[\ud800-\udbff][\udc00-\udfff]")
"""Two surrogates side by side: JSON reads their escapes as one character."""

_JOINED_REASON = "two surrogates side by side; JSON would join them into one character"

_INT_TOO_LONG: int = 10**INT_DIGITS_MAX


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
    # An explicit stack: the depth of a hostile value must not be the depth of this function.
    waiting: list[tuple[object, str, int]] = [(value, path, 0)]
    while waiting:
        item, where, depth = waiting.pop()
        if item is None or isinstance(item, bool):
            continue
        if isinstance(item, dict | list) and depth > DEPTH_MAX:
            return Unstorable(where, f"nested deeper than {DEPTH_MAX}")
        if isinstance(item, dict):
            for key in item:
                if not isinstance(key, str):
                    return Unstorable(where, f"a key of type {type(key).__name__}; JSON keys are strings")
                if _is_joined(key):
                    return Unstorable(where, "a key with " + _JOINED_REASON)
            waiting += [(child, f"{where}.{key}", depth + 1) for key, child in reversed(item.items())]
        elif isinstance(item, list):
            waiting += [(child, f"{where}[{i}]", depth + 1) for i, child in reversed(list(enumerate(item)))]
        else:
            reason = _scalar_fault(item)
            if reason:
                return Unstorable(where, reason)
    return None


def _is_joined(text: str) -> bool:
    # isascii() is a flag of the string: almost all texts are not looked through.
    return not text.isascii() and _JOINED.search(text) is not None


def _scalar_fault(item: Any) -> str | None:
    if isinstance(item, str):
        return "a text with " + _JOINED_REASON if _is_joined(item) else None
    if isinstance(item, int):
        return "an int of more than 4,300 digits" if abs(item) >= _INT_TOO_LONG else None
    if isinstance(item, float):
        return None if math.isfinite(item) else "NaN or infinity; JSON has no such numbers"
    return f"a value of type {type(item).__name__}; JSON would change or lose it"
