"""An installed plan that is none: one finding, and all else is looked at."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from certtui.doctor.check import Context
from certtui.doctor.finding import Finding, Fix, Status
from certtui.doctor.registry import run_checks
from tests.doctor.support import NOW, Applied, context, facts

PLAN = "/etc/certtui/plan.toml"
WRONG = f"{PLAN}:3:1: unexpected end of the file\n{PLAN}:4:1: more"


def worse(given: Context) -> dict[str, Finding]:
    found = run_checks(given)
    return {one.id: one for one in found if one.status not in (Status.OK, Status.SKIP)}


def test_a_plan_that_is_no_plan_is_one_finding(tmp_path: Path) -> None:
    host = Applied(tmp_path, "cron", facts())
    before = set(worse(context(host)))
    host.write(PLAN, "version = 1\n\nx=[")
    found = worse(replace(context(host), unusable=WRONG))
    assert set(found) - before == {"plan.invalid"}
    said = found["plan.invalid"]
    assert said.status is Status.FAIL
    assert said.message == (
        "3:1: unexpected end of the file; the plan last applied was looked at instead"
    )
    assert said.evidence == WRONG
    assert said.fix == Fix(("mv", PLAN, f"{PLAN}.invalid"))
    host.write(f"{PLAN}.invalid", "an earlier one")
    assert worse(replace(context(host), unusable=WRONG))["plan.invalid"].fix is None


def test_a_folder_in_place_of_the_plan_is_one_finding(tmp_path: Path) -> None:
    host = Applied(tmp_path, "cron", facts())
    before = set(worse(context(host)))
    host.path(PLAN).unlink()
    host.path(PLAN).mkdir()
    given = replace(context(host), unusable=f"{PLAN}: not a regular file")
    assert set(worse(given)) - before == {"plan.invalid"}


def test_without_a_plan_that_was_applied_the_rest_is_looked_at(tmp_path: Path) -> None:
    host = Applied(tmp_path, "cron", facts())
    given = Context(host, facts(), now=NOW, unusable=WRONG)
    found = run_checks(given)
    (said,) = [one for one in found if one.id == "plan.invalid"]
    assert (said.status, said.fix) == (Status.FAIL, None)
    assert "no plan was looked at instead" in said.message
    assert len(found) > 10
    assert not any("needs root" in one.message for one in found if one.id.startswith("drift."))


def test_a_plan_that_is_one_is_well(tmp_path: Path) -> None:
    host = Applied(tmp_path, "cron", facts())
    (said,) = run_checks(context(host), ["plan"])
    assert (said.status, said.subject) == (Status.OK, PLAN)
