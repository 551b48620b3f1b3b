"""What an answer means on this host, as lines of text: both wizards show them under a question."""

from __future__ import annotations

import os.path
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from certtui import crash
from certtui.ask import answers as store
from certtui.errors import CerttuiError, PlanInvalid
from certtui.plan import attempts
from certtui.plan.fields import BY_KEY, Field

if TYPE_CHECKING:
    from certtui.ask.interview import Interview
    from certtui.workflow import Job

#: What a lack of the host is called, for each question whose choices depend on the host.
_NEEDS = {"schedule.backend": "scheduler", "webserver.kind": "webserver"}

#: What stands where facts are still awaited.
LOOKING = "looking at this host..."

#: A moment as people read it.
MOMENT = "%a %d %b %H:%M"


def choices(interview: Interview, field: Field) -> dict[str, str]:
    """For each choice one sentence: whether it works on this host, and what it does."""
    lines = {choice.value: choice.help for choice in field.choices}
    if interview.facts is None or field.key not in _NEEDS:
        return lines
    return {value: _on_host(interview, field, value, text) for value, text in lines.items()}


def _on_host(interview: Interview, field: Field, value: str, text: str) -> str:
    wanted = store.that_apply({**interview.values(), field.key: value})
    lacks = _lacks(interview, field, wanted)
    if lacks:
        return _short(lacks[0], field, value)
    found = _found(interview, field, value, wanted)
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


def _found(interview: Interview, field: Field, value: str, wanted: Mapping[str, Any]) -> str:
    if field.key == "schedule.backend":
        brought = _brought(interview, wanted)
        return f"apply runs: {brought}" if brought else f"works here{_where(interview, value)}"
    assert interview.facts is not None
    server = interview.facts.webserver(value)
    return _server(server.version, server.ports, server.running) if server else ""


def _where(interview: Interview, backend: str) -> str:
    """Where cron's lines go, if not where one would look."""
    facts = interview.facts
    if backend != "cron" or facts is None or facts.has_cron_d:
        return ""
    return " in root's crontab: no /etc/cron.d"


def _brought(interview: Interview, wanted: Mapping[str, Any]) -> str:
    """The first command by which apply brings what is missing, where the plan consents to it."""
    from certtui.change.provision import provision

    try:
        job = _job(interview, wanted)
    except PlanInvalid:
        return ""
    actions = provision(job.plan, job.facts, job.host).actions if job.live else ()
    return " ".join(actions[0].argv) if actions else ""


def _server(version: str, ports: tuple[int, ...], running: bool) -> str:
    name = f"found {version}".rstrip()
    if ports:
        return f"{name}, owns {' and '.join(str(port) for port in sorted(ports))}"
    return f"{name}, running" if running else f"{name}, stopped"


def _lacks(interview: Interview, field: Field, wanted: Mapping[str, Any]) -> list[str]:
    """Why apply would refuse this choice here."""
    try:
        job = _job(interview, wanted)
        lacks = [lack.message for lack in job.lacks if lack.what == _NEEDS[field.key]]
        if not lacks:
            _ = job.rendered
    except PlanInvalid:
        return []  # another answer is missing still: no lack of the host
    except CerttuiError as error:
        return crash.sentence(error).splitlines()[:1]
    return lacks


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
    lines = [*_by_at(interview), *_of_others(interview)]
    if lines:
        # Before the times: they are what gives way in a small window.
        yield from lines
        yield ""
    for number, line in enumerate(_times(interview, 5)):
        yield f"{'' if number else 'Next runs':<10}{line}"


def _of_others(interview: Interview) -> Iterator[str]:
    """What becomes of everything else that renews here."""
    assert interview.facts is not None
    keep = interview.values()["certbot.other_schedulers"] == "keep"
    others = [item for item in interview.facts.renewers if item.active and not item.ours]
    vendors = ", ".join(item.where for item in others if item.vendor)
    own = ", ".join(item.where for item in others if not item.vendor)
    if vendors and keep:
        yield f"{vendors} stays on as well: whichever comes first renews."
    elif vendors:
        yield f"{vendors} will be switched off (undo restores it)."
        if any(item.kind == "snap" for item in others):
            yield "snapd may turn it on again: certtui doctor looks for that."
    if own:
        yield f"{own} renews as well; it is your own and stays as it is."


def _by_at(interview: Interview) -> Iterator[str]:
    """For the at backends: what they mean, what they lack besides, and what starts the script."""
    from certtui.render import places

    plan, field = interview.document(lenient=True).plan, BY_KEY["schedule.backend"]
    if not places.at_script(plan) or interview.facts is None:
        return
    backend = plan.schedule.backend
    lacks = _lacks(interview, field, store.that_apply(interview.values()))
    if lacks:
        # The list has no room for it: it says what is missing first.
        meaning = next(choice.help for choice in field.choices if choice.value == backend)
        yield f"{meaning[0].upper()}{meaning[1:]}."
    yield from (f"It also needs {lack.partition(' needs ')[2]}" for lack in lacks[1:])
    head = "Trigger (automatic)" if plan.schedule.trigger == "auto" else "Trigger"
    by = "cron" if places.trigger(plan, interview.facts) == "cron" else "a systemd timer"
    often = "once an hour" if backend == "at-random" else "as each block begins"
    yield f"{head}: {by}, {often} and at boot."


def next_runs(interview: Interview, count: int) -> Iterator[str]:
    """The next runs under a heading of eleven columns. Raises CerttuiError where there are none."""
    for number, line in enumerate(_times(interview, count)):
        yield f"{'' if number else 'Next runs':<11}{line}"


def _times(interview: Interview, count: int) -> Iterator[str]:
    """The next runs in local time and UTC; once where the host lives on UTC.

    The day of UTC is named where it is another. Raises CerttuiError where the plan has no runs.
    """
    from certtui.render.times import next_runs as runs

    assert interview.facts is not None
    plan = interview.document().plan
    found = [
        (run, run.earliest.astimezone(), run.latest.astimezone())
        for run in runs(plan, interview.facts, interview.session.clock(), count)
    ]
    apart = any(run.earliest.date() != first.date() for run, first, _ in found)
    for run, first, last in found:
        local = first.strftime(MOMENT) + (f"-{last:%H:%M}" if last != first else "")
        line = f"{local} {first.tzname() or 'local'}"
        if first.utcoffset():
            line += f"   {run.earliest:%a %H:%M}" if apart else f"   {run.earliest:%H:%M}"
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


def mailer_name(path: str, real: str) -> str:
    """The program that is called and, where that is only its usual name, the one it is."""
    name = os.path.basename(real)
    return path if name == os.path.basename(path) else f"{path} ({name})"


def _mail(interview: Interview) -> Iterator[str]:
    facts = interview.facts
    if facts is None:
        yield LOOKING
    elif facts.mailer is None:
        from certtui.change.packages import install_argv

        command = " ".join(install_argv(facts, "mail")) or "install an MTA"
        yield f"Nothing here can send mail: {command}"
        yield "Leave it empty to go on without mail."
    else:
        mailer = mailer_name(facts.mailer.path, facts.mailer.real)
        yield f"Sent with {mailer}, not proved."
    field = BY_KEY["mail.on"]
    when = interview.values()["mail.on"]
    told = next(choice for choice in field.choices if choice.value == when)
    yield f"{'Always' if when == 'always' else f'On {told.label}'}: {told.help}"


_BELOW: Mapping[str, Callable[[Interview], Iterator[str]]] = {
    "schedule.backend": _scheduler,
    "schedule.runs_per_day": _runs,
    "schedule.times": _scheduler,
    "mail.to": _mail,
}
