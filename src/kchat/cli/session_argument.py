"""The argument SESSION of the commands."""

import click

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


session_argument = click.argument("session", metavar="SESSION", callback=checked_session)
