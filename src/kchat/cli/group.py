"""The group of all commands. A new command: a file with a click command, and its line here."""

import click

from kchat.cli.demo import demo
from kchat.cli.errors import CommandGroup
from kchat.cli.options import debug_option


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="kchat")
@debug_option
def kchat() -> None:
    """Chat conversations kept in Apache Kafka, in order, without losing one."""


kchat.add_command(demo)
