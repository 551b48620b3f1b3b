"""An apply in a session of its own: watched, left alone, killed; and what the next start finds."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from certtui import detached
from certtui.change import outcome
from certtui.change.apply import Consent
from certtui.change.files import Tree
from certtui.change.lock import locked
from certtui.change.model import Step
from certtui.detached import Detached
from certtui.errors import ExitCode, NotApplied
from certtui.workflow import Job
from tests.tui.support import facts, session

SCRIPT = "usr/local/sbin/certbot-renew-everything"


def job(root: Path) -> Job:
    base = session(root).base
    assert base is not None
    return Job(base, str(root), known=facts(str(root / "certbot")))


@pytest.fixture
def slow_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step lasts until whoever watches it can keep up."""
    slow = (
        "import time; from certtui.change import outcome; told = outcome.Recorder.step; "
        "outcome.Recorder.step = lambda self, step: (told(self, step), time.sleep(0.4)); "
    )
    code = detached._CODE.replace("from certtui import", f"{slow}from certtui import")
    monkeypatch.setattr("certtui.detached._CODE", code)


def start(job: Job) -> Detached:
    return Detached(job, Consent(), job.draft().preview)


def wait_for(root: Path, seconds: float = 20) -> outcome.Record:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = outcome.read(Tree(str(root)))
        if found is not None and found.ending is not None:
            return found
        time.sleep(0.05)
    raise AssertionError("the apply did not end")


def test_its_steps_arrive_as_they_happen(tmp_path: Path) -> None:
    steps: list[Step] = []
    result = start(job(tmp_path)).run(steps.append)
    assert result.changed
    assert result.steps == tuple(steps)
    assert any(SCRIPT in step.what for step in steps)
    assert (tmp_path / SCRIPT).stat().st_mode & 0o777 == 0o700
    record = outcome.read(Tree(str(tmp_path)))
    assert record is not None and record.steps == result.steps
    detached.seen(str(tmp_path))
    assert not detached.is_unseen(str(tmp_path))


def test_it_is_in_another_session(tmp_path: Path, slow_steps: None) -> None:
    work = start(job(tmp_path))
    seen: list[int] = []

    def note(step: Step) -> None:
        pid = int((tmp_path / "var/lib/certtui/lock").read_text())
        if not seen and os.path.isdir(f"/proc/{pid}"):
            seen.append(os.getsid(pid))

    work.run(note)
    assert seen and seen[0] != os.getsid(0)


def test_left_alone_it_goes_on_and_is_told_once(tmp_path: Path) -> None:
    work = start(job(tmp_path))
    with pytest.raises(NotApplied, match="goes on without"):
        work.run(lambda step: work.leave())
    assert wait_for(tmp_path).ending == outcome.Ending(True, True)
    told = detached.unseen(str(tmp_path), lambda step: None, threading.Event())
    assert "finished: applied as reviewed" in told
    detached.seen(str(tmp_path))
    assert detached.unseen(str(tmp_path), lambda step: None, threading.Event()) == ""
    assert not job(tmp_path).draft().preview.changed


def test_a_wizard_killed_at_once_stops_nothing(tmp_path: Path) -> None:
    work = job(tmp_path)
    approved = work.draft().preview
    pid = os.fork()
    if pid == 0:
        Detached(work, Consent(), approved).run(lambda step: os._exit(9))
        os._exit(1)
    os.waitpid(pid, 0)
    assert wait_for(tmp_path).ending == outcome.Ending(True, True)
    assert (tmp_path / SCRIPT).exists()


def test_a_refusal_is_a_sentence_with_its_code(tmp_path: Path) -> None:
    work = start(job(tmp_path))
    (tmp_path / "usr/local/sbin").mkdir(parents=True)
    (tmp_path / SCRIPT).write_text("somebody's own\n")
    with pytest.raises(NotApplied, match="changed since the preview") as found:
        work.run(lambda step: None)
    assert found.value.exit_code == ExitCode.FAILED
    told = detached.unseen(str(tmp_path), lambda step: None, threading.Event())
    assert "was refused, nothing was changed" in told
    assert (tmp_path / SCRIPT).read_text() == "somebody's own\n"


def test_another_at_work_keeps_its_record(tmp_path: Path) -> None:
    work = start(job(tmp_path))
    tree = Tree(str(tmp_path))
    with locked(tree):
        outcome.Recorder(tree).step(Step("of the other", True))
        with pytest.raises(NotApplied, match="another certtui") as found:
            work.run(lambda step: None)
    assert found.value.exit_code == ExitCode.LOCKED
    record = outcome.read(tree)
    assert record is not None and record.steps == (Step("of the other", True),)


def test_killed_from_outside_it_is_taken_back(tmp_path: Path, slow_steps: None) -> None:
    work = start(job(tmp_path))

    def kill(step: Step) -> None:
        os.kill(int((tmp_path / "var/lib/certtui/lock").read_text()), signal.SIGKILL)

    with pytest.raises(NotApplied, match="ended from outside"):
        work.run(kill)
    # Recovery has run: all of it is there or nothing.
    changes = job(tmp_path).draft().preview.files
    assert len({change.state for change in changes}) == 1
    # Whoever looks next is told, too: the wizard that had it mended may have lost its terminal.
    said = detached.unseen(str(tmp_path), lambda step: None, threading.Event())
    assert "ended from outside; an interrupted apply was" in said


def test_one_still_at_work_is_waited_for(tmp_path: Path) -> None:
    tree = Tree(str(tmp_path))
    work = job(tmp_path)
    approved = work.draft().preview
    assert approved.changed
    pid = os.fork()
    if pid == 0:
        with locked(tree):
            recorder = outcome.Recorder(tree)
            for what in ("one", "two"):
                time.sleep(0.5)
                recorder.step(Step(what, True))
            recorder.ended(outcome.Ending(False, sentence="no luck"))
            os._exit(0)
    end = time.monotonic() + 10
    while not detached.is_unseen(str(tmp_path)) and time.monotonic() < end:
        time.sleep(0.02)
    steps: list[str] = []
    told = detached.unseen(str(tmp_path), lambda step: steps.append(step.what), threading.Event())
    os.waitpid(pid, 0)
    assert steps == ["one", "two"]
    assert "was taken back: no luck" in told
