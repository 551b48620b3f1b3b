"""Fire drills on test hosts: how one is run, and everything that it could have changed."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from typing import Any

from tests.host.machine import Machine
from tests.host.schedules import LOG, Schedule, applied, quiet

Machines = Callable[..., Machine]
Keep = Callable[[subprocess.CompletedProcess[str], str], None]

HOME = "/var/lib/certtui"
TRACE = f"{HOME}/drill-at-work"
#: What a drill may leave there.
_KEPT = ("last-mail", "runs.log")
#: Seconds a drill may take.
LONGEST = 150


def state(host: Machine) -> dict[str, Any]:
    """Everything that a drill could have changed, but for the log, the note and the mailbox."""
    names = host.run(["ls", "-A", HOME]).stdout.split()
    units = ("certtui-renew.service", "certtui-renew.timer")
    shown = host.run(["systemctl", "show", "-p", "ActiveState,UnitFileState", *units])
    listing = host.listing()
    # crontab(1) of Debian writes into its first lines when it was called.
    listing.pop("/var/spool/cron/crontabs/root", None)
    return {
        **listing,
        "state": [name for name in names if name not in _KEPT],
        "atq": host.run(["atq"]).stdout,
        "crontab": host.run(["crontab", "-l"], check=False).stdout,
        "units": shown.stdout,
        "failed": host.run(["systemctl", "--failed", "--no-legend", "--plain"]).stdout,
        "mail-state": host.exists(f"{HOME}/mail-state"),
        "pending": host.exists(f"{HOME}/pending-deploy"),
    }


def drill(host: Machine, keep: Keep, *options: str) -> subprocess.CompletedProcess[str]:
    """Runs one, kept with the time it took."""
    began = time.monotonic()
    done = host.certtui("drill", *options)
    seconds = time.monotonic() - began
    keep(done, f"certtui drill {' '.join(options)} # {seconds:.1f} s")
    assert seconds < LONGEST
    return done


def lines(host: Machine) -> list[list[str]]:
    """The words of each line of the log of runs."""
    return [line.split() for line in host.read(LOG).splitlines()] if host.exists(LOG) else []


def start(host: Machine) -> subprocess.Popen[str]:
    """A drill in the background, once it is under way."""
    argv = [*host.enter(), "env", "-i", "PATH=/opt/certtui/bin:/usr/sbin:/usr/bin", "certtui"]
    begun = subprocess.Popen(
        [*argv, "drill"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    )
    host.wait_until(lambda: host.exists(TRACE), 20, "the drill")
    return begun


def ready(new_host: Machines, schedule: Schedule, **answers: str) -> Machine:
    """A host on which it is applied, and for an hour nothing else happens."""
    return applied(new_host(quiet(schedule)), schedule, **answers)
