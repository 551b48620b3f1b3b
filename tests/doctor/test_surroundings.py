"""What is found beside our own files, without a plan, without root and without systemd."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from certtui.doctor.certificates import window
from certtui.doctor.check import Context
from certtui.doctor.finding import Finding, Status
from certtui.doctor.records import history
from certtui.doctor.registry import run_checks
from certtui.host.facts import Facts, Lineage, Renewer, Service
from certtui.host.interface import SAFE_PATH
from tests.doctor.support import (
    CRON,
    LOG,
    NOW,
    SCRIPT,
    Applied,
    bad,
    context,
    exec_start,
    facts,
)
from tests.facts.support import FakeHost
from tests.render.support import plan as some_plan

FAIL, WARN, OK, SKIP = Status.FAIL, Status.WARN, Status.OK, Status.SKIP

OWN = "/etc/cron.d/my-certbot"
JOB = "PATH=/usr/sbin:/usr/bin\n0 5 * * * root certbot renew\n"


@pytest.fixture
def cron(tmp_path: Path) -> Applied:
    return Applied(tmp_path, "cron", facts())


@pytest.fixture
def timer(tmp_path: Path) -> Applied:
    return Applied(tmp_path, "systemd-timer", facts())


def bare(host: FakeHost | None = None, **changes: Any) -> Context:
    """A host that certtui has never touched."""
    return Context(host or FakeHost(), facts(**changes), now=NOW)


def only(found: Sequence[Finding], group: str) -> list[Finding]:
    return [item for item in found if item.id.partition(".")[0] == group]


# ---- other people's cron files ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "id"),
    [
        (OWN, "61 * * * * root certbot renew\n", "cron.bad-line"),
        (f"{OWN}.sh", JOB, "cron.ignored-name"),
        (OWN, JOB[:-1], "cron.no-final-newline"),
        (OWN, JOB.replace("root", "nobody-here"), "cron.unknown-user"),
        (OWN, JOB.partition("\n")[2], "cron.path"),
    ],
)
def test_a_broken_file_of_somebody_else_is_a_warning_beside_ours(
    cron: Applied, name: str, content: str, id: str
) -> None:
    cron.write(name, content)
    found = bad(cron)
    assert set(found) == {id}
    assert found[id].status is WARN
    assert found[id].subject == name


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("0 5 * * * root certbot renew\n", "1i"),
        ("# ours\nPATH=/bin:/usr/bin\n0 5 * * * root certbot renew\n", "2c"),
        ("0 5 * * * root certbot renew\nPATH=/usr/sbin:/usr/bin\n", "1i"),  # for later lines
    ],
)
def test_a_path_without_sbin_is_replaced(timer: Applied, text: str, change: str) -> None:
    timer.write(OWN, text)
    fix = bad(timer)["cron.path"].fix
    assert fix is not None
    assert fix.argv == ("sed", "-i", f"{change} PATH={SAFE_PATH}", OWN)
    subprocess.run([*fix.argv[:-1], str(timer.path(OWN))], check=True)
    assert "cron.path" not in bad(timer)


def test_without_a_plan_it_is_a_failure() -> None:
    host = FakeHost(files={OWN: b"61 * * * * root certbot renew\n"})
    (found,) = only(run_checks(bare(host), ["cron.bad-line"]), "cron")
    assert found.status is FAIL
    assert found.fix is None
    assert "line 1 61 is no minute" in found.message


def test_mailto_of_somebody_else_with_no_mailer(timer: Applied) -> None:
    timer.write(OWN, "MAILTO=me\n" + JOB)
    found = bad(timer, facts(mailer=None))
    assert found["cron.mailto"].subject == OWN
    assert "cron.mailto" not in bad(timer)


@pytest.mark.parametrize("name", ["certbot.dpkg-old", "certbot.certtui-disabled", ".certbot"])
def test_left_overs_that_are_meant_to_be_ignored(cron: Applied, name: str) -> None:
    cron.write(f"/etc/cron.d/{name}", JOB)
    assert bad(cron) == {}


def test_files_that_renew_nothing_are_not_ours_to_judge(cron: Applied) -> None:
    cron.write("/etc/cron.d/e2scrub.all", "not a crontab")
    assert bad(cron) == {}


def test_a_link_that_leads_nowhere(cron: Applied) -> None:
    cron.path(OWN).symlink_to("nowhere")
    assert set(bad(cron)) == {"cron.not-a-file"}


def test_the_mend_of_a_name_gives_one_that_cron_reads(cron: Applied) -> None:
    cron.write(f"{OWN}.sh", JOB)
    fix = bad(cron)["cron.ignored-name"].fix
    assert fix is not None
    assert fix.argv == ("mv", f"{OWN}.sh", f"{OWN}-sh")


def test_our_file_under_another_name_goes_back_to_its_own(cron: Applied) -> None:
    cron.path(CRON).rename(cron.path(f"{CRON}.sh"))
    fix = bad(cron)["cron.ignored-name"].fix
    assert fix is not None
    assert fix.argv == ("mv", f"{CRON}.sh", CRON)


class NotRoots(Applied):
    """Its cron file belongs to somebody else."""

    def info(self, path: str) -> Any:
        found = super().info(path)
        return replace(found, uid=1000) if found and path.endswith(CRON) else found


def test_a_cron_file_that_belongs_to_somebody_else(tmp_path: Path) -> None:
    found = bad(NotRoots(tmp_path, "cron", facts()))["cron.wrong-owner"]
    assert found.status is FAIL
    assert found.fix is not None
    assert found.fix.argv == ("chown", "root:root", CRON)


# ---- daemons ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("programs", "argv"),
    [
        (["/usr/sbin/service"], ("service", "cron", "start")),
        (["/usr/sbin/crond", "/sbin/rc-service"], ("rc-service", "crond", "start")),
    ],
)
def test_starting_cron_without_systemd(
    cron: Applied, monkeypatch: pytest.MonkeyPatch, programs: list[str], argv: tuple[str, ...]
) -> None:
    there = {path.rpartition("/")[2]: path for path in programs}
    monkeypatch.setattr(cron, "which", there.get)
    found = bad(cron, facts(cron=Service("cron", True)))["cron.daemon"]
    assert found.fix is not None
    assert found.fix.argv == argv


def test_cron_counts_without_a_plan_where_something_renews_by_it() -> None:
    stopped = Service("cron", True, "cron.service", True, False)
    own = Renewer("cron.d", f"{OWN}:1", "certbot renew", False, False)
    vendor = Renewer("cron.d", "/etc/cron.d/certbot:1", "certbot -q renew", False, True)
    (found,) = run_checks(bare(cron=stopped, renewers=(own,)), ["cron.daemon"])
    assert found.status is FAIL
    (found,) = run_checks(bare(cron=stopped, renewers=(vendor,)), ["cron.daemon"])
    assert found.status is SKIP
    (found,) = run_checks(bare(renewers=(own,)), ["cron.daemon"])
    assert found.status is OK


def test_atd_counts_where_the_plan_uses_it(timer: Applied) -> None:
    at = replace(context(timer), plan=some_plan(schedule_backend="at-block"), rendered=None)
    stopped = replace(at, facts=facts(atd=Service("atd", True, "atd.service", True, False)))
    (found,) = run_checks(stopped, ["atd.daemon"])
    assert found.status is FAIL
    assert found.fix is not None
    assert found.fix.argv == ("systemctl", "enable", "--now", "atd.service")
    assert {item.status for item in run_checks(at, ["atd"])} == {OK}


# ---- timers ----------------------------------------------------------------------------------


def test_enabled_until_the_reboot_only_is_not_enabled(timer: Applied) -> None:
    timer.timer["UnitFileState"] = "enabled-runtime"
    timer.answer()
    assert bad(timer)["timer.not-enabled"].status is FAIL


DROP_IN = "/etc/systemd/system/certtui-renew.service.d/override.conf"


@pytest.mark.parametrize("instead", ["/usr/bin/certbot renew", "/bin/echo " + SCRIPT, ""])
def test_a_drop_in_that_starts_something_else(timer: Applied, instead: str) -> None:
    timer.service.update(DropInPaths=DROP_IN, ExecStart=exec_start(instead) if instead else "")
    timer.answer()
    found = bad(timer)
    assert set(found) == {"timer.exec"}
    assert found["timer.exec"].status is FAIL
    assert DROP_IN in found["timer.exec"].evidence
    fix = found["timer.exec"].fix
    assert fix is not None
    assert fix.argv == ("systemctl", "revert", "certtui-renew.service")
    assert not fix.safe  # the drop-in may hold more than that


def test_a_drop_in_that_starts_our_script_as_well_is_well(timer: Applied) -> None:
    both = "\nExecStart=".join((exec_start("/bin/true"), exec_start(SCRIPT)))
    timer.service.update(DropInPaths=DROP_IN, ExecStart=both)
    timer.answer()
    assert bad(timer) == {}


def test_a_timer_that_starts_another_unit(timer: Applied) -> None:
    timer.timer.update(Unit="other.service", DropInPaths="/etc/systemd/system/x.timer.d/a.conf")
    timer.answer()
    found = bad(timer)
    assert set(found) == {"timer.exec"}
    assert found["timer.exec"].subject == "certtui-renew.timer"


def test_an_edited_service_is_told_once(timer: Applied) -> None:
    path = "/etc/systemd/system/certtui-renew.service"
    timer.write(path, timer.path(path).read_text().replace(SCRIPT, "/bin/true"))
    timer.service["ExecStart"] = exec_start("/bin/true")
    timer.answer()
    assert set(bad(timer)) == {"drift.content"}


def test_while_the_service_runs_there_is_no_next_elapse(timer: Applied) -> None:
    timer.timer.update(NextElapseUSecRealtime="", SubState="running")
    timer.answer()
    assert bad(timer) == {}


def test_a_failed_service_is_told_once(timer: Applied) -> None:
    timer.service["Result"] = "exit-code"
    timer.answer()
    timer.write(LOG, "2026-03-02T09:00:00Z systemd-timer failed 3 b: refused\n")
    assert set(bad(timer)) == {"runs.failed"}


def test_without_systemd_nothing_fails_for_it(cron: Applied) -> None:
    found = facts()
    found = replace(found, system=replace(found.system, init="other"))
    assert bad(cron, found) == {}
    assert only(run_checks(context(cron, found)), "timer")[0].status is SKIP


def test_a_timer_in_the_plan_of_a_host_without_systemd(timer: Applied) -> None:
    found = facts()
    found = replace(found, system=replace(found.system, init="other"))
    assert only(run_checks(context(timer, found)), "timer")[0].status is SKIP


# ---- renewers --------------------------------------------------------------------------------


def test_a_second_renewer_that_the_plan_keeps(cron: Applied) -> None:
    vendor = Renewer("timer", "certbot.timer", "certbot renew", True, True)
    kept = replace(
        context(cron, facts(renewers=(vendor,))),
        plan=some_plan(schedule_backend="cron", certbot_other_schedulers="keep", mail_to="root"),
    )
    (found,) = only(run_checks(kept, ["renewers"]), "renewers")
    assert (found.id, found.status) == ("renewers.second", OK)


def test_the_winner_is_named(cron: Applied) -> None:
    ours = Renewer(
        "timer", "certtui-renew.timer", SCRIPT, True, False, True, NOW + timedelta(hours=3)
    )
    vendor = Renewer(
        "timer", "certbot.timer", "certbot renew", True, True, False, NOW + timedelta(hours=1)
    )
    found = bad(cron, facts(renewers=(ours, vendor)))["renewers.vendor"]
    assert "certbot.timer comes first, at 2026-03-02 13:00 UTC, and wins" in found.message
    assert found.fix is not None
    assert found.fix.argv == ("systemctl", "disable", "--now", "certbot.timer")


def test_a_vendors_cron_file_is_moved_by_apply(cron: Applied) -> None:
    vendor = Renewer("cron.d", "/etc/cron.d/certbot:1", "certbot renew", True, True)
    fix = bad(cron, facts(renewers=(vendor,)))["renewers.vendor"].fix
    assert fix is not None
    assert fix.argv == ("certtui", "apply", "--no-dry-run")


def test_without_a_plan_one_renewer_is_well_and_none_is_a_failure() -> None:
    one = Renewer("timer", "certbot.timer", "certbot -q renew", True, True)
    other = Renewer("crontab", "root:3", "certbot renew", True, False)

    def said(*renewers: Renewer, lineages: tuple[Lineage, ...]) -> tuple[str, Status]:
        made = bare(renewers=renewers, lineages=lineages)
        (found,) = run_checks(made, ["renewers"])
        return found.id, found.status

    some = facts().lineages
    assert said(one, lineages=some) == ("renewers.one", OK)
    assert said(one, other, lineages=some) == ("renewers.second", WARN)
    assert said(replace(one, active=False), lineages=some) == ("renewers.none", FAIL)
    assert said(lineages=()) == ("renewers.one", SKIP)
    # The files of a plan that only root may read are one thing, not one a line.
    ours = Renewer("cron.d", "/etc/cron.d/certtui-renew:7", SCRIPT, True, False, ours=True)
    lines = [replace(ours, where=f"/etc/cron.d/certtui-renew:{n}") for n in (7, 8, 9)]
    assert said(*lines, lineages=some) == ("renewers.one", OK)
    assert said(*lines, one, lineages=some) == ("renewers.second", WARN)


# ---- no plan, no root ------------------------------------------------------------------------


def test_a_host_without_certtui_gives_no_failure_of_certtui() -> None:
    one = Renewer("timer", "certbot.timer", "certbot -q renew", True, True)
    found = run_checks(bare(renewers=(one,)))
    assert {item.status for item in found} <= {OK, SKIP, WARN}
    assert {item.id for item in found if item.status is SKIP} >= {"drift.same", "runs.recent"}


def test_a_plan_that_cannot_be_applied_here(cron: Applied) -> None:
    made = replace(context(cron), rendered=None, problem="no such backend")
    (found,) = [item for item in run_checks(made, ["drift"]) if item.status is FAIL]
    assert "no such backend" in found.message


def user(found: Facts) -> Facts:
    return replace(found, system=replace(found.system, is_root=False))


def test_what_a_user_may_not_see_is_a_skip_and_no_failure(cron: Applied) -> None:
    hidden = Lineage("a", "/x/a.conf", error="/x/a.conf may not be read by this user: run as root")
    closed = FakeHost(
        closed={LOG, "/var/lib/certtui/pending-deploy", "/etc/cron.d/certbot"},
        files={"/etc/cron.d/certbot": JOB.encode()},
        root_user=False,
    )
    found = user(facts(lineages=(hidden,), unreadable=("/y may not be read: run as root",)))
    made = Context(closed, found, cron.plan, now=NOW, problem="?")
    said = {item.id: item for item in run_checks(made) if item.status is SKIP}
    assert {"lineage.unreadable", "host.seen", "runs.recent", "deploy.pending"} <= set(said)
    assert said["cron.file"].subject == "/etc/cron.d/certbot"
    assert "needs root" in said["runs.recent"].message
    # The same sentence from root is a failure: then something is wrong with the file.
    (failed,) = run_checks(replace(made, facts=facts(lineages=(hidden,))), ["lineage.unreadable"])
    assert failed.status is FAIL


def test_a_plan_that_only_root_may_read_is_not_no_plan() -> None:
    host = FakeHost(files={"/etc/certtui/plan.toml": b""}, root_user=False)
    said = {item.id: item.message for item in run_checks(Context(host, user(facts()), now=NOW))}
    for id in ("drift.same", "timer.scheduled", "atd.daemon", "runs.recent", "mail.mailer"):
        assert "could not look at /etc/certtui/plan.toml (needs root)" in said[id]


# ---- mail, runs, deploys, lineages -----------------------------------------------------------


def mailing(cron: Applied, **changes: Any) -> Finding:
    made = some_plan(schedule_backend="cron", **changes)
    return run_checks(replace(context(cron), plan=made), ["mail"])[0]


def test_nobody_is_told(cron: Applied) -> None:
    assert mailing(cron, mail_to="").status is WARN
    assert mailing(cron, notify_heartbeat_url="https://hc.example.org/x").status is OK
    assert mailing(cron, mail_to="root").id == "mail.mailer"


def test_a_plan_that_was_never_applied(cron: Applied) -> None:
    cron.path(LOG).unlink()
    cron.path("/var/lib/certtui/state.json").unlink()
    (found,) = run_checks(context(cron), ["runs"])
    assert (found.status, found.message) == (SKIP, "nothing was applied yet: certtui apply")


def test_a_host_that_was_off_has_missed_no_run(cron: Applied) -> None:
    cron.applied = timedelta(days=9)
    cron.write(LOG, f"{NOW - timedelta(days=8):%Y-%m-%dT%H:%M:%SZ} cron ok 3 \n")
    assert set(bad(cron)) == {"runs.late"}
    cron.write("/proc/uptime", "3600.12 1.0\n")
    assert bad(cron) == {}


def test_a_deploy_that_may_be_at_work(cron: Applied) -> None:
    cron.applied = timedelta(minutes=1)
    cron.write(history.PENDING, "/etc/letsencrypt/live/a\n")
    found = bad(cron)["deploy.pending"]
    assert found.status is WARN
    assert found.fix is not None
    assert found.fix.argv == ("/etc/letsencrypt/renewal-hooks/post/certtui-reload",)


def test_a_plan_that_changed_is_not_an_edited_file(cron: Applied) -> None:
    other = some_plan(schedule_backend="cron", mail_to="another")
    from certtui.render.build import render

    made = replace(
        context(cron), plan=other, rendered=render(other, facts(), plan_text=b"version = 1\n\n")
    )
    found = [item for item in run_checks(made, ["drift"]) if item.status is FAIL]
    assert {item.id for item in found} == {"drift.content"}
    assert all("not applied yet" in item.message for item in found)
    assert all(item.fix and "--force" not in item.fix.argv for item in found)


def test_what_an_earlier_plan_left(cron: Applied) -> None:
    assert cron.rendered is not None
    less = replace(cron.rendered, artifacts=cron.rendered.artifacts[:-1])
    found = run_checks(replace(context(cron), rendered=less), ["drift.left-over"])
    assert [(item.subject, item.status) for item in found] == [(CRON, WARN)]


def test_the_plan_that_was_named_is_named_in_the_mend(cron: Applied) -> None:
    cron.path(CRON).unlink()
    made = replace(context(cron), plan_file="/root/other.toml")
    (found,) = [item for item in run_checks(made, ["drift"]) if item.status is FAIL]
    assert found.fix is not None
    assert found.fix.argv == ("certtui", "apply", "--no-dry-run", "/root/other.toml")


def test_a_mode_that_cron_judges_is_not_called_what_the_plan_says(cron: Applied) -> None:
    cron.path(CRON).chmod(0o664)
    (found,) = run_checks(context(cron), ["drift"])
    assert found.status is OK
    assert CRON in found.message


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("30 days", 30),
        ("30", 30),
        ("2 weeks", 14),
        ("1 month, 2 days", 32),
        ("1 day and 12 hours", 1.5),
        ("soon", None),
        ("", None),
    ],
)
def test_renew_before_expiry(text: str, days: float | None) -> None:
    found = window.interval(text)
    assert (found / timedelta(days=1) if found else None) == days


def test_a_lineage_without_certificate_has_no_window() -> None:
    none = Lineage("a", "a.conf")
    assert window.lifetime(none) is None
    assert window.due_from(none, ()) is None
    assert window.tries_left(none, NOW, 2, ()) is None


def test_the_log_survives_whatever_is_in_it() -> None:
    line = "2026-03-02T09:00:00Z cron ok 3 \n"
    data = b"\xff\x00junk\n" + line.encode() + b"2026-13-99T09:00:00Z cron ok 3 \n2026-03"
    found = history.parse(data)
    assert [run.result for run in found.runs] == ["ok"]
    assert found.damaged == 3
    flood = history.parse(line.encode() * 200_000)
    assert 1000 < len(flood.runs) < 200_000
    assert flood.damaged == 0


def test_the_evidence_of_a_long_diff_is_cut_in_the_text(cron: Applied) -> None:
    from certtui.doctor import report

    cron.write(SCRIPT, "#!/bin/sh\n" * 50)
    found = run_checks(context(cron), ["drift"])
    assert "more lines: certtui doctor --json" in report.text(found, colour=False)
    whole = json.dumps(report.to_json(found))
    assert whole.count("#!/bin/sh") > 40


def test_a_masked_daemon_is_unmasked_first(cron: Applied) -> None:
    """``systemctl enable --now`` fails on a masked unit."""
    masked = facts(cron=Service("cron", True, "cron.service", False, True, "masked"))
    found = bad(cron, masked)["cron.daemon"]
    assert "once it is unmasked, systemctl enable --now cron.service" in found.message
    assert found.fix is not None
    assert (found.fix.argv, found.fix.safe) == (("systemctl", "unmask", "cron.service"), False)
