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
from pathlib import Path
from typing import Any
from unittest import mock

from certtui.change.apply import Consent
from certtui.errors import Refused
from certtui.host.facts import Facts, Renewer, Service
from certtui.host.interface import QUERY_TIMEOUT, Completed
from certtui.interview import Interview
from certtui.plan.model import Plan
from certtui.renewal.events import Done, Event, Line, LineageResult
from certtui.renewal.parse import Reader
from certtui.session import Session
from certtui.workflow import Job
from tests.facts.support import FakeHost
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

LOG = "/var/lib/certtui/dry-run.log"
KEPT = "/home/admin/.local/state/certtui/plan.toml"

_RULE = "- - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - -"


class Machine(FakeHost):
    """Answers systemctl from memory: unit -> [file state, active]; every other command succeeds."""

    def __init__(self) -> None:
        super().__init__()
        self.units: dict[str, list[Any]] = {"certbot.timer": ["enabled", True]}
        #: the beginning of a command that fails, and what it says
        self.fails: tuple[tuple[str, ...], str] = ((), "")
        for program in ("/usr/bin/flock", "/usr/sbin/nginx", "/usr/sbin/sendmail"):
            self.program(program)

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float = QUERY_TIMEOUT,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
    ) -> Completed:
        command = tuple(argv)
        beginning, said = self.fails
        if beginning and command[: len(beginning)] == beginning:
            return Completed(command, 1, "", said)
        if command[:2] == ("systemctl", "show"):
            names = command[command.index("--") + 1 :]
            return Completed(command, 0, "\n".join(self._shown(name) for name in names), "")
        if command[0] == "systemctl":
            self._act(command[1], command[-1], "--now" in command)
        return Completed(command, 0, "", "")

    def _act(self, verb: str, unit: str, now: bool) -> None:
        state = self.units.setdefault(unit, ["disabled", False])
        if verb in ("enable", "disable"):
            state[0] = f"{verb}d"
        if verb in ("start", "restart") or (verb == "enable" and now):
            state[1] = True
        if verb == "stop" or (verb == "disable" and now):
            state[1] = False

    def _shown(self, unit: str) -> str:
        state = self.units.get(unit, ["", False])
        fragment = f"/lib/systemd/system/{unit}" if state[0] else ""
        active = "active" if state[1] else "inactive"
        return (
            f"Id={unit}\nUnitFileState={state[0]}\nActiveState={active}\nFragmentPath={fragment}\n"
        )


@dataclass
class Stage:
    """A dry run in certbot's words (2.1.0) that waits at one certificate until it may go on.

    ``names`` are the certificates, of which ``failing`` fail; ``hold`` is the number of the one at
    which it waits. ``now`` is what the page's clock shows, in seconds.
    """

    names: tuple[str, ...]
    failing: frozenset[str] = frozenset()
    hold: int | None = None
    now: float = 0.0
    go: threading.Event = field(default_factory=threading.Event)
    #: as ``go``, for what is slow before: looking at the host, comparing, applying
    seen: threading.Event = field(default_factory=threading.Event)

    def release(self) -> None:
        """Nothing waits any more: the program can end."""
        self.go.set()
        self.seen.set()

    def clock(self) -> float:
        """In place of ``time.monotonic``."""
        return self.now

    def events(self, cancel: threading.Event, only: str = "") -> Iterator[Event]:
        """In place of ``Job.dry_run``."""
        names = (only,) if only else self.names
        lineages = [item for item in facts(certificates=[(name, 9) for name in names]).lineages]
        reader = Reader(tuple(lineages))
        stopped = False
        yield from self._say(reader, ["Saving debug log to /var/log/letsencrypt/letsencrypt.log"])
        for number, name in enumerate(names):
            yield from self._say(reader, _head(name))
            if number == self.hold and not only:
                stopped = self._wait(cancel)
            if stopped:
                break
            if name in self.failing:
                yield from self._say(reader, _refused(name))
            else:
                # The result of each is known from the table at the end only.
                yield LineageResult(name, "ok", "", self.now)
            self.now += 2.6
        if not stopped:
            yield from self._say(reader, _table(names, self.failing))
        yield from self._done(reader, stopped)

    def _wait(self, cancel: threading.Event) -> bool:
        """Whether it was cancelled."""
        while not self.go.wait(0.01):
            if cancel.is_set():
                return True
        return False

    def _say(self, reader: Reader, lines: Sequence[str]) -> Iterator[Event]:
        for text in lines:
            yield Line(text, self.now)
            yield from reader.feed(text, self.now)

    def _done(self, reader: Reader, stopped: bool) -> Iterator[Event]:
        why = "cancelled" if stopped else ""
        without_row = "skipped" if stopped else "failed"
        failed = bool(self.failing)
        yield from reader.finish(int(failed), why, self.now, without_row=without_row)
        bad = sum(result.result != "ok" for result in reader.results)
        reason = f"{bad} of {len(reader.results)} certificates not proved" if bad else ""
        if stopped:
            reason = "cancelled; certbot was asked to stop and has ended"
        yield Done(not bad, reader.results, self.now, reason, LOG, cancelled=stopped)


def _head(name: str) -> list[str]:
    return [
        "",
        _RULE,
        f"Processing /etc/letsencrypt/renewal/{name}.conf",
        _RULE,
        f"Simulating renewal of an existing certificate for {name}",
    ]


def _refused(name: str) -> list[str]:
    return [
        "",
        "Certbot failed to authenticate some domains (authenticator: nginx). The Certificate "
        "Authority reported these problems:",
        f"  Domain: {name}",
        "  Type:   connection",
        f"  Detail: 203.0.113.7: Fetching http://{name}/.well-known/acme-challenge/"
        "BfdXFF-t0_IwaNkoDqknKicwCKetmRgBbnbo8euTVxQ: Connection refused",
        "",
        "Hint: The Certificate Authority failed to verify the temporary nginx configuration "
        "changes made by Certbot. Ensure the listed domains point to this nginx server and that "
        "it is accessible from the internet.",
        "",
        f"Failed to renew certificate {name} with error: Some challenges have failed.",
    ]


def _table(names: Sequence[str], failing: frozenset[str]) -> list[str]:
    well = [name for name in names if name not in failing]
    badly = [name for name in names if name in failing]
    path = "  /etc/letsencrypt/live/{}/fullchain.pem ({})"
    good = [path.format(name, "success") for name in well]
    bad = [path.format(name, "failure") for name in badly]
    if not badly:
        said = ["Congratulations, all simulated renewals succeeded: ", *good]
    elif not well:
        head = "All simulated renewals failed. The following certificates could not be renewed:"
        said = [head, *bad]
    else:
        said = ["The following simulated renewals succeeded:", *good, ""]
        said += ["The following simulated renewals failed:", *bad]
    end = [f"{len(badly)} renew failure(s), 0 parse failure(s)"] if badly else []
    return ["", _RULE, *said, _RULE, *end]


@dataclass(frozen=True)
class Scene:
    """What the host is and does while a page is looked at."""

    found: Facts = SERVER
    answers: Mapping[str, Any] = field(default_factory=dict)
    #: puts files into the throw-away root first
    prepare: Callable[[Path, Session], None] | None = None
    failing: frozenset[str] = frozenset()
    hold: int | None = None
    #: whether this user may apply
    may_apply: bool = True
    #: what never ends by itself: facts, compare
    slow: frozenset[str] = frozenset()
    #: a sentence in place of the facts
    unknown: str = ""
    #: the beginning of a command that fails, and what it says
    fails: tuple[tuple[str, ...], str] = ((), "")
    #: further arguments of the session
    session: Mapping[str, Any] = field(default_factory=dict)

    @contextmanager
    def play(self, root: Path) -> Iterator[tuple[Session, Stage]]:
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
            **self.session,
        )
        compare = Job.draft

        def draft(job: Job) -> Any:
            if "compare" in self.slow:
                stage.seen.wait()
            return compare(job)

        with ExitStack() as played:
            for target, name, new in (
                # The root is a folder, but the page is that of a live host, whoever runs this.
                (Job, "live", property(lambda job: True)),
                (Job, "host", property(lambda job: machine)),
                (Job, "need_root", lambda job, command: None),
                (Job, "draft", draft),
                (Job, "dry_run", stage.events),
                (Session, "may_apply", property(lambda one: self.may_apply)),
            ):
                played.enter_context(mock.patch.object(target, name, new))
            for name, new in _PLACES.items():
                played.enter_context(mock.patch(name, new))
            played.enter_context(mock.patch("certtui.tui.screens.dry_run.monotonic", stage.clock))
            for folder in ("etc/systemd/system", "etc/cron.d", "usr/local/sbin", "var/lib"):
                (root / folder).mkdir(parents=True)
            if self.prepare is not None:
                self.prepare(root, session)
            try:
                yield session, stage
            finally:
                stage.release()

    def _look(self, plan: Plan, stage: Stage) -> Facts:
        del plan
        if "facts" in self.slow:
            stage.seen.wait()
        if self.unknown:
            raise Refused(self.unknown)
        return self.found


#: Files of the throw-away root belong to whoever runs this; on a server they are root's.
_PLACES: Mapping[str, Callable[..., Any]] = {
    "certtui.change.model._owner": lambda snapshot: "root:root",
    # A normal user's plan is kept in a home folder; here none is.
    "certtui.interview.Interview.keep_plan": lambda self: KEPT,
}


def applied(root: Path, session: Session) -> None:
    """What the answers lead to is there already."""
    job = _known(session).job()
    job.apply(lambda step: None, consent=Consent(force=True))


def _known(session: Session) -> Interview:
    interview = Interview(session)
    interview.learn(interview.gather())
    return interview
