"""The cron backend: a file in /etc/cron.d, or a fenced block in root's crontab."""

from __future__ import annotations

from collections.abc import Sequence

from certtui.host.facts import Facts
from certtui.plan.model import Plan
from certtui.render import places, shell, times
from certtui.render.artifact import Artifact, Rendered
from certtui.render.places import Places

#: What people call root's crontab; the block has no path of its own.
CRONTAB = "crontab of root"


def schedule(plan: Plan, facts: Facts, where: Places) -> Rendered:
    """One line a run."""
    why = f"starts the renewal {plan.schedule.runs} times a day"
    script = places.renew_script(plan)
    return Rendered((lines(plan, facts, where, daily(plan, facts), script, why),))


def daily(plan: Plan, facts: Facts) -> list[str]:
    """The time fields of crontab(5), one a run."""
    return [f"{minute % 60} {minute // 60} * * *" for minute in times.daily_minutes(plan, facts)]


def lines(
    plan: Plan, facts: Facts, where: Places, clock: Sequence[str], script: str, why: str
) -> Artifact:
    """Starts ``script`` at each time of ``clock``.

    A line carries a fixed path only, and "%" cannot be in one.
    """
    if facts.has_cron_d:
        content = _file([f"{at} root {script}" for at in clock], plan, where)
        return Artifact(f"/etc/cron.d/{plan.files.unit}", content, 0o644, why)
    # Variables set in a crontab hold for every line below, and those are not ours: env(1) instead.
    block = [f"{at} /usr/bin/env CERTTUI_TRIGGER=cron {script}\n" for at in clock]
    head = "# From /etc/certtui/plan.toml; after a change there run `certtui apply`.\n"
    content = (head + "".join(block)).encode("ascii")
    return Artifact(CRONTAB, content, 0o600, why, kind="crontab")


def _file(entries: list[str], plan: Plan, where: Places) -> bytes:
    text = shell.template("cron.d")
    for mark, value in (
        ("@path@", where.path),
        ("@mailto@", plan.mail.to),
        ("@lines@", "\n".join(entries)),
    ):
        text = text.replace(mark, value)
    return text.encode("ascii")
