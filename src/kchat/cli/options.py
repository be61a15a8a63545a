"""Options that the commands have in common."""

import re
from collections.abc import Sequence

import click

from kchat.cli.decorating import Decorator
from kchat.cli.secrets import is_secret, value_from_elsewhere, warn_of

BOOTSTRAP_VARIABLE = "KCHAT_BOOTSTRAP"
CONFIG_VARIABLE = "KCHAT_CONFIG"

DEBUG_KEY = "kchat.cli.debug"
PROPERTIES_KEY = "kchat.cli.properties"
"""Keys of `Context.meta`, which a command and the group around it share."""

PORT_MAX = 65_535

SERVER = r"(?:(?:sasl_)?(?:plaintext|ssl)://)?(?:\[[^\]\s]*\]|[^:/\s\[\]]*)(?::(\d+))?|[0-9a-f]*:[0-9a-f:]*:[\w:.%]*"
"""A broker as librdkafka takes it: the protocol may stand before it, and an IPv6 address without brackets."""

COUNT_MAX = (1 << 31) - 1
"""Messages that a read can be asked for."""

SERVERS = "bootstrap.servers"

ALIASES = {"metadata.broker.list": SERVERS, "sasl.mechanisms": "sasl.mechanism"}
"""librdkafka's second names: one property must not come from two places under two names."""


def _properties(context: click.Context, _: click.Parameter, given: Sequence[str]) -> dict[str, str]:
    """Split PROP=VALUE. No error repeats what was given: any part of it may be a secret."""
    properties: dict[str, str] = {}
    for position, assignment in enumerate(given, start=1):
        name, equals, value = assignment.partition("=")
        if not (name and equals):
            raise click.BadParameter(f"number {position} is not of the form PROP=VALUE")
        name = ALIASES.get(name, name)
        if name == SERVERS:
            raise click.BadParameter("name the brokers with --bootstrap, not with bootstrap.servers")
        properties[name] = _secret(name, value, context) if is_secret(name) else value
    context.meta[PROPERTIES_KEY] = properties
    return properties


BROKERS = f"name brokers as HOST:PORT, separated by commas; PORT is up to {PORT_MAX}"


def _servers(_: click.Context, __: click.Parameter, given: str | None) -> str | None:
    """The brokers as they are given."""
    if given is not None and not are_brokers(given):
        raise click.BadParameter(BROKERS)
    return given


def are_brokers(servers: str) -> bool:
    """Whether these can be brokers. The client would try for long what can be none."""
    named = [server for server in servers.split(",") if server.strip()]
    return bool(named) and all(map(_may_be_reached, named))


def _may_be_reached(server: str) -> bool:
    named = re.fullmatch(SERVER, server.strip(), re.IGNORECASE)
    return named is not None and (named[1] is None or 1 <= int(named[1]) <= PORT_MAX)


def _secret(name: str, given: str, context: click.Context) -> str:
    completing = context.resilient_parsing  # a line that is being typed is no place for words
    elsewhere = value_from_elsewhere(name, given, may_ask=not completing)
    if elsewhere is None and not completing:
        warn_of(f"-X {name}", ", in a --config file or in the environment")
    return given if elsewhere is None else elsewhere


def _debug(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    # Given before the command's name or after it: either is enough.
    context.meta[DEBUG_KEY] = wanted or context.meta.get(DEBUG_KEY, False)


bootstrap_option: Decorator = click.option(
    "-b",
    "--bootstrap",
    metavar="HOST:PORT",
    envvar=BOOTSTRAP_VARIABLE,
    show_envvar=True,
    callback=_servers,
    help="The cluster; several brokers separated by commas.",
)

properties_option: Decorator = click.option(
    "-X",
    "properties",
    metavar="PROP=VALUE",
    multiple=True,
    callback=_properties,
    help="A property of librdkafka, as with kcat. Repeatable; values are never shown. A password: PROP=@FILE,"
    " or PROP=@ to be asked for it.",
)

config_option: Decorator = click.option(
    "--config",
    "config_file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    envvar=CONFIG_VARIABLE,
    show_envvar=True,
    help="A file of properties: Kafka's own client.properties, or librdkafka's names.",
)

debug_option: Decorator = click.option(
    "--debug",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_debug,
    help="Show the traceback of an error.",
)

json_option: Decorator = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON on stdout, and notes on stderr."
)
