"""The group of all commands. A new command: a file with a click command, and its line here."""

import click

from kchat.cli.demo import demo
from kchat.cli.errors import CommandGroup
from kchat.cli.options import debug_option

EPILOG = """\b
Exit codes:
  0    done; verify and doctor found nothing
  1    it could not be done, and one sentence on stderr says why; verify or
       doctor found something; the reader of the pipe has gone
  2    wrong usage: an option, an argument or a property of the connection
  130  Ctrl-C

Data go to stdout, everything else to stderr. The connection is given by -b, -X and --config, or by
KCHAT_BOOTSTRAP, KCHAT_CONFIG and KCHAT_KAFKA__... (KCHAT_KAFKA__SASL__PASSWORD is sasl.password); -X goes
before the environment, and that before the file. docs/command.md says all.
"""


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"]}, epilog=EPILOG)
@click.version_option(package_name="kchat")
@debug_option
def kchat() -> None:
    """Chat conversations kept in Apache Kafka, in order, without losing one."""


kchat.add_command(demo)
