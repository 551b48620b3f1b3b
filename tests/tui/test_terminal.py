"""The wizard in a real pseudo-terminal: what it sends, what it leaves behind, how it ends."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pexpect
import pyte
import pytest

from certtui import detached
from certtui.change import outcome
from certtui.change.files import Tree
from tests.tui.support import make_root


class Terminal:
    """A child in a pseudo-terminal whose output a terminal emulator reads."""

    def __init__(
        self,
        root: Path,
        *arguments: str,
        size: tuple[int, int] = (80, 24),
        module: str = "tests.tui.start",
        command: Sequence[str] = (),
        **env: str,
    ) -> None:
        make_root(root)
        columns, rows = size
        program = command or [sys.executable, "-m", module, str(root), *arguments]
        inherited = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "SSH_CONNECTION")}
        self.child: Any = pexpect.spawn(
            program[0],
            list(program[1:]),
            dimensions=(rows, columns),
            env={**inherited, "TERM": "xterm-256color", "COLUMNS": "7", "LINES": "3", **env},
            timeout=20,
        )
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.sent = b""

    def read(self, seconds: float = 0.1) -> bytes:
        """What comes within a time."""
        got = b""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                data = self.child.read_nonblocking(65536, timeout=left)
            except (pexpect.TIMEOUT, pexpect.EOF):
                break
            got += data
            self.stream.feed(data)
        self.sent += got
        return got

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display)

    def until(self, what: str | Callable[[], bool], seconds: float = 20) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.read()
            if what in self.text if isinstance(what, str) else what():
                return
        raise AssertionError(f"{what!r} did not come; the screen:\n{self.text}")

    def keys(self, *keys: str | bytes) -> None:
        for key in keys:
            self.child.send(key)
            self.read(0.3)

    def code(self) -> int:
        """The exit code, after everything was read."""
        end = time.monotonic() + 20
        while self.child.isalive() and time.monotonic() < end:
            self.read(0.1)
        self.read(0.2)
        self.child.close(force=True)
        if self.child.exitstatus is None:
            raise AssertionError(f"killed by signal {self.child.signalstatus}:\n{self.text}")
        return int(self.child.exitstatus)

    def lost(self) -> int:
        """The terminal goes away; the program's exit code, or minus the signal that ended it."""
        self.child.ptyproc.fileobj.close()
        # Else pexpect closes the number once more when it may be somebody else's.
        self.child.child_fd, self.child.closed, self.child.ptyproc.closed = -1, True, True
        end = time.monotonic() + 15
        while time.monotonic() < end:
            done, status = os.waitpid(self.child.pid, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.05)
        os.kill(self.child.pid, signal.SIGKILL)
        os.waitpid(self.child.pid, 0)
        raise AssertionError("it lives on without a terminal")

    def left_clean(self) -> bool:
        """Alternate screen off and cursor on, each as the last word about it."""
        off, on = self.sent.rfind(b"\x1b[?1049l"), self.sent.rfind(b"\x1b[?1049h")
        shown, hidden = self.sent.rfind(b"\x1b[?25h"), self.sent.rfind(b"\x1b[?25l")
        return off > on >= 0 and shown > hidden


@pytest.mark.parametrize("term", ["xterm-256color", "linux", "screen", "vt100"])
def test_the_whole_way_in_a_terminal(tmp_path: Path, term: str) -> None:
    terminal = Terminal(tmp_path, TERM=term)
    terminal.until("61 days left")
    terminal.until("Enter go on")
    for words in ("Web server  2/9", "Scheduler  3/9", "Runs a day  4/9", "Mail  5/9"):
        terminal.keys("\r")
        terminal.until(words)
    terminal.keys("admin@example.com", "\r")
    terminal.until("nothing is written yet")
    terminal.until("a apply")
    terminal.keys("a")
    terminal.until("PROVED   2 of 2")
    terminal.keys("\r")
    terminal.until("admin@example.com on failure")
    terminal.keys("\r")
    assert terminal.code() == 0
    assert terminal.left_clean()
    assert (
        "SET UP AND PROVED: dry run renewed 2 of 2" in terminal.sent.decode().rpartition("1049l")[2]
    )
    assert b"admin@example.com" in (tmp_path / "etc/certtui/plan.toml").read_bytes()


@pytest.mark.parametrize(
    ("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)]
)
def test_a_signal_ends_it_cleanly(tmp_path: Path, signum: signal.Signals, code: int) -> None:
    terminal = Terminal(tmp_path)
    terminal.until("61 days left")
    os.kill(terminal.child.pid, signum)
    assert terminal.code() == code
    assert signum == signal.SIGHUP or terminal.left_clean()
    assert b"Traceback" not in terminal.sent


def test_a_signal_in_a_dry_run_ends_certbot_too(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, "30")
    terminal.until("Enter go on")
    terminal.keys("\r", "\r", "\r", "\r", "\r")
    terminal.until("a apply")
    terminal.keys("a")
    terminal.until("Simulating renewal")
    os.kill(terminal.child.pid, signal.SIGTERM)
    assert terminal.code() == 143
    assert terminal.left_clean()
    left = [
        entry
        for entry in Path("/proc").glob("[0-9]*/cmdline")
        if str(tmp_path / "certbot").encode() in _read(entry)
    ]
    assert left == []


@pytest.mark.parametrize("how", ["keys", "hup"])
def test_a_certbot_that_does_not_want_to_end_is_waited_for_aloud(tmp_path: Path, how: str) -> None:
    stubborn = (
        f"#!{sys.executable}\n"
        "import signal, time\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('Simulating renewal', flush=True)\n"
        "time.sleep(60)\n"
    )
    terminal = Terminal(tmp_path)
    terminal.until("Enter go on")
    terminal.keys("\r", "\r", "\r", "\r", "\r")
    terminal.until("a apply")
    (tmp_path / "certbot").write_text(stubborn)
    terminal.keys("a")
    terminal.until("Simulating renewal")
    start = time.monotonic()
    if how == "keys":
        terminal.keys("\x03", "\x03")
    else:
        os.kill(terminal.child.pid, signal.SIGHUP)
    if how != "hup":
        terminal.until(lambda: b"waiting for certbot to stop (at most 10 s)..." in terminal.sent, 3)
        assert terminal.left_clean()
    assert terminal.code() == (130 if how == "keys" else 129)
    assert time.monotonic() - start < 14
    assert (b"waiting for certbot" in terminal.sent) == (how != "hup")
    assert not any(
        str(tmp_path / "certbot").encode() in _read(entry)
        for entry in Path("/proc").glob("[0-9]*/cmdline")
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""  # it ended meanwhile


def _stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


@pytest.mark.parametrize("signum", [signal.SIGTSTP, signal.SIGSTOP])
def test_it_goes_on_after_a_stop(tmp_path: Path, signum: signal.Signals) -> None:
    """As Ctrl+Z elsewhere and `fg`: everything is drawn again, and keys arrive once each."""
    terminal = Terminal(tmp_path)
    terminal.until("61 days left")
    terminal.until("Enter go on")
    terminal.keys("\r")
    terminal.until("Web server  2/9")
    before = terminal.text
    os.kill(terminal.child.pid, signum)
    terminal.until(lambda: _stopped(terminal.child.pid))
    terminal.read(0.3)
    assert signum == signal.SIGSTOP or terminal.left_clean()
    terminal.stream.feed(b"\x1b[2J\x1b[HThe shell's own words")
    os.kill(terminal.child.pid, signal.SIGCONT)
    terminal.until(lambda: terminal.text == before)
    terminal.keys("\r")
    terminal.until("Scheduler  3/9")
    terminal.keys("\x1b[B")
    terminal.until("> (*) cron")
    terminal.keys("\x03", "\x03")
    assert terminal.code() == 130
    assert terminal.left_clean()


def test_a_lost_terminal_ends_it(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    terminal.until("61 days left")
    assert terminal.lost() == 129


def test_what_is_typed_behind_enter_is_not_the_answer(tmp_path: Path) -> None:
    """A slow link delivers keys together."""
    terminal = Terminal(tmp_path)
    terminal.until("Enter go on")
    terminal.keys("\r", "\r", "\r", "\r")
    terminal.until("Mail  5/9")
    terminal.keys("nobody\x15me@example.com\ra")
    terminal.until("nothing is written yet")
    terminal.keys("\x1b")
    terminal.until("Mail  5/9")
    assert "> me@example.com\n" in terminal.text
    terminal.keys("\x03", "\x03")
    assert terminal.code() == 130


@pytest.mark.parametrize("plain", [False, True], ids=["full-screen", "plain"])
def test_an_apply_outlives_its_terminal(tmp_path: Path, plain: bool) -> None:
    terminal = Terminal(tmp_path, "5", *(["--plain"] if plain else []), size=(100, 40))
    if plain:
        terminal.until("1. Web server")
        terminal.keys("\r", "\r", "\r", "\r")
        terminal.until("Type the word apply")
        terminal.child.send("apply\r")
    else:
        terminal.until("Enter go on")
        terminal.keys("\r", "\r", "\r", "\r", "\r")
        terminal.until("a apply")
        terminal.child.send("a")
    terminal.until(lambda: detached.is_unseen(str(tmp_path)))
    assert terminal.lost() == 129
    end = time.monotonic() + 20
    while time.monotonic() < end and not _recorded_end(tmp_path):
        time.sleep(0.05)
    told = detached.unseen(str(tmp_path), lambda step: None, threading.Event())
    assert "finished: applied as reviewed" in told
    assert (tmp_path / "usr/local/sbin/certbot-renew-everything").exists()


def _recorded_end(root: Path) -> bool:
    record = outcome.read(Tree(str(root)))
    return record is not None and record.ending is not None


def test_nothing_is_sent_while_idle(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    terminal.until("61 days left")
    terminal.read(1.0)
    for _ in range(5):
        assert terminal.read(3.0) == b""
        terminal.keys("\r")
        terminal.read(1.0)
    terminal.keys("\x03", "\x03")
    assert terminal.code() == 130
    assert terminal.left_clean()


def test_without_colour_cursor_and_choice_can_be_read(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, NO_COLOR="1", LC_ALL="C")
    terminal.until("Enter go on")
    terminal.keys("\r", "\r", "\x1b[B")
    terminal.until("> (*) cron")
    assert "  ( ) systemd timer" in terminal.text
    colours = {
        (char.fg, char.bg) for row in terminal.screen.buffer.values() for char in row.values()
    }
    assert colours == {("default", "default")}
    terminal.keys("q")
    assert terminal.code() == 0


def test_a_resize_at_any_moment(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    terminal.until("Enter go on")
    terminal.keys("\r", "\r")
    for columns, rows in ((60, 16), (120, 36), (30, 6), (80, 24)):
        terminal.child.setwinsize(rows, columns)
        terminal.screen.resize(rows, columns)
        terminal.read(0.5)
    terminal.until("What starts the renewal?")
    terminal.keys("q")
    assert terminal.code() == 0


@pytest.mark.parametrize("how", ["--plain", "dumb", "small"])
def test_plain_questions_lead_to_the_same_end(tmp_path: Path, how: str) -> None:
    terminal = Terminal(
        tmp_path,
        *(["--plain"] if how == "--plain" else []),
        size=(50, 200) if how == "small" else (100, 2000),
        TERM="dumb" if how == "dumb" else "xterm",
    )
    terminal.until("1. Web server")
    terminal.keys("\r", "2\r", "b\r", "\r", "30\r")
    terminal.until("whole number from 1 to 24")
    terminal.keys("4\r", "me\r")
    terminal.until("Type the word apply")
    terminal.keys("\r", "yes\r")
    assert not (tmp_path / "usr/local").exists()
    terminal.keys("apply\r")
    terminal.until("SET UP AND PROVED")
    assert terminal.code() == 0
    assert b"\x1b[?1049h" not in terminal.sent
    plan = (tmp_path / "etc/certtui/plan.toml").read_text()
    assert 'backend = "cron"' in plan
    assert "runs_per_day = 4" in plan
    assert 'to = "me"' in plan


def test_plain_asks_the_rarely_needed_behind_o(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, "--plain", size=(100, 2000))
    terminal.until("1. Web server")
    terminal.keys("\r", "o\r", "maybe\r")
    terminal.until("type a number from 1 to 2")
    terminal.keys("1\r", "2\r", "\r", "o\r", "03:00 15:30\r", "\r", "\r")
    terminal.until("Type the word apply")
    assert "install_packages = true" in terminal.text
    assert 'other_schedulers = "keep"' in terminal.text
    assert 'times = ["03:00", "15:30"]' in terminal.text
    terminal.keys("q\r")
    assert terminal.code() == 0


def test_plain_says_what_a_choice_means_and_leads_to(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, "--plain", size=(100, 2000))
    terminal.until("1. Web server")
    terminal.keys("\r", "?\r")
    terminal.until("at, random chain   each run queues another")
    terminal.keys("4\r")
    terminal.until("Trigger (automatic): a systemd timer, once an hour and at boot.")
    assert terminal.text.count("Next runs") == 2
    terminal.keys("q\r")
    assert terminal.code() == 0


def test_plain_can_be_left_with_nothing_written(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, "--plain")
    terminal.until("1. Web server")
    terminal.keys("q\r")
    assert terminal.code() == 0
    assert b"nothing was written" in terminal.sent
    assert not (tmp_path / "usr").exists()


def test_without_a_terminal_the_commands_are_named(tmp_path: Path) -> None:
    import subprocess

    done = subprocess.run(
        [sys.executable, "-m", "tests.tui.start", str(tmp_path)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 64
    assert "certtui init" in done.stderr and "certtui apply" in done.stderr
