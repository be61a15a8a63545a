"""Why LangChain has no class for a message: in words, and without what the message says.

LangChain's and pydantic's own texts quote the value that they refuse; their classes' names tell nobody what.
"""

from collections.abc import Callable, Iterable

from attrs import evolve
from langchain_core.messages import BaseMessage
from pydantic import ValidationError

from kchat.core import DECODE_ERRORS, Message, decoding_fault


def fields_of(classes: Iterable[type[BaseMessage]]) -> frozenset[str]:
    """The names of all fields that these classes have."""
    return frozenset(name for made in classes for name in made.model_fields)


def langchain_fault(
    message: Message, error: Exception, make: Callable[[Message], object], known: frozenset[str]
) -> str:
    """What LangChain does not take of a message.

    Args:
        message: what was to be made a message of LangChain's.
        error: what that raised.
        make: makes it. Where the error names no field, it is tried without each of them.
        known: names of fields that may be told: any other may be content.
    """
    match error:
        case RecursionError():
            return decoding_fault(error)
        case ValidationError():
            # A path begins with a field and goes on with keys of its value, which are content.
            paths = [detail["loc"] for detail in error.errors(include_url=False, include_input=False)]
            blamed = {str(path[0]) for path in paths if path}
        case KeyError(args=(str(name),)) if name in known:
            blamed = {name}
        case _:
            blamed = {name for name in known & message.data.keys() if _can_do_without(name, message, make)}
    return _told(sorted(blamed & known), message)


def _can_do_without(name: str, message: Message, make: Callable[[Message], object]) -> bool:
    data = {other: value for other, value in message.data.items() if other != name}
    try:
        make(evolve(message, data=data))
    except DECODE_ERRORS:
        return False
    return True


def _told(blamed: list[str], message: Message) -> str:
    missing = [name for name in blamed if name not in message.data]
    names = missing or blamed
    if not names:
        return "LangChain does not take its fields as they are"
    fields = f"the field{'s' * (len(names) > 1)} {', '.join(names)}"
    if missing:
        return f"{fields} {'are' if len(names) > 1 else 'is'} missing"
    return f"LangChain does not take {fields}"
