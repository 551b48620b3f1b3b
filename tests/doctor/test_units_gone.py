"""A unit of ours that is masked or gone is one finding, with its own mend."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from certtui.doctor.finding import Finding, Status
from certtui.doctor.registry import run_checks
from tests.doctor.support import Applied, context, facts

FOLDER = "/etc/systemd/system"


@pytest.fixture
def host(tmp_path: Path) -> Applied:
    return Applied(tmp_path, "systemd-timer", facts())


def bad(host: Applied) -> list[Finding]:
    found = run_checks(context(host), ["timer", "drift"])
    return [item for item in found if item.status in (Status.FAIL, Status.WARN)]


@pytest.mark.parametrize("kind", ["timer", "service"])
def test_one_that_is_masked(host: Applied, kind: str) -> None:
    name = f"certtui-renew.{kind}"
    unit = host.timer if kind == "timer" else host.service
    unit.clear()
    unit |= {"Id": name, "LoadState": "masked", "UnitFileState": "masked", "Unit": ""}
    host.answer()
    host.path(f"{FOLDER}/{name}").unlink()
    host.path(f"{FOLDER}/{name}").symlink_to("/dev/null")
    (one,) = bad(host)
    assert (one.id, one.subject) == ("timer.masked", name)
    assert one.fix is not None and one.fix.argv == ("systemctl", "unmask", name)


def test_a_timer_that_is_gone(host: Applied) -> None:
    host.timer = {"Id": "certtui-renew.timer", "LoadState": "not-found", "Unit": ""}
    host.answer()
    host.path(f"{FOLDER}/certtui-renew.timer").unlink()
    (one,) = bad(host)
    assert (one.id, one.subject) == ("drift.missing", f"{FOLDER}/certtui-renew.timer")


def test_a_timer_that_systemd_does_not_know_though_it_is_there(host: Applied) -> None:
    host.timer = {"Id": "certtui-renew.timer", "LoadState": "not-found"}
    host.answer()
    (one,) = bad(host)
    assert one.id == "timer.missing"


def test_a_user_who_is_not_root_hears_of_a_timer_that_is_gone(host: Applied) -> None:
    host.timer = {"Id": "certtui-renew.timer", "LoadState": "not-found"}
    host.answer()
    host.path(f"{FOLDER}/certtui-renew.timer").unlink()
    user = context(host)
    system = replace(user.facts.system, is_root=False)
    found = run_checks(replace(user, facts=replace(user.facts, system=system)), ["timer.missing"])
    assert [item.status for item in found] == [Status.FAIL]
