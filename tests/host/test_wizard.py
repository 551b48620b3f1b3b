"""The wizard as an administrator meets it: a login through sshd, 80 by 24, from Welcome to Done."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.host import server
from tests.host.machine import PATH, Machine
from tests.host.schedules import CRON, PLAN, TIMER, Schedule
from tests.host.terminal import Terminal

Keep = Callable[[subprocess.CompletedProcess[str], str], None]
Login = Callable[..., Terminal]

#: All there is before: that certbot has to trust an ACME server which no browser knows.
BEFORE = f"""\
version = 1
[certbot.env]
REQUESTS_CA_BUNDLE = "{server.TRUST}"
"""

DOWN = "\x1b[B"


@pytest.fixture
def login(host: Machine, ssh_key: Path) -> Iterator[Login]:
    """Runs a command in a terminal through sshd."""
    opened: list[Terminal] = []

    def start(command: str, columns: int = 80, rows: int = 24) -> Terminal:
        argv = host.ssh(ssh_key, f"PATH={PATH} exec {command}")
        opened.append(Terminal(argv, columns=columns, rows=rows))
        return opened[-1]

    yield start
    for terminal in opened:
        terminal.close()


def to_review(terminal: Terminal, keep: Keep, schedule: Schedule) -> None:
    """Answers every question; each page is kept."""

    def page(words: str) -> None:
        shown(terminal, keep, words)

    page("Welcome  1/9")
    terminal.until("Enter go on")
    terminal.send("\r")
    page("Web server  2/9")
    terminal.send("\r")
    page("Scheduler  3/9")
    if schedule is CRON:
        terminal.send(DOWN)
        terminal.until("> (*) cron")
    terminal.send("\r")
    page("Runs a day  4/9")
    terminal.send("\r")
    page("Mail  5/9")
    terminal.send(f"{server.ADMIN}@localhost")
    terminal.until(f"{server.ADMIN}@localhost")
    terminal.send("\r")
    page("Review  6/9")
    page("nothing is written yet")


def shown(terminal: Terminal, keep: Keep, words: str, timeout: float = 30) -> None:
    """Waits for words and keeps the screen they stand on."""
    terminal.until(words, timeout)
    terminal.read(0.3)
    keep(subprocess.CompletedProcess([], 0, terminal.text + "\n", ""), f"the screen: {words}")


@pytest.mark.parametrize("schedule", [TIMER, CRON], ids=str)
def test_from_welcome_to_done(
    host: Machine, login: Login, transcript: Keep, schedule: Schedule
) -> None:
    host.write(PLAN, BEFORE, 0o600)
    terminal = login(f"certtui {PLAN}")
    to_review(terminal, transcript, schedule)
    assert not any(host.exists(path) for path in schedule.files)

    terminal.until("a apply")
    terminal.send("a")
    shown(terminal, transcript, "PROVED   2 of 2", 120)
    terminal.send("\r")
    shown(terminal, transcript, "Done  9/9")
    terminal.send("\r")
    assert terminal.end() == 0
    # The alternate screen is left, and what was done stays in the scrollback.
    assert b"\x1b[?1049h" in terminal.sent
    last = terminal.sent.rpartition(b"\x1b[?1049l")[2].decode()
    assert "SET UP AND PROVED: dry run renewed 2 of 2" in last
    assert b"Traceback" not in terminal.sent

    for path in schedule.files:
        assert host.exists(path)
    for arguments in (("diff", PLAN), ("diff",), ("doctor",), ("apply", "--check")):
        done = host.certtui(*arguments)
        transcript(done, f"certtui {' '.join(arguments)}")
        assert done.returncode == 0, done.stdout + done.stderr


def test_left_before_apply_nothing_is_written(
    host: Machine, login: Login, transcript: Keep
) -> None:
    host.write(PLAN, BEFORE, 0o600)
    before = host.listing()
    terminal = login(f"certtui {PLAN}")
    to_review(terminal, transcript, TIMER)
    terminal.send("q")
    assert terminal.end() == 0
    assert host.listing() == before
    assert host.read(PLAN) == BEFORE


def test_an_apply_that_cannot_be_proved_says_so(
    host: Machine, login: Login, transcript: Keep
) -> None:
    host.write(PLAN, BEFORE, 0o600)
    host.run(["systemctl", "stop", "pebble"])
    terminal = login(f"certtui {PLAN}")
    to_review(terminal, transcript, TIMER)
    terminal.until("a apply")
    terminal.send("a")
    shown(terminal, transcript, "2 of 2   2 failed", 120)
    terminal.until("Enter go on")
    assert server.DUE in terminal.text
    terminal.send("\r")
    shown(terminal, transcript, "Done  9/9")
    assert "SET UP AND PROVED" not in terminal.text
    terminal.send("\r")
    assert terminal.end() == 1
    done = host.certtui("diff")
    assert done.returncode == 0, done.stdout + done.stderr
