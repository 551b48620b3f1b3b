"""The service of a timer, in a drill: how it stands, and how it is left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from certtui.drill import processes
from certtui.drill.model import Clock
from certtui.drill.trace import Trace
from certtui.errors import ApplyFailed
from certtui.host import units
from certtui.host.interface import Host

_SERVICE = "ActiveState,Job,Result,ExecMainStatus,ExecMainStartTimestamp,InvocationID,MainPID"

#: Seconds that a run may take to end by itself; its service gives it 90, its mailer 60.
_PATIENCE = 10.0


@dataclass(frozen=True)
class Standing:
    """A service and its timer. ``started`` and ``fired`` are when each last was, UTC.

    ``job`` is that which systemd has for the service, such as a start that waits for the network;
    "" for none. ``invocation`` tells one start from another; "" where there was none.
    """

    state: str
    job: str
    result: str
    status: str
    started: datetime | None
    fired: datetime | None
    fired_text: str
    invocation: str
    process: str

    @property
    def failed(self) -> bool:
        return self.state == "failed"

    @property
    def at_work(self) -> bool:
        return self.state in ("activating", "deactivating", "active", "reloading")

    @property
    def waits(self) -> bool:
        return bool(self.job)


def look(host: Host, service: str) -> Standing:
    """How they stand; nothing is known of what systemd does not tell."""
    known = _show(host, _SERVICE, service)
    timer = _show(host, "LastTriggerUSec", f"{service.removesuffix('.service')}.timer")
    fired = timer.get("LastTriggerUSec", "")
    job = known.get("Job", "0")
    return Standing(
        known.get("ActiveState", ""),
        "" if job == "0" else job,
        known.get("Result", ""),
        known.get("ExecMainStatus", ""),
        units.moment(known.get("ExecMainStartTimestamp", "")),
        units.moment(fired),
        fired,
        known.get("InvocationID", ""),
        known.get("MainPID", "0"),
    )


def _show(host: Host, asked: str, unit: str) -> units.Properties:
    answer = host.run(["systemctl", "show", "-p", asked, "--", unit], timeout=10, env={"TZ": "UTC"})
    return units.blocks(answer.out)[0] if answer.out else {}


def leave(host: Host, trace: Trace, recorded: bool, clock: Clock) -> list[str]:
    """The service as the drill found it; problems as sentences.

    ``recorded`` is whether the drill's run has ended, by the log. Only what is known to be the
    drill's own start is touched: it is ended while it is still at work, and its failure is not left
    behind. A run for which the timer fired meanwhile is started, as systemd had merged it with the
    drill's. Raises ApplyFailed where systemd does not tell how it stands.
    """
    service = trace.unit
    now = _known(host, service)
    problems = []
    if not recorded and _is_ours(now, trace) and now.at_work:
        problems += _end(host, trace, now, clock)
        now = _known(host, service)
    elif not recorded and now.waits and now.job == trace.job and now.fired_text == trace.fired:
        problems += _run(host, "stop", service)  # it has not begun yet
    if now.failed and _is_ours(now, trace) and not trace.failed:
        problems += _run(host, "reset-failed", service)
    merged = now.fired_text != trace.fired and now.fired and now.started and now.started < now.fired
    if merged and not now.at_work:
        problems += _run(host, "start", "--no-block", service)
    return problems


def _known(host: Host, service: str) -> Standing:
    """Raises ApplyFailed: an answer that did not come is not "nothing to do"."""
    now = look(host, service)
    if not now.state:
        raise ApplyFailed(f"systemctl show {service} did not say how it stands")
    return now


def _is_ours(now: Standing, trace: Trace) -> bool:
    return bool(trace.invocation) and now.invocation == trace.invocation


def _end(host: Host, trace: Trace, now: Standing, clock: Clock) -> list[str]:
    """Ends the drill's run: asked first, and then, as a mailer may be deaf to that, killed.

    Not by ``systemctl kill``, which would end a daemon that a hook has started, too.
    """
    service = trace.unit
    # Before it is told: what is deaf to it is nobody's child any more when the script has ended.
    whole = processes.below(host, [int(now.process or 0)])
    problems = _run(host, "stop", "--no-block", service)

    def gone() -> bool:
        found = look(host, service)
        # An answer that did not come tells nothing.
        ended = bool(found.state) and not (found.at_work and _is_ours(found, trace))
        return ended and not processes.left(host, whole)

    if problems or clock.wait(gone, clock.now() + _PATIENCE):
        return problems
    processes.kill(host, whole)
    if clock.wait(gone, clock.now() + _PATIENCE):
        return []
    return [f"{service} is still at work for the drill: systemctl stop {service}"]


def _run(host: Host, *words: str) -> list[str]:
    argv = ["systemctl", *words]
    done = host.run(argv, timeout=10)
    return [] if done.ok else [f"{' '.join(argv)}: {done.text or f'ended with {done.code}'}"]
