"""Where generated scripts look for programs and keep their state; tests put them elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from certtui.host.facts import Facts
from certtui.host.interface import SAFE_PATH
from certtui.plan.model import Plan

#: Seconds between two tries while another certbot holds the lock, and how many tries.
LOCK_WAIT = 60
LOCK_TRIES = 10

#: Where units of ours are, which win over those of packages (systemd.unit(5)).
UNITS = "/etc/systemd/system"

_CONFIG_DIR = "/etc/letsencrypt"
_LOGS_DIR = "/var/log/letsencrypt"


@dataclass(frozen=True)
class Places:
    """``path`` is the PATH of every script, ``state`` their folder; ``lock_wait`` is in seconds."""

    path: str = SAFE_PATH
    state: str = "/var/lib/certtui"
    lock_wait: int = LOCK_WAIT


def renew_script(plan: Plan) -> str:
    """The one entry that every backend calls."""
    return f"{plan.files.scripts}/certbot-renew-everything"


def at_script(plan: Plan) -> str:
    """What an at job starts, by the plan's backend; "" for a backend without one."""
    backend = plan.schedule.backend
    known = backend in ("at-block", "at-random")
    return f"{plan.files.scripts}/certbot-{backend}" if known else ""


def trigger(plan: Plan, facts: Facts) -> str:
    """What starts the script of an at backend besides its job: "cron" or "systemd"."""
    chosen = plan.schedule.trigger
    if chosen == "auto":
        return "systemd" if facts.has_systemd else "cron"
    return chosen


def deploy_hook(plan: Plan) -> str:
    """Where certbot looks for deploy hooks (certbot, ``renewal_deploy_hooks_dir``)."""
    return f"{config_dir(plan)}/renewal-hooks/deploy/certtui-deploy"


def post_hook(plan: Plan) -> str:
    """Where certbot looks for post hooks."""
    return f"{config_dir(plan)}/renewal-hooks/post/certtui-reload"


def config_dir(plan: Plan) -> str:
    """certbot's configuration folder: ``--config-dir`` of the plan, else /etc/letsencrypt."""
    return option(plan, "--config-dir").rstrip("/") or _CONFIG_DIR


def log_file(plan: Plan) -> str:
    """certbot's log: in ``--logs-dir`` of the plan, else in /var/log/letsencrypt."""
    folder = option(plan, "--logs-dir").rstrip("/") or _LOGS_DIR
    return f"{folder}/letsencrypt.log"


def option(plan: Plan, name: str) -> str:
    """What the plan's arguments give an option of certbot, apart or after "="; "" for nothing.

    The last one counts, as in argparse.
    """
    value = ""
    arguments = plan.certbot.extra_args
    for position, argument in enumerate(arguments):
        if argument == name and position + 1 < len(arguments):
            value = arguments[position + 1]
        elif argument.startswith(f"{name}="):
            value = argument.partition("=")[2]
    return value
