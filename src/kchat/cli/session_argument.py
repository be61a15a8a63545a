"""The argument SESSION of the commands."""

from collections.abc import Sequence

import click

from kchat.cli.completing import complete_session
from kchat.cli.decorating import Decorator
from kchat.cli.errors import CommandError
from kchat.core import InvalidSessionId, place


def checked_session(_: click.Context, __: click.Parameter, given: str) -> str:
    """A session id that has a topic.

    Raises:
        click.BadParameter: it has none.
    """
    try:
        place(given)
    except InvalidSessionId as error:
        raise click.BadParameter(str(error)) from None
    return given


def checked_sessions(
    context: click.Context, parameter: click.Parameter, given: Sequence[str]
) -> tuple[str, ...]:
    """Session ids that have topics, each once."""
    return tuple(dict.fromkeys(checked_session(context, parameter, name) for name in given))


session_argument: Decorator = click.argument(
    "session", metavar="SESSION", callback=checked_session, shell_complete=complete_session
)

sessions_argument: Decorator = click.argument(
    "sessions",
    metavar="SESSION...",
    nargs=-1,
    required=True,
    callback=checked_sessions,
    shell_complete=complete_session,
)


def missing_session(session: str) -> CommandError:
    """The error for a session that has no topic."""
    return CommandError(
        f"there is no session '{session}' on this cluster", "kchat ls shows those that are there"
    )
