"""Messages out of any LangChain history class, which the user names as `module:Class`.

The module is imported and the class is called: that is the user's own code, run with the user's rights. What
the arguments hold is in no error.
"""

import importlib
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
    try:
        history = kind(**arguments.values)
    except Exception as error:
        told = f"{named} could not be made ({type(error).__name__})"
        raise SettingError(told, f"give it its arguments by --arg; {DEBUG_SHOWS}") from error
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
        return getattr(importlib.import_module(module), name)
    except Exception as error:
        told = f"{named} cannot be imported ({type(error).__name__})"
        raise SettingError(
            told, f"install its package beside kchat, or run kchat where the module is; {DEBUG_SHOWS}"
        ) from error
