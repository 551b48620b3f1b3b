"""What an answer means on this host, as lines of text: both wizards show them under a question."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from certtui import answers as store
from certtui import crash
from certtui.doctor import window
from certtui.errors import CerttuiError, PlanInvalid
from certtui.plan import attempts
from certtui.plan.fields import Field

if TYPE_CHECKING:
    from certtui.host.facts import Facts, Lineage
    from certtui.interview import Interview
    from certtui.workflow import Job

#: What a lack of the host is called, for each question whose choices depend on the host.
_NEEDS = {"schedule.backend": "scheduler", "webserver.kind": "webserver"}

#: What stands where facts are still awaited.
LOOKING = "looking at this host..."

_DAY = 86400.0

_MOMENT = "%a %d %b %H:%M"


def choices(interview: Interview, field: Field) -> dict[str, str]:
    """For each choice one sentence: whether it works on this host, and what it does."""
    lines = {choice.value: choice.help for choice in field.choices}
    if interview.facts is None or field.key not in _NEEDS:
        return lines
    return {value: _on_host(interview, field, value, text) for value, text in lines.items()}


def _on_host(interview: Interview, field: Field, value: str, text: str) -> str:
    wanted = store.that_apply({**interview.values(), field.key: value})
    lack = _lack(interview, field, wanted)
    if lack:
        return _short(lack, field, value)
    found = _found(interview, field, value)
    return f"{found}; {text}" if found else text


def _short(sentence: str, field: Field, value: str) -> str:
    """The sentence without what the line it stands in says already."""
    for head in (
        f'{field.key} = "{value}", but ',
        f'{field.key} = "{value}" ',
        f'backend "{value}" ',
    ):
        sentence = sentence.removeprefix(head)
    return sentence.removeprefix("is ")


def _found(interview: Interview, field: Field, value: str) -> str:
    if field.key == "schedule.backend":
        return "works here"
    assert interview.facts is not None
    server = interview.facts.webserver(value)
    return _server(server.version, server.ports, server.running) if server else ""


def _server(version: str, ports: tuple[int, ...], running: bool) -> str:
    name = f"found {version}".rstrip()
    if ports:
        return f"{name}, owns {' and '.join(str(port) for port in sorted(ports))}"
    return f"{name}, running" if running else f"{name}, stopped"


def _lack(interview: Interview, field: Field, wanted: Mapping[str, Any]) -> str:
    """Why apply would refuse this choice here, or ""."""
    try:
        job = _job(interview, wanted)
        for lack in job.lacks:
            if lack.what == _NEEDS[field.key]:
                return lack.message
        _ = job.rendered
    except PlanInvalid:
        return ""  # another answer is missing still: no lack of the host
    except CerttuiError as error:
        return crash.sentence(error).splitlines()[0]
    return ""


def _job(interview: Interview, values: Mapping[str, Any]) -> Job:
    from certtui.workflow import Job

    session = interview.session
    document = store.as_document(values, session.base, session.path)
    return Job(document, session.root, known=interview.facts)


def below(interview: Interview, field: Field) -> list[str]:
    """The lines under a question: what the answer in hand leads to."""
    explain = _BELOW.get(field.key)
    if explain is None:
        return []
    try:
        return list(explain(interview))
    except CerttuiError as error:
        return [crash.sentence(error).splitlines()[0]]


def _scheduler(interview: Interview) -> Iterator[str]:
    facts = interview.facts
    if facts is None:
        yield LOOKING
        return
    yield from next_runs(interview, 5)
    vendors = [item.where for item in facts.renewers if item.vendor and item.active]
    if vendors:
        keep = interview.values()["certbot.other_schedulers"] == "keep"
        names = ", ".join(vendors)
        yield ""
        if keep:
            yield f"{names} stays on as well: whichever comes first renews."
        else:
            yield f"{names} will be switched off; `certtui undo` restores it."


def next_runs(interview: Interview, count: int) -> Iterator[str]:
    """The next runs in local time and UTC. Raises CerttuiError where the plan has none."""
    from certtui.render.times import next_runs as runs

    assert interview.facts is not None
    plan = interview.document().plan
    found = runs(plan, interview.facts, interview.session.clock(), count)
    for number, run in enumerate(found):
        head = "Next runs" if number == 0 else ""
        first, last = run.earliest.astimezone(), run.latest.astimezone()
        local = first.strftime(_MOMENT) + (f"-{last:%H:%M}" if last != first else "")
        line = f"{head:<10} {local} {first.tzname() or 'local'}"
        if first.utcoffset():
            line += f"   {run.earliest:%H:%M}"
            line += f"-{run.latest:%H:%M} UTC" if last != first else " UTC"
        yield line


def _runs(interview: Interview) -> Iterator[str]:
    facts, values = interview.facts, interview.values()
    runs = len(values["schedule.times"]) or values["schedule.runs_per_day"]
    install = facts.certbot(values["certbot.command"]) if facts else None
    version = install.version_tuple if install else ()
    tries = [attempts.tries(days, runs, version) for days in attempts.LIFETIMES]
    yield "Certificate lives    " + "".join(f"{days:>5g} d" for days in attempts.LIFETIMES)
    yield "Tries before expiry  " + "".join(f"{number:>5}  " for number in tries).rstrip()
    rule = "a third of the lifetime is left, half for short ones"
    if version and version < (4,):
        rule = "30 days are left"
    name = f"certbot {install.version}" if install and install.version else "certbot"
    yield ""
    yield f"{name} renews when {rule}."
    days = attempts.days_until_paused(runs)
    if days is None:
        yield "Let's Encrypt advises two runs a day; one missed run is a whole day."
    else:
        yield f"A name that fails every time is paused by Let's Encrypt after {days:,} days."


def _mail(interview: Interview) -> Iterator[str]:
    facts = interview.facts
    if facts is None:
        yield LOOKING
    elif facts.mailer is None:
        from certtui.change.requirements import install_argv

        command = " ".join(install_argv(facts, "mail")) or "install an MTA"
        yield f"Nothing here can send mail: {command}"
        yield "Leave it empty to go on without mail."
    else:
        yield f"Sent with {facts.mailer.path} ({facts.mailer.real}); not proved: certtui drill"


_BELOW: Mapping[str, Callable[[Interview], Iterator[str]]] = {
    "schedule.backend": _scheduler,
    "schedule.runs_per_day": _runs,
    "schedule.times": _scheduler,
    "mail.to": _mail,
}


def welcome(
    interview: Interview, *, most: int = 6, unknown: str = LOOKING
) -> list[tuple[str, str]]:
    """What was found: (heading, line); a heading is empty in its further lines."""
    facts = interview.facts
    if facts is None:
        names = ("Certificates", "Web server", "certbot", "Mail", "Renewed by")
        return [(name, unknown) for name in names]
    now = interview.session.clock()
    install = facts.certbot(interview.values()["certbot.command"])
    version = install.version_tuple if install else ()
    width = max((len(item.name) for item in facts.lineages), default=0)
    found = [f"{item.name:<{width}}  {_lineage(item, now, version)}" for item in facts.lineages]
    rows = _rows("Certificates", found, most)
    if not facts.lineages:
        rows = [("Certificates", "none yet: get the first one, for example with")]
        rows += [("", f"certbot certonly {_authenticator(facts)} -d {facts.system.hostname}")]
    servers = [
        f"{item.kind} {item.version}".strip() + f", {_serves(item.ports, item.running)}"
        for item in facts.webservers
    ]
    rows += _rows("Web server", servers or ["none found"], 3)
    rows += _rows("certbot", [_certbot(facts)], 1)
    mailer = f"{facts.mailer.path}, not proved" if facts.mailer else "nothing here can send mail"
    rows += [("Mail", mailer)]
    renewers = [
        f"{item.where}, {'active' if item.active else 'not active'}{_when(item.next_run)}"
        for item in facts.renewers
    ]
    rows += _rows("Renewed by", renewers or ["nothing: no renewal is scheduled"], 3)
    rows += _rows("Not seen", list(facts.unreadable), 2)
    return rows


def _rows(head: str, lines: list[str], most: int) -> list[tuple[str, str]]:
    if len(lines) > most:
        lines = [*lines[: most - 1], f"and {len(lines) - most + 1} more"]
    return [(head if number == 0 else "", line) for number, line in enumerate(lines)]


def _certbot(facts: Facts) -> str:
    if facts.certbots:
        return ", ".join(f"{item.version} ({item.kind}) {item.path}" for item in facts.certbots)
    from certtui.change.requirements import install_argv

    return f"not found: {' '.join(install_argv(facts, 'certbot')) or 'install it'}"


def _authenticator(facts: Facts) -> str:
    for server in facts.webservers:
        if server.kind in ("nginx", "apache") and server.ports:
            return f"--{server.kind}"
    return "--standalone"


def _serves(ports: tuple[int, ...], running: bool) -> str:
    if ports:
        return "owns " + " and ".join(str(port) for port in sorted(ports))
    return "running" if running else "stopped"


def _when(moment: datetime | None) -> str:
    return f", next {moment.astimezone():{_MOMENT}}" if moment else ""


def _lineage(item: Lineage, now: datetime, certbot: tuple[int, ...]) -> str:
    if item.error:
        return item.error
    if item.not_after is None or item.not_before is None:
        return "no certificate"
    left = item.not_after - now
    days = left.total_seconds() / _DAY
    if days < 0:
        return f"expired {int(-days)} days ago"
    lifetime = (item.not_after - item.not_before).total_seconds() / _DAY
    late = attempts.days_before_expiry(lifetime, certbot) - days
    # A run a day is the least that is usual: after two days a renewal was missed.
    due = ", overdue" if late > 2 else ", due" if late > 0 else ""
    return f"{window.left(left)}{due}"
