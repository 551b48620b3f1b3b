"""How each backend is made to start one run more, by the way that it starts them all."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from certtui.change import crontab
from certtui.drill import trace, unit
from certtui.drill.model import Scene
from certtui.drill.trace import Trace
from certtui.errors import ApplyFailed, Locked, Refused
from certtui.host.interface import SAFE_PATH
from certtui.render import places

CRON_FILE = "/etc/cron.d/certtui-drill"
BEGIN = b"# BEGIN certtui drill: it goes away by itself\n"
END = b"# END certtui drill\n"

#: Seconds before a timer fires in which no drill begins: systemd would merge the two runs. Longer
#: than a marker is good for, which the timer's run would take.
_NEAR = 120.0

#: Seconds that a start may wait, as for the network, until it is known which it is.
_FOR_START = 15.0

#: Seconds before a full minute in which nothing is put there for it.
_TOO_LATE = 3.0


@dataclass(frozen=True)
class Way:
    """``name`` is what starts it, for people. ``arm`` puts it there and gives when it starts.

    The moments are seconds since 1970: the first at which it may start, and any after that.
    """

    name: str
    how: str
    arm: Callable[[Scene, str], tuple[float, ...]]


def way(scene: Scene) -> Way:
    """That of the plan. Raises Refused, Locked where it can start nothing now."""
    backend = scene.plan.schedule.backend
    if backend == "cron":
        if any(artifact.kind == "crontab" for artifact in scene.rendered.artifacts):
            return Way("cron", "crontab", _arm_crontab)
        return Way("cron", "cron.d", _arm_cron_file)
    if backend == "systemd-timer":
        return Way("systemd", "unit", _arm_unit)
    return Way("at", "at", _arm_at)


def service(scene: Scene) -> str:
    """The service that the plan's timer starts."""
    return f"{scene.plan.files.unit}.service"


def begin(scene: Scene, chosen: Way, drill: str) -> Trace:
    """What is to be cleaned after a drill. Raises Locked where a timer is about to fire."""
    if chosen.how != "unit":
        return Trace(drill, chosen.how)
    now = unit.look(scene.host, service(scene))
    if now.at_work:
        raise Locked(f"{service(scene)} is at work: wait for it, then try again")
    timer = f"{scene.plan.files.unit}.timer"
    for known in scene.facts.timers:
        if known.unit == timer and known.next_elapse is not None:
            left = known.next_elapse.timestamp() - scene.clock.now()
            if 0 < left < _NEAR:
                raise Locked(f"{timer} fires in {left:.0f} s: let that run end, then try again")
    return Trace(drill, "unit", service(scene), now.failed, now.fired_text)


# ---- cron ------------------------------------------------------------------------------------


def _arm_cron_file(scene: Scene, drill: str) -> tuple[float, ...]:
    """A file beside ours with the same surroundings, for two minutes of one day of the year."""
    path = f"/etc/cron.d/{scene.plan.files.unit}"
    ours = next(item for item in scene.rendered.artifacts if item.path == path)
    if path == CRON_FILE:
        raise Refused(f"files.unit names {path}, which is a drill's own file: name another")
    if scene.tree.snapshot(CRON_FILE) is not None:
        raise Refused(f"{CRON_FILE} is there, and no drill of certtui's has left it: remove it")
    minutes = _minutes(scene)
    head = [line for line in ours.content.decode("ascii").splitlines() if not _is_timed(line)]
    script = places.renew_script(scene.plan)
    lines = [
        "# A fire drill of certtui's; it goes away by itself, and does nothing a second time.",
        *(line for line in head if not line.startswith("#")),
        f"CERTTUI_DRILL={drill}",
        *(f"{_date(minute)} root {script}" for minute in minutes),
    ]
    trace.put(scene.tree, CRON_FILE, "\n".join(lines) + "\n", 0o600)
    return minutes


def _arm_crontab(scene: Scene, drill: str) -> tuple[float, ...]:
    """A block before ours in root's crontab: the same variables hold there."""
    whole = crontab.read()
    before, block, _ = crontab.split(whole)
    if block is None or BEGIN in whole:
        raise Refused("root's crontab is not as certtui wrote it: look at it with crontab -l")
    minutes = _minutes(scene)
    words = f"CERTTUI_TRIGGER=cron CERTTUI_DRILL={drill} {places.renew_script(scene.plan)}"
    lines = "".join(f"{_date(minute)} /usr/bin/env {words}\n" for minute in minutes)
    crontab.write(before + BEGIN + lines.encode("ascii") + END + whole[len(before) :])
    return minutes


def clean_crontab() -> list[str]:
    """Takes the block out of root's crontab; every other byte stays. Problems as sentences."""
    if not crontab.is_installed():
        return []
    try:
        whole = crontab.read()
        before, begin, rest = whole.partition(BEGIN)
        _, end, after = rest.partition(END)
        if begin and not end:
            return ["the drill's block in root's crontab has no end: mend it with crontab -e"]
        if begin:
            crontab.write(before + after)
    except ApplyFailed as error:
        return [str(error)]
    return []


def _is_timed(line: str) -> bool:
    return re.match(r"[\d*@]", line) is not None


def _minutes(scene: Scene) -> tuple[float, ...]:
    """Two, as cron may have looked just before the first."""
    first = _next_minute(scene.clock.now())
    return first, first + 60


def _next_minute(now: float) -> float:
    return (now + _TOO_LATE) // 60 * 60 + 60


def _date(moment: float) -> str:
    """The time fields of crontab(5), which are of the host's zone, for one minute of a year."""
    local = time.localtime(moment)
    return f"{local.tm_min} {local.tm_hour} {local.tm_mday} {local.tm_mon} *"


# ---- systemd ---------------------------------------------------------------------------------


def _arm_unit(scene: Scene, drill: str) -> tuple[float, ...]:
    before = unit.look(scene.host, service(scene)).invocation
    argv = ["systemctl", "start", "--no-block", service(scene)]
    done = scene.host.run(argv)
    if not done.ok:
        raise Refused(f"{' '.join(argv)}: {done.text}")
    began = scene.clock.now()
    _note_start(scene, drill, before)
    return (began,)


def _note_start(scene: Scene, drill: str, before: str) -> None:
    """Which start is the drill's goes into the trace: whoever cleans up ends no other."""
    now = unit.look(scene.host, service(scene))
    if now.invocation == before and now.waits:
        _note(scene, drill, job=now.job)

    def begun() -> bool:
        nonlocal now
        now = unit.look(scene.host, service(scene))
        return now.invocation != before or not now.waits

    if now.invocation == before:
        scene.wait(begun, scene.clock.now() + _FOR_START)
    if now.invocation != before:
        _note(scene, drill, invocation=now.invocation)


def _note(scene: Scene, drill: str, **known: str) -> None:
    left = trace.read(scene.tree)
    if left is not None and left.id == drill:
        trace.write(scene.tree, replace(left, **known))  # type: ignore[arg-type]


# ---- at --------------------------------------------------------------------------------------


def _arm_at(scene: Scene, drill: str) -> tuple[float, ...]:
    """A job as the at script queues its own, but of a drill."""
    minute = _next_minute(scene.clock.now())
    argv = [
        *("env", "-i", f"PATH={SAFE_PATH}", "TZ=UTC0", "CERTTUI_TRIGGER=at"),
        *(f"CERTTUI_DRILL={drill}", "at", "-M", "-q", scene.plan.schedule.at_queue),
        *("-t", time.strftime("%Y%m%d%H%M", time.gmtime(minute))),
    ]
    job = f"exec {places.at_script(scene.plan)} </dev/null\n"
    done = scene.host.run(argv, stdin=job)
    # at exits 0 also where it says why not.
    if not done.ok or not re.search(r"^job \d", done.text, re.MULTILINE):
        raise Refused(f"at did not take the job: {done.text}")
    return (minute,)
