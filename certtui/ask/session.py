"""What a wizard is started with: the plan, the host it is about, and where its answers wait.

Both faces of the wizard, full-screen and plain, run a :class:`Session`; the demo makes its own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from certtui.ask.preferences import Preferences
from certtui.plan.model import INSTALLED_PLAN, Plan

if TYPE_CHECKING:
    from certtui.change.model import Action
    from certtui.doctor.finding import Finding
    from certtui.host.facts import Facts
    from certtui.host.interface import Host
    from certtui.plan.document import Document
    from certtui.workflow import Job


def _now() -> datetime:
    return datetime.now(timezone.utc)


@dataclass(frozen=True)
class Session:
    """One start of the wizard.

    ``facts`` is called in a worker with the plan as it stands, and may raise CerttuiError.
    ``keeps_draft``: unfinished answers are kept for the next start. ``note`` stands in the title
    line. ``proves``: whether a dry run follows apply; ``played`` are commands shown on Review that
    a folder has no use for. ``doctor`` gives the findings where the host is not this machine.
    ``clock`` gives aware UTC.
    """

    facts: Callable[[Plan], Facts]
    path: str = INSTALLED_PLAN
    base: Document | None = None
    root: str = "/"
    #: whether ``path`` was named by the administrator, so that the answers go there too
    named: bool = False
    keeps_draft: bool = True
    answers: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    #: a sentence about something that happened before, such as a mended apply
    before: str = ""
    #: an apply that lost its terminal is not known to have ended: ``detached.unseen`` tells of it
    unseen: bool = False
    proves: bool = True
    played: Callable[[Job], Sequence[Action]] | None = None
    doctor: Callable[[], Sequence[Finding]] | None = None
    #: the host whose mailer sends a test mail, where ``root`` is a folder
    mails_from: Callable[[], Host] | None = None
    clock: Callable[[], datetime] = _now
    #: how it looks to this user
    preferences: Preferences = field(default_factory=Preferences)

    @property
    def may_apply(self) -> bool:
        """Whether this user may write there."""
        return self.root != "/" or os.geteuid() == 0


def for_host(path: str | None) -> Session:
    """The wizard for this machine and a plan, existing or to be made.

    Raises PlanInvalid, PlanMissing.
    """
    from certtui import traces, workflow
    from certtui.errors import PlanMissing

    if path is not None:
        _require_folder(path)
    before = workflow.recover()
    unseen = False
    if traces.recorded():
        from certtui import detached

        if before:
            detached.seen("/")  # what was mended tells it all
        unseen = detached.is_unseen("/")
    base: Document | None = None
    if path is None or os.path.lexists(path):
        try:
            base = workflow.find_plan(path)
        except PlanMissing:
            if path is not None or os.path.lexists(INSTALLED_PLAN):
                raise
    return Session(
        facts=_gather,
        path=os.path.abspath(path) if path is not None else INSTALLED_PLAN,
        base=base,
        named=path is not None,
        before=before,
        unseen=unseen,
    )


def _require_folder(path: str) -> None:
    """A new plan needs a place: said before all questions, not after them. Raises PlanMissing."""
    from certtui.errors import PlanMissing

    folder = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(folder):
        raise PlanMissing(f"{path}: there is no folder {folder}; make it first, or name another")


def _gather(plan: Plan) -> Facts:
    from certtui.host.gather import gather
    from certtui.host.interface import RealHost
    from certtui.render.places import config_dir

    return gather(
        RealHost(),
        certbot_command=plan.certbot.command,
        config_dir=config_dir(plan),
        unit=plan.files.unit,
    )
