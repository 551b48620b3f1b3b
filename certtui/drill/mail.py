"""The drill of the mail: the backend starts the renew script, and its mail arrives."""

from __future__ import annotations

import secrets
import time

from certtui.change.packages import install_argv
from certtui.doctor.records.history import PastRun
from certtui.drill import backends, clean, post, ready, scheduled, trace, unit, work
from certtui.drill.backends import Way
from certtui.drill.model import LONGEST, Mail, Outcome, Scene, Step
from certtui.drill.trace import Trace

#: Seconds after its moment until a run must have begun; systemd's begins at once.
_PATIENCE = 20.0

#: Seconds that the proof of the mail may take, and those that are left of the whole drill when it
#: waits no more for a script whose mailer hangs.
_FOR_MAIL, _AT_LAST = 25.0, 5.0


def drill(scene: Scene) -> Outcome:
    """The whole drill. Raises Refused, Locked where it cannot begin."""
    began = scene.clock.now()
    ready.check_daemons(scene)
    chosen = backends.way(scene)
    mail = Mail(scene.plan.mail.to)
    outcome = Outcome("mail", secrets.token_hex(8), scene.plan.schedule.backend, mail=mail)
    ready.check(scene, ready.scheduled(scene))
    with work.alone(scene):
        left = backends.begin(scene, chosen, outcome.id)
        with work.traced(scene, left, outcome):
            _links(scene, chosen, outcome, left, began)
            # One that has not come to its end is ended: a slow start must not become a renewal.
            if chosen.how == "unit" and clean.recorded(scene.host, outcome.id):
                _let_it_end(scene, left.unit)
    outcome.seconds = scene.clock.now() - began
    return outcome


def _links(scene: Scene, chosen: Way, outcome: Outcome, left: Trace, began: float) -> None:
    """The chain, link by link; it ends where it breaks.

    But for the first: where a run of the plan's would not start, the drill's still tells whether
    anybody would hear of a failure.
    """
    work.say(scene, outcome, scheduled.step(scene))
    trace.mark(scene.tree, left, scene.clock.now())
    moments = chosen.arm(scene, outcome.id)
    if not work.say(scene, outcome, _started(scene, chosen, moments)):
        return
    run = _recorded(scene, outcome.id, began + LONGEST - _AT_LAST)
    if run is None:
        message = "the script began, but no line of it is in the log of runs"
        work.say(scene, outcome, Step("noted in runs.log", False, message, "certtui doctor"))
        return
    shown = f"{run.time:%Y-%m-%dT%H:%M:%SZ} {run.trigger} drill {run.seconds} s"
    if not work.say(scene, outcome, Step("noted in runs.log", True, shown)):
        return
    _mail(scene, chosen, outcome, run, min(began + LONGEST, scene.clock.now() + _FOR_MAIL))


def _started(scene: Scene, chosen: Way, moments: tuple[float, ...]) -> Step:
    """Waits until the script has taken the marker."""
    what = f"started by {chosen.name}"
    for turn, moment in enumerate(moments):
        _tell_moment(scene, chosen, moment, turn)
        patience = _PATIENCE if moment == moments[-1] else 5.0
        begun, failed = _begins(scene, chosen, moment, moment + patience)
        if failed:
            return Step(what, False, failed, f"journalctl -u {backends.service(scene)}")
        if begun:
            return Step(what, True, _clock(scene.clock.now()))
    trace.unmark(scene.tree)  # a start that comes now is none of the drill's any more
    message = f"{chosen.name} has not started the renew script by {_clock(scene.clock.now())}"
    return Step(what, False, message, "certtui doctor")


def _begins(scene: Scene, chosen: Way, since: float, until: float) -> tuple[bool, str]:
    """Whether it began, and why it cannot."""
    failed = ""

    def settled() -> bool:
        nonlocal failed
        failed = _failed(scene, chosen, since)
        return bool(failed) or scene.host.info(trace.MARKER) is None

    return scene.wait(settled, until), failed


def _tell_moment(scene: Scene, chosen: Way, moment: float, turn: int) -> None:
    left = moment - scene.clock.now()
    if chosen.how == "unit":
        scene.on_wait(f"systemd starts {backends.service(scene)} now")
    elif turn:
        scene.on_wait(f"not yet; {chosen.name} looks again at {_clock(moment)}")
    else:
        scene.on_wait(f"{chosen.name} starts it at {_clock(moment)}, in {left:.0f} s")


def _failed(scene: Scene, chosen: Way, since: float) -> str:
    """A service that cannot even start its script never takes the marker."""
    if chosen.how != "unit" or scene.host.info(trace.MARKER) is None:
        return ""
    now = unit.look(scene.host, backends.service(scene))
    if not now.failed or now.result in ("success", ""):
        return ""
    if now.started is None or now.started.timestamp() < int(since):
        return ""  # a failure of before the drill: it has not begun yet
    return f"{backends.service(scene)} failed: Result={now.result}, status {now.status}"


def _recorded(scene: Scene, drill_id: str, until: float) -> PastRun | None:
    found: list[PastRun] = []

    def is_there() -> bool:
        run = clean.recorded(scene.host, drill_id)
        found.extend([run] if run else [])
        return bool(found)

    if not scene.wait(is_there, scene.clock.now() + 3):
        scene.on_wait("it waits for the mailer, which the script gives 60 s")
    scene.wait(is_there, until)
    return found[-1] if found else None


def _mail(scene: Scene, chosen: Way, outcome: Outcome, run: PastRun, until: float) -> None:
    said = run.detail.partition(" ")[2]
    began = run.time.timestamp() - run.seconds
    if not outcome.mail.to:
        message = "mail.to is empty: nobody is told when a renewal fails"
        work.say(scene, outcome, Step("no mail", True, message))
        outcome.proved = f"{chosen.name} starts the renew script; but {message}"
        return
    if said != "mail accepted":
        work.say(scene, outcome, Step("taken by the mailer", False, said, _mend(scene, said)))
        return
    where = post.follow(scene, outcome, began, until)
    if where:
        outcome.proved = f"{chosen.name} starts the renew script, and {where}"


def _mend(scene: Scene, said: str) -> str:
    if "neither sendmail nor mail was found" in said:
        return " ".join(install_argv(scene.facts, "mail")) or "install a mailer"
    if "ended by a signal" in said:
        return "certtui drill"
    return f"echo test | sendmail -v {scene.plan.mail.to}"


def _let_it_end(scene: Scene, service: str) -> None:
    """A service is at work for a moment after the script's last line."""
    scene.wait(lambda: not unit.look(scene.host, service).at_work, scene.clock.now() + 5)


def _clock(moment: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(moment))
