"""at's spool: whoever at works as must be able to use it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from certtui.doctor.check import Context
from certtui.doctor.finding import Finding, Status
from certtui.doctor.scheduler import atspool
from certtui.host.interface import FileInfo
from tests.doctor.support import NOW, facts
from tests.facts.support import FakeHost
from tests.render.support import plan as some_plan

JOBS, OUTPUT, AT = "/var/spool/cron/atjobs", "/var/spool/cron/atspool", "/usr/bin/at"
SEQUENCE = f"{JOBS}/.SEQ"


@dataclass
class Spool(FakeHost):
    """``owners`` are path -> uid and gid: at's program belongs to daemon (1), as in Debian."""

    owners: dict[str, tuple[int, int]] = field(default_factory=dict)

    def info(self, path: str) -> FileInfo | None:
        found = super().info(path)
        uid, gid = self.owners.get(path, (1, 1))
        mode = self.modes.get(path, 0o644)
        return found and replace(found, uid=uid, gid=gid, mode=mode)


@pytest.fixture
def host() -> Spool:
    host = Spool(files={SEQUENCE: b"00001", f"{OUTPUT}/a": b""})
    host.modes.update({JOBS: 0o1770, OUTPUT: 0o1770, SEQUENCE: 0o600})
    host.program(AT)
    host.files["/proc/self/mounts"] = b"/dev/sda1 / ext4 rw 0 0\n"
    return host


def said(host: Spool) -> list[Finding]:
    plan = some_plan(schedule_backend="at-random")
    return list(atspool.findings(Context(host, facts(), plan, now=NOW)))


def test_a_spool_that_is_well(host: Spool) -> None:
    assert said(host) == []


@pytest.mark.parametrize("path", [JOBS, OUTPUT])
def test_a_folder_of_somebody_else(host: Spool, path: str) -> None:
    host.owners[path] = (0, 0)
    (found,) = said(host)
    assert (found.id, found.subject, found.status) == ("at.spool", path, Status.FAIL)
    assert found.evidence == f"{path}: mode 1770, owner 0:0"
    assert found.fix is not None
    assert found.fix.argv == ("chown", f"--reference={AT}", path)


def test_a_folder_that_its_group_may_use(host: Spool) -> None:
    host.owners[JOBS] = (0, 1)
    assert said(host) == []


@pytest.mark.parametrize("mode", [0o1070, 0o500, 0])
def test_a_folder_that_its_owner_may_not_use(host: Spool, mode: int) -> None:
    host.modes[JOBS] = mode
    (found,) = said(host)
    assert found.fix is not None
    assert found.fix.argv == ("chmod", "u+rwx", JOBS)


def test_a_folder_is_missing(host: Spool) -> None:
    del host.files[f"{OUTPUT}/a"]
    (found,) = said(host)
    assert (found.id, found.message) == ("at.spool", "is missing")
    assert found.fix is not None
    assert found.fix.argv == tuple(f"install -d -m 1770 -o 1 -g 1 {OUTPUT}".split())


def test_both_folders_are_missing() -> None:
    """Then nobody knows where they belong, and atq says that it cannot look."""
    host = Spool()
    host.program(AT)
    assert said(host) == []


@pytest.mark.parametrize(
    ("names", "last"), [(["c0001a01c8a336", "=0000301c8a300", "x"], 26), (["x"], 0)]
)
def test_the_sequence_file_is_missing(host: Spool, names: list[str], last: int) -> None:
    """The numbers go on where they were: of two jobs with one number at knows the first only."""
    del host.files[SEQUENCE]
    host.files.update({f"{JOBS}/{name}": b"" for name in names})
    (found,) = said(host)
    assert (found.id, found.status) == ("at.spool-sequence", Status.FAIL)
    awk = ("awk", f'BEGIN {{ printf "%05x", {last} > "{SEQUENCE}" }}')
    assert found.fix is not None
    assert found.fix.argv == ("setpriv", "--reuid=1", "--regid=1", "--clear-groups", *awk)
    host.owners[AT] = (0, 0)
    (found,) = said(host)
    assert found.fix is not None
    assert found.fix.argv == awk


@pytest.mark.parametrize(
    ("owner", "mode", "fix"),
    [
        ((0, 0), 0o600, f"chown --reference={AT} {SEQUENCE}"),
        ((0, 1), 0o640, f"chown --reference={AT} {SEQUENCE}"),
        ((1, 1), 0o400, f"chmod u+rw {SEQUENCE}"),
    ],
)
def test_a_sequence_file_that_at_may_not_write(
    host: Spool, owner: tuple[int, int], mode: int, fix: str
) -> None:
    host.owners[SEQUENCE], host.modes[SEQUENCE] = owner, mode
    (found,) = said(host)
    assert found.id == "at.spool-sequence"
    assert found.fix is not None
    assert " ".join(found.fix.argv) == fix


def test_at_of_root_needs_no_leave(host: Spool) -> None:
    """Red Hat's at works as root."""
    host.owners.update({AT: (0, 0), JOBS: (0, 0), SEQUENCE: (2, 2)})
    host.modes.update({JOBS: 0o700, SEQUENCE: 0o600})
    assert said(host) == []


def test_a_spool_that_is_mounted_read_only(host: Spool) -> None:
    host.files["/proc/self/mounts"] += b"/dev/sdb1 /var/spool ext4 ro,noatime 0 0\n"
    (found,) = said(host)
    assert found.id == "at.spool-read-only"
    assert "lies on /var/spool" in found.message
    assert found.fix is not None
    assert found.fix.argv == ("mount", "-o", "remount,rw", "/var/spool")


JOB_FILE = b"#!/bin/sh\n# atrun uid=0 gid=0\nexec /usr/local/sbin/certbot-at-random </dev/null\n"


def test_a_job_of_ours_that_is_not_executable(host: Spool) -> None:
    path = f"{JOBS}/c0001a01c8a336"
    host.files[path], host.modes[path] = JOB_FILE, 0o600
    (found,) = said(host)
    assert (found.id, found.subject, found.status) == ("at.job-mode", path, Status.FAIL)
    assert found.evidence == f"{path}: mode 0600"
    assert found.fix is not None
    assert (found.fix.argv, found.fix.safe) == (("chmod", "0700", path), True)
    host.modes[path] = 0o700
    assert said(host) == []


def test_jobs_whose_mode_is_not_ours_to_judge(host: Spool) -> None:
    """One that atd has just started, which it makes so itself, and other people's."""
    host.files[f"{JOBS}/c0001a01c8a336"] = host.files[f"{JOBS}/=0001a01c8a336"] = JOB_FILE
    host.files[f"{JOBS}/a0001b01c8a336"] = b"#!/bin/sh\ntrue\n"
    host.modes.update({f"{JOBS}/c0001a01c8a336": 0o400, f"{JOBS}/a0001b01c8a336": 0o600})
    assert said(host) == []
