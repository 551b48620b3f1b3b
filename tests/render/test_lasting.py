"""A failure that lasts: two simulated days of real scripts, whose ``date`` tells another time.

Each run begins up to an hour away from its time and certbot takes a while, as on a real host.
"""

from __future__ import annotations

import random

import pytest

from tests.render.support import Machine
from tests.render.test_renew import FAILURE

#: 2026-11-24T00:00:00Z, in seconds since 1970.
BEGIN = 1795478400
DAY = 86400


class Clock:
    """What ``date`` on a machine says, in seconds since 1970."""

    def __init__(self, machine: Machine, now: int = BEGIN) -> None:
        self._path = machine.folder / "now"
        self.set(now)
        machine.fake(
            "date",
            f"read -r now <{self._path}\n"
            'case $1 in -u) shift; exec /bin/date -u -d "@$now" "$@" ;; esac\n'
            'exec /bin/date -d "@$now" "$@"',
        )

    def set(self, now: int) -> None:
        self._path.write_text(f"{now}\n")


def starts(runs_per_day: int, days: int, seed: int) -> list[int]:
    """When runs begin: at any second of the first twentieth of each block, at most of an hour."""
    chosen = random.Random(seed)
    block = DAY // runs_per_day
    return [
        BEGIN + number * block + chosen.randrange(min(3600, block // 20 + 1))
        for number in range(days * runs_per_day)
    ]


def subjects(machine: Machine) -> list[str]:
    """The ends of the subjects of all mails, in the order they left."""
    return [mail.split("\n")[1].rpartition(": ")[2] for mail in machine.mails()]


@pytest.mark.parametrize("seed", [1, 2])
def test_with_failure_three_mails_at_most_and_one_recovery(machine: Machine, seed: int) -> None:
    clock = Clock(machine)
    machine.install(mail_on="failure")
    machine.certbot(FAILURE)
    for start in starts(24, 2, seed):
        clock.set(start)
        assert machine.run(trigger="systemd-timer").returncode == 1
    assert 2 <= len(machine.mails()) <= 3
    assert set(subjects(machine)) == {"shop.example.org"}
    machine.certbot("exit 0")
    for start in starts(24, 1, seed):
        clock.set(start + 2 * DAY)
        assert machine.run(trigger="systemd-timer").returncode == 0
    assert subjects(machine)[-2:] == ["shop.example.org", "renewal works again"]
    assert subjects(machine).count("renewal works again") == 1
    assert len(machine.mails()) <= 4
    assert machine.results() == ["failed"] * 48 + ["ok"] * 24


@pytest.mark.parametrize("runs_per_day", [1, 2, 3])
def test_with_failure_each_day_is_told_however_few_the_runs(
    machine: Machine, runs_per_day: int
) -> None:
    clock = Clock(machine)
    machine.install(mail_on="failure")
    machine.certbot(FAILURE)
    for start in starts(runs_per_day, 5, runs_per_day):
        clock.set(start)
        machine.run(trigger="systemd-timer")
    assert len(machine.mails()) == 5


@pytest.mark.parametrize(
    ("mail_on", "failing", "well"), [("every-failure", 48, 0), ("always", 48, 24)]
)
def test_with_the_others_one_a_run(machine: Machine, mail_on: str, failing: int, well: int) -> None:
    clock = Clock(machine)
    machine.install(mail_on=mail_on)
    machine.certbot(FAILURE)
    for number, start in enumerate(starts(24, 2, 3), 1):
        clock.set(start)
        machine.run(trigger="systemd-timer")
        assert len(machine.mails()) == number
    machine.certbot("exit 0")
    for start in starts(24, 1, 3):
        clock.set(start + 2 * DAY)
        machine.run(trigger="systemd-timer")
    assert len(machine.mails()) == failing + well
    assert subjects(machine)[failing:] == ["renewal run ended well"] * well


def test_two_failures_of_different_kinds_are_one_that_lasts(machine: Machine) -> None:
    """First the CA, then the server's configuration: nobody is told twice within a day."""
    clock = Clock(machine)
    machine.install(mail_on="failure")
    machine.certbot(FAILURE)
    machine.run(trigger="cron")
    clock.set(BEGIN + 3600)
    machine.server(test=1)
    machine.certbot_renews("shop.example.org")
    machine.run(trigger="cron")
    assert machine.results() == ["failed", "deploy-failed"]
    assert len(machine.mails()) == 1


def test_times_in_the_record_are_the_clocks(machine: Machine) -> None:
    clock = Clock(machine)
    machine.install()
    clock.set(BEGIN + 3661)
    machine.run(trigger="systemd-timer")
    assert machine.runs() == ["2026-11-24T01:01:01Z systemd-timer ok 0 "]
