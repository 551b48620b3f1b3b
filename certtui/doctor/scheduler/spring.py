"""Fixed local times that a change of the clocks leaves out: systemd then leaves out the run.

systemd takes a time that does not exist for none, and waits for the next day's (systemd.time(7);
seen with 252: the day after). cron runs a job of the left-out hour as soon as the clock has changed
(cron(8), the clock "changed by less than 3 hours"), but BusyBox's crond does not.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from certtui.doctor.check import Check, Context, Kind, no_plan
from certtui.doctor.finding import Finding, Status

_ZONE = "/etc/localtime"

_SPRING = Kind(
    "schedule.spring-hour",
    Status.WARN,
    "every time of schedule.times exists on every day of the year",
    "When the clocks are put forward, systemd leaves out a run whose local time does not exist "
    "(systemd.time(7)): with one run a day, two days pass without any.",
)

_AHEAD = 366  # days


def _times(context: Context) -> Iterator[Finding]:
    plan = context.plan
    if plan is None:
        yield _SPRING.skip("", no_plan(context))
        return
    if not plan.schedule.times:
        yield _SPRING.ok("", "the plan fixes no local times")
        return
    listed = ", ".join(plan.schedule.times)
    if plan.schedule.backend == "cron" and not _is_busybox(context):
        yield _SPRING.ok(listed, "cron makes up for what a change of the clocks leaves out")
        return
    zone = _zone(context)
    if zone is None:
        yield _SPRING.skip(listed, f"{_ZONE} holds no time zone")
        return
    left_out = list(_gaps(plan.schedule.times, zone, context.now))
    for wall in left_out:
        message = (
            f"does not exist on {wall:%Y-%m-%d}, when the clocks are put forward: that run is left "
            "out; choose a time before midnight or after 04:00 for it"
        )
        seen = f"{_ZONE}: after {_before(wall, zone):%H:%M} comes {_after(wall, zone):%H:%M}"
        yield _SPRING.found(f"{wall:%H:%M}", message, seen)
    if not left_out:
        yield _SPRING.ok(listed, "exist on every day of the coming year")


def _is_busybox(context: Context) -> bool:
    program = context.host.which("crond")
    real = context.host.resolve(program) if program else None
    return real is not None and real.endswith("/busybox")


def _zone(context: Context) -> tzinfo | None:
    """The host's time zone, which is that of systemd and of cron. None for a damaged file."""
    data = context.host.read(_ZONE)
    if data is None:
        return timezone.utc if context.host.info(_ZONE) is None else None
    try:
        return ZoneInfo.from_file(io.BytesIO(data), "local")
    except ValueError:
        return None


def _gaps(times: tuple[str, ...], zone: tzinfo, now: datetime) -> Iterator[datetime]:
    """The local times of the coming year that do not exist, without a zone."""
    today = now.astimezone(zone).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
    for ahead in range(_AHEAD):
        for time in times:
            hour, minute = int(time[:2]), int(time[3:])
            wall = today + timedelta(days=ahead, hours=hour, minutes=minute)
            if not _exists(wall, zone):
                yield wall


def _exists(wall: datetime, zone: tzinfo) -> bool:
    """A time that is left out comes back from UTC as another one (PEP 495)."""
    moment = wall.replace(tzinfo=zone).astimezone(timezone.utc)
    return moment.astimezone(zone).replace(tzinfo=None) == wall


def _before(wall: datetime, zone: tzinfo) -> datetime:
    while not _exists(wall, zone):
        wall -= timedelta(minutes=1)
    return wall


def _after(wall: datetime, zone: tzinfo) -> datetime:
    while not _exists(wall, zone):
        wall += timedelta(minutes=1)
    return wall


CHECKS = (Check((_SPRING,), _times),)
