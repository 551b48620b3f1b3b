"""What doctor and status look at: the same for the command line and for the wizard."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from certtui import workflow
from certtui.errors import PlanMissing, Refused
from certtui.workflow import Job

if TYPE_CHECKING:
    from certtui.ask.session import Session
    from certtui.doctor.finding import Finding
    from certtui.doctor.registry import Context
    from certtui.host.facts import Facts
    from certtui.host.interface import Host
    from certtui.status import Status


def job_or_none(path: str | None, root: str = "/") -> Job | None:
    """The plan named, else the host's own; None where none was named and there is none.

    Raises PlanMissing, PlanInvalid.
    """
    try:
        return Job(workflow.find_plan(path, root), root)
    except PlanMissing:
        if path is not None:
            raise
        return None


#: Seconds for the facts, then for the checks: doctor ends within half a minute on the worst host.
_FACTS, _CHECKS = 10.0, 10.0


def context(job: Job | None, named: str | None) -> Context:
    """What doctor looks at: with the plan if there is one, else what can be seen without.

    ``named`` is the plan that was named, which the commands it prints have to name, too.
    """
    from certtui.doctor.budget import Hurried
    from certtui.doctor.registry import Context
    from certtui.host.gather import gather

    if job is None:
        facts = gather(Hurried(_FACTS))
        return Context(Hurried(_CHECKS), facts)
    file = os.path.abspath(named) if named else ""
    job = replace(job, known=job.gather(Hurried(_FACTS)))
    try:
        rendered, problem = job.rendered, ""
    except Refused as error:
        rendered, problem = None, str(error)
    return Context(Hurried(_CHECKS), job.facts, job.plan, rendered, plan_file=file, problem=problem)


def status_of(job: Job | None) -> Status:
    """What ``certtui status`` prints, also where there is no plan."""
    from certtui import status

    return status.look(*_bare(), None) if job is None else status.gather_status(job)


def _bare() -> tuple[Host, Facts]:
    """This host without a plan."""
    from certtui.host.gather import gather
    from certtui.host.interface import RealHost

    host = RealHost()
    return host, gather(host)


def doctor_for(session: Session) -> tuple[Finding, ...]:
    """What ``certtui doctor`` finds on the host of a wizard. Raises CerttuiError."""
    if session.doctor is not None:
        return tuple(session.doctor())
    from certtui.doctor import registry

    if session.root != "/":
        raise Refused(
            "Doctor looks at a running machine, and this set-up is for a folder. "
            "On a machine: certtui doctor"
        )
    named = _named(session)
    return registry.run_checks(context(job_or_none(named), named))


def status_for(session: Session) -> Status:
    """What ``certtui status`` prints about the host of a wizard. Raises CerttuiError."""
    from certtui import status
    from certtui.host.interface import RealHost
    from certtui.plan.fields import defaults
    from certtui.plan.model import Plan

    job = job_or_none(_named(session), session.root)
    if session.root == "/":
        return status_of(job)
    # The folder's machine is not this one: only its session knows its facts and its time.
    plan = job.plan if job is not None else None
    facts = session.facts(plan or Plan.from_values(defaults()))
    return status.look(RealHost(session.root), facts, plan, live=False, now=session.clock())


def _named(session: Session) -> str | None:
    """The plan that was named when the wizard was started, once there is such a file."""
    return session.path if session.named and os.path.lexists(session.path) else None
