"""Our cron file: read again or not, as whom it starts our script, and root's crontab instead."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from certtui.change import crontab
from certtui.doctor.check import Context
from certtui.doctor.finding import Finding, Status
from certtui.doctor.registry import run_checks
from certtui.host.facts import Renewer
from tests.doctor.support import CRON, NOW, SCRIPT, Applied, bad, context, facts
from tests.facts.support import FakeHost
from tests.render.support import plan as some_plan

#: The moment of the apply, by the journal of the support's host.
APPLIED = int((NOW - timedelta(hours=1)).timestamp())
SPOOL = "/var/spool/cron/crontabs/root"
BLOCK = f"0 5 * * * /usr/bin/env CERTTUI_TRIGGER=cron {SCRIPT}\n"
FENCED = crontab.BEGIN.decode() + BLOCK + crontab.END.decode()


@pytest.fixture
def host(tmp_path: Path) -> Applied:
    return Applied(tmp_path, "cron", facts())


def edit(host: Applied, old: str, new: str, *, mtime: int = APPLIED, changed: int = 300) -> None:
    """Edits our file; ``changed`` is how many seconds after the apply that really was."""
    path = host.path(CRON)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    os.utime(path, (mtime, mtime))
    host.answers["stat", "-c", "%Z", CRON] = f"{APPLIED + changed}\n"
    host.answers["stat", "-c"] = f"{CRON}: time of change A, put there B\n"


def started(host: Applied, when: str) -> None:
    """When cron was started."""
    host.answers["systemctl", "show", "-p", "ExecMainStartTimestamp"] = (
        f"ExecMainStartTimestamp={when}\n"
    )


def test_an_edit_that_cron_does_not_see(host: Applied) -> None:
    edit(host, "* * * root", "* * 1 root")
    started(host, "Mon 2026-03-02 08:00:00 UTC")
    found = bad(host)
    assert set(found) == {"cron.unchanged-mtime"}
    assert found["cron.unchanged-mtime"].evidence.endswith("put there B")
    fix = found["cron.unchanged-mtime"].fix
    assert fix is not None
    assert (fix.argv, fix.safe) == (("certtui", "apply", "--no-dry-run", "--force"), False)


def test_an_edit_that_cron_saw_as_it_was_started(host: Applied) -> None:
    edit(host, "* * * root", "* * 1 root")
    started(host, "Mon 2026-03-02 11:30:00 UTC")
    assert set(bad(host)) == {"drift.content"}


@pytest.mark.parametrize(("mtime", "changed"), [(APPLIED + 300, 300), (APPLIED, 5)])
def test_an_edit_that_cron_reads(host: Applied, mtime: int, changed: int) -> None:
    """Its time is another one, or cron had not read the file before."""
    edit(host, "* * * root", "* * 1 root", mtime=mtime, changed=changed)
    assert set(bad(host)) == {"drift.content"}


def test_nothing_is_said_of_a_file_that_is_as_it_was(host: Applied) -> None:
    edit(host, "* * * root", "* * * root")
    assert bad(host) == {}


def test_without_records_it_is_an_edit_like_any_other(host: Applied) -> None:
    edit(host, "* * * root", "* * 1 root")
    for path in host.path("/var/lib/certtui/journal").rglob("committed"):
        path.unlink()
    assert set(bad(host)) == {"drift.content"}


def test_a_damaged_record_says_so_itself(host: Applied) -> None:
    edit(host, "* * * root", "* * 1 root")
    host.write("/var/lib/certtui/state.json", "{")
    assert "drift.state" in bad(host)
    assert not [id for id, found in bad(host).items() if found.status is Status.CRASH]


@pytest.mark.parametrize(
    ("user", "known", "id"),
    [("backup", True, "cron.not-root"), ("gone", False, "cron.unknown-user")],
)
def test_our_line_under_another_user(host: Applied, user: str, known: bool, id: str) -> None:
    if known:
        host.answers["getent", "passwd", user] = f"{user}:x:34:34::/:/bin/sh\n"
    edit(host, " root ", f" {user} ", mtime=APPLIED + 300)
    found = bad(host)
    assert set(found) == {id}
    fix = found[id].fix
    assert fix is not None
    assert "--force" in fix.argv


def test_a_second_name_is_told_once(host: Applied) -> None:
    os.link(host.path(CRON), host.path("/etc/second"))
    assert set(bad(host)) == {"cron.hard-links"}


def test_what_a_second_renewer_lacks_is_not_told_beside_it(host: Applied) -> None:
    own = "/etc/cron.d/my-certbot"
    host.write(own, "MAILTO=me\n0 5 * * * root certbot renew\n")
    there = Renewer("cron.d", f"{own}:2", "certbot renew", True, False)
    assert set(bad(host, facts(renewers=(there,), mailer=None))) == {
        "renewers.second",
        "mail.mailer",
    }


def test_files_that_name_the_folder_and_renew_nothing(host: Applied) -> None:
    host.write("/etc/cron.d/backup", "0 5 * * * root tar cf /b.tar /etc/letsencrypt\n")
    assert bad(host) == {}


# ---- root's crontab --------------------------------------------------------------------------


def in_crontab(
    text: str, mode: int = 0o600, path: str = SPOOL, *, plan: bool = True
) -> list[Finding]:
    """What is said of root's crontab on a host without /etc/cron.d."""
    host = FakeHost(files={path: text.encode()}, modes={path: mode})
    found = replace(facts(), has_cron_d=False)
    made = Context(host, found, some_plan(schedule_backend="cron") if plan else None, now=NOW)
    return [item for item in run_checks(made, ["cron"]) if item.subject == path]


def test_a_crontab_that_cron_takes() -> None:
    (found,) = in_crontab(f"# mine\nMAILTO=me\n@daily ls\n{FENCED}")
    assert (found.id, found.status) == ("cron.file", Status.OK)


@pytest.mark.parametrize(
    ("text", "mode", "path", "id", "fix"),
    [
        (FENCED, 0o644, SPOOL, "cron.insecure-mode", f"chmod 0600 {SPOOL}"),
        (FENCED, 0o400, SPOOL, "cron.insecure-mode", f"chmod 0600 {SPOOL}"),
        (
            FENCED,
            0o620,
            "/var/spool/cron/root",
            "cron.insecure-mode",
            "chmod 0600 /var/spool/cron/root",
        ),
        (f"61 * * * * ls\n{FENCED}", 0o600, SPOOL, "cron.bad-line", ""),
        (f"0 5 * * *\n{FENCED}", 0o600, SPOOL, "cron.bad-line", ""),
        (FENCED[:-1], 0o600, SPOOL, "cron.no-final-newline", f"sed -i $a\\ {SPOOL}"),
    ],
)
def test_a_crontab_that_cron_drops(text: str, mode: int, path: str, id: str, fix: str) -> None:
    (found,) = in_crontab(text, mode, path)
    assert (found.id, found.status) == (id, Status.FAIL)
    assert (" ".join(found.fix.argv) if found.fix else "") == fix


def test_cronie_takes_a_crontab_that_others_may_read() -> None:
    (found,) = in_crontab(FENCED, 0o644, "/var/spool/cron/root")
    assert found.status is Status.OK


def test_without_our_block_a_crontab_is_no_matter() -> None:
    assert in_crontab("61 * * * * certbot renew\n") == []


def test_without_a_plan_the_administrators_line_counts() -> None:
    (found,) = in_crontab("0 5 * * * certbot renew\n", plan=False)
    assert (found.id, found.fix) == ("cron.path", None)
    assert in_crontab("0 5 * * * ls\n", plan=False) == []
    (found,) = in_crontab("PATH=/usr/sbin:/usr/bin\n0 5 * * * certbot renew\n", plan=False)
    assert found.status is Status.OK


def test_a_crontab_that_only_root_may_read() -> None:
    host = FakeHost(closed={SPOOL}, files={SPOOL: b""}, root_user=False)
    (found,) = run_checks(Context(host, facts(), now=NOW), ["cron.file"])
    assert (found.status, found.message) == (Status.SKIP, "could not look (needs root)")


def test_support_has_the_moment_of_the_apply(host: Applied) -> None:
    """The tests above rest on it."""
    found = host.info("/var/lib/certtui/journal/000001/committed")
    assert int(found.mtime) == APPLIED
    assert context(host).now == NOW
