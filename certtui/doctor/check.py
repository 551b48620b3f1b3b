"""What a check is: a function of the context that yields findings of the kinds it declares."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timezone

from certtui.doctor.finding import Finding, Fix, Status
from certtui.host.facts import Facts
from certtui.host.interface import Host
from certtui.plan.model import INSTALLED_PLAN, Plan
from certtui.render import places
from certtui.render.artifact import Rendered


@dataclass(frozen=True)
class Context:
    """What checks look at. ``plan`` is None where there is none; ``now`` is aware, UTC.

    ``rendered`` is None where the plan cannot be rendered here, and ``problem`` then says why.
    ``plan_file`` is the plan to name in commands, empty for the installed one. ``unusable`` says
    what is wrong with the installed plan, a line a problem; ``plan`` is then the one last applied.
    """

    host: Host
    facts: Facts
    plan: Plan | None = None
    rendered: Rendered | None = None
    now: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    plan_file: str = ""
    problem: str = ""
    unusable: str = ""

    @property
    def is_root(self) -> bool:
        return self.facts.system.is_root

    def apply(self, *, force: bool = False, safe: bool | None = None) -> Fix:
        """The command that makes the files what the plan says; it starts no dry run.

        It is safe where nothing has to be decided, which a forced one takes from a person.
        """
        forced = ("--force",) if force else ()
        named = (self.plan_file,) if self.plan_file else ()
        return Fix(
            ("certtui", "apply", "--no-dry-run", *forced, *named),
            not force if safe is None else safe,
        )


@dataclass(frozen=True)
class Kind:
    """One thing that can be found. ``id`` is stable; ``severity`` is what it usually is.

    ``why`` says in a sentence or two what follows where it is not so, and how that is known.
    """

    id: str
    severity: Status
    expected: str
    why: str = ""

    def found(
        self,
        subject: str,
        message: str,
        evidence: str = "",
        fix: Fix | None = None,
        *,
        status: Status | None = None,
    ) -> Finding:
        """Not as expected. ``status`` where it is milder or worse than usual."""
        return self._said(status or self.severity, subject, message, evidence, fix)

    def ok(self, subject: str, message: str, evidence: str = "") -> Finding:
        """As expected."""
        return self._said(Status.OK, subject, message, evidence)

    def skip(self, subject: str, reason: str) -> Finding:
        """It could not be looked at, or there is nothing to look at."""
        return self._said(Status.SKIP, subject, reason)

    def crash(self, message: str, evidence: str) -> Finding:
        """The check itself broke, or did not end: whether it is as expected is not known."""
        return self._said(Status.CRASH, "", message, evidence)

    def _said(
        self, status: Status, subject: str, message: str, evidence: str = "", fix: Fix | None = None
    ) -> Finding:
        return Finding(self.id, status, subject, message, evidence, self.expected, fix, self.why)


@dataclass(frozen=True)
class Check:
    """One look at the host. The first kind speaks for the whole when all is well or it breaks."""

    kinds: tuple[Kind, ...]
    run: Callable[[Context], Iterable[Finding]]

    @property
    def id(self) -> str:
        return self.kinds[0].id

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(kind.id for kind in self.kinds)


#: How the sentence of :func:`not_needed` begins.
_NOT_NEEDED = "not needed"


def started_by(context: Context) -> str:
    """What starts the renewal, or what queues it: "cron", "systemd", or "" without a plan."""
    plan = context.plan
    if plan is None:
        return ""
    if plan.schedule.backend.startswith("at-"):
        return places.trigger(plan, context.facts)
    return "cron" if plan.schedule.backend == "cron" else "systemd"


def not_needed(context: Context) -> str:
    """Why a check of another backend, or of another trigger, has nothing to look at."""
    assert context.plan is not None
    backend = context.plan.schedule.backend
    by = f" by {started_by(context)}" if backend.startswith("at-") else ""
    return f"{_NOT_NEEDED}: the plan uses {backend}{by}"


def is_needless(finding: Finding) -> bool:
    """Whether it was skipped for a plan that does without it."""
    return finding.status is Status.SKIP and finding.message.startswith(_NOT_NEEDED)


def is_hidden(finding: Finding) -> bool:
    """Whether it was skipped only because the user is not root."""
    words = ("needs root", "run as root")
    return finding.status is Status.SKIP and any(word in finding.message for word in words)


def needs_root(path: str = "") -> str:
    """The sentence of a skip; ``path`` where its subject does not name it."""
    return f"could not look at {path} (needs root)" if path else "could not look (needs root)"


def no_plan(context: Context) -> str:
    """Why there is no plan in the context: one that only root may read is not no plan."""
    if context.unusable:
        return "the plan cannot be used"  # plan.invalid says why
    hidden = context.host.info(INSTALLED_PLAN) is not None
    return needs_root(INSTALLED_PLAN) if hidden else "there is no plan"
