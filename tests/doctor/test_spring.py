"""Fixed local times that the clocks leave out: systemd leaves out the run, cron makes up for it."""

from __future__ import annotations

import zoneinfo
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest

from certtui.doctor.check import Context
from certtui.doctor.finding import Finding, Status
from certtui.doctor.registry import run_checks
from tests.doctor.support import NOW, facts
from tests.facts.support import FakeHost
from tests.render.support import plan as some_plan

#: The last Sunday of March 2026 in Berlin: after 01:59 comes 03:00.
BERLIN = "Europe/Berlin"


def zone_file(key: str) -> bytes:
    """The compiled zone, from wherever this Python has it."""
    for folder in zoneinfo.TZPATH:
        path = Path(folder) / key
        if path.is_file():
            return path.read_bytes()
    pytest.skip("this machine has no time zones (apt install tzdata)")


def said(
    times: list[str], backend: str = "systemd-timer", zone: str = BERLIN, now: datetime = NOW
) -> list[Finding]:
    host = FakeHost(files={"/etc/localtime": zone_file(zone)})
    plan = some_plan(schedule_backend=backend, schedule_times=times)
    return list(run_checks(Context(host, facts(), plan, now=now), ["schedule.spring-hour"]))


@pytest.mark.parametrize("time", ["02:00", "02:30", "02:59"])
def test_systemd_leaves_the_run_out(time: str) -> None:
    (found,) = said([time, "14:00"])
    assert (found.status, found.subject, found.fix) == (Status.WARN, time, None)
    assert "2026-03-29" in found.message
    assert found.evidence == "/etc/localtime: after 01:59 comes 03:00"


@pytest.mark.parametrize("time", ["01:59", "03:00", "00:00"])
def test_times_beside_it_exist(time: str) -> None:
    (found,) = said([time])
    assert found.status is Status.OK


def test_a_zone_that_changes_at_midnight() -> None:
    (found,) = said(["00:30"], zone="Africa/Cairo")
    assert (found.status, "2026-04-24" in found.message) == (Status.WARN, True)


def test_the_change_of_next_year_once_this_one_is_over() -> None:
    (found,) = said(["02:30"], now=datetime(2026, 4, 1, tzinfo=timezone.utc))
    assert "2027-03-28" in found.message


def test_a_zone_without_changes() -> None:
    (found,) = said(["02:30"], zone="Asia/Tokyo")
    assert found.status is Status.OK


def test_cron_makes_up_for_it() -> None:
    (found,) = said(["02:30"], backend="cron")
    assert (found.status, "makes up" in found.message) == (Status.OK, True)


def test_the_crond_of_busybox_does_not() -> None:
    host = FakeHost(files={"/etc/localtime": zone_file(BERLIN)})
    host.program("/bin/busybox")
    host.links["/usr/sbin/crond"] = "/bin/busybox"
    plan = some_plan(schedule_backend="cron", schedule_times=["02:30"])
    (found,) = run_checks(Context(host, facts(), plan, now=NOW), ["schedule.spring-hour"])
    assert found.status is Status.WARN


def test_no_fixed_times_and_no_plan() -> None:
    context = Context(FakeHost(), facts(), some_plan(), now=NOW)
    (found,) = run_checks(context, ["schedule.spring-hour"])
    assert found.status is Status.OK
    (found,) = run_checks(replace(context, plan=None), ["schedule.spring-hour"])
    assert found.status is Status.SKIP


@pytest.mark.parametrize(("content", "status"), [(None, Status.OK), (b"TZif", Status.SKIP)])
def test_a_zone_file_that_is_missing_or_damaged(content: bytes | None, status: Status) -> None:
    host = FakeHost(files={} if content is None else {"/etc/localtime": content})
    plan = some_plan(schedule_backend="systemd-timer", schedule_times=["02:30"])
    (found,) = run_checks(Context(host, facts(), plan, now=NOW), ["schedule.spring-hour"])
    assert found.status is status
