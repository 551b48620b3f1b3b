"""The service of a timer, in a drill: how it stands, and how it is left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from certtui.drill.trace import Trace
from certtui.host import units
from certtui.host.interface import Host

_SERVICE = "ActiveState,Job,Result,ExecMainStatus,ExecMainStartTimestamp"


@dataclass(frozen=True)
class Standing:
    """A service and its timer. ``started`` and ``fired`` are when each last was, UTC.

    ``waits`` is whether systemd has a job for the service still, such as a start that waits for the
    network.
    """

    state: str
    waits: bool
    result: str
    status: str
    started: datetime | None
    fired: datetime | None
    fired_text: str

    @property
    def failed(self) -> bool:
        return self.state == "failed"

    @property
    def at_work(self) -> bool:
        return self.state in ("activating", "deactivating", "active", "reloading")


def look(host: Host, service: str) -> Standing:
    """How they stand; nothing is known of what systemd does not tell."""
    known = _show(host, _SERVICE, service)
    timer = _show(host, "LastTriggerUSec", f"{service.removesuffix('.service')}.timer")
    fired = timer.get("LastTriggerUSec", "")
    return Standing(
        known.get("ActiveState", ""),
        known.get("Job", "0") not in ("", "0"),
        known.get("Result", ""),
        known.get("ExecMainStatus", ""),
        units.moment(known.get("ExecMainStartTimestamp", "")),
        units.moment(fired),
        fired,
    )


def _show(host: Host, asked: str, unit: str) -> units.Properties:
    answer = host.run(["systemctl", "show", "-p", asked, "--", unit], timeout=10, env={"TZ": "UTC"})
    return units.blocks(answer.out)[0] if answer.out else {}


def leave(host: Host, trace: Trace, recorded: bool) -> list[str]:
    """The service as the drill found it; problems as sentences.

    ``recorded`` is whether the drill's run has ended, by the log. A drill's run that is still at
    work is ended; one that failed must not leave the service failed; and a run for which the timer
    fired meanwhile is started, as systemd had it merged with the drill's.
    """
    service = trace.unit
    now = look(host, service)
    ours = now.fired_text == trace.fired
    problems = []
    if (now.at_work or now.waits) and ours and not recorded:
        problems += _run(host, "stop", service)
        now = look(host, service)
    if now.failed and ours and not trace.failed:
        problems += _run(host, "reset-failed", service)
    if not ours and not now.at_work and now.fired and now.started and now.started < now.fired:
        problems += _run(host, "start", "--no-block", service)
    return problems


def _run(host: Host, *words: str) -> list[str]:
    argv = ["systemctl", *words]
    done = host.run(argv, timeout=10)
    return [] if done.ok else [f"{' '.join(argv)}: {done.text}"]
