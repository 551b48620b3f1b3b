"""certbot as the plan starts it: commands for a person, and what it answers without its lock."""

from __future__ import annotations

import tempfile

from certtui.doctor.check import Context
from certtui.doctor.finding import Fix
from certtui.host.facts import CertbotInstall, Lineage
from certtui.render import places

_FOLDERS = ("--config-dir", "--work-dir", "--logs-dir")

#: Seconds; it takes one or two, and the lineages are to be looked at in what the engine leaves.
_PATIENCE = 6.0


def used(context: Context) -> CertbotInstall | None:
    """The certbot of the plan, else the first that was found."""
    return context.facts.certbot(context.plan.certbot.command if context.plan else "auto")


def command(context: Context, *words: str) -> Fix:
    """``certbot WORDS`` with the plan's environment and folders."""
    install, plan = used(context), context.plan
    argv = [install.path if install else "certbot", *words]
    if plan is None:
        return Fix(tuple(argv))
    for option in _FOLDERS:
        value = places.option(plan, option)
        argv += [option, value] if value else []
    given = [f"{name}={value}" for name, value in plan.certbot.env.items()]
    return Fix(("env", *given, *argv) if given else tuple(argv))


def renew_now(context: Context, lineage: Lineage) -> Fix:
    """A new certificate and key for a lineage, whatever its age."""
    name = f"--cert-name={lineage.name}"
    return command(context, "renew", name, "--force-renewal", "--no-random-sleep-on-renew")


def plugins(context: Context) -> tuple[frozenset[str] | None, str]:
    """The plugins that certbot lists; None, and why, where it does not say.

    It is given throw-away folders: its real ones are locked while it renews.
    """
    install = used(context)
    if install is None:
        return None, "there is no certbot to ask"
    with tempfile.TemporaryDirectory(prefix="certtui-plugins-") as folder:
        argv = [install.path, "plugins"]
        for option in _FOLDERS:
            argv += [option, f"{folder}/{option.strip('-')}"]
        done = context.host.run(argv, timeout=_PATIENCE)
    found = frozenset(line[2:].strip() for line in done.out.splitlines() if line.startswith("* "))
    if not done.ok or not found:
        return None, f"certbot plugins: {(done.text or 'no answer').splitlines()[-1][:200]}"
    return found, ""
