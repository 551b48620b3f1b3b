"""A fresh host with one certificate: the whole set-up with defaults, key by key."""

from __future__ import annotations

from collections.abc import Callable

from tests.host.conftest import Login
from tests.host.machine import Machine
from tests.host.person import ADDRESS, ENTER, Keep, Person
from tests.host.web import NGINX, Web

#: A set-up that is approved without a change may cost so many keys, the address aside.
MOST_KEYS = 10


def test_ten_keys_from_nothing_to_proved_renewal(
    fresh_host: Callable[[Web], Machine], login: Login, transcript: Keep
) -> None:
    host = fresh_host(NGINX)
    assert not host.exists("/etc/certtui")
    terminal = login(host, "certtui")
    person = Person(terminal, transcript)
    for step in ("Welcome", "Web server", "Scheduler", "Runs a day"):
        person.accepts(step)
    person.on("Mail")
    person.types(ADDRESS)
    person.presses(ENTER)
    person.on("Review", "nothing is written yet")
    assert not host.exists("/etc/certtui")
    person.presses("a")
    assert person.leaves_proved() == 0

    print(f"keys pressed from Welcome to the end: {person.pressed}, and the address")
    assert person.pressed <= MOST_KEYS
    assert terminal.left_clean()
    # What was done stays in the scrollback.
    last = terminal.sent.rpartition(b"\x1b[?1049l")[2].decode()
    assert "SET UP AND PROVED: dry run renewed 1 of 1" in last
    for arguments in (["diff"], ["doctor"], ["status"]):
        done = host.certtui(*arguments)
        transcript(done, f"certtui {' '.join(arguments)}")
        assert done.returncode == 0, done.stdout + done.stderr
