"""The connection is lost in mid-apply: the host is as before or as reviewed, and is told which."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from tests.host.conftest import Login
from tests.host.machine import Machine
from tests.host.person import ADDRESS, CTRL_C, Keep, Person
from tests.host.schedules import SCRIPT
from tests.host.web import NGINX, Web

ROUNDS = 10

#: What the next start says of an apply that nobody saw end, or that was taken back.
FINISHED = "finished: applied as reviewed"
TAKEN_BACK = ("was taken back", "nothing was changed")
RESUMED = "answers of last time are taken up"

_WIZARD = "-m certtui"
#: The process that applies, in a session of its own.
_APPLY = "detached.main()"


@pytest.fixture(scope="module")
def host(fresh_host: Callable[[Web], Machine]) -> Machine:
    """A host that certtui has never been on."""
    return fresh_host(NGINX)


@pytest.fixture(scope="module")
def before(host: Machine) -> dict[str, Any]:
    """Its listing."""
    return host.listing()


def at_review(host: Machine, login: Login, keep: Keep) -> Person:
    """A wizard that only waits for ``a``."""
    person = Person(login(host, "certtui"), keep)
    person.answers("systemd timer", "2")
    return person


def quiet(host: Machine) -> None:
    """Waits until nothing of certtui runs."""
    ours = (_WIZARD, _APPLY, "/usr/bin/certbot ")
    host.wait_until(lambda: not any(map(host.processes, ours)), 60, "certtui to end")


def welcomed(host: Machine, login: Login, keep: Keep) -> str:
    """What the next start shows."""
    person = Person(login(host, "certtui"), keep)
    text = " ".join(person.on("Welcome").split())
    person.presses("q")
    assert person.terminal.end() == 0
    return text


def removed(host: Machine, before: dict[str, Any]) -> None:
    """Back to where it began."""
    host.certtui("remove", check=True)
    assert host.listing() == before


def test_killed_at_ten_moments(
    host: Machine, login: Login, transcript: Keep, before: dict[str, Any]
) -> None:
    person = at_review(host, login, transcript)
    began = time.monotonic()
    person.presses("a")
    person.terminal.until("Dry run  8/9", timeout=60)
    whole = time.monotonic() - began
    assert person.leaves_proved() == 0
    applied = host.listing()
    removed(host, before)

    said: list[str] = []
    for number in range(ROUNDS):
        person = at_review(host, login, transcript)
        moment = whole * number / (ROUNDS - 1)
        # In turn the client and, on the host, the process of sshd that has the terminal.
        (session,) = host.processes(": root@pts")
        victim = session if number % 2 else person.terminal.pid
        person.presses("a")
        time.sleep(moment)
        at_work = bool(host.processes(_APPLY))
        os.kill(victim, signal.SIGKILL)
        quiet(host)
        now = host.listing()
        assert now in (before, applied), f"half applied after {moment:.2f} s"
        ended = "applied" if now == applied else "as before"
        text = welcomed(host, login, transcript)
        which = "client" if victim == person.terminal.pid else "session"
        line = f"{which} killed after {moment:.2f} of {whole:.2f} s, at work {at_work}: {ended}"
        told = next((words for words in (FINISHED, *TAKEN_BACK, RESUMED) if words in text), "")
        person.notes(f"{line}; the next start: {told!r}")
        said.append(ended + (" in mid-apply" if at_work else ""))
        if ended == "applied":
            assert FINISHED in text, text
            removed(host, before)
        else:
            # Taken back, or never begun: then the answers wait.
            assert FINISHED not in text, text
            assert told, text
            assert not at_work or told in TAKEN_BACK, text
        assert welcomed(host, login, transcript).count(FINISHED) == 0
    person.notes(", ".join(said))
    # Killed while it was at work it goes on to its end: if that was never seen, nothing was shown.
    assert said.count("applied in mid-apply") >= 2, said


def stopped(host: Machine, person: Person, keys: str = "a") -> list[int]:
    """Sends the keys that apply, and stops the apply between its first file and its end.

    Gives its processes: one that it is about to start has its name still.
    """
    person.terminal.send(keys)
    deadline = time.monotonic() + 30
    found: list[int] = []
    while not (found and host.exists(SCRIPT)):
        assert time.monotonic() < deadline, person.terminal.text
        # It takes half a second in all: it goes on by little steps.
        send(found, signal.SIGCONT)
        person.terminal.read(0.01)
        send(found, signal.SIGSTOP)
        found = host.processes(_APPLY)
        send(found, signal.SIGSTOP)
    person.terminal.read()
    return found


def send(processes: list[int], signum: signal.Signals) -> None:
    """A signal to each; one that has ended needs none."""
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, signum)


def test_ctrl_c_offers_to_leave_it_alone(
    host: Machine, login: Login, transcript: Keep, before: dict[str, Any]
) -> None:
    person = at_review(host, login, transcript)
    processes = stopped(host, person)
    person.sees("Ctrl+C")
    person.presses(CTRL_C)
    person.sees("any other key goes on")
    person.presses(CTRL_C)
    assert person.terminal.end() == 130
    assert person.terminal.left_clean()
    person.notes(person.terminal.sent.rpartition(b"\x1b[?1049l")[2].decode())
    _goes_on(host, login, transcript, processes)
    removed(host, before)


def test_sigterm_leaves_a_clean_terminal(
    host: Machine, login: Login, transcript: Keep, before: dict[str, Any]
) -> None:
    person = at_review(host, login, transcript)
    processes = stopped(host, person)
    (wizard,) = host.processes(_WIZARD)
    os.kill(wizard, signal.SIGTERM)
    assert person.terminal.end() == 143
    assert person.terminal.left_clean()
    _goes_on(host, login, transcript, processes)
    removed(host, before)


def _goes_on(host: Machine, login: Login, keep: Keep, processes: list[int]) -> None:
    """The apply ends whole, and the next start says so."""
    send(processes, signal.SIGCONT)
    quiet(host)
    text = welcomed(host, login, keep)
    assert FINISHED in text, text
    assert RESUMED not in text, text
    done = host.certtui("diff")
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_apply_that_is_killed_is_taken_back(
    host: Machine, login: Login, transcript: Keep, before: dict[str, Any]
) -> None:
    person = at_review(host, login, transcript)
    processes = stopped(host, person)
    os.kill(person.terminal.pid, signal.SIGKILL)
    send(processes, signal.SIGKILL)
    quiet(host)
    text = welcomed(host, login, transcript)
    assert any(words in text for words in TAKEN_BACK), text
    assert host.listing() == before


def test_an_apply_that_is_killed_in_sight_says_so(
    host: Machine, login: Login, transcript: Keep, before: dict[str, Any]
) -> None:
    person = at_review(host, login, transcript)
    send(stopped(host, person), signal.SIGKILL)
    person.sees("ended from outside", "taken back")
    assert host.listing() == before
    person.presses("q")
    assert person.terminal.end() == 1
    assert RESUMED in welcomed(host, login, transcript)


def test_numbered_questions_lose_their_connection_as_well(
    host: Machine, login: Login, transcript: Keep, before: dict[str, Any]
) -> None:
    person = Person(login(host, "certtui", term="dumb"), transcript)
    for question in ("1. Web server", "2. Scheduler", "3. Runs a day", "4. Mail"):
        person.terminal.asks(question, " > ")
        person.terminal.send(f"{ADDRESS}\r" if "Mail" in question else "\r")
    person.terminal.asks("Type the word apply", " > ")
    processes = stopped(host, person, "apply\r")
    os.kill(person.terminal.pid, signal.SIGKILL)
    _goes_on(host, login, transcript, processes)
    removed(host, before)


def test_sigterm_before_anything_is_written(
    host: Machine, login: Login, transcript: Keep, before: dict[str, Any]
) -> None:
    person = at_review(host, login, transcript)
    (wizard,) = host.processes(_WIZARD)
    os.kill(wizard, signal.SIGTERM)
    assert person.terminal.end() == 143
    assert person.terminal.left_clean()
    assert host.listing() == before
    assert RESUMED in welcomed(host, login, transcript)
