"""Mount options that keep a script from being started, or from noting its run."""

from __future__ import annotations

from pathlib import Path

import pytest

from certtui.change.requirements import lacking
from certtui.doctor.finding import Status
from certtui.doctor.registry import Context, run_checks
from certtui.host import mounts
from tests.doctor.support import Applied, bad, context, facts
from tests.facts.support import FakeHost

ROOT = "/dev/sda1 / ext4 rw,relatime 0 0\n"


@pytest.mark.parametrize("backend", ["cron", "systemd-timer", "at-random"])
def test_scripts_on_a_noexec_mount(tmp_path: Path, backend: str) -> None:
    host = Applied(tmp_path, backend, facts())
    host.write(mounts.TABLE, f"{ROOT}/dev/sdb1 /usr/local ext4 rw,noexec 0 0\n")
    found = bad(host)["mount.noexec"]
    assert found.status is Status.FAIL and "/usr/local, which is mounted noexec" in found.message
    assert found.fix is not None and not found.fix.safe
    assert found.fix.argv == ("mount", "-o", "remount,exec", "/usr/local")
    said = [lack.message for lack in lacking(host.plan, facts(), host)]
    assert any("noexec" in text for text in said)
    host.write(mounts.TABLE, f"{ROOT}/dev/sdb1 /usr/loc ext4 rw,noexec 0 0\n")
    assert "mount.noexec" not in bad(host)
    assert not any("noexec" in lack.message for lack in lacking(host.plan, facts(), host))


def test_a_state_folder_on_a_read_only_mount(tmp_path: Path) -> None:
    host = Applied(tmp_path, "cron", facts())
    host.write(mounts.TABLE, f"{ROOT}/dev/sdb1 /var ext4 ro,errors=remount-ro 0 0\n")
    found = bad(host)["mount.read-only"]
    assert found.status is Status.FAIL
    assert found.fix is not None
    assert found.fix.argv == ("mount", "-o", "remount,rw", "/var")
    host.write(mounts.TABLE, f"{ROOT}/dev/sdb1 /var ext4 rw,errors=remount-ro 0 0\n")
    assert "mount.read-only" not in bad(host)


@pytest.mark.parametrize(
    ("own", "whole", "good", "words"),
    [
        ("ro,relatime", "rw", "rw", "remount,bind,rw"),  # a bind mount
        ("ro", "ro,errors=remount-ro", "rw", "remount,rw"),  # after an error of the disk
        ("rw", "ro", "rw", "remount,rw"),
        ("rw,noexec", "rw", "exec", "remount,bind,exec"),
    ],
)
def test_what_is_remounted(own: str, whole: str, good: str, words: str) -> None:
    table = "1 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
    table += f"2 1 8:2 / /my\\040dir {own} shared:1 - ext4 /dev/sdb1 {whole}\n"
    host = FakeHost(files={"/proc/self/mountinfo": table.encode()})
    assert mounts.remount(host, "/my dir", good) == ("mount", "-o", words, "/my dir")


def test_what_is_remounted_where_nobody_can_tell() -> None:
    assert mounts.remount(FakeHost(), "/x", "rw") == ("mount", "-o", "remount,rw", "/x")


def test_without_a_table_nobody_can_tell(tmp_path: Path) -> None:
    said = run_checks(context(Applied(tmp_path, "cron", facts())), ["mount"])
    assert [item.status for item in said] == [Status.SKIP] * 2


def test_the_last_of_two_mounts_over_one_place_counts_and_names_may_have_blanks() -> None:
    table = "a / x rw 0 0\nb /my\\040dir x ro 0 0\nc /my\\040dir x rw,noexec 0 0\nodd\n"
    host = FakeHost(files={mounts.TABLE: table.encode(), "/my dir/f": b""})
    assert mounts.options(host, "/my dir/sub/new") == ("/my dir", frozenset({"rw", "noexec"}))
    assert mounts.options(host, "/other") == ("/", frozenset({"rw"}))


def test_without_a_plan_each_says_which_folder_it_did_not_look_at() -> None:
    found = run_checks(Context(FakeHost(), facts()), ["mount"])
    assert [(finding.subject, finding.message) for finding in found] == [
        ("/usr/local/sbin", "there is no plan"),
        ("/var/lib/certtui", "there is no plan"),
    ]
