"""Names of sessions for the completion of a shell: those on the cluster, or none, quickly and silently."""

import os

import click
from click.shell_completion import CompletionItem

from kchat.cli.connection import named_connection
from kchat.conversation.escaping import printable
from kchat.core import KchatError, session_id_of

ANSWER_SECONDS_MAX = 1.0
"""Whoever presses Tab waits for this at most."""

NAMES_MAX = 200
"""More than this nobody reads."""


def complete_session(context: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
    """The sessions that begin so. A name that a terminal cannot show is not offered."""
    given = context.params
    try:
        connection = named_connection(
            given.get("bootstrap"), given.get("properties") or {}, given.get("config_file"), os.environ
        )
        with connection.survey() as survey:
            named = map(session_id_of, survey.topics(ANSWER_SECONDS_MAX))
    except (KchatError, click.ClickException):
        return []  # an error has no place in a line that is being typed
    found = sorted(name for name in named if name is not None and name.startswith(begun))
    return [CompletionItem(name) for name in found[:NAMES_MAX] if printable(name) == name]
