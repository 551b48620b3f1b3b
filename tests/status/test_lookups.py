"""Doctor and status look at the same, whether a command or the wizard asks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from certtui import lookups, status
from certtui.ask.session import Session
from certtui.doctor.registry import Context
from certtui.errors import PlanMissing, Refused
from certtui.host.interface import RealHost
from tests.tui.support import NOW, facts, session


@pytest.fixture
def this_machine(monkeypatch: pytest.MonkeyPatch) -> list[Context]:
    """A machine of known facts; gives the contexts that doctor was asked about."""
    asked: list[Context] = []

    def checks(context: Context, only: Any = (), skip: Any = ()) -> tuple[()]:
        del only, skip
        asked.append(context)
        return ()

    monkeypatch.setattr("certtui.doctor.registry.run_checks", checks)
    monkeypatch.setattr("certtui.host.gather.gather", lambda host, **given: facts())
    return asked


def test_a_named_plan_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PlanMissing):
        lookups.job_or_none(str(tmp_path / "no.toml"))
    assert lookups.job_or_none(None, str(tmp_path)) is None


def test_a_plan_that_was_named_is_looked_at_and_named_again(
    tmp_path: Path, this_machine: list[Context]
) -> None:
    made = replace(session(tmp_path, named=True), root="/")
    assert made.base is not None
    Path(made.path).write_bytes(made.base.content)
    assert lookups.doctor_for(made) == ()
    (context,) = this_machine
    assert context.plan == made.base.plan
    assert context.plan_file == made.path
    assert context.apply().argv[-1] == made.path


def test_a_plan_that_is_still_to_be_made_is_no_error(
    tmp_path: Path, this_machine: list[Context], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("certtui.workflow.INSTALLED_PLAN", str(tmp_path / "nowhere/plan.toml"))
    monkeypatch.setattr("certtui.workflow._applied_plan", lambda root: "")
    made = replace(session(tmp_path, named=True, base=None), root="/")
    lookups.doctor_for(made)
    assert this_machine[0].plan is None


def test_doctor_of_a_folder_is_refused_but_for_its_own(tmp_path: Path) -> None:
    made = session(tmp_path)
    with pytest.raises(Refused, match="On a machine: certtui doctor"):
        lookups.doctor_for(made)
    assert lookups.doctor_for(replace(made, doctor=tuple)) == ()


def test_status_of_a_folder_is_that_of_its_facts_and_its_time(tmp_path: Path) -> None:
    made: Session = session(tmp_path)
    assert made.base is not None
    found = lookups.status_for(made)
    assert [item.name for item in found.certificates] == [item.name for item in facts().lineages]
    there = RealHost(str(tmp_path))
    assert found == status.look(there, made.facts(made.base.plan), None, live=False, now=NOW)
    plan = tmp_path / "etc/certtui/plan.toml"
    plan.parent.mkdir(parents=True)
    plan.write_bytes(made.base.content)
    applied = lookups.status_for(made)
    assert len(applied.next) == 5 and applied.certificates[0].tries_left == 60
