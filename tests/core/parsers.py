"""The codec with each of its two JSON parsers: the standard library's, and msgspec's in front of it."""

from collections.abc import Iterator

import msgspec
import pytest

from kchat.core import fast_json

ACCELERATED = fast_json.with_fallback(msgspec.json.decode)
PARSERS = {"standard": fast_json.standard, "msgspec": ACCELERATED}


@pytest.fixture(scope="module", autouse=True, params=PARSERS)
def each_parser(request: pytest.FixtureRequest) -> Iterator[None]:
    """A module that has this name runs all its tests with either parser."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast_json, "_parse", PARSERS[request.param])
        yield
