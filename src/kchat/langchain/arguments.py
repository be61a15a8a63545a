"""Arguments of the seed's API in the core's units. What makes no sense is a ValueError that names it."""

from collections.abc import Collection, Mapping
from typing import Any, Literal

from kchat.conversation import arguments
from kchat.conversation.arguments import whole
from kchat.core import MESSAGE_TYPES, InvalidConfig, OnCorrupt, Sealed
from kchat.core.checks import shown

OR_NONE = ", or None for no limit"


def count(value: int | None, name: str) -> int | None:
    """A number of messages; None for no limit."""
    return None if value is None else whole(value, name, or_else=OR_NONE)


def milliseconds(seconds: Any, name: str, *, or_none: str = OR_NONE) -> int | None:
    """A time limit in whole milliseconds, rounded up; None for no limit."""
    return None if seconds is None else arguments.milliseconds(seconds, name, or_else=or_none)


def policy(value: str) -> OnCorrupt:
    """What to do at a record that cannot be decoded."""
    try:
        return OnCorrupt(value)
    except ValueError:
        raise ValueError(f'on_corrupt must be "raise" or "skip", not {shown(value)}') from None


def message_types(value: object) -> frozenset[str]:
    """The types of messages that are allowed; None for all that there are."""
    if value is None:
        return MESSAGE_TYPES
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Collection):
        raise ValueError(
            'allowed_types must be a collection of message types, {"human", "ai"} say, or None for all;'
            f" not {type(value).__name__}"
        )
    if not value:
        raise ValueError("allowed_types is empty: no message could be added or read")
    unknown = sorted(shown(name) for name in value if not isinstance(name, str) or name not in MESSAGE_TYPES)
    if unknown:
        raise ValueError(
            f"allowed_types names {', '.join(unknown)}; the types are {', '.join(sorted(MESSAGE_TYPES))}"
        )
    return frozenset(value)


def properties(servers: object, config: Sealed[Mapping[str, Any] | None]) -> dict[str, Any]:
    """The client's properties, `bootstrap.servers` among them."""
    if not isinstance(config.content, Mapping | None):
        raise InvalidConfig(
            f"config is a mapping of librdkafka's properties, not {type(config.content).__name__}"
        )
    if not isinstance(servers, str):
        raise InvalidConfig(
            f"bootstrap_servers is a string, not {type(servers).__name__}",
            next_step='give it as "host:port,host:port"',
        )
    if (config.content or {}).get("bootstrap.servers", servers) != servers:
        raise InvalidConfig(
            "config names other servers than bootstrap_servers",
            next_step="name them once, in bootstrap_servers",
        )
    return {**(config.content or {}), "bootstrap.servers": servers}


CorruptPolicy = Literal["raise", "skip"]
