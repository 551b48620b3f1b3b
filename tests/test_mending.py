"""``doctor --fix``: safe mends only, our own files by the journalled apply, then another look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from certtui import mending
from certtui.change import undo
from certtui.change.apply import Consent
from certtui.change.model import Step
from certtui.doctor.finding import Finding, Fix, Status
from certtui.errors import NeedsRoot
from certtui.host.interface import Completed
from certtui.plan.document import Document
from certtui.workflow import Job
from tests.facts.support import FakeHost
from tests.render.support import facts

PLAN = "version = 1\n[webserver]\nkind = 'none'\n[schedule]\nbackend = 'cron'\n"
SAFE = Fix(("systemctl", "start", "cron"), True)


@dataclass
class Ill:
    """What doctor finds, look after look; the last again and again."""

    looks: list[list[Finding]]
    count: int = 0

    def __call__(self) -> Sequence[Finding]:
        self.count += 1
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]


@dataclass
class Told:
    steps: list[Step] = field(default_factory=list)

    def __call__(self, step: Step) -> None:
        self.steps.append(step)


def fail(fix: Fix | None, id: str = "a.x") -> Finding:
    return Finding(id, Status.FAIL, "", "bad", fix=fix)


def host() -> FakeHost:
    return FakeHost(answers={("systemctl",): ""})


def test_what_is_safe_is_run_and_looked_at_again() -> None:
    told, look = Told(), Ill([[fail(SAFE), fail(Fix(("rm", "-r", "/x")))], []])
    machine = host()
    assert mending.mend(None, machine, look, told) == []
    assert machine.ran == [("systemctl", "start", "cron")]
    assert told.steps == [Step("systemctl start cron", True, "")]


def test_a_mend_that_does_not_help_is_run_once() -> None:
    told, machine = Told(), host()
    machine.answers["systemctl",] = Completed((), 1, "", "one\nno such unit\n")
    findings = mending.mend(None, machine, Ill([[fail(SAFE)]]), told)
    assert [finding.message for finding in findings] == ["bad"]
    assert told.steps == [Step("systemctl start cron", False, "exit code 1: no such unit")]


def test_a_mend_may_need_another_one() -> None:
    told, machine = Told(), host()
    reload = Fix(("systemctl", "daemon-reload"), True)
    mending.mend(None, machine, Ill([[fail(reload)], [fail(SAFE)], []]), told)
    assert [step.what for step in told.steps] == ["systemctl daemon-reload", "systemctl start cron"]


def test_what_is_well_or_skipped_is_not_mended() -> None:
    told, machine = Told(), host()
    well = Finding("a.x", Status.OK, "", "fine", fix=SAFE)
    mending.mend(None, machine, Ill([[well]]), told)
    assert (told.steps, machine.ran) == ([], [])


def test_it_needs_root() -> None:
    with pytest.raises(NeedsRoot, match="sudo certtui doctor --fix"):
        mending.mend(None, FakeHost(root_user=False), Ill([[]]), Told())


@pytest.fixture
def applied(tmp_path: Path) -> Job:
    """A plan that was applied to a folder."""
    job = Job(Document(PLAN, "plan.toml"), str(tmp_path), known=facts())
    job.apply(lambda step: None, consent=Consent())
    return job


CRON = "etc/cron.d/certtui-renew"
APPLY = Fix(("certtui", "apply", "--no-dry-run"), True)


def test_our_own_files_come_back_by_an_apply_that_can_be_undone(applied: Job) -> None:
    path = Path(applied.root) / CRON
    path.unlink()
    told = Told()
    mending.mend(applied, host(), Ill([[fail(APPLY)], []]), told)
    assert path.exists()
    assert any(CRON in step.what for step in told.steps)
    undo.undo(host(), applied.tree, force=False, on_step=told)
    assert not path.exists()


def test_an_edited_file_is_kept(applied: Job) -> None:
    script = Path(applied.root) / "usr/local/sbin/certbot-renew-everything"
    script.write_text("#!/bin/sh\n# mine\n")
    (Path(applied.root) / CRON).unlink()
    mending.mend(applied, host(), Ill([[fail(APPLY)], []]), Told())
    assert script.read_text() == "#!/bin/sh\n# mine\n"
    assert (Path(applied.root) / CRON).exists()


def test_a_plan_that_was_changed_is_not_applied_by_this(applied: Job) -> None:
    edited = Job(
        Document(PLAN.replace("'cron'", "'systemd-timer'"), "plan.toml"),
        applied.root,
        known=facts(),
    )
    (Path(applied.root) / CRON).unlink()
    told = Told()
    mending.mend(edited, host(), Ill([[fail(APPLY)]]), told)
    assert not (Path(applied.root) / CRON).exists()
    assert [step.ok for step in told.steps] == [False]
    assert "not applied yet" in told.steps[0].message
