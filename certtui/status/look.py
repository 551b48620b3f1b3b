"""Looks at a host and its plan."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from certtui import upcoming
from certtui.change.store import RUNS_LOG
from certtui.doctor.certificates import lateness, window
from certtui.doctor.certificates.lateness import Late
from certtui.doctor.records import history, lastmail
from certtui.doctor.records.history import PastRun
from certtui.doctor.records.lastmail import LastMail
from certtui.host import served
from certtui.host.facts import Facts, Lineage
from certtui.host.interface import Host, RealHost
from certtui.host.served import Served
from certtui.plan.model import INSTALLED_PLAN
from certtui.status import certificates
from certtui.status.certificates import Details
from certtui.status.model import CertificateStatus, Status

if TYPE_CHECKING:
    from certtui.plan.model import Plan
    from certtui.workflow import Job

#: How many runs are shown, before and after now.
SHOWN = 5

#: Seconds for all handshakes: a person waits. Doctor takes more.
_SECONDS = 2.0

_NOT_ASKED = Served("unknown", message="was not asked for: this is not its machine")


def gather_status(job: Job, now: datetime | None = None, *, unusable: str = "") -> Status:
    """The status of a plan on its host. Raises what gathering the facts raises."""
    host = RealHost(job.root)
    return look(host, job.facts, job.plan, live=job.live, now=now, unusable=unusable)


def look(
    host: Host,
    facts: Facts,
    plan: Plan | None,
    *,
    live: bool = True,
    now: datetime | None = None,
    unusable: str = "",
) -> Status:
    """The status of a host, also where there is no plan; ``host`` is where certtui's folder is.

    ``live`` is false where its files are not this machine's: nothing is asked then of port 443.
    ``unusable`` says what is wrong with the installed plan, where ``plan`` only stands in for it.
    """
    now = now or datetime.now(timezone.utc)
    coming, problems = upcoming.runs(facts, plan, now, SHOWN, live=live)
    home = _home(host)
    on_port = served.look(host, facts.lineages, _SECONDS) if live else {}
    shown = tuple(_certificates(host, facts, plan, now, on_port, home.past.real))
    if not shown and not facts.unreadable:
        problems.append("no certificate yet: get a first one with certbot certonly")
    broken = certificates.missing() if shown else ""
    needs_root = [] if unusable or not _is_plan_hidden(host, plan) else ["the plan"]
    needs_root += ["the last runs"] if home.hidden else []
    needs_root += _certificates_hidden(shown)
    needs_root += [_subject(one) for one in facts.unreadable if _is_hidden(one)]
    notes = (
        _needs_root(needs_root),
        _about_plan(plan, unusable) if "the plan" not in needs_root else "",
        *(one for one in facts.unreadable if not _is_hidden(one)),
        *problems,
        *home.notes,
        broken,
    )
    return Status(
        now=now,
        certificates=shown,
        next=coming,
        last=tuple(reversed(home.past.runs[-SHOWN:])),
        pending=home.pending,
        notes=tuple(filter(None, notes)),
        last_mail=home.mail,
        backend=plan.schedule.backend if plan else "",
        runs=plan.schedule.runs if plan else 0,
        mails=plan is not None and bool(plan.mail.to) and home.clear and not home.hidden,
        unscheduled=not coming if plan else not any(one.active for one in facts.renewers),
        stopped=_stopped(facts, plan) if live else "",
        seen=not facts.unreadable,
        hidden=any(one.hidden for one in shown)
        or (not shown and any(map(_is_hidden, facts.unreadable))),
    )


def _stopped(facts: Facts, plan: Plan | None) -> str:
    """The plan's web server, where it is here and does not run."""
    found = facts.webserver(plan.webserver.kind) if plan else None
    return found.kind if found is not None and not found.running else ""


def _is_plan_hidden(host: Host, plan: Plan | None) -> bool:
    try:
        return plan is None and host.info(INSTALLED_PLAN) is not None
    except PermissionError:
        return True  # not even its folder may be looked into


def _about_plan(plan: Plan | None, unusable: str) -> str:
    if unusable:
        first = unusable.splitlines()[0]
        instead = "no plan" if plan is None else "the plan last applied"
        return f"the plan cannot be used, and {instead} was looked at instead: {first}"
    if plan is not None:
        return ""
    return "nothing is set up by certtui yet: run certtui for the wizard"


#: How the sentences of the facts end about what only root may see; more words may follow.
_ROOTS = re.compile(r" may not be (?:read|seen) by this user: run as root")


def _is_hidden(sentence: str) -> bool:
    return _ROOTS.search(sentence) is not None


def _subject(sentence: str) -> str:
    """What cannot be seen: the part before "may not be"."""
    return _ROOTS.split(sentence)[0]


def _certificates_hidden(shown: Sequence[CertificateStatus]) -> Iterator[str]:
    count = sum(one.hidden for one in shown)
    if count:
        yield "1 certificate" if count == 1 else f"{count:,} certificates"


def _needs_root(what: Sequence[str]) -> str:
    """One note for all that only root may see, which is no trouble."""
    return f"needs root: sudo certtui status (not seen: {', '.join(what)})" if what else ""


def _certificates(
    host: Host,
    facts: Facts,
    plan: Plan | None,
    now: datetime,
    on_port: Mapping[str, Served],
    past: Sequence[PastRun],
) -> Iterator[CertificateStatus]:
    certbot = facts.certbot(plan.certbot.command if plan else "auto")
    version = certbot.version_tuple if certbot else ()
    runs = plan.schedule.runs if plan else 0
    try:
        known = lateness.record(host, facts, plan, past, now)
    except PermissionError:
        known = lateness.Record(host)
    for lineage, details in certificates.read(host, facts.lineages):
        seen = on_port.get(lineage.name, _NOT_ASKED)
        made = _certificate(lineage, details, seen, now, runs, version)
        late = lateness.judge(lineage, known, now, version)
        yield replace(made, overdue=late in (Late.OVERDUE, Late.EXPIRES))


def _certificate(
    lineage: Lineage,
    details: Details | None,
    seen: Served,
    now: datetime,
    runs: int,
    certbot: tuple[int, ...],
) -> CertificateStatus:
    left = lineage.not_after - now if lineage.not_after else None
    whole = window.lifetime(lineage)
    due = window.due_from(lineage, certbot)
    return CertificateStatus(
        name=lineage.name,
        domains=lineage.domains,
        not_before=lineage.not_before,
        not_after=lineage.not_after,
        lifetime_days=round(whole / timedelta(days=1), 2) if whole else None,
        days_left=left / timedelta(days=1) if left is not None else None,
        tries_left=window.tries_left(lineage, now, runs, certbot) if runs else None,
        due=due is not None and due <= now,
        overdue=False,
        error=lineage.error,
        served=seen,
        issuer=details.issuer if details else "",
        key=details.key if details else "",
        serial=details.serial if details else "",
        hidden=lineage.not_after is None and _is_hidden(lineage.error),
    )


@dataclass(frozen=True)
class _Home:
    """What is in certtui's folder; ``clear`` is whether the note of the last mail was."""

    past: history.History = field(default_factory=history.History)
    pending: tuple[str, ...] = ()
    mail: LastMail | None = None
    notes: tuple[str, ...] = ()
    clear: bool = True
    hidden: bool = False


def _home(host: Host) -> _Home:
    try:
        past, pending = history.read(host), history.pending(host)
        mail, unclear = _last_mail(host)
    except PermissionError:
        return _Home(hidden=True)
    damaged = (f"{RUNS_LOG}: {past.damaged} lines are damaged and not shown",)
    return _Home(past, pending, mail, (*(damaged if past.damaged else ()), *unclear), not unclear)


def _last_mail(host: Host) -> tuple[LastMail | None, tuple[str, ...]]:
    try:
        return lastmail.read(host), ()
    except ValueError:
        path = lastmail.LAST_MAIL
        return None, (f"{path} is damaged: what became of the last mail is not known",)
