"""How it stands: certificates, the next and the last runs, what is renewed but not loaded."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from certtui import upcoming
from certtui.change.store import RUNS_LOG
from certtui.doctor import history, window
from certtui.doctor.history import PastRun
from certtui.host.facts import Facts, Lineage
from certtui.host.interface import Host, RealHost
from certtui.host.visible import visible
from certtui.plan.model import INSTALLED_PLAN
from certtui.render.times import Run

if TYPE_CHECKING:
    from certtui.plan.model import Plan
    from certtui.workflow import Job

#: How many runs are shown, before and after now.
SHOWN = 5

_LOCAL = "%a %Y-%m-%d %H:%M"


@dataclass(frozen=True)
class CertificateStatus:
    """One lineage. ``days_left`` is negative once expired; None where nothing could be read.

    ``tries_left`` counts the runs between now, or the moment certbot begins to renew, and expiry.
    """

    name: str
    domains: tuple[str, ...]
    not_after: datetime | None
    lifetime_days: float | None
    days_left: float | None
    tries_left: int | None
    due: bool
    error: str


@dataclass(frozen=True)
class Status:
    """Everything ``certtui status`` shows; ``notes`` are sentences about what is missing."""

    certificates: tuple[CertificateStatus, ...]
    next: tuple[Run, ...]
    last: tuple[PastRun, ...]  # newest first
    pending: tuple[str, ...]
    notes: tuple[str, ...]


def gather_status(job: Job, now: datetime | None = None) -> Status:
    """The status of a plan on its host. Raises what gathering the facts raises."""
    return look(RealHost(job.root), job.facts, job.plan, live=job.live, now=now)


def look(
    host: Host,
    facts: Facts,
    plan: Plan | None,
    *,
    live: bool = True,
    now: datetime | None = None,
) -> Status:
    """The status of a host, also where there is no plan; ``host`` is where certtui's folder is."""
    now = now or datetime.now(timezone.utc)
    certbot = facts.certbot(plan.certbot.command if plan else "auto")
    version = certbot.version_tuple if certbot else ()
    runs = plan.schedule.runs if plan else 0
    notes = [*_about_plan(host, plan), *facts.unreadable]
    coming, problems = upcoming.runs(facts, plan, now, SHOWN, live=live)
    past, unread = _past(host)
    certificates = tuple(_certificate(item, now, runs, version) for item in facts.lineages)
    if not certificates and not facts.unreadable:
        problems.append("no certificate yet: get a first one with certbot certonly")
    return Status(
        certificates,
        coming,
        tuple(reversed(past.runs[-SHOWN:])),
        _pending(host),
        (*notes, *problems, *unread),
    )


def _about_plan(host: Host, plan: Plan | None) -> Iterator[str]:
    if plan is None and host.info(INSTALLED_PLAN):
        yield f"{INSTALLED_PLAN} may be read by root only: sudo certtui status"
    elif plan is None:
        yield "nothing is set up by certtui yet: run certtui for the wizard"


def _certificate(
    lineage: Lineage, now: datetime, runs: int, certbot: tuple[int, ...]
) -> CertificateStatus:
    left = lineage.not_after - now if lineage.not_after else None
    whole = window.lifetime(lineage)
    due = window.due_from(lineage, certbot)
    return CertificateStatus(
        name=lineage.name,
        domains=lineage.domains,
        not_after=lineage.not_after,
        lifetime_days=round(whole / timedelta(days=1), 2) if whole else None,
        days_left=left / timedelta(days=1) if left is not None else None,
        tries_left=window.tries_left(lineage, now, runs, certbot) if runs else None,
        due=due is not None and due <= now,
        error=lineage.error,
    )


def _past(host: Host) -> tuple[history.History, list[str]]:
    try:
        found = history.read(host)
    except PermissionError:
        return history.History(), ["the last runs may be read by root only: sudo certtui status"]
    if found.damaged:
        return found, [f"{RUNS_LOG}: {found.damaged} lines are damaged and not shown"]
    return found, []


def _pending(host: Host) -> tuple[str, ...]:
    try:
        return history.pending(host)
    except PermissionError:
        return ()  # _past has said it: it is the same folder


def to_json(status: Status) -> dict[str, Any]:
    """The shape of the contract; times are ISO 8601 in UTC."""
    return {
        "certificates": [
            {
                "name": item.name,
                "domains": list(item.domains),
                "not_after": _iso(item.not_after) if item.not_after else None,
                "lifetime_days": item.lifetime_days,
                "days_left": _cut(item.days_left),
                "attempts_left": item.tries_left,
                "due": item.due,
                "error": item.error,
            }
            for item in status.certificates
        ],
        "schedule": {
            "next": [
                {"earliest": _iso(run.earliest), "latest": _iso(run.latest)} for run in status.next
            ],
            "last": [
                {
                    "time": _iso(run.time),
                    "trigger": run.trigger,
                    "result": run.result,
                    "seconds": run.seconds,
                    "detail": run.detail,
                }
                for run in status.last
            ],
        },
        "pending_deploy": list(status.pending),
        "notes": list(status.notes),
    }


def _cut(days: float | None) -> float | None:
    """Two digits, never more than there is: 84.0 means at least 84 whole days."""
    return None if days is None else math.floor(days * 100 + 1e-6) / 100


def _iso(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def text(status: Status) -> str:
    """The same for a person, times in this process's zone."""
    lines = ["Certificates", *_table(_certificate_rows(status.certificates))]
    lines += ["", "Next runs", *(f"  {_when(run)}" for run in status.next)]
    lines += ["", "Last runs", *_table(_past_rows(status.last))]
    if status.pending:
        lines += ["", "Renewed, but not loaded by the web server yet"]
        lines += [f"  {path}" for path in status.pending]
    if status.notes:
        lines += ["", *(f"note: {note}" for note in status.notes)]
    return "\n".join(visible(line) for line in _filled(lines)) + "\n"


def _filled(lines: list[str]) -> Iterator[str]:
    """A heading with nothing under it says so."""
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        yield line
        if line[:1].isupper() and not following:
            yield "  none"


def _certificate_rows(certificates: Iterable[CertificateStatus]) -> Iterator[tuple[str, ...]]:
    # What needs a person first, then what expires first.
    for item in sorted(certificates, key=lambda one: (not one.error, one.days_left or 0, one.name)):
        if item.not_after is None or item.days_left is None:
            yield item.name, f"unknown: {item.error}"
            continue
        state = "EXPIRED" if item.days_left < 0 else window.left(timedelta(days=item.days_left))
        tries = "" if item.tries_left is None else f"{item.tries_left} tries left"
        yield (
            item.name,
            state,
            f"until {_day(item.not_after)}",
            ", ".join(word for word in (tries, "due now" if item.due else "", item.error) if word),
        )


def _past_rows(runs: Iterable[PastRun]) -> Iterator[tuple[str, ...]]:
    for run in runs:
        yield _local(run.time), run.result, run.trigger, f"{run.seconds} s", run.detail


def _table(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Columns as wide as their longest cell, but for each row's last."""
    cells = list(rows)
    columns = max((len(row) for row in cells), default=0)
    widths = [
        max((len(row[at]) for row in cells if at < len(row) - 1), default=0)
        for at in range(columns)
    ]
    return [
        ("  " + "  ".join(f"{cell:<{widths[at]}}" for at, cell in enumerate(row))).rstrip()
        for row in cells
    ]


def _when(run: Run) -> str:
    if run.earliest == run.latest:
        return _local(run.earliest)
    start, end = run.earliest.astimezone(), run.latest.astimezone()
    until = end.strftime("%H:%M %Z" if start.date() == end.date() else f"{_LOCAL} %Z")
    return f"{start.strftime(_LOCAL)} to {until}"


def _local(moment: datetime) -> str:
    return moment.astimezone().strftime(f"{_LOCAL} %Z")


def _day(moment: datetime) -> str:
    """Without the weekday: a row fits into 80 columns."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M %Z")
