"""The wizard in terminals of all kinds and sizes, each from Welcome to a proof.

A plan is applied to begin with; each terminal changes one answer of it. Every run has each kind in
one size; ``nox -s host_full`` has all sizes.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.host.conftest import Login
from tests.host.machine import Machine
from tests.host.person import ADDRESS, DOWN, ENTER, ESCAPE, PAGE_DOWN, UP, Keep, Person
from tests.host.schedules import PLAN
from tests.host.terminal import Terminal
from tests.host.web import NGINX, Web

SIZES = ((60, 16), (80, 24), (200, 50))

#: What the plan has beside an answer, and what becomes of it where only ASCII can be shown.
WORDS = "Grüße, täglich"
BEFORE = f"""\
version = 1
[schedule]
# {WORDS}
runs_per_day = 2
[mail]
to = "{ADDRESS}"
"""

_EXIT_CODE = "/root/exit-code"


@dataclass(frozen=True)
class Kind:
    """A terminal: its TERM, and what the environment of a login says beside it."""

    name: str
    term: str = "xterm-256color"
    variables: tuple[str, ...] = ("LANG=C.UTF-8",)
    #: whether characters outside ASCII can be shown, and any colour
    unicode: bool = True
    colour: bool = True
    tmux: bool = False

    def command(self, command: str) -> str:
        """The command line for a login."""
        said = f"env {' '.join(self.variables)}"
        if not self.tmux:
            return f"exec {said} {command}"
        inner = f"{said} {command}; echo $? >{_EXIT_CODE}"
        tmux = "tmux -u -f /dev/null start-server ';' set -g status off ';' new {}"
        return f"exec {said} {tmux.format(shlex.quote(inner))}"

    def __str__(self) -> str:
        return self.name


KINDS = (
    Kind("linux", "linux", unicode=False),
    Kind("screen", "screen"),
    Kind("vt100", "vt100", unicode=False, colour=False),
    Kind("xterm", "xterm-256color"),
    Kind("no-color", variables=("LANG=C.UTF-8", "NO_COLOR=1"), colour=False),
    Kind("c-locale", variables=("LC_ALL=C",), unicode=False),
    Kind("tmux", tmux=True),
)
DUMB = Kind("dumb", "dumb", unicode=False, colour=False)


def cases(kinds: tuple[Kind, ...]) -> Iterator[Any]:
    """Each kind in each size; every run has one of them, not always the same."""
    for number, kind in enumerate(kinds):
        for at, (columns, rows) in enumerate(SIZES):
            marks = [] if at == number % len(SIZES) else [pytest.mark.full]
            yield pytest.param(kind, columns, rows, id=f"{kind}-{columns}x{rows}", marks=marks)


@pytest.fixture(scope="module")
def host(fresh_host: Callable[[Web], Machine]) -> Machine:
    """A host where a plan is applied."""
    host = fresh_host(NGINX)
    host.write(PLAN, BEFORE, 0o600)
    host.certtui("apply", "--no-dry-run", PLAN, check=True)
    return host


@pytest.mark.parametrize(("kind", "columns", "rows"), list(cases(KINDS)))
def test_full_screen(
    host: Machine, login: Login, transcript: Keep, kind: Kind, columns: int, rows: int
) -> None:
    terminal = login(host, kind.command("certtui"), columns=columns, rows=rows, term=kind.term)
    person = Person(terminal, transcript)
    person.on("Welcome")
    person.presses(ENTER)
    person.accepts("Web server")
    _cursor_and_choice(person)
    runs = _another_number(host)
    person.on("Runs a day")
    person.types(runs)
    person.presses(ENTER)
    person.accepts("Mail", ADDRESS)
    _review(person, kind)
    person.presses("a")
    assert person.leaves_proved() == 0
    if kind.tmux:
        assert host.read(_EXIT_CODE) == "0\n"
    _as_it_should(host, terminal, kind, runs)
    assert terminal.left_clean()


@pytest.mark.parametrize(("kind", "columns", "rows"), list(cases((DUMB,))))
def test_numbered_questions(
    host: Machine, login: Login, transcript: Keep, kind: Kind, columns: int, rows: int
) -> None:
    terminal = login(host, kind.command("certtui"), columns=columns, rows=rows, term=kind.term)
    person = Person(terminal, transcript)
    runs = _another_number(host)
    for question, answer in (
        ("\n1. Web server", ""),
        ("\n2. Scheduler", ""),
        ("\n3. Runs a day", runs),
        ("\n4. Mail", ""),
        ("Type the word apply", "apply"),
    ):
        terminal.asks(question, " > ")
        terminal.send(f"{answer}\r")
    code = terminal.end(120)
    person.notes(terminal.sent.decode())
    assert code == 0
    assert b"SET UP AND PROVED" in terminal.sent
    assert b"\x1b" not in terminal.sent
    _as_it_should(host, terminal, kind, runs)


def _another_number(host: Machine) -> str:
    """A number of runs a day that is not the plan's."""
    return "4" if "runs_per_day = 3" in host.read("/etc/certtui/plan.toml") else "3"


def _cursor_and_choice(person: Person) -> None:
    """Where the cursor is, and what is chosen, can be read: no colour is needed for it."""
    person.on("Scheduler")
    assert person.chosen.startswith("systemd timer"), person.terminal.text
    person.chooses("cron")
    person.presses(UP)
    person.terminal.until("> (*) systemd timer")
    assert person.chosen.startswith("systemd timer"), person.terminal.text
    person.presses(ENTER)


def _review(person: Person, kind: Kind) -> None:
    """The whole diff is read to its end; what is not ASCII is shown where that can be."""
    person.on("Review", "nothing is written yet", "> ~ changed")
    person.presses(DOWN)
    person.terminal.until("\n> ")
    person.presses(ENTER)
    person.sees("the whole diff", "Esc back")
    wanted = WORDS if kind.unicode else "".join(c if c.isascii() else "?" for c in WORDS)
    for _ in range(12):
        if wanted in person.terminal.text:
            break
        person.presses(PAGE_DOWN)
        person.terminal.read(0.4)
    person.sees(wanted)
    person.presses(ESCAPE)
    person.on("Review", "nothing is written yet")


def _as_it_should(host: Machine, terminal: Terminal, kind: Kind, runs: str) -> None:
    """The answer is applied; what was sent is what this terminal can show."""
    assert f"runs_per_day = {runs}\n" in host.read("/etc/certtui/plan.toml")
    assert host.certtui("diff").returncode == 0
    outside = sorted({byte for byte in terminal.sent if byte > 0x7E})
    assert kind.unicode == bool(outside), outside
    assert kind.colour or terminal.colours() == []
    assert b"Traceback" not in terminal.sent
