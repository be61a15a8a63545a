"""A value that no type allows is refused by name: a shell's defect must not pass for "nothing to do"."""

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve, frozen

from kchat.core import (
    EnsureTopic,
    Failed,
    FromBeginning,
    JsonDecoder,
    OffsetsListed,
    Progress,
    ReadRequest,
    TopicDescribed,
    TopicSettings,
    acknowledged,
    appending,
    delivered,
    provisioned,
    provisioning,
    reading,
)


@frozen
class Foreign:
    """Of no type that the core knows. Its name must be in the refusal."""


FOREIGN: Any = Foreign()
AT: dict[str, Any] = {"session": "s", "topic": "t"}
READ = ReadRequest(topic="t", start=FromBeginning(), decoder=JsonDecoder())


def start_of_a_read() -> object:
    state: Any = reading.advance(reading.start(READ, 0), TopicDescribed(at_ms=0, partitions=(0,)))
    return reading.advance(
        evolve(state, request=evolve(READ, start=FOREIGN)), OffsetsListed(at_ms=0, watermarks=())
    )


def kind_of_provisioning() -> object:
    looking = provisioning.start(EnsureTopic(topic="t", settings=TopicSettings()), 0)
    return provisioning.advance(evolve(looking, request=FOREIGN), TopicDescribed(at_ms=0, partitions=(0,)))


CALLS: dict[str, Callable[[], object]] = {
    "read outcome": lambda: delivered(FOREIGN, **AT),
    "read failure": lambda: delivered(Failed(Progress(), FOREIGN), **AT),
    "append outcome": lambda: acknowledged(FOREIGN, **AT),
    "provision outcome": lambda: provisioned(FOREIGN, **AT),
    "reading state": lambda: reading.pending(FOREIGN),
    "appending state": lambda: appending.pending(FOREIGN),
    "provisioning state": lambda: provisioning.pending(FOREIGN),
    "start of a read": start_of_a_read,
    "kind of provisioning": kind_of_provisioning,
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_value_of_no_known_type_is_refused_by_name(call: Callable[[], object]) -> None:
    with pytest.raises(AssertionError, match=r"Foreign\(\)"):
        call()


@pytest.mark.parametrize("machine", [reading, appending, provisioning], ids=lambda m: m.__name__[11:])
def test_an_event_that_cannot_follow_names_both(machine: Any) -> None:
    with pytest.raises(AssertionError, match=r"^Foreign cannot follow Foreign$"):
        machine.advance(FOREIGN, FOREIGN)
