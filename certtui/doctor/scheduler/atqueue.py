"""Our jobs in at's queue: the right one is there, once, and what keeps it there can work.

A job starts once and its script queues the next, so a chain that is broken stays silent: at exits
0 whatever becomes of the job, and nobody mails what did not run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone

from certtui.change import services
from certtui.change.packages import install_argv
from certtui.doctor.check import Check, Context, Kind, needs_root, no_plan, not_needed
from certtui.doctor.finding import Finding, Fix, Status
from certtui.doctor.scheduler import atspool, atstate
from certtui.host import atjobs
from certtui.host.atjobs import Job
from certtui.host.interface import SAFE_PATH
from certtui.host.programs import not_executable, on_path
from certtui.plan.model import Plan
from certtui.render import places, times

_QUEUED = Kind(
    "at.queued",
    Status.FAIL,
    "the job of the next run is in at's queue, once",
    "A job starts once and its script queues the next, so a chain that is broken stays silent: at "
    "exits 0 whatever becomes of a job, and nobody mails what did not run.",
)
_NO_ANSWER = Kind(
    "at.no-answer",
    Status.FAIL,
    "atq lists the queue",
    "The script queues nothing where it cannot see what is queued: it might renew twice.",
)
_PROGRAM = Kind(
    "at.program-missing",
    Status.FAIL,
    "the programs that the script needs are there",
    "Without them the script cannot queue its next job, and ends with 1 in the log.",
)
_MISSING = Kind(
    "at.missing",
    Status.FAIL,
    "a job of ours is in at's queue",
    "Nothing renews at the minute of the next run; what starts the script besides makes up for it "
    "later: within the hour (at-random), at the next block (at-block).",
)
_MINUTE = Kind(
    "at.wrong-minute",
    Status.FAIL,
    "the job is queued for the minute of the next run",
    "The run would come at another time than the plan's, or not before the certificate expires.",
)
_OVERDUE = Kind(
    "at.overdue",
    Status.FAIL,
    "atd starts jobs at their minute",
    "atd runs and starts nothing: it hangs, or waits for a load that is low enough (atd(8), -l).",
)
_SEVERAL = Kind(
    "at.several",
    Status.WARN,
    "one job of ours, not more",
    "Each job starts the script; the second one finds its slot taken, or renews at a wrong time.",
)
_GONE = Kind(
    "at.script-gone",
    Status.WARN,
    "the script that a job of ours starts is there",
    'The job will end with "not found", and at mails nobody of that (-M).',
)
_OTHER = Kind(
    "at.left-over",
    Status.WARN,
    "no job of ours is left of an earlier plan",
    "It starts a script that the plan no longer has, and that queues itself again.",
)
_SECRETS = Kind(
    "at.environment",
    Status.WARN,
    "only our own variables are stored with the job",
    "at stores the whole environment of whoever queues a job, passwords and tokens too, in a file "
    "of its spool and of its backups, and gives it to certbot and every hook (at(1)).",
)
_FOREIGN = Kind(
    "at.foreign",
    Status.OK,
    "others may use the queue too: our script knows its own jobs by what they hold",
    "Jobs of others do no harm, so this only tells of them.",
)

#: What the script itself stores with its job.
_VARIABLES = frozenset(("PATH", "TZ", "CERTTUI_TRIGGER", "CERTTUI_SLOT"))

#: Programs that the script calls, and what brings them; sha256sum is everywhere.
_PROGRAMS = {"flock": "flock", "at": "atd", "atq": "atd", "atrm": "atd"}


def _queue(context: Context) -> Iterator[Finding]:
    plan = context.plan
    if not context.is_root:
        yield _QUEUED.skip("", needs_root("at's queue"))
        return
    script = places.at_script(plan) if plan else ""
    if not script:
        yield _QUEUED.skip("", not_needed(context) if plan else no_plan(context))
    if script and not context.facts.atd.installed:
        yield _QUEUED.skip("", "at is not installed")  # atd.daemon says it
    elif context.host.which("atq") or script:
        spool = list(atspool.findings(context)) if script else []
        yield from spool
        yield from _jobs(context, script, bool(spool))
        if script and plan:
            yield from atstate.findings(context, plan)


def _jobs(context: Context, script: str, spool: bool) -> Iterator[Finding]:
    """``spool`` is whether something is wrong with it: why atq may not answer, or a job waits."""
    missing = list(_programs(context)) if script else []
    yield from missing
    if any(finding.subject == "atq" for finding in missing):
        return
    answer = atjobs.asked(context.host)
    if not answer.ok:
        if not spool:
            seen = f"atq: exit code {answer.code}\n{answer.text}"
            message = "at's queue cannot be listed: the script queues nothing"
            yield _NO_ANSWER.found("", message, seen)
        return
    jobs = atjobs.ours(context.host, answer.out)
    yield from _strays(context, script, [job for job in jobs if job.script != script])
    if script and context.plan:
        mine = [job for job in jobs if job.script == script]
        said = _ours(context, context.plan, mine)
        yield from (item for item in said if not (spool and item.id == _OVERDUE.id))
        yield from _stored(mine)
        yield from _foreign(context.plan, jobs, atjobs.letters(answer.out))


def _stored(jobs: Sequence[Job]) -> Iterator[Finding]:
    """Names only: what they hold is nobody's to read here."""
    for job in jobs:
        names = [name for name in job.variables if name not in _VARIABLES]
        if names:
            message = f"{len(names)} variables of somebody's environment are stored with it"
            seen = f"at -c {job.number}: {', '.join(names)}"
            yield _SECRETS.found(_named([job]), message, seen, Fix(("atrm", job.number)))


def _foreign(
    plan: Plan, jobs: Sequence[Job], listed: Sequence[tuple[str, str, str]]
) -> Iterator[Finding]:
    known, queue = {job.number for job in jobs}, plan.schedule.at_queue
    others = [number for number, letter, _ in listed if letter == queue and number not in known]
    if others:
        count = f"{len(others)} other job{'s' * (len(others) != 1)}"
        yield _FOREIGN.ok(f"queue {queue}", f"{count} in it, which our script leaves alone")


def _programs(context: Context) -> Iterator[Finding]:
    for program, need in _PROGRAMS.items():
        if context.host.which(program) is None:
            argv = install_argv(context.facts, need)
            message = "is missing: the script can queue nothing"
            seen = f"{program} is not in {SAFE_PATH}"
            closed = not_executable(context.host, on_path(program))
            if closed is not None:
                message = "is not executable: the script can queue nothing"
                # Not 0755: at's own bits of set-user-ID may still be there.
                seen, argv = f"{closed[0]}: mode {closed[1]:04o}", ("chmod", "a+rx", closed[0])
            yield _PROGRAM.found(program, message, seen, Fix(argv) if argv else None)


def _strays(context: Context, script: str, jobs: Sequence[Job]) -> Iterator[Finding]:
    for job in jobs:
        remove = Fix(("atrm", job.number), True)
        if context.host.info(job.script) is None:
            message = f"starts {job.script}, which is gone"
            yield _GONE.found(f"at job {job.number}", message, _line(job), remove)
        else:
            instead = f"the plan's is {script}" if script else "the plan needs none"
            message = f"starts {job.script}; {instead}"
            yield _OTHER.found(f"at job {job.number}", message, _line(job), remove)


def _ours(context: Context, plan: Plan, jobs: Sequence[Job]) -> Iterator[Finding]:
    """The mends call the script with "queue": it queues what is missing and removes the rest."""
    again = Fix((places.at_script(plan), "queue"), True)
    overdue = [job for job in jobs if job.when < context.now - times.AT_WORK]
    if overdue and not context.facts.atd.running:
        yield _QUEUED.skip("", "atd does not run, so the job waits")  # atd.daemon says it
        return
    if overdue:
        late = context.now - min(job.when for job in overdue)
        message = f"should have started {late // timedelta(minutes=1)} minutes ago; atd runs"
        yield _OVERDUE.found(_named(overdue), message, _lines(jobs), _restart(context))
        return
    right = _right(context, plan)
    fits = [job for job in jobs if job.when in right]
    expected = times.expected_job(plan, context.facts, context.now)
    if len(jobs) > 1:
        message = f"{len(jobs)} jobs of ours are queued"
        status = None if fits else Status.FAIL
        yield _SEVERAL.found("", message, _lines(jobs), again, status=status)
    elif jobs and not fits:
        wanted = f", not {_minute(expected)}" if expected else ", though this block's run is over"
        message = f"is queued for {_minute(jobs[0].when)}{wanted}"
        yield _MINUTE.found(_named(jobs), message, _lines(jobs), again)
    elif fits:
        yield _QUEUED.ok(_named(fits), f"starts {_minute(fits[0].when)}")
    elif expected is None:
        following = times.next_runs(plan, context.facts, context.now, 1)[0].earliest
        message = f"none is due: this block's run is over, the next one is {_minute(following)}"
        yield _QUEUED.ok("", message)
    elif times.settled_job(plan, context.facts, context.now) is None:
        yield _QUEUED.skip("", "a run begins just now; look again in two minutes")
    else:
        message = f"no job of ours is queued; one is due {_minute(expected)}"
        yield _MISSING.found("", message, "atq lists no job that starts our script", again)


def _right(context: Context, plan: Plan) -> set[datetime]:
    """The minutes at which our job may be queued now.

    Also the one that has just come, the one after a run that began since the time was taken, and,
    where the clock was set back, the first after the last slot taken: none is taken twice.
    """
    taken = atstate.taken(context, plan)
    after = max([context.now, *([taken] if taken and not atstate.far(context, taken) else [])])
    return {
        run.earliest
        for moment in (context.now - times.AT_WORK, context.now, context.now + times.AT_WORK, after)
        for run in times.next_runs(plan, context.facts, moment, 1)
    }


def _restart(context: Context) -> Fix:
    return Fix(services.restart(context.host, context.facts.atd), True)


def _named(jobs: Sequence[Job]) -> str:
    return "at job " + ", ".join(job.number for job in jobs)


def _lines(jobs: Sequence[Job]) -> str:
    return "\n".join(_line(job) for job in jobs)


def _line(job: Job) -> str:
    return f"atq: {job.number}  {_minute(job.when)}  {job.script}"


def _minute(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


_KINDS = (
    _QUEUED,
    _NO_ANSWER,
    _PROGRAM,
    _MISSING,
    _MINUTE,
    _OVERDUE,
    _SEVERAL,
    _GONE,
    _OTHER,
    _SECRETS,
    _FOREIGN,
)

CHECKS = (Check((*_KINDS, *atspool.KINDS, *atstate.KINDS), _queue),)
