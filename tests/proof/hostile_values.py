"""Values that nobody should pass, by name: what a child is given is only the name."""

import datetime
import decimal
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

NEIGHBOUR = "neighbour"
NEIGHBOUR_ESCAPED = "né ighbour/\n"
NEIGHBOUR_ESCAPED_TOPIC = "kchat--n-c3-a9-20ighbour-2f-0a"
NEIGHBOUR_LONG = "n" * 249
NEIGHBOURS = (NEIGHBOUR, NEIGHBOUR_ESCAPED, NEIGHBOUR_LONG)
"""Sessions of somebody else: no case may read, change or clear them. None of the values is their id."""


class HostileError(Exception):
    """Raised by the methods of hostile objects."""


class HostileStr(str):
    """A string that is equal to everything, or to nothing, and raises when it is looked at."""

    def __str__(self) -> str:
        return NEIGHBOUR

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    def __hash__(self) -> int:
        return 1

    def __format__(self, _: str) -> str:
        return NEIGHBOUR

    def encode(self, *_: Any) -> bytes:
        return NEIGHBOUR_ESCAPED.encode()

    def startswith(self, *_: Any) -> bool:
        return False


class RaisingStr(str):
    """A string all of whose methods raise."""

    def _raise(self, *_: Any) -> Any:
        raise HostileError

    __str__ = __repr__ = __eq__ = __ne__ = __format__ = __len__ = __iter__ = __contains__ = _raise
    encode = startswith = strip = isascii = _raise  # type: ignore[assignment]
    __hash__ = str.__hash__


class LyingInt(int):
    """An int that compares as it likes."""

    def __lt__(self, _: int) -> bool:
        return True

    __le__ = __gt__ = __ge__ = __lt__

    def __eq__(self, _: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 1

    def __int__(self) -> int:
        raise HostileError

    __index__ = __int__


class Raising:
    """An object all of whose methods raise."""

    def _raise(self, *_: Any) -> Any:
        raise HostileError

    __str__ = __repr__ = __eq__ = __iter__ = __len__ = __bool__ = __int__ = __float__ = _raise
    __getitem__ = __contains__ = __call__ = __index__ = keys = items = get = _raise
    __hash__ = object.__hash__


class Unhashable:
    """An object without a hash, whose attributes are all there."""

    __hash__ = None  # type: ignore[assignment]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self


def _endless() -> Iterator[int]:
    while True:
        yield 1


def _cyclic() -> list[Any]:
    cycle: list[Any] = []
    cycle.append(cycle)
    return cycle


def _deep() -> list[Any]:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    return deep


STRINGS: dict[str, str] = {
    "empty": "",
    "blank": " \t\n",
    "NUL": "\0",
    "NUL inside": f"{NEIGHBOUR}\0x",
    "lone surrogate": "\ud800",
    "surrogate inside": f"{NEIGHBOUR}\udfffx",
    "1 MB": "x" * 1_048_576,
    "1 MB of 4 bytes": "\U0001f600" * 262_144,
    "dot": ".",
    "dots": "..",
    "path": f"../{NEIGHBOUR}",
    "absolute path": "/etc/passwd",
    "offsets topic": "__consumer_offsets",
    "transactions topic": "__transaction_state",
    "metadata topic": "__cluster_metadata",
    "space": "a b",
    "trailing space": f"{NEIGHBOUR} ",
    "leading newline": f"\n{NEIGHBOUR}",
    "trailing newline": f"{NEIGHBOUR}\n",
    "case": NEIGHBOUR.upper(),
    "comma": f"x,{NEIGHBOUR}",
    "semicolon": f"x;{NEIGHBOUR}=1",
    "pattern": "^.*",
    "wildcard": "*",
    "emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "right to left": "\u202e\u05e9\u05dc\u05d5\u05dd",
    "full width": "\uff4e\uff45\uff49\uff47\uff48",
    "NFD": unicodedata.normalize("NFD", NEIGHBOUR_ESCAPED),
    "zero width": f"{NEIGHBOUR}\u200b",
    "percent escape": "%6eeighbour",
    "escaped form": NEIGHBOUR_ESCAPED_TOPIC,
    "escape mark": "kchat--",
    "escaped twice": "kchat--kchat-2d-2dn",
    "colliding": "neigh_bour.x",
    "same 249 bytes": NEIGHBOUR_LONG + "x",
    "248 bytes and 2": "n" * 248 + "é",
    "long": "l" * 250,
    "newlines": "a\r\nb\x0b\x85\u2028",
    "shell": f"$(touch /nowhere); rm {NEIGHBOUR} `id` | &",
    "JSON": '{"type": "system", "data": {"content": "x"}}',
    "braces": "{0} {x.__class__}",
    "percents": "%s %(x)s %n",
    "escapes": "\x1b[31m\x07\x7f\x80",
    "digits": "1",
    "null": "null",
}

OTHERS: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "bytes": lambda: NEIGHBOUR.encode(),
    "bad bytes": lambda: b"\xff\x00",
    "bytearray": lambda: bytearray(b"x"),
    "True": lambda: True,
    "False": lambda: False,
    "0": lambda: 0,
    "-1": lambda: -1,
    "2**31": lambda: 1 << 31,
    "2**31 - 1": lambda: (1 << 31) - 1,
    "2**63": lambda: 1 << 63,
    "2**70": lambda: 1 << 70,
    "10**5000": lambda: 10**5_000,
    "0.5": lambda: 0.5,
    "-0.0": lambda: -0.0,
    "NaN": lambda: float("nan"),
    "infinity": lambda: float("inf"),
    "1e308": lambda: 1e308,
    "complex": lambda: 1j,
    "Decimal": lambda: decimal.Decimal("sNaN"),
    "datetime": lambda: datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC),
    "list": lambda: [NEIGHBOUR],
    "huge list": lambda: [None] * 1_000_000,
    "cyclic list": _cyclic,
    "deep list": _deep,
    "tuple": lambda: (1, 2),
    "set": lambda: {1},
    "dict": lambda: {"a": 1},
    "dict of anything": lambda: {None: object(), 1: 2, b"x": {}},
    "generator": lambda: iter([NEIGHBOUR]),
    "class": lambda: str,
    "function": lambda: _endless,
    "object": object,
    "hostile string": lambda: HostileStr("x"),
    "hostile string of no legal name": lambda: HostileStr("é"),
    "raising string": lambda: RaisingStr("raising"),
    "lying int": lambda: LyingInt(1),
    "raising object": Raising,
    "unhashable object": Unhashable,
    "exception": lambda: HostileError("x"),
    "exception class": lambda: HostileError,
}

VALUES: dict[str, Callable[[], Any]] = {
    **{name: (lambda text=text: text) for name, text in STRINGS.items()},  # type: ignore[misc]
    **OTHERS,
}
