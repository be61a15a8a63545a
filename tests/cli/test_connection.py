"""Where the connection of a command comes from, and that no password shows on the way."""

from __future__ import annotations

import subprocess
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from kchat.cli.connection import Connection, connection_options, named_connection
from kchat.cli.environment import environment_properties
from kchat.cli.errors import CommandGroup
from kchat.cli.options import debug_option
from kchat.cli.secrets import is_secret
from tests.cli.running import COMMAND, ENVIRONMENT, child_environment, invoke

SECRET = "hunter2-correct-horse"


@click.group(cls=CommandGroup)
def commands() -> None:
    """Commands that connect."""


@commands.command()
@connection_options
@debug_option
def told(connection: Connection) -> None:
    """Say where it would connect to."""
    click.echo(connection.named_servers)
    click.echo(",".join(f"{name}={len(value)}" for name, value in sorted(connection.properties.items())))


@commands.command()
@connection_options
@debug_option
def quoting(connection: Connection) -> None:
    """Fail, quoting the password."""
    raise ValueError(f"no such {connection.properties['sasl.password']}")


def run(*arguments: str, typed: str | None = None, **environment: str) -> click.testing.Result:
    return CliRunner(env={**ENVIRONMENT, **environment}).invoke(commands, list(arguments), input=typed)


def test_the_arguments_go_before_the_environment_and_that_before_the_file(tmp_path: Path) -> None:
    file = tmp_path / "client.properties"
    file.write_text("bootstrap.servers=file:1\nclient.id=file\nsasl.mechanism=file\nsecurity.protocol=file")
    environment = {"KCHAT_KAFKA__CLIENT__ID": "env", "KCHAT_KAFKA__SASL__MECHANISMS": "env"}
    connection = named_connection(None, {"client.id": "option"}, str(file), environment)
    assert connection == Connection(
        "file:1", {"client.id": "option", "sasl.mechanism": "env", "security.protocol": "file"}
    )
    named = named_connection("b:2", {}, str(file), {"KCHAT_KAFKA__BOOTSTRAP__SERVERS": "env:1"})
    assert named.servers == "b:2"
    assert SECRET not in repr(Connection("b", {"sasl.password": SECRET}))


def test_a_variable_names_a_property_by_two_underscores_for_a_dot() -> None:
    given = {
        "KCHAT_KAFKA__SASL__PASSWORD": SECRET,
        "KCHAT_KAFKA__SSL__CA__LOCATION": "/ca",
        "KCHAT_KAFKA__CLIENT__ID": "",
        "KCHAT_KAFKA__": "x",
        "KCHAT_BOOTSTRAP": "b",
    }
    assert environment_properties(given) == {"sasl.password": SECRET, "ssl.ca.location": "/ca"}


def test_a_file_of_another_program_is_read_without_what_kchat_refuses(tmp_path: Path) -> None:
    file = tmp_path / "client.properties"
    file.write_text(f"bootstrap.servers=b:1\nacks=1\ngroup.id=g\nsasl.password={SECRET}\n")
    result = run("told", "--config", str(file))
    assert result.stdout == f"b:1\nsasl.password={len(SECRET)}\n"
    assert run("told", KCHAT_CONFIG=str(file)).stdout == result.stdout


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\xff\xfe", "is no text in UTF-8"),
        (f"a=1\n={SECRET}".encode(), "line 2 has no property name"),
        (f"ssl.truststore.location=/{SECRET}.jks".encode(), "ssl.truststore.location cannot be translated"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_sentence_and_exit_code_2(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    file = tmp_path / "client.properties"
    file.write_bytes(content)
    result = run("told", "-b", "b", "--config", str(file), "--debug")
    assert result.exit_code == 2
    happened, next_step = result.stderr.splitlines()
    assert happened.startswith("kchat: ")
    assert sentence in happened
    assert next_step.startswith("Next step: ")
    assert SECRET not in result.output


def test_no_cluster_is_one_sentence_with_the_next_step() -> None:
    result = run("told")
    assert result.exit_code == 2
    assert result.stderr.startswith("kchat: no cluster is named\nNext step: give --bootstrap HOST:PORT, ")


@pytest.mark.parametrize("servers", ["http://a:1", "a:b", ",", "a b"])
def test_what_can_be_no_broker_is_wrong_in_the_environment_and_a_file_too(
    servers: str, tmp_path: Path
) -> None:
    file = tmp_path / "client.properties"
    file.write_text(f"bootstrap.servers={servers}\n")
    in_file = run("told", "--config", str(file))
    in_environment = CliRunner(env={"KCHAT_KAFKA__BOOTSTRAP__SERVERS": servers}).invoke(commands, ["told"])
    for result in (in_file, in_environment):
        assert result.exit_code == 2
        assert result.stderr.startswith(
            "kchat: bootstrap.servers names what can be no broker\nNext step: name brokers as HOST:PORT"
        )


def test_a_password_comes_from_a_file_or_is_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(SECRET + "\n")
    from_file = run("told", "-b", "b", "-X", f"sasl.password=@{file}")
    assert (from_file.stdout, from_file.stderr) == (f"b\nsasl.password={len(SECRET)}\n", "")
    asked = run("told", "-b", "b", "-X", "sasl.password=@", typed=SECRET + "\n")
    assert asked.stdout == from_file.stdout
    assert asked.stderr.strip() == "sasl.password:"
    missing = run("told", "-b", "b", "-X", "sasl.password=@/nowhere/hunter2")
    assert missing.exit_code == 2
    assert "the file of sasl.password cannot be read: No such file or directory" in missing.stderr


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("sasl.password", True),
        ("ssl.key.password", True),
        ("ssl.key.pem", True),
        ("sasl.jaas.config", True),
        ("sasl.oauthbearer.config", True),
        ("sasl.oauthbearer.client.secret", True),
        ("sasl.oauthbearer.assertion.private.key.pem", True),
        ("sasl.oauthbearer.assertion.private.key.passphrase", True),
        ("sasl.oauthbearer.assertion.private.key.file", False),
        ("sasl.oauthbearer.token.endpoint.url", False),
        ("sasl.username", False),
        ("ssl.key.location", False),
    ],
)
def test_a_secret_is_known_by_its_name(name: str, secret: bool) -> None:
    assert is_secret(name) == secret


def test_a_file_that_is_too_long_is_an_error_and_not_read_in_part(tmp_path: Path) -> None:
    file = tmp_path / "client.properties"
    file.write_text("#" * 1_000_000 + "\nsasl.password=late")
    result = run("told", "-b", "b", "--config", str(file))
    assert result.exit_code == 2
    assert result.stderr.startswith(f"kchat: {file} has more than 1,000,000 characters\nNext step: ")
    file.write_text("client.id=x\n#" + "#" * 999_987)
    assert run("told", "-b", "b", "--config", str(file)).stdout == "b\nclient.id=1\n"


def test_a_password_among_the_arguments_is_warned_of() -> None:
    result = run("told", "-b", "b", "-X", f"sasl.password={SECRET}", "-X", "client.id=@x")
    assert result.exit_code == 0
    assert "can see the value of -X sasl.password" in result.stderr
    assert result.stdout == f"b\nclient.id=2,sasl.password={len(SECRET)}\n"
    assert SECRET not in result.output


@pytest.mark.parametrize("source", ["option", "environment", "file"])
def test_no_error_and_no_traceback_shows_the_password(tmp_path: Path, source: str) -> None:
    file = tmp_path / "client.properties"
    file.write_text(f"sasl.password={SECRET}")
    arguments = {
        "option": ["-X", f"sasl.password={SECRET}"],
        "environment": [],
        "file": ["--config", str(file)],
    }[source]
    environment = {"KCHAT_KAFKA__SASL__PASSWORD": SECRET} if source == "environment" else {}
    result = run("quoting", "-b", "b", *arguments, "--debug", **environment)
    assert result.exit_code == 1
    assert "ValueError: no such ..." in result.stderr
    assert SECRET not in result.output


def test_no_password_of_the_environment_or_a_file_is_in_the_list_of_processes(tmp_path: Path) -> None:
    file = tmp_path / "client.properties"
    file.write_text(f"sasl.password={SECRET}-file")
    child = subprocess.Popen(
        [*COMMAND, "demo", "-b", "127.0.0.1:1", "--config", str(file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=child_environment() | {"KCHAT_KAFKA__SASL__PASSWORD": f"{SECRET}-env"},
    )
    with child:
        assert child.stdout is not None
        child.stdout.readline()  # it has begun
        listed = Path(f"/proc/{child.pid}/cmdline").read_text()  # what ps shows
        child.terminate()
        child.communicate(timeout=10)
    assert "demo" in listed
    assert SECRET not in listed


def test_help_shows_no_value() -> None:
    result = invoke("demo", "--help", KCHAT_KAFKA__SASL__PASSWORD=SECRET)
    assert result.exit_code == 0
    assert SECRET not in result.output
