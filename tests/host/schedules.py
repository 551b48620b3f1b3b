"""What renews on a test host: backends with their triggers, the files of each, when they fire."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from certtui.host.facts import Facts, System
from certtui.plan.document import Document
from certtui.plan.model import Plan
from certtui.render import times
from tests.host import server
from tests.host.machine import Machine

PLAN = "/root/plan.toml"
SCRIPT = "/usr/local/sbin/certbot-renew-everything"
HOOKS = (
    "/etc/letsencrypt/renewal-hooks/deploy/certtui-deploy",
    "/etc/letsencrypt/renewal-hooks/post/certtui-reload",
)
LOG = "/var/lib/certtui/runs.log"

_CRON_FILE = "/etc/cron.d/certtui-renew"
_UNITS = (
    "/etc/systemd/system/certtui-renew.service",
    "/etc/systemd/system/certtui-renew.timer",
)


@dataclass(frozen=True)
class Schedule:
    """A plan's backend and, for those that use at, what else starts their script."""

    backend: str
    trigger: str = "auto"  # cron | systemd

    @property
    def uses_at(self) -> bool:
        return self.backend.startswith("at-")

    @property
    def uses_cron(self) -> bool:
        return "cron" in (self.backend, self.trigger)

    @property
    def at_script(self) -> str:
        """What the at job starts; "" without one."""
        return f"/usr/local/sbin/certbot-{self.backend}" if self.uses_at else ""

    @property
    def scripts(self) -> tuple[str, ...]:
        """Every script that apply writes."""
        return (SCRIPT, *HOOKS, *([self.at_script] if self.uses_at else []))

    @property
    def files(self) -> tuple[str, ...]:
        """What cron or systemd reads."""
        return (_CRON_FILE,) if self.uses_cron else _UNITS

    def __str__(self) -> str:
        return f"{self.backend}-by-{self.trigger}" if self.uses_at else self.backend


CRON, TIMER = Schedule("cron"), Schedule("systemd-timer")
AT = tuple(
    Schedule(backend, trigger)
    for backend in ("at-block", "at-random")
    for trigger in ("cron", "systemd")
)
SCHEDULES = (CRON, TIMER, *AT)


def applied(host: Machine, schedule: Schedule | str, *more: str, **answers: object) -> Machine:
    """A host on which a plan was applied; ``answers`` are those of :func:`server.plan`."""
    if isinstance(schedule, Schedule):
        answers = {"trigger": schedule.trigger, **answers}
        schedule = schedule.backend
    host.write(PLAN, server.plan(schedule, **answers))  # type: ignore[arg-type]
    host.certtui("apply", PLAN, "--no-dry-run", *more, check=True)
    return host


def machine_id(plan_text: str, wanted: Callable[[Plan, Facts], bool]) -> str:
    """A machine id for which a plan's times are as wanted: they derive from it."""
    plan = Document(plan_text, PLAN).plan

    def suits(candidate: str) -> bool:
        system = System("debian", (), "Debian", "web1", candidate, "systemd", 252, "apt", True)
        return wanted(plan, Facts(system, has_cron_d=True))

    candidates = (f"c{number:031x}" for number in itertools.count())
    return next(filter(suits, candidates))


def quiet(schedule: Schedule) -> str:
    """A machine id for which nothing fires in the next hour, and a job of at's is to be queued."""
    now = datetime.now(timezone.utc)

    def wanted(plan: Plan, facts: Facts) -> bool:
        (run,) = times.next_runs(plan, facts, now, 1)
        queued = times.expected_job(plan, facts, now) is not None
        return run.earliest > now + timedelta(hours=1) and queued == schedule.uses_at

    return machine_id(server.plan(schedule.backend, trigger=schedule.trigger), wanted)


def soon(plan_text: str) -> str:
    """A machine id for which an at job fires in two to three minutes, and nothing else near it."""
    now = datetime.now(timezone.utc)
    first, last = now + timedelta(minutes=2), now + timedelta(minutes=3)
    minute = now.hour * 60 + now.minute

    def wanted(plan: Plan, facts: Facts) -> bool:
        job = times.expected_job(plan, facts, now)
        if job is None or not first <= job <= last:
            return False
        near = {(minute + ahead) % times.DAY for ahead in range(-1, 20)}
        return not near & set(times.daily_minutes(plan, facts))

    return machine_id(plan_text, wanted)


def trigger_soon(schedule: Schedule) -> tuple[str, datetime, datetime]:
    """A machine id for which cron or the timer starts an at script in two to three minutes.

    With it that minute and that of the job to be queued then: for at-block one or two minutes
    later, for at-random more than 20, so that only the trigger can queue it.
    """
    now = datetime.now(timezone.utc)
    trigger = in_two_minutes()
    minute = trigger.hour * 60 + trigger.minute
    slot = trigger

    def wanted(plan: Plan, facts: Facts) -> bool:
        nonlocal slot
        if minute not in times.daily_minutes(plan, facts):
            return False
        queued = times.expected_job(plan, facts, now)
        slot = times.next_runs(plan, facts, now, 1)[0].earliest
        if schedule.backend == "at-random":
            return slot > trigger + timedelta(minutes=20)
        behind = slot - trigger
        return queued is None and timedelta(minutes=1) <= behind <= timedelta(minutes=2)

    found = machine_id(server.plan(schedule.backend, trigger=schedule.trigger), wanted)
    return found, trigger, slot


def in_two_minutes() -> datetime:
    """A full minute, at least two minutes ahead."""
    return (datetime.now(timezone.utc) + timedelta(minutes=3)).replace(second=0, microsecond=0)
