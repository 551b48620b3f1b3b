"""`certtui drill` as a command: what it prints, what it ends with, who may start it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import jsonschema
import pytest

from certtui import commands, drilling, workflow
from certtui.cli import main
from certtui.drill import deploy, mail
from certtui.drill.model import Mail, Outcome, Scene, Step
from certtui.errors import Locked

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/drill.schema.json").read_text("utf-8"))
PLAN = "version = 1\n"
STEPS = (Step("started by cron", True, "12:01:00"), Step("taken", False, "no\x1b[31m", "do this"))


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A drill that is played, so that this machine is left alone; gives a plan."""

    def play(scene: Scene, only: str = "") -> Outcome:
        outcome = Outcome("deploy" if only else "mail", "0" * 16, "cron", mail=Mail("a@b"))
        scene.on_wait("cron starts it at 12:01:00, in 12 s")
        for step in STEPS:
            scene.on_step(step)
            outcome.steps.append(step)
        outcome.proved = only
        return outcome

    class Played(workflow.Job):
        facts = None  # type: ignore[assignment]
        rendered = None  # type: ignore[assignment]

    monkeypatch.setattr(mail, "drill", play)
    monkeypatch.setattr(deploy, "drill", play)
    monkeypatch.setattr(commands, "Job", Played)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(workflow, "recover", lambda root="/": "")
    path = tmp_path / "plan.toml"
    path.write_text(PLAN)
    return path


def test_it_is_told_as_it_happens(played: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drill", str(played)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "     cron starts it at 12:01:00, in 12 s",
        "ok   started by cron: 12:01:00",
        "FAIL taken: no\\x1b[31m",
        "     mend: do this",
        'not proved: it broke at "taken": no\\x1b[31m; mend: do this',
    ]


def test_json_alone(played: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drill", "--json", "--deploy", "--only", "x", str(played)]) == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["schema_version"], said["kind"], said["ok"]) == (1, "deploy", False)
    assert drilling.SCHEMA_VERSION == commands.SCHEMA_VERSION


def test_only_is_for_a_deploy(played: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drill", "--only", "x", str(played)]) == 64
    assert "--deploy" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["", " "])
def test_only_that_names_nothing_is_not_all(
    played: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert main(["drill", "--deploy", "--only", name, str(played)]) == 64
    assert "names no certificate" in capsys.readouterr().err
    assert main(["drill", "--only", name, str(played)]) == 64


def test_a_refusal_as_json(
    played: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuses(scene: Scene) -> Outcome:
        raise Locked("a renewal is at work")

    def said(code: int, *words: str) -> str:
        assert main(["drill", "--json", *words]) == code
        out, err = capsys.readouterr()
        shown = json.loads(out)
        jsonschema.validate(shown, SCHEMA)
        assert shown == {"schema_version": 1, "ok": False, "error": shown["error"]}
        assert shown["error"] in err
        return str(shown["error"])

    monkeypatch.setattr(mail, "drill", refuses)
    assert said(75, str(played)) == "a renewal is at work"
    assert "--deploy" in said(64, "--only", "x", str(played))
    assert "missing" in said(66, f"{played}.missing")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "sudo certtui drill" in said(77, str(played))


def test_it_needs_root(
    played: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert main(["drill", str(played)]) == 77
    assert "sudo certtui drill" in capsys.readouterr().err


def test_a_plan_that_is_not_there(played: Path) -> None:
    assert main(["drill", f"{played}.missing"]) == 66
