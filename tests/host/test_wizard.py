"""The wizard as an administrator meets it: a login through sshd, 80 by 24, from Welcome to Done."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.host import server
from tests.host.conftest import Login
from tests.host.machine import Machine
from tests.host.person import ADDRESS, ENTER, Keep, Person
from tests.host.schedules import CRON, PLAN
from tests.host.web import NGINX, Web

#: A set-up that is approved without a change may cost so many keys, the address aside.
MOST_KEYS = 10

#: A plan of the administrator's own, with a word that no default has.
BEFORE = f"""\
version = 1
[certbot.env]
REQUESTS_CA_BUNDLE = "{server.TRUST}"
"""


@pytest.fixture
def host(fresh_host: Callable[[Web], Machine]) -> Machine:
    """A host that certtui has never been on."""
    host = fresh_host(NGINX)
    assert not host.exists("/etc/certtui")
    return host


def test_ten_keys_from_nothing_to_proved_renewal(
    host: Machine, login: Login, transcript: Keep
) -> None:
    before = host.listing()
    terminal = login(host, "certtui")
    person = Person(terminal, transcript)
    for step in ("Welcome", "Web server", "Scheduler", "Runs a day"):
        person.accepts(step)
    person.on("Mail")
    person.types(ADDRESS)
    person.presses(ENTER)
    person.on("Review", "nothing is written yet")
    assert host.listing() == before
    person.presses("a")
    assert person.leaves_proved() == 0

    person.notes(f"keys pressed from Welcome to the end: {person.pressed}, and the address")
    assert person.pressed <= MOST_KEYS
    assert terminal.left_clean()
    # What was done stays in the scrollback.
    last = terminal.sent.rpartition(b"\x1b[?1049l")[2].decode()
    assert "SET UP AND PROVED: dry run renewed 1 of 1" in last
    for arguments in (["diff"], ["doctor"], ["status"]):
        done = host.certtui(*arguments)
        transcript(done, f"certtui {' '.join(arguments)}")
        assert done.returncode == 0, done.stdout + done.stderr
    host.certtui("remove", check=True)
    assert host.listing() == before


def test_a_plan_of_ones_own(host: Machine, login: Login, transcript: Keep) -> None:
    host.write(PLAN, BEFORE, 0o600)
    before = host.listing()
    person = Person(login(host, f"certtui {PLAN}"), transcript)
    person.answers("cron", "2")
    person.presses("q")
    assert person.terminal.end() == 0
    assert host.listing() == before
    assert host.read(PLAN) == BEFORE

    person = Person(login(host, f"certtui {PLAN}"), transcript)
    person.answers("cron", "2")
    person.presses("a")
    assert person.leaves_proved() == 0
    assert server.TRUST in host.read(PLAN)
    for path in CRON.files:
        assert host.exists(path)
    for arguments in (["diff", PLAN], ["diff"], ["apply", "--check"]):
        done = host.certtui(*arguments)
        transcript(done, f"certtui {' '.join(arguments)}")
        assert done.returncode == 0, done.stdout + done.stderr
    host.certtui("remove", check=True)
    assert host.listing() == before


def test_an_apply_that_cannot_be_proved_says_so(
    host: Machine, login: Login, transcript: Keep
) -> None:
    host.run(["systemctl", "stop", "pebble"])
    person = Person(login(host, "certtui"), transcript)
    person.answers("systemd timer", "2")
    person.presses("a")
    person.on("Dry run", "FAILED", "1 failed", server.NAMES[0], timeout=120)
    person.presses(ENTER)
    text = person.on("Done", "SET UP, NOT PROVED")
    assert "AND PROVED" not in text
    person.presses(ENTER)
    assert person.terminal.end() == 1
    done = host.certtui("diff")
    assert done.returncode == 0, done.stdout + done.stderr
