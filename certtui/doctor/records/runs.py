"""Did the last run happen when it should have, and how did it end?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

from certtui.change.store import RUNS_LOG, STATE
from certtui.doctor.check import Check, Context, Kind, needs_root, no_plan
from certtui.doctor.finding import Finding, Fix, Status
from certtui.doctor.records import history
from certtui.doctor.records.history import PastRun
from certtui.plan.model import Plan
from certtui.render import places, times

_RECENT = Kind(
    "runs.recent",
    Status.FAIL,
    "runs happen as often as the plan says",
    "Everything else says that a run will happen; only the log of runs says that one did.",
)
_LATE = Kind(
    "runs.late",
    Status.FAIL,
    "a run in the longest time between two, and an hour",
    "Whatever starts the runs has not, though it looks well: nobody mails about a run that did not "
    "happen, and the certificates go on towards their end.",
)
_FAILED = Kind(
    "runs.failed",
    Status.FAIL,
    "the last run ended well",
    "The run happened and could not renew. It was mailed as mail.on says; until a run ends well "
    "the certificates named lose one try after the other.",
)
_LOCKED = Kind(
    "runs.locked",
    Status.WARN,
    "no other certbot holds the lock for a whole run",
    "certbot lets no second one work (its .certbot.lock files). Once is chance; after a day the "
    "renew script counts it as a failure and mails.",
)
_DAMAGED = Kind(
    "runs.damaged",
    Status.WARN,
    "every line of the log can be understood",
    "A full disk or an editor has left half a line. What the other lines say still counts, and the "
    "next 1,000 runs push it out.",
)

#: A clock that was set back a little makes no run a thing of the future.
_CLOCK = timedelta(minutes=10)


def _runs(context: Context) -> Iterator[Finding]:
    plan = context.plan
    if plan is None:
        yield _RECENT.skip("", no_plan(context))
        return
    try:
        past = history.read(context.host)
        applied = applied_at(context)
    except PermissionError:
        yield _RECENT.skip("", needs_root(RUNS_LOG))
        return
    if past.damaged:
        yield _DAMAGED.found(RUNS_LOG, f"{past.damaged} lines cannot be understood")
    happened = [run for run in past.real if run.time <= context.now + _CLOCK]
    last = happened[-1] if happened else None
    if applied is None and last is None:
        yield _RECENT.skip("", "nothing was applied yet: certtui apply")
        return
    yield from _recent(context, plan, last, applied)
    if last is not None:
        yield from _ended(plan, last)


def _recent(
    context: Context, plan: Plan, last: PastRun | None, applied: datetime | None
) -> Iterator[Finding]:
    """Late is measured from the last run, the apply or the boot, whichever came last."""
    bound = longest_gap(context, plan)
    since = max(
        moment
        for moment in (last.time if last else None, applied, _booted(context))
        if moment is not None
    )
    shown = f"last run {_moment(last.time)}" if last else "no run yet"
    if context.now - since > bound:
        hours = (context.now - since) / timedelta(hours=1)
        message = f"no run for {hours:.0f} hours, though {plan.schedule.runs} a day are planned"
        fix = Fix((places.renew_script(plan),))
        yield _LATE.found("", message, f"{RUNS_LOG}: {shown}", fix)
    elif last is None:
        following = times.next_runs(plan, context.facts, context.now, 1)
        first = f"; the first by {_moment(following[0].latest)}" if following else ""
        yield _RECENT.ok("", f"no run yet{first}")
    else:
        yield _RECENT.ok("", f"{shown} ({last.trigger}, {last.seconds} s)")


def _ended(plan: Plan, last: PastRun) -> Iterator[Finding]:
    if last.result in ("ok", "deploy-failed"):
        return  # what was renewed and not loaded is deploy.pending, while it lasts
    evidence = f"{RUNS_LOG}: {_moment(last.time)} {last.trigger} {last.result} {last.detail}"
    again = Fix((places.renew_script(plan),))
    if last.result == "locked":
        yield _LOCKED.found("", "the last run found another certbot at work", evidence, again)
    else:
        why = f": {last.detail}" if last.detail else ""
        yield _FAILED.found("", f"the last run ended as {last.result}{why}", evidence, again)


def longest_gap(context: Context, plan: Plan) -> timedelta:
    """The longest time between the ends of two runs that all is well with."""
    wait = places.LOCK_TRIES * places.LOCK_WAIT
    # An hour: clocks that change, and a host that is slow.
    hours = 1
    if plan.schedule.backend == "at-random":
        hours += 1  # the anchor may have had to take the slot
    gap = times.longest_gap(plan, context.facts)
    return gap + timedelta(hours=hours, seconds=wait + plan.certbot.timeout)


def applied_at(context: Context) -> datetime | None:
    """When something was applied last; None before the first. Raises PermissionError."""
    found = context.host.info(STATE)
    return datetime.fromtimestamp(found.mtime, timezone.utc) if found else None


def _booted(context: Context) -> datetime | None:
    """No run happens while a host is off. proc(5), /proc/uptime: seconds since the boot."""
    text = (context.host.read("/proc/uptime") or b"").decode("ascii", "replace")
    try:
        return context.now - timedelta(seconds=float(text.split()[0]))
    except (IndexError, ValueError, OverflowError):
        return None


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")


CHECKS = (Check((_RECENT, _LATE, _FAILED, _LOCKED, _DAMAGED), _runs),)
