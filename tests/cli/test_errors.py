"""Errors as a user sees them: one sentence, the next step, the exit code, and never a secret."""

from __future__ import annotations

import logging
import signal
import time

import click
import pytest

from kchat.cli.client_log import LOGGER, show_client_log
from kchat.cli.errors import NEXT_STEPS_HERE, CommandGroup
from kchat.cli.options import debug_option, properties_option
from kchat.core import AppendRefused, ReadFailed
from kchat.core.edge import NEXT_STEPS, NEXT_STEPS_BY_CODE
from kchat.io.survey import Survey
from tests.cli.running import document, invoke

SECRET = "hunter2-correct-horse"


@click.group(cls=CommandGroup)
def commands() -> None:
    """Commands that go wrong."""


@commands.command()
@properties_option
@debug_option
def defect(properties: dict[str, str]) -> None:
    """Raise what no caller should see, and quote a property."""
    raise ValueError(f"invalid literal: {properties['sasl.password']}")


@commands.command()
def failed() -> None:
    """Raise an error of kchat."""
    raise ReadFailed("the read\x1b failed", session="s", next_step="try again")


@commands.command()
def refused() -> None:
    """Raise an error whose next step is the library's."""
    raise AppendRefused("too large", next_step="raise it in config=")


@commands.command()
def interrupted() -> None:
    """Hear Ctrl-C."""
    signal.raise_signal(signal.SIGINT)


def test_an_error_is_a_sentence_and_the_next_step() -> None:
    result = click.testing.CliRunner().invoke(commands, ["failed"])
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == "kchat: the read\\x1b failed [session 's']\nNext step: try again\n"


def test_a_defect_is_told_without_its_text_and_debug_shows_where_it_is() -> None:
    arguments = ["defect", "-X", f"sasl.password={SECRET}"]
    result = click.testing.CliRunner().invoke(commands, arguments)
    assert result.exit_code == 1
    assert "kchat: this is a defect of kchat (ValueError)\nNext step: " in result.stderr
    debugged = click.testing.CliRunner().invoke(commands, [*arguments, "--debug"])
    assert debugged.exit_code == 1
    assert "ValueError: invalid literal: ..." in debugged.stderr
    assert SECRET not in result.output + debugged.output


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (TimeoutError(), "the system refused something (TimeoutError)"),
        (
            FileNotFoundError(2, "No such file", "a\x1bb"),
            "the system refused something (No such file): a\\x1bb",
        ),
    ],
)
def test_an_error_of_the_system_names_its_file_and_debug_shows_where(error: OSError, told: str) -> None:
    @click.group(cls=CommandGroup)
    def group() -> None:
        """One command."""

    @group.command()
    @debug_option
    def refused() -> None:
        """Meet the error."""
        raise error

    result = click.testing.CliRunner().invoke(group, ["refused"])
    assert result.exit_code == 1
    assert result.stderr.startswith(f"kchat: {told}\nNext step: ")
    shown = click.testing.CliRunner().invoke(group, ["refused", "--debug"])
    assert f"\n{type(error).__name__}" in shown.stderr


def test_ctrl_c_has_an_exit_code_of_its_own() -> None:
    result = click.testing.CliRunner().invoke(commands, ["interrupted"])
    assert result.exit_code == 130
    assert result.stderr == "\nkchat: interrupted\n"


def test_an_unreachable_broker_is_one_sentence_within_the_limit() -> None:
    begun = time.monotonic()
    result = invoke("demo", "--bootstrap", "127.0.0.1:1", "--json")
    assert time.monotonic() - begun < 6.5
    assert result.exit_code == 1
    sentence, next_step = result.stderr.splitlines()[-2:]
    assert sentence.startswith("kchat: the read failed: 127.0.0.1:1")
    assert "Connection refused" in sentence
    assert next_step == "Next step: check that the brokers are up and reachable, then try again"
    parsed = document(result)
    assert parsed["steps"] == []
    assert f"kchat: {parsed['error']}" == sentence


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["-X", SECRET], "number 1 is not of the form PROP=VALUE"),
        (["-X", "a=b", "-X", f"={SECRET}"], "number 2 is not of the form PROP=VALUE"),
        (["-X", f"bootstrap.servers={SECRET}"], "name the brokers with --bootstrap"),
        (["-X", f"acks={SECRET}"], "the property acks cannot be set"),
        (["-X", f"no.such.property={SECRET}"], 'No such configuration property: "no.such.property"'),
        (["-X", f"security.protocol={SECRET}"], 'configuration property "security.protocol"'),
        (["-X", f"message.max.bytes={SECRET}"], "message.max.bytes"),
        (["--session", ""], "the session id is empty"),
        (["--bootstrap", " "], "name brokers as HOST:PORT, separated by commas"),
        (["--bootstrap", ","], "name brokers as HOST:PORT, separated by commas"),
        (["--bootstrap", "127.0.0.1:99999"], "PORT is up to 65535"),
        (["--bootstrap", "127.0.0.1:kafka"], "name brokers as HOST:PORT, separated by commas"),
        (["--bootstrap", "http://127.0.0.1:1"], "name brokers as HOST:PORT, separated by commas"),
        (["--bootstrap", "127.0.0.1:1 127.0.0.1:2"], "name brokers as HOST:PORT, separated by commas"),
        (["--bootstrap", "127.0.0.1:1,[::1]:0"], "PORT is up to 65535"),
        (["--no-such-option"], "No such option"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_repeats_no_value(arguments: list[str], told: str) -> None:
    for debug in ([], ["--debug"]):
        result = invoke("demo", "--bootstrap", "127.0.0.1:1", *arguments, *debug)
        assert result.exit_code == 2
        assert told in result.stderr
        assert SECRET not in result.output


@pytest.mark.parametrize(
    "servers", ["SASL_SSL://a:1,b", " a , [::1]:1", "::1", "fe80::1%eth0", "m\u00fcnchen:1", ":1", "a."]
)
def test_what_the_client_takes_for_brokers_is_taken(servers: str) -> None:
    result = invoke("ls", "--bootstrap", servers, "-X", "acks=1")
    assert "the property acks cannot be set" in result.stderr


def test_doctor_has_the_commands_words_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(_: Survey) -> None:
        raise ReadFailed("too late", next_step="look, or allow more time")

    monkeypatch.setattr(Survey, "topics", late)
    assert "mend: look, then try again" in invoke("doctor", "-b", "127.0.0.1:1").stdout


@pytest.mark.parametrize("told", NEXT_STEPS_HERE)
def test_the_library_has_the_words_that_the_command_has_not(told: str) -> None:
    steps = [*NEXT_STEPS.values(), *NEXT_STEPS_BY_CODE.values(), "correct the property in config="]
    assert any(told in step for step in steps)


def test_the_next_step_names_options_and_not_the_librarys_arguments() -> None:
    result = click.testing.CliRunner().invoke(commands, ["refused"])
    assert result.stderr.endswith("Next step: raise it in -X, the environment or the file\n")


def test_what_the_client_says_ends_where_its_line_ends() -> None:
    result = invoke("ls", "-b", "127.0.0.1:1", "-X", "message.max.bytes=5")
    assert result.stderr.startswith("kchat: the Kafka client does not take these settings: ")
    assert "range 1000..1000000000\nNext step: " in result.stderr


def test_the_clients_own_log_is_on_stderr_where_debug_asks_for_it() -> None:
    dead = ("ls", "-b", "127.0.0.1:1")
    assert "[thrd:" not in invoke(*dead).stderr
    logged = invoke(*dead, "-X", "debug=broker,conf", "-X", f"sasl.password={SECRET}")
    assert (logged.exit_code, logged.stdout) == (1, "")
    assert "127.0.0.1:1/bootstrap: Connect to ipv4#127.0.0.1:1 failed" in logged.stderr
    assert "[thrd:" in logged.stderr
    assert SECRET not in logged.output
    assert logged.stderr.splitlines()[-1].startswith("Next step: ")
    assert [type(handler) for handler in LOGGER.handlers] == [logging.NullHandler]
    quiet = invoke(*dead, KCHAT_KAFKA__DEBUG="")
    assert "[thrd:" not in quiet.stderr


def test_no_entry_of_the_log_has_a_secret_or_controls_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with click.Context(commands) as context:
        show_client_log(context, {"debug": "all", "sasl.password": SECRET})
        LOGGER.debug("said \x1b[2J %s", SECRET)
    LOGGER.debug("nobody hears this")
    assert capsys.readouterr().err == "said \\x1b[2J ...\n"


def test_the_bootstrap_may_come_from_the_environment() -> None:
    result = invoke("demo", "-X", "acks=1", KCHAT_BOOTSTRAP="127.0.0.1:1")
    assert result.exit_code == 2
    assert "Next step: leave it out" in result.stderr
