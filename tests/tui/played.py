"""A machine, a certbot and an apply that are played, in memory and at a clock of their own."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from certtui.change.model import Result, Step
from certtui.errors import CerttuiError, NotApplied
from certtui.host.interface import QUERY_TIMEOUT, Completed
from certtui.renewal.events import Done, Event, Line
from certtui.renewal.parse import Reader
from tests.facts.support import FakeHost
from tests.tui.support import facts

if TYPE_CHECKING:
    from certtui.change.apply import Consent
    from certtui.change.model import Preview
    from certtui.change.run import OnStep
    from certtui.workflow import Job

#: Where the whole output of a dry run is kept.
LOG = "/var/lib/certtui/dry-run.log"

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
        reader = Reader(facts(certificates=[(name, 9) for name in names]).lineages)
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


class Apply:
    """In place of the process that applies: the same apply, step by step, in this one.

    ``waits`` is the number of steps after which it waits for the stage; None: it never does.
    """

    def __init__(
        self, stage: Stage, waits: int | None, job: Job, consent: Consent, approved: Preview
    ) -> None:
        self._stage = stage
        self._waits = waits
        self._job = job
        self._consent = consent
        self._approved = approved
        self._steps: list[Step] = []

    def leave(self) -> None:
        """It goes on without the wizard."""
        self._stage.release()

    def run(self, on_step: OnStep) -> Result:
        """As ``Detached.run``. Raises NotApplied."""

        def told(step: Step) -> None:
            if len(self._steps) == self._waits:
                self._stage.seen.wait()
            self._steps.append(step)
            on_step(step)

        try:
            return self._job.apply(told, consent=self._consent, approved=self._approved)
        except CerttuiError as error:
            raise NotApplied(str(error), error.exit_code) from None
