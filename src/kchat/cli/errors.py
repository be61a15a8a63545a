"""What a user sees of an error: one sentence and the next step on stderr, and the exit code."""

import errno
import traceback
from typing import IO, Any, NoReturn

import click

from kchat.cli import EXTRA, INTERRUPTED, ROOM, missing_package
from kchat.cli.options import DEBUG_KEY, PROPERTIES_KEY
from kchat.conversation.escaping import printable
from kchat.core import InvalidConfig, KchatError

DEFECT = "this is a defect of kchat"
NEXT_STEPS_HERE = {
    "config=": "-X, the environment or the file",
    ", or allow more time": ", then try again",
    ", or let the append create it (provision=True)": "",
    ", or read without the cursor (replay=True)": "",
}
"""What the library's next steps name and the command has not, and what it has."""

DEFECT_NEXT_STEP = "run it again with --debug, and report what it shows"


class CommandError(click.ClickException):
    """An error as the user sees it; the exit code is 1."""

    def __init__(self, sentence: str, next_step: str) -> None:
        super().__init__(sentence)
        self.next_step = next_step

    def show(self, file: IO[Any] | None = None) -> None:
        """Print it on stderr. It may quote a broker or a session id: nothing of them controls a terminal."""
        click.echo(f"kchat: {printable(self.message)}", file=file, err=True)
        if self.next_step:
            click.echo(f"Next step: {printable(self.next_step)}", file=file, err=True)


class SettingError(CommandError):
    """Something is wrong with the command line that only the library knows: the exit code is click's, 2."""

    exit_code = 2


class CommandGroup(click.Group):
    """Turns what commands raise into sentences and exit codes."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except click.Abort as error:
            # What click makes of Ctrl-C at a question, and of the end of stdin there.
            if isinstance(error.__context__, KeyboardInterrupt):
                _exit_interrupted(ctx)
            raise CommandError("the question was not answered", "answer it, or see --help") from None
        except (click.ClickException, click.exceptions.Exit, BrokenPipeError) as error:
            if error.__cause__ is not None and ctx.meta.get(DEBUG_KEY):
                click.echo(_traceback(error.__cause__, ctx), err=True, nl=False)
            raise  # click's own; a pipe whose reader is gone is its business too
        except KeyboardInterrupt:
            _exit_interrupted(ctx)
        except Exception as error:
            if isinstance(error, ModuleNotFoundError) and missing_package(error) in EXTRA:
                raise  # a command is imported when it is used; `main` says what to install
            if ctx.meta.get(DEBUG_KEY):
                click.echo(_traceback(error, ctx), err=True, nl=False)
            raise _shown(error, ctx) from None


def _exit_interrupted(ctx: click.Context) -> NoReturn:
    click.echo("\nkchat: interrupted", err=True)
    ctx.exit(INTERRUPTED)


def system_reason(error: OSError) -> str:
    """What the system says, without the file's name; the kind of error where it says nothing."""
    return error.strerror or type(error).__name__


def sentence(error: KchatError) -> str:
    """What happened and where, without the next step."""
    return str(error).removesuffix(f"; {error.next_step}")


def next_step(error: KchatError) -> str:
    """What the user of the command can do."""
    step = error.next_step
    for of_library, here in NEXT_STEPS_HERE.items():
        step = step.replace(of_library, here)
    return step


def _shown(error: Exception, ctx: click.Context) -> CommandError:
    match error:
        case InvalidConfig():
            return SettingError(_without_values(sentence(error), ctx), next_step(error))
        case KchatError():
            return CommandError(sentence(error), next_step(error))
        case OSError(errno=errno.ENOSPC, filename=None):
            return CommandError(f"cannot write: {system_reason(error)}", ROOM)
        case OSError():
            where = "" if error.filename is None else f": {error.filename}"
            told = f"the system refused something ({system_reason(error)}){where}"
            return CommandError(
                _without_values(told, ctx), "mend that; run it again with --debug to see where it was"
            )
        case _:
            # Its text is not of kchat's wording and may quote a property.
            return CommandError(f"{DEFECT} ({type(error).__name__})", DEFECT_NEXT_STEP)


def _traceback(error: BaseException, ctx: click.Context) -> str:
    lines = _without_values("".join(traceback.format_exception(error)), ctx).split("\n")
    return "\n".join(printable(line) for line in lines)


def _without_values(text: str, ctx: click.Context) -> str:
    """The text without the values of properties: rather a word too many taken out than a password shown."""
    properties: dict[str, str] = ctx.meta.get(PROPERTIES_KEY, {})
    for value in sorted(filter(None, properties.values()), key=len, reverse=True):
        text = text.replace(value, "...")
    return text
