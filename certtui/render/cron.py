"""The cron backend: a file in /etc/cron.d, or a fenced block in root's crontab."""

from __future__ import annotations

from certtui.host.facts import Facts
from certtui.plan.model import Plan
from certtui.render import places, shell, times
from certtui.render.artifact import Artifact, Rendered
from certtui.render.places import Places

#: What people call root's crontab; the block has no path of its own.
CRONTAB = "crontab of root"


def schedule(plan: Plan, facts: Facts, where: Places) -> Rendered:
    """One line a run. The line carries a fixed path only, and "%" cannot be in one."""
    script = places.renew_script(plan)
    why = f"starts the renewal {plan.schedule.runs} times a day"
    clock = [f"{minute % 60} {minute // 60} * * *" for minute in times.daily_minutes(plan, facts)]
    if facts.has_cron_d:
        content = _file([f"{at} root {script}" for at in clock], plan, where)
        return Rendered((Artifact(f"/etc/cron.d/{plan.files.unit}", content, 0o644, why),))
    # Variables set in a crontab hold for every line below, and those are not ours: env(1) instead.
    lines = [f"{at} /usr/bin/env CERTTUI_TRIGGER=cron {script}\n" for at in clock]
    head = "# From /etc/certtui/plan.toml; after a change there run `certtui apply`.\n"
    content = (head + "".join(lines)).encode("ascii")
    return Rendered((Artifact(CRONTAB, content, 0o600, why, kind="crontab"),))


def _file(lines: list[str], plan: Plan, where: Places) -> bytes:
    text = shell.template("cron.d")
    for mark, value in (
        ("@path@", where.path),
        ("@mailto@", plan.mail.to),
        ("@lines@", "\n".join(lines)),
    ):
        text = text.replace(mark, value)
    return text.encode("ascii")
