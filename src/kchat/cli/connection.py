"""Where the cluster is and how to log in, as every command takes it: by options, the environment, a file."""

import os
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click
from attrs import field, frozen

from kchat.cli.client_log import show_client_log
from kchat.cli.environment import environment_properties
from kchat.cli.errors import SettingError
from kchat.cli.java_names import UntranslatableError, translated
from kchat.cli.options import (
    ALIASES,
    BOOTSTRAP_VARIABLE,
    BROKERS,
    PROPERTIES_KEY,
    SERVERS,
    are_brokers,
    bootstrap_option,
    config_option,
    properties_option,
)
from kchat.cli.properties_file import NoPropertyError, parsed
from kchat.io import REFUSED, KafkaLog
from kchat.io.survey import Survey

C = TypeVar("C", bound=Callable[..., Any])

FILE_CHARACTERS_MAX = 1_000_000
"""A file of properties is smaller than this by far."""


@frozen
class Connection:
    """A cluster and how to log in, not connected yet. `servers` is None where nobody named a cluster."""

    servers: str | None
    properties: Mapping[str, str] = field(repr=False)

    def log(self) -> KafkaLog:
        """A log on this cluster, for `with`: it connects at its first use.

        Raises:
            SettingError: no cluster is named.
            InvalidConfig: a property is refused.
        """
        return KafkaLog(self.with_servers)

    def survey(self, **more: Any) -> Survey:
        """Questions about this cluster, for `with`; `more` are properties too. Raises as `log` does."""
        return Survey({**self.with_servers, **more})

    @property
    def with_servers(self) -> dict[str, str]:
        """The properties of a client, the servers among them. Raises as `named_servers` does."""
        return {**self.properties, SERVERS: self.named_servers}

    @property
    def named_servers(self) -> str:
        """The bootstrap servers.

        Raises:
            SettingError: no cluster is named, or what can be none.
        """
        if self.servers is None:
            raise SettingError(
                "no cluster is named",
                f"give --bootstrap HOST:PORT, set {BOOTSTRAP_VARIABLE}, or name a file with bootstrap.servers"
                " by --config",
            )
        if not are_brokers(self.servers):  # of the environment or the file; the option is judged as such
            raise SettingError(f"{SERVERS} names what can be no broker", BROKERS)
        return self.servers


def connection_options(command: C) -> C:
    """--bootstrap, -X and --config, which the command gets as one `connection`.

    -X goes before KCHAT_KAFKA__..., and that before the file.
    """

    @bootstrap_option
    @properties_option
    @config_option
    @click.pass_context
    @wraps(command)
    def connected(context: click.Context, /, *_: Any, **given: Any) -> Any:
        bootstrap, properties, config_file = (
            given.pop(name) for name in ("bootstrap", "properties", "config_file")
        )
        connection = named_connection(bootstrap, properties, config_file, os.environ)
        context.meta[PROPERTIES_KEY] = connection.properties  # their values are in no error and no traceback
        show_client_log(context, connection.properties)
        return context.invoke(command, connection=connection, **given)

    return connected  # type: ignore[return-value]  # click's decorators give what they get


def named_connection(
    bootstrap: str | None, given: Mapping[str, str], config_file: str | None, environment: Mapping[str, str]
) -> Connection:
    """The connection that options, the environment and a file name together.

    Raises:
        SettingError: the file cannot be read, or a property of Java's cannot be translated.
    """
    from_file = {} if config_file is None else _file_properties(config_file)
    properties = {**from_file, **_canonical(environment_properties(environment)), **given}
    servers = properties.pop(SERVERS, None)
    return Connection(servers if bootstrap is None else bootstrap, properties)


def _file_properties(path: str) -> dict[str, str]:
    """A file's properties by librdkafka's names, without those that other programs need and kchat refuses."""
    try:
        with Path(path).open(encoding="utf-8") as file:
            text = file.read(FILE_CHARACTERS_MAX + 1)
        if len(text) > FILE_CHARACTERS_MAX:
            told = f"{path} has more than {FILE_CHARACTERS_MAX:,} characters"
            raise SettingError(told, "name a file of properties by --config")
        properties = translated(parsed(text))
    except (NoPropertyError, UntranslatableError) as error:
        next_step = (
            error.next_step if isinstance(error, UntranslatableError) else "give it a name, or comment it out"
        )
        raise SettingError(f"{path}: {error}", next_step) from None
    except OSError as error:
        raise SettingError(
            f"{path} cannot be read: {error.strerror}", "name another file by --config"
        ) from None
    except UnicodeDecodeError:
        raise SettingError(f"{path} is no text in UTF-8", "name a file of properties by --config") from None
    return {name: value for name, value in _canonical(properties).items() if name not in REFUSED}


def _canonical(properties: Mapping[str, str]) -> dict[str, str]:
    return {ALIASES.get(name, name): value for name, value in properties.items()}
