"""root's account is expired: cron and atd start nothing then, and say so in the log alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest

from certtui.doctor.finding import Finding, Status
from certtui.doctor.registry import run_checks
from tests.doctor.support import NOW, Applied, context, facts

TODAY = (NOW - datetime(1970, 1, 1, tzinfo=timezone.utc)).days
HASH = "$y$j9T$secret$hash"


def found(tmp_path: Path, fields: str, backend: str = "cron", pam: str = "cron") -> list[Finding]:
    """What is said of a root with these fields after its password."""
    tmp_path.mkdir(exist_ok=True)
    host = Applied(tmp_path, backend, facts())
    host.write("/etc/shadow", f"daemon:*:1:0:2:7:::\nroot:{HASH}:{fields}\n")
    if pam:
        host.write(f"/etc/pam.d/{pam}", "")
    said = run_checks(context(host))
    assert HASH not in str(said)
    return [item for item in said if item.id.startswith("root.")]


@pytest.mark.parametrize(
    ("fields", "fix"),
    [
        ("0:0:99999:7:::", "chage -d 2026-03-02 root"),
        (f"{TODAY - 31}:0:30:7:::", "chage -M -1 root"),
        (f"{TODAY}:0:99999:7::{TODAY}:", "chage -E -1 root"),
    ],
)
@pytest.mark.parametrize(("backend", "pam"), [("cron", "crond"), ("at-random", "atd")])
def test_expired(tmp_path: Path, fields: str, fix: str, backend: str, pam: str) -> None:
    (finding,) = found(tmp_path, fields, backend, pam)
    assert (finding.id, finding.status) == ("root.expired", Status.FAIL)
    assert "start no job of root's" in finding.message
    assert finding.fix is not None
    assert (" ".join(finding.fix.argv), finding.fix.safe) == (fix, False)
    assert "last change" in finding.evidence


@pytest.mark.parametrize("fields", [f"{TODAY - 20}:0:30:7:::", f"{TODAY}:::::{TODAY + 14}:"])
def test_expires_soon(tmp_path: Path, fields: str) -> None:
    (finding,) = found(tmp_path, fields)
    assert (finding.id, finding.status) == ("root.expires-soon", Status.WARN)


@pytest.mark.parametrize(
    "fields",
    [":::::::", f"{TODAY - 30}:0:99999:7:::", f"{TODAY + 9}:0:1:7:::", f"1::-1:::{TODAY + 15}:"],
)
def test_not_expired(tmp_path: Path, fields: str) -> None:
    assert [item.status for item in found(tmp_path, fields)] == [Status.OK]


def test_the_last_day_of_a_password_is_not_over(tmp_path: Path) -> None:
    assert [item.id for item in found(tmp_path, f"{TODAY - 30}:0:30:7:::")] == ["root.expires-soon"]


def test_systemd_asks_nobody_nor_does_a_cron_without_pam(tmp_path: Path) -> None:
    timer = found(tmp_path / "timer", "0::::::", "systemd-timer")
    without = found(tmp_path / "cron", "0::::::", pam="")
    assert [item.status for item in (*timer, *without)] == [Status.SKIP] * 2


def test_only_root_may_look(tmp_path: Path) -> None:
    host = Applied(tmp_path, "cron", facts())
    host.write("/etc/pam.d/cron", "")
    system = replace(facts().system, is_root=False)
    (said,) = run_checks(context(host, facts(system=system)), only=["root.expired"])
    assert said.status is Status.SKIP and "needs root" in said.message
