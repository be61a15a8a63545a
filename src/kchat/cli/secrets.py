"""Values that must not be in the arguments of a command, where every user of the machine can read them."""

import re
import warnings
from getpass import GetPassWarning
from pathlib import Path

import click

FROM_ELSEWHERE = "@"
"""Begins the value of a secret property that is in a file: `@FILE`; alone it is asked for."""

_SECRET = re.compile(
    r"pass(word|wd|phrase)|secret|token(?!\.endpoint)|private[._]key(?!\.file)|api[._]?key|\.pem$"
    r"|oauthbearer\.config|jaas"
)
"""Names of properties, and of arguments of history classes, whose values let somebody in."""

_LOGIN_IN_URL = re.compile(r"://[^/@\s]*:[^/@\s]+@")


def is_secret(name: str) -> bool:
    """Whether the value of this property lets whoever knows it in."""
    return _SECRET.search(name.lower()) is not None


def has_login(text: str) -> bool:
    """Whether this looks like a URL with a password in it."""
    return _LOGIN_IN_URL.search(text) is not None


def value_from_elsewhere(name: str, given: str, *, may_ask: bool = True) -> str | None:
    """The value where `@FILE` is given, or `@` to be asked for it; None where the value itself is given.

    Raises:
        click.BadParameter: the file cannot be read, of which nothing is told but the reason; or nobody may be
            asked: a line is being completed, or there is no terminal.
    """
    if given == FROM_ELSEWHERE:
        if not may_ask:
            raise click.BadParameter(f"nobody can be asked for {name} here")
        return _asked(name)
    if given.startswith(FROM_ELSEWHERE):
        return _content(name, Path(given.removeprefix(FROM_ELSEWHERE)))
    return None


def _asked(name: str) -> str:
    """What somebody types who sees nothing of it."""
    try:
        with warnings.catch_warnings():
            # Without a terminal Python would read the value from stdin, and warn that everybody sees it.
            warnings.simplefilter("error", GetPassWarning)
            asked: str = click.prompt(name, hide_input=True, err=True)
            return asked
    except GetPassWarning:
        told = f"nobody can be asked for {name}: there is no terminal; @FILE is read, @/dev/stdin too"
        raise click.BadParameter(told) from None


def warn_of(assigned: str, others: str = "") -> None:
    """Say that a value stands in the arguments: it is used, for it cannot be taken back any more."""
    click.echo(
        f"kchat: warning: everybody on this machine can see the value of {assigned} in the list of"
        f" processes; give it as {assigned}=@FILE, {'' if others else 'or '}as {assigned}=@ to be asked for"
        f" it{others}",
        err=True,
    )


def _content(name: str, path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise click.BadParameter(f"the file of {name} cannot be read: {reason}") from None
    # A PEM has many lines; a password has one, and editors end it with a line break.
    return text.rstrip("\r\n")
