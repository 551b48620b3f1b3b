"""Does a boot bring what starts our script? ``enabled`` says so only if its target is reached."""

from __future__ import annotations

from collections.abc import Iterator

from certtui.doctor.check import Check, Context, Kind, no_plan, started_by
from certtui.doctor.finding import Finding, Fix, Status
from certtui.host import units
from certtui.plan.model import Plan
from certtui.render import places

_TARGET = Kind(
    "boot.target",
    Status.FAIL,
    "the default target brings the targets that timers, cron and atd belong to",
    "A timer is enabled by a link in timers.target.wants, cron and atd by one in that of "
    "multi-user.target: with the target masked, or a default.target that does not want it "
    "(rescue.target, one of your own), they are enabled and nothing starts after a reboot.",
)


def _boot(context: Context) -> Iterator[Finding]:
    plan = context.plan
    if plan is None or not context.facts.has_systemd:
        reason = no_plan(context) if plan is None else "systemd is not process 1 here"
        yield _TARGET.skip("", reason)
        return
    answer = context.host.run(["systemctl", "list-dependencies", "--plain", "default.target"])
    brought = {line.strip() for line in answer.out.splitlines()}
    if not answer.ok or not brought:
        yield _TARGET.skip("default.target", f"systemctl does not tell: {answer.text}")
        return
    needed = _needed(context, plan)
    known = units.show(context.host, [*needed, "default.target"])
    default = known.get("default.target", {}).get("Id", "default.target")
    masked = [name for name in needed if known.get(name, {}).get("LoadState") == "masked"]
    missing = [name for name in needed if name not in {*brought, default}]
    for name in masked:
        seen = f"systemctl show {name}: LoadState=masked"
        message = "is masked: nothing of it starts at boot"
        yield _TARGET.found(name, message, seen, Fix(("systemctl", "unmask", name)))
    for name in missing[:1] if not masked else ():
        message = f"does not bring {name}: what starts our script is gone after a reboot"
        seen = f"systemctl list-dependencies default.target ({default}): {name} is not in it"
        mend = Fix(("systemctl", "set-default", "multi-user.target"))
        yield _TARGET.found("default.target", message, seen, mend)
    if not masked and not missing:
        yield _TARGET.ok(default, f"brings {' and '.join(needed)}")


def _needed(context: Context, plan: Plan) -> tuple[str, ...]:
    """The targets whose ``.wants`` our timer or the daemons are in."""
    by_timer = started_by(context) == "systemd"
    daemons = not by_timer or bool(places.at_script(plan))
    return tuple(
        name for name, so in (("timers.target", by_timer), ("multi-user.target", daemons)) if so
    )


CHECKS = (Check((_TARGET,), _boot),)
