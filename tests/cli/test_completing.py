"""What the shell offers when Tab is pressed."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
import uuid
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from kchat.cli.connection import Connection
from kchat.cli.group import kchat
from kchat.core import place
from tests.cli.running import ENVIRONMENT, child_environment, invoke

if TYPE_CHECKING:
    from collections.abc import Mapping


def offered(line: str, **environment: str) -> list[str]:
    """What bash is told for a line; its last word is being typed."""
    words: Mapping[str, str | None] = {
        **ENVIRONMENT,
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split(" ")) - 1),
        "_KCHAT_COMPLETE": "bash_complete",
        **environment,
    }
    result = CliRunner(env=words).invoke(kchat, [], prog_name="kchat", complete_var="_KCHAT_COMPLETE")
    return [item.removeprefix("plain,") for item in result.stdout.splitlines() if item]


def test_commands_and_values_are_offered() -> None:
    assert offered("kchat sh") == ["show"]
    assert offered("kchat say s x --role s") == ["system"]
    assert "--since" in offered("kchat show s --si")


def test_names_of_files_are_offered_where_a_file_is_meant() -> None:
    for line in ("kchat export s -o a", "kchat import a", "kchat ls --config a"):
        assert offered(line) == ["file,a"]


def test_without_a_cluster_nothing_is_offered_and_nothing_is_said() -> None:
    assert offered("kchat show a") == []
    begun = time.monotonic()
    assert offered("kchat show -b 127.0.0.1:1 a") == []
    assert time.monotonic() - begun < 3


def test_a_script_for_each_shell_can_be_had() -> None:
    for shell in ("bash", "zsh", "fish"):
        result = CliRunner(env={"_KCHAT_COMPLETE": f"{shell}_source"}).invoke(kchat, prog_name="kchat")
        assert result.exit_code == 0
        assert "_KCHAT_COMPLETE" in result.stdout


@pytest.mark.parametrize(
    ("shell", "script"),
    [
        ("fish", "env _KCHAT_COMPLETE=fish_source kchat | source; complete -C 'kchat ls --sort by'"),
        (
            "zsh",
            "compdef() {}; compadd() { print -rl -- $completions };"
            ' eval "$(_KCHAT_COMPLETE=zsh_source kchat)"; words=(kchat ls --sort by); CURRENT=4;'
            " _kchat_completion",
        ),
        (
            "bash",
            'eval "$(_KCHAT_COMPLETE=bash_source kchat)"; COMP_WORDS=(kchat ls --sort by) COMP_CWORD=3;'
            " _kchat_completion kchat by; printf '%s\\n' \"${COMPREPLY[@]}\"",
        ),
    ],
)
def test_the_script_is_one_of_its_shell(shell: str, script: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not here")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**child_environment(), "PATH": path, "HOME": str(tmp_path)}
    flags = ["-f"] if shell == "zsh" else []
    done = subprocess.run(
        [shell, *flags, "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("bytes\n", "")


HARMLESS = ["a", "alice@example.com", "a+b=c:d/e_f-g.h", "9"]

HOSTILE = [
    "a$(touch${IFS}pwned)",
    "a;touch pwned",
    "a`touch${IFS}pwned`",
    "a|b",
    "a&b",
    "a>b",
    "a<b",
    "a b",
    "a\tb",
    "a\nb",
    "a'b",
    'a"b',
    "a\\b",
    "a$b",
    "a*b",
    "a?b",
    "a[b]",
    "a{b,c}",
    "a(b)",
    "a!b",
    "a#b",
    "a~b",
    "a%b",
    "a^b",
    "a,b",
    "a\x1b[31m",
    "a\u0430",  # a Cyrillic letter that looks like a Latin one
    "a\u202eb",
    "~root",
    "-y",
    "--yes",
    "=ls",
    ":",
    "/etc",
]


def test_a_name_that_a_shell_could_read_as_its_own_is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    topics = [place(name).topic for name in [*HOSTILE, *HARMLESS]]
    survey = nullcontext(SimpleNamespace(topics=lambda _: topics))
    monkeypatch.setattr(Connection, "survey", lambda _: survey)
    for command in ("show", "tail", "rm", "say", "export", "verify"):
        assert offered(f"kchat {command} ") == sorted(HARMLESS)
    for begun in ("-", "=", "a$", "a;"):
        assert [name for name in offered(f"kchat show {begun}") if name in HOSTILE] == []
    assert [shlex.quote(name) for name in HARMLESS] == HARMLESS


def test_a_password_is_read_from_its_file_and_not_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    connected = []

    def survey(connection: Connection) -> nullcontext[SimpleNamespace]:
        connected.append(dict(connection.properties))
        return nullcontext(SimpleNamespace(topics=lambda _: ["alice"]))

    monkeypatch.setattr(Connection, "survey", survey)
    file = tmp_path / "password"
    file.write_text("correct-horse\n")
    assert offered(f"kchat show -X sasl.password=@{file} a") == ["alice"]
    assert connected == [{"sasl.password": "correct-horse"}]
    for unknown in ("@", "@/nowhere/password"):
        assert offered(f"kchat show -X sasl.password={unknown} a") == []
    assert len(connected) == 1, "without its password it logs in nowhere: that may lock the user out"
    assert offered("kchat show -X sasl.password=typed a") == ["alice"]


@pytest.mark.kafka
def test_sessions_of_a_cluster_are_offered(kafka: str) -> None:
    prefix = f"tab-{uuid.uuid4().hex[:8]}"
    for session in (f"{prefix}-a", f"{prefix}-b/c", f"{prefix}-\x1b[31m"):
        assert invoke("say", session, "x", "-b", kafka).exit_code == 0
    expected = [f"{prefix}-a", f"{prefix}-b/c"]
    assert offered(f"kchat show {prefix}", KCHAT_BOOTSTRAP=kafka) == expected
    assert offered(f"kchat tail -b {kafka} {prefix}-a {prefix}") == expected
