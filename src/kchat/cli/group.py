"""The group of all commands. A new command: a file with a click command, and its line here."""

import importlib
from keyword import iskeyword
from typing import cast

import click

from kchat.cli.errors import CommandGroup
from kchat.cli.options import debug_option

COMMANDS = ("demo", "doctor", "export", "import", "ls", "rm", "say", "show", "tail", "verify")
"""Each is `kchat.cli.NAME`, an attribute of a module of the same name; what Python cannot name has a `_`."""

EPILOG = """\b
Exit codes:
  0    done; verify and doctor found nothing
  1    it could not be done, and one sentence on stderr says why; verify or
       doctor found something; export or import could not carry a whole
       message; the reader of the pipe has gone
  2    wrong usage: an option, an argument or a property of the connection
  130  Ctrl-C

Data go to stdout, everything else to stderr. The connection is given by -b, -X and --config, or by
KCHAT_BOOTSTRAP, KCHAT_CONFIG and KCHAT_KAFKA__... (KCHAT_KAFKA__SASL__PASSWORD is sasl.password); -X goes
before the environment, and that before the file. docs/command.md says all.
"""


class LazyGroup(CommandGroup):
    """Imports a command when it is used: one that needs no LangChain does not wait for it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        return sorted({*super().list_commands(ctx), *COMMANDS})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name."""
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        name = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        module = importlib.import_module(f"kchat.cli.{name}")
        return cast("click.Command", getattr(module, name))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]}, epilog=EPILOG)
@click.version_option(package_name="kchat")
@debug_option
def kchat() -> None:
    """Chat conversations kept in Apache Kafka, in order, without losing one."""
