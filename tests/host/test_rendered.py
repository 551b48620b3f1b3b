"""Everything that apply writes on a real server, through the checkers of each kind of file."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from tests.host.machine import Machine
from tests.host.test_apply import BACKENDS, HOOKS, PLAN, SCHEDULE, SCRIPT, applied
from tests.tools import need

Keep = Callable[[subprocess.CompletedProcess[str], str], None]

#: What the check command is for: root may run it on every server, every minute if they like.
HEAVY = ("textual", "pexpect", "psutil", "jinja2", "cryptography")


@pytest.mark.parametrize("backend", BACKENDS)
def test_shells_find_nothing(host: Machine, backend: str, transcript: Keep) -> None:
    need("shellcheck")
    need("dash")
    applied(host, backend)
    for path in (SCRIPT, *HOOKS):
        outside = str(host.root / path.lstrip("/"))
        assert host.read(path).startswith("#!/bin/sh\n")
        for argv in (["shellcheck", "--shell=sh", "--severity=style"], ["dash", "-n"]):
            done = subprocess.run([*argv, outside], capture_output=True, text=True)
            transcript(done, f"{' '.join(argv)} {path}")
            assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_systemd_finds_nothing(host: Machine, transcript: Keep) -> None:
    applied(host, "systemd-timer")
    for path in SCHEDULE["systemd-timer"]:
        done = host.run(["systemd-analyze", "verify", "--recursive-errors=no", path], check=False)
        transcript(done, f"systemd-analyze verify --recursive-errors=no {path}")
        assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_cron_takes_the_file(host: Machine) -> None:
    """cron says in the log what it will not take; a line of ours runs only if it says nothing."""
    applied(host, "cron")
    host.run(["systemctl", "restart", "cron"])
    host.run(["journalctl", "--sync"])
    said = host.run(["journalctl", "-b", "-u", "cron", "-o", "cat"]).stdout
    assert "certtui-renew" not in said
    assert host.run(["systemctl", "is-active", "cron"]).stdout == "active\n"


def test_check_imports_nothing_heavy(host: Machine, transcript: Keep) -> None:
    applied(host, "cron")
    python = "/opt/certtui/bin/python"
    done = host.run([python, "-X", "importtime", "-m", "certtui", "check", PLAN])
    names = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    transcript(done, f"python -X importtime -m certtui check {PLAN}")
    assert "certtui.plan.document" in names
    assert not {name.partition(".")[0] for name in names} & set(HEAVY)
