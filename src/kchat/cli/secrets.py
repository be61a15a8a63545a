"""Values that must not be in the arguments of a command, where every user of the machine can read them."""

import re
from pathlib import Path

import click

FROM_ELSEWHERE = "@"
"""Begins the value of a secret property that is in a file: `@FILE`; alone it is asked for."""

_SECRET = re.compile(r"password|secret|token(?!\.endpoint)|\.pem$|oauthbearer\.config|jaas")
"""Names of properties whose values let somebody in."""


def is_secret(name: str) -> bool:
    """Whether the value of this property lets whoever knows it in."""
    return _SECRET.search(name) is not None


def secret_value(name: str, given: str) -> str:
    """The value of a secret property as `-X` gives it: `@FILE`, `@` to be asked for it, or itself.

    A value that stands in the arguments is used, with a warning: it cannot be taken back any more.

    Raises:
        click.BadParameter: the file cannot be read; its name is told, and nothing of what is in it.
    """
    if given == FROM_ELSEWHERE:
        asked: str = click.prompt(name, hide_input=True, err=True)
        return asked
    if given.startswith(FROM_ELSEWHERE):
        return _content(name, Path(given.removeprefix(FROM_ELSEWHERE)))
    click.echo(
        f"kchat: warning: everybody on this machine can see the value of -X {name} in the list of"
        f" processes; give it as -X {name}=@FILE, as -X {name}=@ to be asked for it, in a --config file or"
        " in the environment",
        err=True,
    )
    return given


def _content(name: str, path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise click.BadParameter(f"the file of {name} cannot be read: {reason}") from None
    # A PEM has many lines; a password has one, and editors end it with a line break.
    return text.rstrip("\r\n")
