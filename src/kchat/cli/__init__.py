"""The `kchat` command. Needs the extra `kchat[cli]`; each command is in a file of its own."""

import io
import os
import sys

EXTRA = frozenset({"click", "confluent_kafka", "langchain_core", "rich"})
"""The packages of the extra that the command imports."""

ROOM = "make room, or send the output elsewhere"
"""The next step where the output cannot be written."""

INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 and the number of SIGINT, as shells say it."""


def main() -> None:
    """Run the command line, and exit with its code.

    0: done. 1: it could not be done, and one sentence on stderr says why. 2: wrong usage. 130: Ctrl-C.
    """
    _fill_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(
                errors="backslashreplace"
            )  # a terminal that cannot show a character shows it so
    try:
        # Imported here: without the extra this must still say in one sentence what is missing.
        from kchat.cli.colors import takes_styles
        from kchat.cli.group import kchat

        kchat(prog_name="kchat", color=None if takes_styles() else False)
    except ModuleNotFoundError as error:
        missing = missing_package(error)
        if missing not in EXTRA:
            raise
        sys.stderr.write(f"kchat: the package {missing} is missing; the extra kchat[cli] brings it\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except OSError as error:  # of the help: a command's own are a CommandError
        sys.stderr.write(f"kchat: cannot write: {error.strerror}\nNext step: {ROOM}\n")
        sys.exit(1)


def _fill_closed_streams() -> None:
    """Python has None for a stream that was closed before it began; a closed stdout takes no data.

    Left closed, its number would be the next connection's.
    """
    # In the order of their numbers, of which the system gives the lowest.
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115  # until the process ends
    if sys.stdout is None:
        if sys.stderr is not None:
            sys.stderr.write("kchat: cannot write: stdout is closed; /dev/null takes what is not wanted\n")
        sys.exit(1)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # until the process ends


def missing_package(error: ModuleNotFoundError) -> str:
    """The package that is missing. kchat's own say what they need, with Python's error as the cause."""
    told = error.__cause__ if isinstance(error.__cause__, ModuleNotFoundError) else error
    return (told.name or "").partition(".")[0]
