"""The command on a terminal of its own: colours, pager, questions, and nothing that a message brings."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.cli.running import COMMAND, child_environment, invoke
from tests.cli.test_show import HOSTILE

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.kafka

SECONDS_MAX = 20.0
COLUMNS = 60

STYLE = re.compile(r"\x1b\[[0-9;]*m")
"""The one kind of escape sequence that the command itself writes."""


class Terminal:
    """A child on a pseudo terminal, and what it wrote there so far."""

    def __init__(self, master: int, child: subprocess.Popen[bytes]) -> None:
        self._master = master
        self.child = child
        self.text = ""

    def read_until(self, text: str) -> str:
        """What was written until it holds this, or until the child ended."""
        end = time.monotonic() + SECONDS_MAX
        while text not in self.text and time.monotonic() < end:
            if select.select([self._master], [], [], 0.1)[0] and not self._read():
                break
        return self.text

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def ended(self) -> int:
        """Everything is read; the exit code."""
        while self._read():
            pass
        return self.child.wait(SECONDS_MAX)

    def _read(self) -> bool:
        try:
            chunk = os.read(self._master, 65_536)
        except OSError:  # Linux says so when the other side is closed
            return False
        self.text += chunk.decode(errors="replace")
        return chunk != b""


@contextmanager
def terminal(*arguments: str, **environment: str) -> Iterator[Terminal]:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    inherited = child_environment()
    del inherited["COLUMNS"]
    child = subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**inherited, "TERM": "xterm-256color", **environment},
        start_new_session=True,
    )
    os.close(slave)
    try:
        yield Terminal(master, child)
    finally:
        child.kill()
        child.wait()
        os.close(master)


@pytest.fixture
def session(kafka: str) -> str:
    session = f"tty-{uuid.uuid4().hex[:12]}"
    for text in ("plain **bold** and [link](http://127.0.0.1/x)", HOSTILE):
        said = text.encode(errors="replace").decode()
        assert invoke("say", session, said, "--role", "ai", "-b", kafka).exit_code == 0
    return session


@pytest.mark.parametrize("more", [[], ["--raw"], ["--no-pager"]])
def test_show_has_colours_and_a_pager_and_nothing_of_the_messages_controls_it(
    kafka: str, session: str, more: list[str]
) -> None:
    with terminal("show", session, "-b", kafka, *more, PAGER="cat") as shown:
        assert shown.ended() == 0
    assert STYLE.search(shown.text)
    bare = STYLE.sub("", shown.text).replace("\r\n", "\n")
    assert set("\x1b\x07\x9b\x7f\r\x00\u202e\u2066") & set(bare) == set()
    assert r"\x1b[2J" in bare
    assert "http://127.0.0.1/x" in bare
    assert ("**bold**" in bare) == ("--raw" in more)
    assert max(map(len, bare.splitlines())) <= COLUMNS


@pytest.mark.parametrize("command", ["show", "verify", "doctor", "ls --match"])
def test_no_color_leaves_no_colour_and_a_dumb_terminal_gets_no_style(
    kafka: str, session: str, command: str
) -> None:
    coloured = re.compile(r"\x1b\[(?:\d+;)*[34]\d(?:;\d+)*m")
    arguments = (*command.split(), session, "-b", kafka)
    with terminal(*arguments, PAGER="cat", NO_COLOR="1") as plain:
        assert plain.ended() in {0, 1}
    assert len(plain.text.splitlines()) > 1
    assert not coloured.search(plain.text)
    with terminal(*arguments, PAGER="cat", TERM="dumb") as dumb:
        assert dumb.ended() in {0, 1}
    assert len(dumb.text.splitlines()) > 1
    assert "\x1b" not in dumb.text


def test_the_pager_of_the_user_gets_the_transcript(kafka: str, session: str) -> None:
    with terminal("show", session, "-b", kafka, PAGER="sed s/^/paged:/") as shown:
        assert shown.ended() == 0
    assert "paged:" in shown.text


def test_ls_on_a_narrow_terminal_shows_less_of_each_session(kafka: str, session: str) -> None:
    with terminal("ls", "--match", session, "-b", kafka) as listed:
        assert listed.ended() == 0
    assert "last (UTC)" in listed.text
    assert "first (UTC)" not in listed.text
    assert session in listed.text
    assert "kchat: 1 session\r\n" in listed.text


def test_tail_of_several_sessions_gives_each_a_colour(kafka: str, session: str) -> None:
    other = f"{session}-other"
    assert invoke("say", other, "hello", "-b", kafka).exit_code == 0
    with terminal("tail", session, other, "-b", kafka) as tailed:
        assert tailed.ended() == 0
    colours = {
        name: set(re.findall(rf"(\x1b\[[0-9;]*m){name}\x1b", tailed.text)) for name in (session, other)
    }
    assert len(colours[session]) == len(colours[other]) == 1
    assert colours[session] != colours[other]


def test_rm_asks_and_does_what_is_answered(kafka: str, session: str) -> None:
    with terminal("rm", session, "-b", kafka) as asked:
        assert "for good? [y/N]" in asked.read_until("[y/N]")
        asked.type("n\n")
        assert asked.ended() == 1
    assert invoke("show", session, "-b", kafka).exit_code == 0
    with terminal("rm", session, "-b", kafka) as asked:
        asked.read_until("[y/N]")
        asked.type("y\n")
        assert asked.ended() == 0
    assert invoke("show", session, "-b", kafka).exit_code == 1


def test_a_password_that_is_asked_for_is_not_shown(kafka: str) -> None:
    properties = ("security.protocol=SASL_PLAINTEXT", "sasl.mechanism=PLAIN", "sasl.username=somebody")
    options = [part for given in (*properties, "sasl.password=@") for part in ("-X", given)]
    with terminal("ls", "-b", kafka, *options) as asked:
        assert "sasl.password: " in asked.read_until("sasl.password: ")
        asked.type("hunter2\n")
        assert asked.ended() == 1
    assert "hunter2" not in asked.text
    assert "kchat: " in asked.text


def test_ctrl_c_at_a_question_is_ctrl_c(kafka: str, session: str) -> None:
    questions = (
        (["rm", session], "[y/N]"),
        (["ls", "-X", "sasl.password=@"], "sasl.password: "),
    )
    for arguments, question in questions:
        with terminal(*arguments, "-b", kafka) as asked:
            asked.read_until(question)
            time.sleep(0.5)  # a signal before the read of the answer is heard at the next key
            asked.child.send_signal(signal.SIGINT)
            assert asked.ended() == 130
        assert "kchat: interrupted" in asked.text
        assert "Aborted" not in asked.text
