"""Doctor and status look at the same, whether a command or the wizard asks."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from certtui import lookups, status
from certtui.ask.session import Session
from certtui.doctor.registry import Context
from certtui.errors import PlanInvalid, PlanMissing, Refused
from certtui.host.interface import RealHost
from tests.doctor.support import Applied
from tests.doctor.support import facts as doctor_facts
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
        lookups.find(str(tmp_path / "no.toml"))
    assert lookups.find(None, str(tmp_path)) == lookups.Found(None)


def test_an_installed_plan_that_is_none_does_not_keep_from_looking(tmp_path: Path) -> None:
    plan = tmp_path / "etc/certtui/plan.toml"
    plan.parent.mkdir(parents=True)
    plan.write_text("version = 1\nx=[\n")
    found = lookups.find(None, str(tmp_path))
    assert found.job is None
    assert found.unusable.startswith(f"{plan}:2:")
    with pytest.raises(PlanInvalid):
        lookups.find(str(plan), str(tmp_path))


@pytest.mark.parametrize("what", ["folder", "no TOML", "disk"])
def test_the_plan_last_applied_stands_in_for_it(
    tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = Applied(tmp_path, "cron", doctor_facts())
    plan = host.path("/etc/certtui/plan.toml")
    plan.unlink()
    if what == "folder":
        plan.mkdir()
    else:
        plan.write_text("x=[\n" if what == "no TOML" else "version = 1\n")
    if what == "disk":

        def broken(path: str) -> bytes:
            raise OSError(errno.EIO, os.strerror(errno.EIO), path)

        monkeypatch.setattr("certtui.plan.document.read_bytes", broken)
    found = lookups.find(None, str(tmp_path))
    assert found.job is not None
    assert found.job.document.text == "version = 1\n"
    assert "plan.toml" in found.unusable
    assert len(found.unusable.splitlines()) == 1


def test_status_says_what_it_looked_at_instead(tmp_path: Path) -> None:
    host = Applied(tmp_path, "cron", doctor_facts())
    for plan, instead in ((host.plan, "the plan last applied"), (None, "no plan")):
        found = status.look(host, doctor_facts(), plan, unusable="plan.toml:1:3: no TOML\nmore")
        assert found.notes[0] == (
            f"the plan cannot be used, and {instead} was looked at instead: plan.toml:1:3: no TOML"
        )
        assert not any("by root only" in note for note in found.notes)


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
