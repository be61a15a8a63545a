"""Messages out of any LangChain history class, which the user names as `module:Class`.

The module is imported and the class is called: that is the user's own code, run with the user's rights. What
the arguments hold is in no error.
"""

import importlib
import inspect
import sys
from pathlib import Path
from typing import Any

from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.messages import BaseMessage

from kchat.cli.errors import CommandError, SettingError
from kchat.cli.formats.entries import Source
from kchat.cli.formats.langchain_messages import sourced
from kchat.cli.history_arguments import Arguments

DEBUG_SHOWS = "--debug shows where"
ARGUMENTS = "give it its arguments by --arg NAME=VALUE"


def messages_of(named: str, arguments: Arguments) -> list[Source]:
    """The messages of the history that `named(**arguments)` makes.

    Raises:
        SettingError: there is no such class, or it does not take these arguments.
        CommandError: it could not give its messages.
    """
    messages = _messages(named, _made(named, arguments))
    return [sourced(f"message {number}", message) for number, message in enumerate(messages, start=1)]


def _messages(named: str, history: BaseChatMessageHistory) -> list[BaseMessage]:
    try:
        return list(history.messages)
    except Exception as error:
        told = f"{named} could not give its messages ({type(error).__name__})"
        raise CommandError(told, f"see that what it reads from can be reached; {DEBUG_SHOWS}") from error


def _made(named: str, arguments: Arguments) -> BaseChatMessageHistory:
    kind = _loaded(named)
    fault = _arguments_fault(kind, arguments)
    if fault is not None:
        raise SettingError(f"{named} cannot be made with these arguments: {fault}", ARGUMENTS)
    try:
        history = kind(**arguments.values)
    except Exception as error:
        told = f"{named} could not be made ({type(error).__name__})"
        raise SettingError(told, f"{ARGUMENTS}; {DEBUG_SHOWS}") from error
    if not isinstance(history, BaseChatMessageHistory):
        raise SettingError(f"{named} makes no LangChain chat message history", "name a class that is one")
    return history


def _loaded(named: str) -> Any:
    module, _, name = named.partition(":")
    if not (module and name.isidentifier()):
        raise SettingError(
            "--from-history takes MODULE:CLASS", "name the module, a colon, and the class in it"
        )
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)  # behind all that is installed: a file here cannot take another's place
    try:
        loaded = importlib.import_module(module)
        # langchain_community imports a class when it is asked for.
        found = getattr(loaded, name, None)
    except Exception as error:
        missing = isinstance(error, ModuleNotFoundError) and error.name
        said = f": {error}" if isinstance(error, ImportError) and str(error) else f" ({type(error).__name__})"
        reason = f": there is no module {missing}" if missing else said
        raise SettingError(
            f"{named} cannot be imported{reason}",
            "install its package, and what that needs, beside kchat, or run kchat where the module is;"
            f" {DEBUG_SHOWS}",
        ) from error
    if not callable(found):
        told = f"the module {module} has no class {name}"
        raise SettingError(told, "name a class of it, or a function that makes a history")
    return found


def _arguments_fault(kind: Any, arguments: Arguments) -> str | None:
    """What is wrong with the names of the arguments, as far as that can be seen before the call."""
    try:
        inspect.signature(kind).bind(**arguments.values)
    except TypeError as error:
        return str(error)  # it has names alone
    except ValueError:
        return None  # of a class in C nobody knows what it takes
    return None
