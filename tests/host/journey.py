"""The whole way through the wizard with everything that people do on it, for one backend.

Answers are given and looked at again; it is left and opened again, its dry run cancelled and
repeated; in the end the host is as before.
"""

from __future__ import annotations

from tests.host import at
from tests.host.conftest import Login
from tests.host.machine import Machine
from tests.host.person import ADDRESS, ENTER, ESCAPE, Keep, Person
from tests.host.schedules import Schedule

#: Backend -> how its choice is called.
BACKENDS = {
    "systemd-timer": "systemd timer",
    "cron": "cron",
    "at-block": "at, one a block",
    "at-random": "at, random chain",
}

_RUNS = "3"
_CERTBOT = "/usr/bin/certbot "


def journey(host: Machine, login: Login, keep: Keep, backend: str) -> None:
    """On a host that certtui is not on."""
    schedule, label = Schedule(backend), BACKENDS[backend]
    before = host.listing()

    person = Person(login(host, "certtui"), keep)
    person.answers(label, _RUNS)
    _back_and_forth(person, label)
    person.presses("q")
    assert person.terminal.end() == 0
    assert person.terminal.left_clean()
    assert host.listing() == before

    person = Person(login(host, "certtui"), keep)
    person.on("Welcome", "answers of last time are taken up")
    _accepts_all(person, label)
    _cancelled(host, person)
    for path in (*schedule.scripts, *schedule.files):
        assert host.exists(path)

    person = Person(login(host, "certtui"), keep)
    person.on("Welcome", "/etc/certtui/plan.toml")
    _accepts_all(person, label)
    person.presses("a")
    assert person.leaves_proved() == 0
    assert person.terminal.left_clean()
    _in_place(host, schedule, keep)

    done = host.certtui("remove")
    keep(done, "certtui remove")
    assert done.returncode == 0, done.stdout + done.stderr
    assert host.listing() == before


def _back_and_forth(person: Person, label: str) -> None:
    """From Review back to Welcome and forward again: each page shows what was answered."""
    person.presses(ESCAPE)
    person.on("Mail", ADDRESS)
    person.presses(ESCAPE)
    person.on("Runs a day", f"> {_RUNS}")
    person.presses(ESCAPE)
    person.on("Scheduler")
    assert person.chosen.startswith(label), person.terminal.text
    person.presses(ESCAPE)
    person.on("Web server")
    person.presses(ESCAPE)
    _accepts_all(person, label)


def _accepts_all(person: Person, label: str) -> None:
    """Enter from Welcome to Review, where each answer is there already."""
    person.accepts("Welcome")
    person.accepts("Web server")
    person.on("Scheduler")
    assert person.chosen.startswith(label), person.terminal.text
    person.presses(ENTER)
    person.accepts("Runs a day", f"> {_RUNS}")
    person.accepts("Mail", ADDRESS)
    person.on("Review")


def _cancelled(host: Machine, person: Person) -> None:
    """Applies, and cancels the dry run while certbot waits for a CA that does not answer."""
    host.run(["systemctl", "kill", "--signal=STOP", "pebble"])
    try:
        person.presses("a")
        person.sees("Dry run  8/9", "c cancel", timeout=60)
        host.wait_until(lambda: host.processes(_CERTBOT), 30, "certbot to start")
        person.presses("c")
        person.sees("CANCELLED", "r retry")
        assert host.processes(_CERTBOT) == []
    finally:
        host.run(["systemctl", "kill", "--signal=CONT", "pebble"])
    person.presses(ENTER)
    person.on("Done", "SET UP, NOT PROVED")
    person.presses(ENTER)
    assert person.terminal.end() == 130


def _in_place(host: Machine, schedule: Schedule, keep: Keep) -> None:
    """What renews is there, and nothing has to be changed."""
    if schedule.uses_at:
        queued = at.queued(host)
        assert at.ours(host, schedule.at_script) == queued
        assert len(queued) <= 1
    for arguments in (["diff"], ["doctor"]):
        done = host.certtui(*arguments)
        keep(done, f"certtui {' '.join(arguments)}")
        assert done.returncode == 0, done.stdout + done.stderr
