"""Names of sessions for the completion of a shell: those on the cluster, or none, quickly and silently."""

import os
import re

import click
from click.shell_completion import CompletionItem

from kchat.cli.connection import named_connection
from kchat.core import KchatError, session_id_of

ANSWER_SECONDS_MAX = 1.0
"""Whoever presses Tab waits for this at most."""

NAMES_MAX = 200
"""More than this nobody reads."""

HARMLESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+:/=-]*")
"""Names that mean themselves to every shell.

What is offered is put into the line as it is, without quotation marks: whoever may name a session could
otherwise have the shell of another user run a command. A name that begins with `=` is a command's to zsh,
and one that begins with `-` an option's to kchat. Letters are those of ASCII: others may look like them.
"""


def complete_session(context: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
    """The sessions that begin so, but for those whose names a shell could read as its own words."""
    given = context.params
    if given.get("properties", {}) is None:
        return []  # a password that would have to be asked for, or a file that is not there
    try:
        connection = named_connection(
            given.get("bootstrap"), given.get("properties") or {}, given.get("config_file"), os.environ
        )
        with connection.survey() as survey:
            named = map(session_id_of, survey.topics(ANSWER_SECONDS_MAX))
    except (KchatError, click.ClickException):
        return []  # an error has no place in a line that is being typed
    found = sorted(name for name in named if name is not None and name.startswith(begun))
    return [CompletionItem(name) for name in filter(HARMLESS.fullmatch, found)][:NAMES_MAX]
