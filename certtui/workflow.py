"""The pipeline both fronts run: find the plan, gather facts, render, preview, apply, dry-run.

The command line and the wizard differ only in how they ask and how they show.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from typing import TYPE_CHECKING

from certtui.errors import CertbotMissing, NeedsRoot, PlanMissing
from certtui.plan.model import INSTALLED_PLAN, Plan

if TYPE_CHECKING:
    from certtui.change.apply import Consent
    from certtui.change.files import Tree
    from certtui.change.jobs import Queue
    from certtui.change.model import Preview, Result
    from certtui.change.preview import Draft
    from certtui.change.provision import Provision
    from certtui.change.requirements import Lack
    from certtui.change.run import OnStep
    from certtui.host.facts import Facts
    from certtui.host.interface import Host
    from certtui.plan.document import Document
    from certtui.render.artifact import Rendered
    from certtui.renewal.events import Done, Event


def find_plan(path: str | None, root: str = "/") -> Document:
    """The plan named, else the installed one, else the one last applied.

    Raises PlanMissing, PlanInvalid.
    """
    from certtui import traces

    installed = root.rstrip("/") + INSTALLED_PLAN
    if path is None and not os.path.lexists(installed) and not traces.applied(root):
        raise _no_plan(installed)
    from certtui.plan import document

    if path is not None:
        return document.load(path)
    if os.path.lexists(installed):
        return document.load(installed)
    applied = _applied_plan(root)
    if applied:
        return document.Document(applied, f"{installed} (as last applied)")
    raise _no_plan(installed)


def _no_plan(installed: str) -> PlanMissing:
    return PlanMissing(
        f"{installed}: no such file, and nothing was applied yet; "
        "run `certtui` for the wizard, or write a plan with `certtui init PLAN`"
    )


def _applied_plan(root: str) -> str:
    from certtui.change import store
    from certtui.change.files import Tree

    try:
        return store.read_state(Tree(root)).plan
    except PermissionError:
        return ""


@dataclass(frozen=True)
class Job:
    """One plan on one host: everything that follows from the two, computed when first asked for.

    ``root`` other than "/" means files only, below that folder. ``known`` are facts gathered
    before; without them they are gathered here.
    """

    document: Document
    root: str = "/"
    known: Facts | None = None

    @property
    def plan(self) -> Plan:
        return self.document.plan

    @property
    def live(self) -> bool:
        """Whether this is about the running machine."""
        return self.root == "/"

    @cached_property
    def host(self) -> Host:
        from certtui.host.interface import RealHost

        return RealHost()

    @cached_property
    def tree(self) -> Tree:
        from certtui.change.files import Tree

        return Tree(self.root)

    @cached_property
    def config_dir(self) -> str:
        from certtui.render.places import config_dir

        return config_dir(self.plan)

    @cached_property
    def facts(self) -> Facts:
        return self.known if self.known is not None else self.gather(self.host)

    def gather(self, host: Host) -> Facts:
        """The facts that this plan asks of a host, as they are now."""
        from certtui.host.gather import gather

        return gather(
            host,
            certbot_command=self.plan.certbot.command,
            config_dir=self.config_dir,
            unit=self.plan.files.unit,
        )

    @cached_property
    def rendered(self) -> Rendered:
        from certtui.render.build import render

        return render(self.plan, self._foreseen, plan_text=self.document.content)

    @cached_property
    def _foreseen(self) -> Facts:
        """The facts as they will be when apply has installed what the plan lets it install."""
        from certtui.change.provision import foreseen

        return foreseen(self.plan, self.facts, self.host) if self.live else self.facts

    @cached_property
    def provision(self) -> Provision:
        """What apply installs and starts by the plan's consent, before it writes anything."""
        from certtui.change.provision import Provision, provision

        return provision(self.plan, self.facts, self.host) if self.live else Provision()

    def queue(self) -> Queue | None:
        """The at job that must be queued now; None where at's queue is none of our business."""
        from certtui.change.jobs import Queue
        from certtui.render.times import expected_job

        if not self.live:
            return None
        now = datetime.now(timezone.utc)
        return Queue(self.rendered.queue, expected_job(self.plan, self._foreseen, now))

    @cached_property
    def lacks(self) -> list[Lack]:
        from certtui.change.requirements import lacking

        return lacking(self.plan, self.facts, self.host) if self.live else []

    @property
    def refusals(self) -> tuple[str, ...]:
        """Why apply would refuse; a missing certbot has an exit code of its own."""
        return tuple(lack.message for lack in self.lacks)

    def draft(self) -> Draft:
        """What apply would do now. Raises Refused, NeedsRoot."""
        from certtui.change import preview

        return preview.draft(
            self.host,
            self.tree,
            self.rendered,
            refusals=self.refusals,
            activate=self.live and self.facts.has_systemd,
            queue=self.queue(),
            provision=self.provision,
        )

    def apply(
        self, on_step: OnStep, *, consent: Consent, approved: Preview | None = None
    ) -> Result:
        """Applies. Raises NeedsRoot, CertbotMissing, Locked, Refused, ApplyFailed."""
        from certtui.change.apply import apply

        self.need_root("apply")
        for lack in self.lacks:
            if lack.what == "certbot":
                raise CertbotMissing(lack.message)
        return apply(
            self.host,
            self.tree,
            self.rendered,
            plan_text=self.document.text,
            refusals=self.refusals,
            activate=self.live and self.facts.has_systemd,
            queue=self.queue(),
            provision=self.provision,
            consent=consent,
            approved=approved,
            on_step=on_step,
        )

    def dry_run(
        self, cancel: threading.Event, only: str = "", *, again: bool = False
    ) -> Iterator[Event]:
        """Streams a dry run; ``again`` adds to the log of the one before.

        Raises NeedsRoot, CertbotMissing, Locked.
        """
        from certtui.renewal.dry_run import dry_run

        # certbot writes there even in a dry run; a folder of the user's own needs no root.
        if not os.access(self.config_dir, os.W_OK) and os.geteuid() != 0:
            self.need_root("dry-run")
        log = self.log_path
        return dry_run(self.plan, self.facts, cancel=cancel, only=only, log_path=log, again=again)

    @cached_property
    def log_path(self) -> str:
        """Where the full output of a dry run goes: certtui's own folder, else a private file."""
        from certtui.change import store

        home = self.root.rstrip("/") + store.HOME
        if (os.geteuid() == 0 or not self.live) and os.path.isdir(home):
            return f"{home}/dry-run.log"
        fd, path = tempfile.mkstemp(prefix="certtui-dry-run-", suffix=".log")
        os.close(fd)
        return path

    def need_root(self, command: str) -> None:
        """Raises :class:`NeedsRoot` unless files go to a throw-away root."""
        if self.live and os.geteuid() != 0:
            raise NeedsRoot(
                f"`certtui {command}` changes the system and needs root: "
                f"sudo certtui {command} {os.path.abspath(self.document.file)}"
            )


def recover(root: str = "/") -> str:
    """Ends what a killed certtui began, where this user may; a sentence about it, or ""."""
    return "; ".join(filter(None, (_recover_apply(root), recover_drill(root))))


def recover_drill(root: str = "/") -> str:
    """The same of a fire drill alone."""
    from certtui import traces

    if root != "/" or not traces.drilled() or os.geteuid() != 0:
        return ""
    from certtui.drill import clean

    return clean.recover()


def _recover_apply(root: str) -> str:
    from certtui import traces

    if not traces.unfinished(root):
        return ""
    from certtui.change import apply, outcome
    from certtui.change.files import Tree
    from certtui.errors import Locked
    from certtui.host.interface import RealHost

    if root == "/" and os.geteuid() != 0:
        return ""
    tree = Tree(root)
    try:
        step = apply.recover(RealHost(), tree)
    except Locked:
        return ""  # its holder is at work and mends it itself
    if step is None:
        return ""
    outcome.mended(tree, step.what)
    return step.what


def watch(job: Job, show: Callable[[Iterator[Event]], Done]) -> tuple[int, Done | None]:
    """A dry run that a signal cancels: certbot is ended first, and what became of it is shown.

    Gives the exit code, and the last event unless the terminal went.
    """
    from certtui.renewal import report
    from certtui.renewal.interrupt import signals_cancel

    cancel = threading.Event()
    with signals_cancel(cancel) as noted:
        try:
            done = show(job.dry_run(cancel))
        except OSError:
            if not noted.signum:
                raise
            return int(noted.exit_code), None  # the terminal went, as the signal said
    return int(noted.exit_code or report.exit_code(done)), done
