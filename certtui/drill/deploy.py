"""The drill of the deploy: the hooks as certbot starts them, and what the server serves then."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence

from certtui.change.signals import HeldSignals
from certtui.doctor.records.history import PENDING
from certtui.drill import pending, ready, work
from certtui.drill.model import Outcome, Scene, Step
from certtui.drill.trace import Trace
from certtui.errors import Refused
from certtui.host import served
from certtui.host.facts import Lineage
from certtui.host.interface import Completed, apart
from certtui.host.served import Served
from certtui.render import places, webserver
from certtui.render.webserver import Reload

#: Seconds: what the hook itself allows a test, and both of its parts together.
_TEST, _HOOK = 125.0, 300.0

#: Seconds that a server may take until it serves what it was told to load.
_PATIENCE = 10.0


def drill(scene: Scene, only: str = "") -> Outcome:
    """The whole drill, of one lineage where it is named. Raises Refused, Locked."""
    began = scene.clock.now()
    loads = webserver.reload(scene.plan, scene.facts)
    if loads is None:
        raise Refused('webserver.kind is "none": there is nothing to deploy to')
    hooks = (places.deploy_hook(scene.plan), places.post_hook(scene.plan))
    ready.check(scene, hooks)
    lineages = _chosen(scene, only)
    outcome = Outcome("deploy", secrets.token_hex(8), scene.plan.schedule.backend)
    with work.alone(scene):
        paths = {lineage.name: _path(scene, lineage.name) for lineage in lineages}
        left = Trace(
            outcome.id,
            "deploy",
            pending=pending.lines(scene.tree),
            noted=pending.noted(scene.host),
            certificates=tuple(
                (path, pending.certificate(scene.host, path)) for path in paths.values()
            ),
        )
        with work.traced(scene, left, outcome):
            before = {name: it.state for name, it in served.look(scene.host, lineages).items()}
            if _hooks(scene, outcome, loads, paths):
                _serves(scene, outcome, loads.server, lineages, before)
    outcome.seconds = scene.clock.now() - began
    return outcome


def _chosen(scene: Scene, only: str) -> list[Lineage]:
    known = [lineage for lineage in scene.facts.lineages if lineage.not_after is not None]
    if not known:
        raise Refused("there is no certificate on this host yet: nothing to deploy")
    found = [lineage for lineage in known if only in ("", lineage.name)]
    if not found:
        names = ", ".join(lineage.name for lineage in known[:20])
        raise Refused(f"no certificate is called {only} here; there is {names}")
    return found


def _path(scene: Scene, name: str) -> str:
    """What certbot sets RENEWED_LINEAGE to (its storage.py, live_dir)."""
    return f"{places.config_dir(scene.plan)}/live/{name}"


def _tested(loads: Reload, done: Completed) -> Step:
    what = f"configuration test of {loads.server}"
    return Step(what, True) if done.ok else Step(what, False, _last(done), " ".join(loads.test))


def _hooks(scene: Scene, outcome: Outcome, loads: Reload, paths: dict[str, str]) -> bool:
    """Test, deploy hook for each, post hook once; False where one fails."""
    if loads.test:
        step = _tested(loads, scene.host.run(loads.test, timeout=_TEST))
        if not work.say(scene, outcome, step):
            return False
    hook = places.deploy_hook(scene.plan)
    for path in paths.values():
        done = scene.host.run([hook], timeout=_HOOK, env=_environment(scene, path))
        if not done.ok or path not in pending.lines(scene.tree):
            message = _last(done) if not done.ok else f"it has not noted {path} in {PENDING}"
            work.say(scene, outcome, Step("deploy hook", False, message, hook))
            return False
    work.say(scene, outcome, Step("deploy hook", True, f"noted {_many(paths)} as renewed"))
    hook = places.post_hook(scene.plan)
    done = _uncut(scene, hook)
    left = [path for path in paths.values() if path in pending.lines(scene.tree)]
    if done.ok and not left:
        return work.say(scene, outcome, Step("post hook", True, _told(scene, loads)))
    message = _last(done) if not done.ok else f"it ended well, but {left[0]} waits in {PENDING}"
    return work.say(scene, outcome, Step("post hook", False, message, hook))


def _told(scene: Scene, loads: Reload) -> str:
    """The hook leaves a server alone that is stopped (render/templates/reload-*.sh)."""
    if loads.service and not _runs(scene, loads):
        return f"{loads.server} is stopped: it reads the certificate when it starts"
    return f"{loads.server} was told, once"


def _runs(scene: Scene, loads: Reload) -> bool:
    """Looked at in the way of the hook: by systemd, or by the names of processes."""
    if loads.part == "reload-systemd.sh":
        done = scene.host.run(["systemctl", "is-active", loads.unit])
        return done.out.strip() not in ("inactive", "failed", "unknown")
    name = f"{loads.service}\n".encode()
    numbers = (number for number in scene.host.names("/proc") if number.isdigit())
    return any(scene.host.read(f"/proc/{number}/comm") == name for number in numbers)


def _uncut(scene: Scene, hook: str) -> Completed:
    """Runs the hook to its end: a signal waits, as a restart must not be cut in two."""
    held = HeldSignals()
    held.begin()
    try:
        with apart():
            return scene.host.run([hook], timeout=_HOOK, env=_environment(scene))
    finally:
        held.end()


def _environment(scene: Scene, lineage: str = "") -> dict[str, str]:
    """What the renew script gives certbot, and certbot its hooks.

    CERTTUI_RUN: the hook leaves it to its caller to mail a failure, and this one is told at once.
    """
    found = {"LC_ALL": "C", "HOME": "/root", "LOGNAME": "root", "USER": "root", "CERTTUI_RUN": "1"}
    found |= dict(scene.plan.certbot.env)
    if lineage:
        name = lineage.rpartition("/")[2]
        domains = {item.name: item.domains for item in scene.facts.lineages}[name]
        found |= {"RENEWED_LINEAGE": lineage, "RENEWED_DOMAINS": " ".join(domains)}
    return found


#: What a server answers that is on its way up again.
_AWAY = ("nobody", "silent", "absent")


def _serves(
    scene: Scene,
    outcome: Outcome,
    server: str,
    lineages: Sequence[Lineage],
    before: Mapping[str, str],
) -> None:
    """Asks until nothing old is served any more, or the time is up.

    ``before`` is what was served when it began, by which one knows what has to come back.
    """
    answers: dict[str, Served] = {}
    served_before = {name for name, state in before.items() if state not in (*_AWAY, "unknown")}

    def is_away(name: str) -> bool:
        return name in served_before and answers[name].state in _AWAY

    def settled() -> bool:
        answers.update(served.look(scene.host, lineages))
        return not any(it.state == "old" or is_away(name) for name, it in answers.items())

    scene.wait(settled, scene.clock.now() + _PATIENCE, 1.0)
    proved = 0
    for name, answer in answers.items():
        outcome.served.append(
            {
                "name": name,
                "state": answer.state,
                "address": answer.address,
                "message": answer.message,
            }
        )
        if is_away(name):
            message = f"{answer.message}, where it was served before the drill"
            step = Step(f"served: {name}", False, message, "certtui doctor")
        else:
            step = _judged(scene, name, answer, server)
        work.say(scene, outcome, step)
        proved += answer.state == "same"
    if not proved:
        message = f"not one certificate is served on port 443 of this host by {server}"
        work.say(scene, outcome, Step("served", False, message, "certtui doctor"))
        return
    outcome.proved = f"the hooks make {server} serve what is on disk ({proved} of {len(answers)})"


def _judged(scene: Scene, name: str, answer: Served, server: str) -> Step:
    """A certificate that this server does not have is for something else, and no failure."""
    what = f"served: {name}"
    if answer.state in ("same", "covered", "absent", "nobody"):
        return Step(what, True, answer.message)
    mend = "certtui doctor"
    if answer.state == "old":
        # It was told to load it, and did: so it reads another file.
        mend = f"let {server} read {_path(scene, name)}/fullchain.pem, not a copy"
    return Step(what, False, answer.message, mend)


def _last(done: Completed) -> str:
    """What a command said, on one line, or how it ended."""
    return " ".join(done.text.split())[:400] or f"exit status {done.code}"


def _many(paths: dict[str, str]) -> str:
    return next(iter(paths)) if len(paths) == 1 else f"{len(paths)} certificates"
