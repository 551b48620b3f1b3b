"""Everything that apply writes on a real server, through the checkers of each kind of file."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence

import pytest

from tests.host.machine import Machine
from tests.host.schedules import CRON, PLAN, SCHEDULES, Schedule, applied
from tests.host.test_matrix import columns
from tests.host.web import Web
from tests.tools import need

Keep = Callable[[subprocess.CompletedProcess[str], str], None]

#: What the check command is for: root may run it on every server, every minute if they like.
HEAVY = ("textual", "pexpect", "psutil", "jinja2", "cryptography")

SHELLS = (
    ("shellcheck", "--shell=sh", "--severity=style"),
    ("dash", "-n"),
    ("busybox", "sh", "-n"),
)


def check_scripts(host: Machine, paths: Sequence[str], keep: Keep) -> None:
    """No shell and no checker finds anything in the scripts of a host."""
    outside = [str(host.root / path.lstrip("/")) for path in paths]
    assert all(host.read(path).startswith("#!/bin/sh\n") for path in paths)
    for argv in SHELLS:
        need(argv[0])
        # A shell reads one script.
        for given in [outside] if argv[0] == "shellcheck" else [[path] for path in outside]:
            done = subprocess.run([*argv, *given], capture_output=True, text=True)
            keep(done, " ".join([*argv, *(path.removeprefix(str(host.root)) for path in given)]))
            assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize(("suite", "web"), list(columns()))
def test_checkers_find_nothing(
    new_host: Callable[..., Machine], suite: str, web: Web, transcript: Keep
) -> None:
    """Every script and every unit of the matrix."""
    host = new_host(suite=suite, web=web)
    for schedule in SCHEDULES:
        for action in ("reload", "restart"):
            applied(host, schedule, web=web, action=action)
            check_scripts(host, schedule.scripts, transcript)
        if not schedule.uses_cron:
            argv = ["systemd-analyze", "verify", "--recursive-errors=no", *schedule.files]
            done = host.run(argv, check=False)
            transcript(done, f"{' '.join(argv)}  # {schedule}")
            assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("schedule", [item for item in SCHEDULES if item.uses_cron], ids=str)
def test_cron_takes_the_file(host: Machine, schedule: Schedule) -> None:
    """cron says in the log what it will not take; a line of ours runs only if it says nothing."""
    applied(host, schedule)
    host.run(["systemctl", "restart", "cron"])
    host.run(["journalctl", "--sync"])
    said = host.run(["journalctl", "-b", "-u", "cron", "-o", "cat"]).stdout
    assert "certtui-renew" not in said
    assert host.run(["systemctl", "is-active", "cron"]).stdout == "active\n"


def test_check_imports_nothing_heavy(host: Machine, transcript: Keep) -> None:
    applied(host, CRON)
    python = "/opt/certtui/bin/python"
    done = host.run([python, "-X", "importtime", "-m", "certtui", "check", PLAN])
    names = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    transcript(done, f"python -X importtime -m certtui check {PLAN}")
    assert "certtui.plan.document" in names
    assert not {name.partition(".")[0] for name in names} & set(HEAVY)
