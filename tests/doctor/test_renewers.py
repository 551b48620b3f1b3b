"""Renewers: which one wins, vendors' that are turned on again, and one that ends with the boot."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from certtui.doctor.check import Context
from certtui.doctor.finding import Finding, Status
from certtui.doctor.registry import run_checks
from certtui.host.facts import Renewer, Timer
from tests.doctor.support import NOW, SCRIPT, facts
from tests.facts.support import FakeHost
from tests.render.support import plan as some_plan

OURS = Renewer("timer", "certtui-renew.timer", SCRIPT, True, False, True, NOW + timedelta(hours=3))
VENDOR = Renewer("timer", "certbot.timer", "certbot -q renew", True, True, False, NOW)
LINE = Renewer("crontab", "/var/spool/cron/crontabs/root:3", "certbot renew", True, False)


def timer(state: str = "enabled", active: bool = True) -> Timer:
    last = NOW - timedelta(hours=9)
    return Timer("certbot.timer", state, active, "certbot.service", None, last)


def said(*renewers: Renewer, plan: Any = None, timers: tuple[Timer, ...] = ()) -> list[Finding]:
    made = facts(renewers=renewers, timers=timers)
    return list(run_checks(Context(FakeHost(), made, plan, now=NOW), ["renewers"]))


def test_a_vendors_that_is_on_again() -> None:
    (found,) = said(OURS, VENDOR, plan=some_plan(), timers=(timer(),))
    assert (found.id, found.status) == ("renewers.vendor", Status.FAIL)
    assert found.fix is not None
    assert found.fix.argv == ("systemctl", "disable", "--now", "certbot.timer")


@pytest.mark.parametrize(("keep", "id"), [("disable", "renewers.vendor"), ("keep", "renewers.one")])
def test_a_vendors_that_waits_for_the_next_boot(keep: str, id: str) -> None:
    plan = some_plan(certbot_other_schedulers=keep)
    off = replace(VENDOR, active=False, next_run=None)
    (found,) = said(OURS, off, plan=plan, timers=(timer(active=False),))
    assert (found.id, found.status) == (id, Status.OK if keep == "keep" else Status.FAIL)
    for state in ("disabled", "masked", "enabled-runtime"):
        (found,) = said(OURS, off, plan=plan, timers=(timer(state, active=False),))
        assert found.status is Status.OK


def test_an_administrators_own_is_only_reported() -> None:
    (found,) = said(OURS, LINE, plan=some_plan())
    assert (found.id, found.status, found.fix) == ("renewers.second", Status.WARN, None)
    assert "your own" in found.message


def test_all_are_listed_in_columns_the_first_to_come_first() -> None:
    off = Renewer("cron.d", "/etc/cron.d/certbot:17", "certbot -q renew", False, True)
    (found,) = said(off, LINE, OURS, VENDOR, timers=(timer(),))
    head, *rows = found.evidence.splitlines()
    assert [row.split()[0] for row in rows] == [VENDOR.where, OURS.where, LINE.where, off.where]
    column = head.index("next run")
    assert [row[column:].split("  ")[0] for row in rows] == [
        "2026-03-02 12:00",
        "2026-03-02 15:00",
        "-",
        "not active",
    ]
    column = head.index("last run")
    assert [row[column:].split("  ")[0] for row in rows] == ["2026-03-02 03:00", "-", "-", "-"]
    assert {row[head.index("command") :] for row in rows} == {
        SCRIPT,
        "certbot renew",
        "certbot -q renew",
    }


@pytest.mark.parametrize(("state", "fails"), [("disabled", True), ("enabled-runtime", True)])
def test_without_a_plan_one_that_ends_with_the_boot(state: str, fails: bool) -> None:
    (found,) = said(VENDOR, timers=(timer(state),))
    assert (found.id, found.status) == ("renewers.until-reboot", Status.FAIL)
    assert found.fix is not None
    assert (found.fix.argv, found.fix.safe) == (("systemctl", "enable", "certbot.timer"), False)


@pytest.mark.parametrize("state", ["enabled", "static", "alias", "generated"])
def test_without_a_plan_one_that_comes_back(state: str) -> None:
    (found,) = said(VENDOR, timers=(timer(state),))
    assert (found.id, found.status) == ("renewers.one", Status.OK)


def test_without_a_plan_another_one_goes_on_after_the_boot() -> None:
    (found,) = said(VENDOR, LINE, timers=(timer("disabled"),))
    assert found.id == "renewers.second"


def test_without_a_plan_a_timer_that_is_only_off() -> None:
    off = replace(VENDOR, active=False)
    (found,) = said(off, timers=(timer("enabled", active=False),))
    assert (found.id, found.status) == ("renewers.none", Status.FAIL)
    assert "certbot.timer is off" in found.message
    assert found.fix is not None
    assert found.fix.argv == ("systemctl", "enable", "--now", "certbot.timer")
    (found,) = said()
    assert found.fix is not None
    assert found.fix.argv == ("certtui",)


def test_what_renews_too_seldom_or_not_everything_is_not_enough() -> None:
    (found,) = said(replace(LINE, rare=True))
    assert (found.id, found.status) == ("renewers.not-enough", Status.WARN)
    (found,) = said(replace(LINE, only=("b.example.org",)))
    assert (found.id, found.message) == ("renewers.not-enough", "nothing renews a.example.org")
    (found,) = said(replace(LINE, only=("a.example.org",)))
    assert found.id == "renewers.one"
