"""The Kafka client's own log on stderr, where the property `debug` asks for it, as with kcat."""

import logging
from collections.abc import Mapping
from contextlib import suppress

import click

from kchat.cli.secrets import is_secret
from kchat.conversation.escaping import printable

LOGGER = logging.getLogger("kchat")
"""To which the library sends what the client says of itself. Nobody hears it without a handler."""

DEBUG = "debug"


class _OnStderr(logging.Handler):
    """One line for each entry. It may quote a broker: nothing of it controls a terminal."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        super().__init__()
        self._secrets = secrets

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        for secret in self._secrets:
            text = text.replace(secret, "...")
        with suppress(OSError, ValueError):  # of a stderr that is closed: the command goes on
            click.echo(printable(text), err=True)


def show_client_log(context: click.Context, properties: Mapping[str, str]) -> None:
    """Show the log until the command ends, if these properties ask for one."""
    if not properties.get(DEBUG):
        return
    secrets = tuple(value for name, value in properties.items() if value and is_secret(name))
    handler, level = _OnStderr(secrets), LOGGER.level

    def silence() -> None:
        LOGGER.removeHandler(handler)
        LOGGER.setLevel(level)

    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.DEBUG)
    context.call_on_close(silence)
