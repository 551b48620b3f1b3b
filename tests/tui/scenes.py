"""The host that is played where every page is looked at: the same to the byte on every machine.

What is played: the facts, the answers of commands, certbot's words, the clock. What is real: the
program, the rendered files, the comparison with a folder and the journal.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

from certtui.ask.interview import Interview
from certtui.ask.preferences import Preferences
from certtui.ask.session import Session
from certtui.ask.testmail import Answer
from certtui.change.apply import Consent
from certtui.change.model import Step
from certtui.doctor.check import Context
from certtui.doctor.finding import Finding
from certtui.doctor.registry import run_checks
from certtui.errors import Refused
from certtui.host.facts import Facts, Mailer, Renewer, Service
from certtui.plan.model import Plan
from certtui.workflow import Job
from tests.doctor import support as checked
from tests.tui.played import Apply, Machine, Stage
from tests.tui.support import NOW, facts

FIVE = (
    ("example.com", 61),
    ("shop.example.org", 12),
    ("mail.example.com", 44),
    ("api.example.com", 58),
    ("wiki.example.net", 29),
)

#: A hundred of the kind that a hosting company has.
HUNDRED = tuple((f"customer{number:03}.example.net", 30 + number % 60) for number in range(1, 101))

CERTBOT_TIMER = Renewer(
    "timer",
    "certbot.timer",
    "certbot -q renew",
    True,
    True,
    next_run=NOW + timedelta(hours=7, minutes=42),
)

#: The usual server: Debian 12 with nginx, exim and five certificates.
SERVER = facts(certificates=FIVE, renewers=(CERTBOT_TIMER,))

#: A host with nothing on it yet.
EMPTY = facts(
    certificates=(),
    certbots=(),
    webservers=(),
    cron=Service("cron", False),
    has_cron_d=False,
    mailer=None,
    renewers=(),
)

#: Where a normal user's plan is kept, and the report of a fault of certtui's own.
KEPT = "/home/admin/.local/state/certtui/plan.toml"
REPORT = "/tmp/certtui-report-1x7f3k2q.txt"


@dataclass(frozen=True)
class Scene:
    """What the host is and does while a page is looked at."""

    found: Facts = SERVER
    answers: Mapping[str, Any] = field(default_factory=dict)
    #: puts files into the throw-away root first
    prepare: Callable[[Path, Session], None] | None = None
    failing: frozenset[str] = frozenset()
    #: the number of the certificate at which the dry run waits
    hold: int | None = None
    #: the number of steps after which the apply waits
    applied: int | None = None
    #: whether this user may apply
    may_apply: bool = True
    #: what never ends by itself: facts, compare, doctor
    slow: frozenset[str] = frozenset()
    #: a sentence in place of the facts
    unknown: str = ""
    #: the beginning of a command that fails, and what it says
    fails: tuple[tuple[str, ...], str] = ((), "")
    #: certtui itself has a fault where it compares
    fault: bool = False
    #: what a mailer answers to a test mail
    mailed: Answer | None = None
    doctor: Callable[[Path], Sequence[Finding]] | None = None
    #: further arguments of the session
    session: Mapping[str, Any] = field(default_factory=dict)

    @contextmanager
    def play(self, root: Path, colours: str = "auto") -> Iterator[tuple[Session, Stage]]:
        """The session of a wizard for this host; its files are below ``root``."""
        stage = Stage(tuple(item.name for item in self.found.lineages), self.failing, self.hold)
        machine = Machine()
        machine.fails = self.fails
        session = Session(
            facts=lambda plan: self._look(plan, stage),
            root=str(root),
            keeps_draft=False,
            answers=self.answers,
            clock=lambda: NOW,
            preferences=Preferences(colours=colours),
            doctor=lambda: self._examine(root, stage),
            mails_from=lambda: machine,
            **self.session,
        )
        for folder in ("etc/systemd/system", "etc/cron.d", "usr/local/sbin", "var/lib"):
            (root / folder).mkdir(parents=True)
        with ExitStack() as played:
            for target, name, new in self._played(machine, stage):
                played.enter_context(mock.patch.object(target, name, new))
            for name, new in _PLACES.items():
                played.enter_context(mock.patch(name, new))
            for name, new in self._stages(stage).items():
                played.enter_context(mock.patch(name, new))
            if self.prepare is not None:
                self.prepare(root, session)
            try:
                yield session, stage
            finally:
                stage.release()

    def _played(self, machine: Machine, stage: Stage) -> list[tuple[type, str, Any]]:
        """The root is a folder, but the page is that of a live host, whoever runs this."""
        compare = Job.draft

        def draft(job: Job) -> Any:
            if "compare" in self.slow:
                stage.seen.wait()
            if self.fault:
                raise RuntimeError("a fault")
            return compare(job)

        return [
            (Job, "live", property(lambda job: True)),
            (Job, "host", property(lambda job: machine)),
            (Job, "need_root", lambda job, command: None),
            (Job, "draft", draft),
            (Job, "dry_run", stage.events),
            (Session, "may_apply", property(lambda session: self.may_apply)),
        ]

    def _stages(self, stage: Stage) -> dict[str, Any]:
        """What runs elsewhere, or takes its time."""

        def unseen(root: str, on_step: Callable[[Step], None], left: threading.Event) -> str:
            del root, left
            for step in _STEPS:
                on_step(step)
            stage.seen.wait()
            return ""

        return {
            "certtui.tui.screens.dry_run.monotonic": stage.clock,
            "certtui.tui.screens.applying.Detached": partial(Apply, stage, self.applied),
            "certtui.detached.unseen": unseen,
            "certtui.ask.testmail.send": lambda *given, **named: self.mailed,
        }

    def _examine(self, root: Path, stage: Stage) -> Sequence[Finding]:
        if "doctor" in self.slow:
            stage.seen.wait()
        assert self.doctor is not None, "nobody said what the doctor finds"
        return self.doctor(root)

    def _look(self, plan: Plan, stage: Stage) -> Facts:
        del plan
        if "facts" in self.slow:
            stage.seen.wait()
        if self.unknown:
            raise Refused(self.unknown)
        return self.found


#: Files of the throw-away root belong to whoever runs this; on a server they are root's.
_PLACES: Mapping[str, Callable[..., Any]] = {
    "certtui.ask.farewell.live": lambda interview: True,
    "certtui.change.model._owner": lambda snapshot: "root:root",
    # A normal user's plan is kept in a home folder; here none is.
    "certtui.ask.interview.Interview.keep_plan": lambda self: KEPT,
    "certtui.crash._report": lambda error: REPORT,
}

#: The first steps of an apply.
_STEPS = (
    Step("wrote /etc/certtui/plan.toml (0600)", True),
    Step("wrote /usr/local/sbin/certbot-renew-everything (0700)", True),
    Step("systemctl daemon-reload", True),
)


def applied(root: Path, session: Session) -> None:
    """What the answers lead to is there already."""
    job = _known(session).job()
    job.apply(lambda step: None, consent=Consent(force=True))


def _known(session: Session) -> Interview:
    interview = Interview(session)
    interview.learn(interview.gather())
    return interview


def ran(root: Path, session: Session) -> None:
    """As :func:`applied`, and a few runs later."""
    applied(root, session)
    lines = [
        (1, "systemd-timer", "ok", 14, ""),
        (13, "systemd-timer", "failed", 31, "shop.example.org: connection refused"),
        (25, "manual", "ok", 12, ""),
    ]
    (root / "var/lib/certtui/runs.log").write_text(
        "".join(
            f"{NOW - timedelta(hours=hours, minutes=7):%Y-%m-%dT%H:%M:%SZ} "
            f"{by} {result} {seconds} {detail}\n"
            for hours, by, result, seconds, detail in reversed(lines)
        )
    )


def well(root: Path) -> Sequence[Finding]:
    """What the checks find where all is well."""
    return _checks(root, lambda host: None, SERVER.mailer)


def ill(root: Path) -> Sequence[Finding]:
    """What the checks find where a timer is not enabled and nothing can send mail."""

    def spoil(host: checked.Applied) -> None:
        host.timer["UnitFileState"] = "disabled"
        host.answer()

    return _checks(root, spoil, None)


def _checks(
    root: Path, spoil: Callable[[checked.Applied], None], mailer: Mailer | None
) -> Sequence[Finding]:
    found = checked.facts(lineages=SERVER.lineages, mailer=mailer)
    host = checked.Applied(root / "checked", "systemd-timer", found)
    host.applied += checked.NOW - NOW
    host.write(checked.LOG, f"{NOW - timedelta(hours=3):%Y-%m-%dT%H:%M:%SZ} systemd-timer ok 12 \n")
    host.write("/proc/self/mounts", "/dev/vda1 / ext4 rw,relatime 0 0\n")
    host.timer["NextElapseUSecRealtime"] = "Sun 2026-03-01 12:51:00 UTC"
    host.answer()
    spoil(host)
    return run_checks(Context(host, found, host.plan, host.rendered, now=NOW))
