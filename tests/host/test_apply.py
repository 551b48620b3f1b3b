"""From one backend to another and back on a real server."""

from __future__ import annotations

import pytest

from tests.host.machine import Machine
from tests.host.schedules import CRON, SCHEDULES, TIMER, Schedule
from tests.host.schedules import HOOKS as HOOKS
from tests.host.schedules import PLAN as PLAN
from tests.host.schedules import SCRIPT as SCRIPT
from tests.host.schedules import applied as applied

BACKENDS = ("cron", "systemd-timer")
SCHEDULE = {"cron": CRON.files, "systemd-timer": TIMER.files}


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_undo_goes_back_to_the_other_backend(host: Machine, schedule: Schedule) -> None:
    other = TIMER if schedule.uses_cron else CRON
    applied(host, other)
    first = host.listing()
    applied(host, schedule)
    assert not any(host.exists(path) for path in other.files)
    host.certtui("undo", check=True)
    assert host.listing() == first
