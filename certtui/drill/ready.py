"""Whether a drill can begin: what it would prove must be what was applied, and run."""

from __future__ import annotations

from collections.abc import Sequence

from certtui.change import store
from certtui.change.model import Snapshot
from certtui.change.provision import needs, start_argv
from certtui.drill.model import Scene
from certtui.errors import Locked, Refused
from certtui.host.interface import Host
from certtui.plan.model import INSTALLED_PLAN
from certtui.render import places
from certtui.render.artifact import Artifact


def check(scene: Scene, paths: Sequence[str]) -> None:
    """``paths`` are the files of the plan that the drill goes through. Raises Refused, Locked."""
    _as_applied(scene, paths)
    for process, script in _at_work(scene.host, _scripts(scene)):
        given = scene.host.read(f"/proc/{process}/environ") or b""
        drilled = b"\0CERTTUI_DRILL=" in b"\0" + given
        what = "the script of a fire drill" if drilled else "a renewal"
        raise Locked(f"{what} is at work ({script}, process {process}): try again when it ends")


def scheduled(scene: Scene) -> list[str]:
    """What starts the renew script, and that script: everything but plan and hooks."""
    hooks = (places.deploy_hook(scene.plan), places.post_hook(scene.plan))
    return [
        artifact.path
        for artifact in scene.rendered.artifacts
        if artifact.path not in (INSTALLED_PLAN, *hooks)
    ]


def _as_applied(scene: Scene, paths: Sequence[str]) -> None:
    if scene.tree.snapshot(store.STATE) is None:
        raise Refused("nothing was applied yet, so there is nothing to try: certtui apply first")
    for artifact in scene.rendered.artifacts:
        if artifact.path not in paths:
            continue
        found: Snapshot | None = store.read_target(scene.tree, artifact.kind, artifact.path)
        if found is None or found.content != artifact.content:
            what = "is missing" if found is None else "is not what the plan says"
            raise Refused(f"{artifact.path} {what}: certtui apply first (certtui diff shows it)")
        _as_permitted(scene, artifact, found)


def _as_permitted(scene: Scene, artifact: Artifact, found: Snapshot) -> None:
    """Mode and owner, by which cron refuses a file. Other kinds and links: Tree refuses them."""
    if artifact.kind == "crontab":
        return  # crontab(1) keeps them
    owner, want = (found.uid, found.gid), (scene.tree.uid, scene.tree.gid)
    if owner != want:
        raise Refused(
            f"{artifact.path} has owner {owner[0]}:{owner[1]}, not {want[0]}:{want[1]}: "
            f"chown {want[0]}:{want[1]} {artifact.path}"
        )
    if found.mode != artifact.mode:
        raise Refused(
            f"{artifact.path} has mode {found.mode:04o}, not {artifact.mode:04o}: "
            f"chmod {artifact.mode:04o} {artifact.path}"
        )


def check_daemons(scene: Scene) -> None:
    """cron, atd or the timer. Raises Refused with the command that mends it."""
    for need in needs(scene.plan, scene.facts, scene.host):
        # Whoever starts an at script besides its job is of no matter here.
        if need.service is None or need.runs or need.name != _daemon(scene):
            continue
        mend = start_argv(need, scene.facts, scene.host)
        how = " ".join(mend[-1]) if mend else f"start {need.name}"
        state = "does not run" if need.installed else "is not installed"
        raise Refused(f"{need.name} {state}, so nothing is started: {how}")
    timer = f"{scene.plan.files.unit}.timer"
    if scene.plan.schedule.backend == "systemd-timer":
        known = next((found for found in scene.facts.timers if found.unit == timer), None)
        if known is None or not known.active:
            raise Refused(f"{timer} is not active: systemctl enable --now {timer}")


def _daemon(scene: Scene) -> str:
    return "atd" if places.at_script(scene.plan) else "cron"


def _scripts(scene: Scene) -> tuple[str, ...]:
    return places.renew_script(scene.plan), places.at_script(scene.plan)


def _at_work(host: Host, scripts: Sequence[str]) -> list[tuple[str, str]]:
    """Processes that run one of the scripts: the kernel starts them as "sh PATH"."""
    found = []
    for number in host.names("/proc"):
        if not number.isdigit():
            continue
        try:
            words = (host.read(f"/proc/{number}/cmdline") or b"").split(b"\0")
        except PermissionError:
            continue  # hidepid: not of ours, who are root
        name = words[1].decode("utf-8", "replace") if len(words) > 1 else ""
        if words[0].endswith(b"sh") and name and name in scripts and _is_here(host, number):
            found.append((number, name))
    return found


def _is_here(host: Host, process: str) -> bool:
    """Whether it is this host's own and not of a container on it."""
    try:
        return host.link(f"/proc/{process}/ns/pid") == host.link("/proc/self/ns/pid")
    except PermissionError:
        return True
