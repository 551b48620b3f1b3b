"""Each check on a host that is well, and on one from which something was taken."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from certtui.doctor.finding import Status
from certtui.doctor.registry import run_checks
from certtui.host.facts import CertbotInstall, Facts, Renewer, Service
from tests.doctor.support import CRON, LOG, NOW, SCRIPT, Applied, bad, context, facts

HOOK = "/etc/letsencrypt/renewal-hooks/post/certtui-reload"
FAIL, WARN = Status.FAIL, Status.WARN


@pytest.fixture
def cron(tmp_path: Path) -> Applied:
    return Applied(tmp_path, "cron", facts())


@pytest.fixture
def timer(tmp_path: Path) -> Applied:
    return Applied(tmp_path, "systemd-timer", facts())


def test_a_host_that_is_well_has_no_findings(tmp_path: Path) -> None:
    for backend in ("cron", "systemd-timer"):
        assert bad(Applied(tmp_path / backend, backend, facts())) == {}


Change = Callable[[Applied], object]
CRON_BREAKS: list[tuple[str, Change, Status]] = [
    ("cron.insecure-mode", lambda h: h.path(CRON).chmod(0o664), FAIL),
    ("cron.hard-links", lambda h: os.link(h.path(CRON), h.path("/etc/other")), FAIL),
    ("cron.no-final-newline", lambda h: h.write(CRON, h.path(CRON).read_text()[:-1]), FAIL),
    ("cron.bad-line", lambda h: h.write(CRON, "61 * * * * root x\n"), FAIL),
    ("cron.bad-line", lambda h: h.write(CRON, "1 * * certbot\n"), FAIL),
    ("drift.missing", lambda h: h.path(CRON).unlink(), FAIL),
    ("drift.content", lambda h: h.write(SCRIPT, "#!/bin/sh\n"), FAIL),
    ("drift.mode", lambda h: h.path(SCRIPT).chmod(0o755), FAIL),
    ("drift.unsafe-path", lambda h: h.path("/usr/local/sbin").chmod(0o777), FAIL),
    ("drift.state", lambda h: h.write("/var/lib/certtui/state.json", "{"), FAIL),
    ("hooks.not-executable", lambda h: h.path(HOOK).chmod(0o644), FAIL),
    ("hooks.tilde", lambda h: h.write(f"{HOOK}-own~", ""), WARN),
    ("hooks.wrong-folder", lambda h: h.write("/var/letsencrypt/renewal-hooks/deploy/x", ""), WARN),
    ("runs.damaged", lambda h: h.write(LOG, h.path(LOG).read_text() + "junk\n"), WARN),
    (
        "runs.failed",
        lambda h: h.write(LOG, "2026-03-02T09:00:00Z cron failed 3 b: refused\n"),
        FAIL,
    ),
    ("runs.locked", lambda h: h.write(LOG, "2026-03-02T09:00:00Z cron locked 600 \n"), WARN),
    ("deploy.pending", lambda h: h.write("/var/lib/certtui/pending-deploy", "/x/a\n"), FAIL),
]


@pytest.mark.parametrize(("name", "change", "status"), CRON_BREAKS)
def test_what_breaks_on_disk_is_found(
    cron: Applied, name: str, change: Change, status: Status
) -> None:
    change(cron)
    found = bad(cron)
    assert name in found
    assert found[name].status is status
    assert found[name].message
    assert found[name].expected


def test_a_cron_file_with_a_dot_in_its_name(cron: Applied) -> None:
    cron.path(CRON).rename(cron.path(f"{CRON}.sh"))
    found = bad(cron)
    assert set(found) == {"cron.ignored-name"}
    assert found["cron.ignored-name"].subject == f"{CRON}.sh"


TIMER_BREAKS: list[tuple[str, dict[str, str], tuple[str, ...]]] = [
    ("timer.not-active", {"ActiveState": "inactive"}, ("systemctl", "start")),
    (
        "timer.not-enabled",
        {"UnitFileState": "disabled"},
        ("systemctl", "enable", "--now"),
    ),
    ("timer.no-install", {"UnitFileState": "static"}, ("certtui", "apply")),
    ("timer.masked", {"LoadState": "masked"}, ("systemctl", "unmask")),
    (
        "timer.refused",
        {"LoadState": "bad-setting", "NeedDaemonReload": "yes"},
        ("certtui", "apply"),
    ),
    (
        "timer.refused",
        {
            "LoadState": "bad-setting",
            "DropInPaths": "/etc/systemd/system/certtui-renew.timer.d/x.conf",
        },
        ("systemctl", "revert", "certtui-renew.timer"),
    ),
    ("timer.missing", {"LoadState": "not-found"}, ("certtui", "apply")),
    ("timer.needs-reload", {"NeedDaemonReload": "yes"}, ("systemctl", "daemon-reload")),
    ("timer.no-next", {"NextElapseUSecRealtime": ""}, ("systemctl", "restart")),
    (
        "timer.next-too-late",
        {"NextElapseUSecRealtime": "Fri 2026-03-06 15:00:00 UTC"},
        ("systemctl", "restart"),
    ),
]


@pytest.mark.parametrize(("name", "change", "mend"), TIMER_BREAKS)
def test_seed_09_a_timer_that_will_not_fire(
    timer: Applied, name: str, change: dict[str, str], mend: tuple[str, ...]
) -> None:
    timer.timer.update(change)
    timer.answer()
    found = bad(timer)
    assert set(found) == {name}
    assert found[name].status is FAIL
    fix = found[name].fix
    assert fix is not None
    assert fix.argv[: len(mend)] == mend


def test_a_timer_without_install_is_told_once(timer: Applied) -> None:
    """The edited file is why, and its mend is the same."""
    path = timer.path("/etc/systemd/system/certtui-renew.timer")
    path.write_text(path.read_text().replace("WantedBy=timers.target\n", ""))
    assert set(bad(timer)) == {"drift.content"}  # still enabled, by the link
    timer.timer["UnitFileState"] = "static"
    timer.answer()
    assert set(bad(timer)) == {"timer.no-install"}
    path.write_text("[Timer]\n" + path.read_text() + "WantedBy=timers.target\n")
    assert set(bad(timer)) == {"timer.no-install", "drift.content"}


def test_a_service_that_did_not_start_at_all(timer: Applied) -> None:
    timer.service["Result"] = "exit-code"
    timer.answer()
    assert bad(timer)["timer.service-failed"].status is FAIL
    ran = NOW - timedelta(hours=3)
    for failed, ids in ((ran, {"timer.service-failed"}), (ran - timedelta(seconds=1), set())):
        timer.service["InactiveEnterTimestamp"] = f"{failed:%a %F %T} UTC"
        timer.answer()
        assert set(bad(timer)) == ids
    said = {item.id: item for item in run_checks(context(timer), ["timer"])}
    assert said["timer.service-failed"].message.endswith("reset-failed certtui-renew.service")
    assert said["timer.scheduled"].status is Status.OK


def test_a_daemon_that_a_signal_has_stopped_goes_on(cron: Applied) -> None:
    service = Service("cron", True, "cron.service", True, halted=True)
    fix = bad(cron, facts(cron=service))["cron.daemon"].fix
    assert fix is not None
    assert (fix.argv, fix.safe) == (("systemctl", "kill", "--signal=CONT", "cron.service"), False)


FACTS_BREAKS: list[tuple[str, dict[str, Any], Status]] = [
    ("cron.daemon", {"cron": Service("cron", True, "cron.service", True, False)}, FAIL),
    ("cron.daemon", {"cron": Service("cron", True, "cron.service", False, True)}, FAIL),
    ("cron.daemon", {"cron": Service("cron", False)}, FAIL),
    (
        "cron.daemon",
        {"cron": Service("cron", True, "cron.service", True, broken="failed, exit-code")},
        FAIL,
    ),
    ("certbot.found", {"certbots": ()}, FAIL),
    ("certbot.no-version", {"certbots": (CertbotInstall("/usr/bin/certbot", "deb", ""),)}, FAIL),
    (
        "certbot.several",
        {
            "certbots": (
                CertbotInstall("/usr/bin/certbot", "deb", "2.1.0"),
                CertbotInstall("/snap/bin/certbot", "snap", "5.8.0"),
            )
        },
        WARN,
    ),
    ("mail.mailer", {"mailer": None}, FAIL),
    ("lineage.none", {"lineages": ()}, WARN),
    (
        "renewers.vendor",
        {"renewers": (Renewer("timer", "certbot.timer", "certbot renew", True, True),)},
        FAIL,
    ),
    (
        "renewers.second",
        {"renewers": (Renewer("crontab", "root:3", "certbot renew", True, False),)},
        WARN,
    ),
]


@pytest.mark.parametrize(("name", "change", "status"), FACTS_BREAKS)
def test_what_the_facts_show(
    cron: Applied, name: str, change: dict[str, Any], status: Status
) -> None:
    names = [key for key in bad(cron, facts(**change)) if key.startswith(name.split(".")[0])]
    assert names
    found = bad(cron, facts(**change))[names[0]]
    assert found.status is status
    if name != "cron.daemon":
        assert name in bad(cron, facts(**change))


def lineage(**changes: Any) -> Facts:
    (one,) = facts().lineages
    return facts(lineages=(replace(one, **changes),))


@pytest.mark.parametrize(
    ("name", "changes", "status"),
    [
        ("lineage.expired", {"not_after": NOW - timedelta(hours=5)}, FAIL),
        (
            "lineage.overdue",
            {"not_before": NOW - timedelta(days=80), "not_after": NOW + timedelta(days=10)},
            FAIL,
        ),
        (
            "lineage.unreadable",
            {"error": "x is cut off", "not_after": None, "not_before": None},
            FAIL,
        ),
        ("lineage.autorenew-off", {"autorenew": False}, WARN),
        ("lineage.due", {"renew_before_expiry": "81 days"}, WARN),
        ("lineage.overdue", {"renew_before_expiry": "85 days"}, FAIL),
    ],
)
def test_certificates(cron: Applied, name: str, changes: dict[str, Any], status: Status) -> None:
    if name == "lineage.overdue":
        cron.applied = timedelta(days=20)
    found = bad(cron, lineage(**changes))
    assert set(found) == {name}
    assert found[name].status is status


def test_no_run_for_too_long_is_a_failure(cron: Applied) -> None:
    cron.write(LOG, "2026-02-01T09:00:00Z cron ok 3 \n")
    later = replace(context(cron), now=NOW + timedelta(days=3))
    from certtui.doctor.registry import run_checks

    (found,) = [item for item in run_checks(later, ["runs"]) if item.status is FAIL]
    assert found.id == "runs.late"
    assert found.fix is not None
    assert found.fix.argv == (SCRIPT,)


def test_right_after_the_first_apply_no_run_is_missed(cron: Applied) -> None:
    cron.path(LOG).unlink()
    assert bad(cron) == {}
