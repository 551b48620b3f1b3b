"""From one backend to another and back on a real server."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.host import at
from tests.host.machine import Machine
from tests.host.schedules import CRON, SCHEDULES, TIMER, Schedule, applied, quiet


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_undo_goes_back_to_the_other_backend(
    new_host: Callable[..., Machine], schedule: Schedule
) -> None:
    host = new_host(quiet(schedule))
    other = TIMER if schedule.uses_cron else CRON
    applied(host, other)
    first = host.listing()
    applied(host, schedule)
    assert not any(host.exists(path) for path in other.files)
    assert len(at.queued(host)) == schedule.uses_at
    host.certtui("undo", check=True)
    assert host.listing() == first
    assert at.queued(host) == []
