"""The secured broker, one for all tests here, and the two faces of a history."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kchat.langchain import KafkaChatMessageHistory
from tests.brokers import Missing, choose_jars_here
from tests.brokers.installation import installed
from tests.brokers.secured import SecuredKafka, open_secured

Call = Callable[..., Any]


@pytest.fixture(scope="session")
def secured_kafka() -> Iterator[SecuredKafka]:
    choice = choose_jars_here()
    if isinstance(choice, Missing):
        pytest.skip(str(choice))
    with open_secured(installed(choice.java)) as cluster:
        yield cluster


@pytest.fixture(params=["sync", "async"])
def call(request: pytest.FixtureRequest) -> Call:
    """Calls a member of a history by its name: itself, or its async twin."""
    return _call if request.param == "sync" else _acall


def _call(history: KafkaChatMessageHistory, member: str, *args: Any, **named: Any) -> Any:
    found = getattr(history, member)
    return found if member == "messages" else found(*args, **named)


def _acall(history: KafkaChatMessageHistory, member: str, *args: Any, **named: Any) -> Any:
    twin = "aget_messages" if member == "messages" else "a" + member
    return asyncio.run(getattr(history, twin)(*args, **named))
