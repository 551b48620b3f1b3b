"""What doctor and status look at: the same for the command line and for the wizard."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from certtui import workflow
from certtui.errors import ApplyFailed, PlanInvalid, PlanMissing, Refused
from certtui.plan.model import INSTALLED_PLAN
from certtui.workflow import Job

if TYPE_CHECKING:
    from certtui.ask.session import Session
    from certtui.doctor.finding import Finding
    from certtui.doctor.registry import Context
    from certtui.host.facts import Facts
    from certtui.host.interface import Host
    from certtui.status import Status


@dataclass(frozen=True)
class Found:
    """The plan to look at; None where there is none.

    ``unusable`` says what is wrong with the installed one, a line a problem; the plan last applied
    then stands in for it.
    """

    job: Job | None
    unusable: str = ""


def find(path: str | None, root: str = "/") -> Found:
    """The plan named, else the host's own. Raises PlanMissing, PlanInvalid for one that was named.

    An installed plan that cannot be used is no reason to look at nothing: what was applied from
    an earlier one goes on.
    """
    try:
        return Found(Job(workflow.find_plan(path, root), root))
    except PlanMissing as error:
        if path is not None:
            raise
        return _standing_in(root, str(error)) if _is_hurt(root) else Found(None)
    except (PlanInvalid, OSError) as error:  # OSError: a disk that cannot be read
        if path is not None:
            raise
        return _standing_in(root, str(error))


def _is_hurt(root: str) -> bool:
    """Whether there is an installed plan that not even root can read."""
    return os.geteuid() == 0 and os.path.lexists(root.rstrip("/") + INSTALLED_PLAN)


def _standing_in(root: str, unusable: str) -> Found:
    """The plan last applied, where it is known and can be used."""
    from certtui.change import store
    from certtui.change.files import Tree
    from certtui.plan.document import Document

    try:
        text = store.read_state(Tree(root)).plan
        job = Job(Document(text, f"{INSTALLED_PLAN} (as last applied)"), root) if text else None
    except (ApplyFailed, PlanInvalid, OSError):
        job = None
    return Found(job, unusable)


#: Seconds for the facts, then for the checks: doctor ends within half a minute on the worst host.
_FACTS, _CHECKS = 10.0, 10.0


def context(found: Found, named: str | None) -> Context:
    """What doctor looks at: with the plan if there is one, else what can be seen without.

    ``named`` is the plan that was named, which the commands it prints have to name, too.
    """
    from certtui.doctor.budget import Hurried
    from certtui.doctor.registry import Context
    from certtui.host.gather import gather

    job, unusable = found.job, found.unusable
    if job is None:
        facts = gather(Hurried(_FACTS))
        return Context(Hurried(_CHECKS), facts, unusable=unusable)
    file = os.path.abspath(named) if named else ""
    job = replace(job, known=job.gather(Hurried(_FACTS)))
    try:
        rendered, problem = job.rendered, ""
    except Refused as error:
        rendered, problem = None, str(error)
    return Context(
        Hurried(_CHECKS),
        job.facts,
        job.plan,
        rendered,
        plan_file=file,
        problem=problem,
        unusable=unusable,
    )


def status_of(found: Found) -> Status:
    """What ``certtui status`` prints, also where there is no plan."""
    from certtui import status

    if found.job is None:
        return status.look(*_bare(), None, unusable=found.unusable)
    return status.gather_status(found.job, unusable=found.unusable)


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
    return registry.run_checks(context(find(named), named))


def status_for(session: Session) -> Status:
    """What ``certtui status`` prints about the host of a wizard. Raises CerttuiError."""
    from certtui import status
    from certtui.host.interface import RealHost
    from certtui.plan.fields import defaults
    from certtui.plan.model import Plan

    found = find(_named(session), session.root)
    if session.root == "/":
        return status_of(found)
    # The folder's machine is not this one: only its session knows its facts and its time.
    plan = found.job.plan if found.job is not None else None
    facts = session.facts(plan or Plan.from_values(defaults()))
    return status.look(
        RealHost(session.root),
        facts,
        plan,
        live=False,
        now=session.clock(),
        unusable=found.unusable,
    )


def _named(session: Session) -> str | None:
    """The plan that was named when the wizard was started, once there is such a file."""
    return session.path if session.named and os.path.lexists(session.path) else None
