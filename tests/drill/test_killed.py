"""A drill killed at any of its system calls: the next command leaves the host as it was."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from certtui import traces
from certtui.doctor.records.history import PENDING
from certtui.drill import clean, deploy, mail, pending, trace
from certtui.host.interface import Completed
from tests.change.kill import killed
from tests.drill.support import Place, place
from tests.drill.test_deploy import LIVE, SAME, Hooks, serves, wait_for
from tests.drill.test_deploy import there as applied
from tests.drill.test_mail import works

__all__ = ["applied"]


def queue(there: Place) -> Path:
    """An at whose only job is a file, so that it outlives the process that queued it."""
    job = there.folder.with_name("job")

    def at(argv: tuple[str, ...], stdin: str) -> Completed | str | None:
        if "-t" in argv:
            drill = next(word for word in argv if word.startswith("CERTTUI_DRILL="))
            job.write_text(f"{drill}; export CERTTUI_DRILL\n{stdin}")
            return Completed(argv, 0, "", "job 7 at x\n")
        if argv == ("atq",):
            return "7\tTue Nov 24 12:01:00 2026 c root\n" if job.exists() else ""
        if argv[:2] == ("at", "-c"):
            return job.read_text()
        if argv == ("atrm", "7"):
            job.unlink()
        return None

    there.host.answers.append(at)
    return job


def sweep(made: Callable[[int], Place], work: Callable[[Place], object]) -> int:
    """Kills at each call and recovers; gives how many there were."""
    for number in itertools.count(1):
        there = made(number)
        died = killed(lambda there=there: work(there), number)  # type: ignore[misc]
        under_way = there.trace() is not None
        if traces.drilled(str(there.folder)):
            assert bool(clean.recover(there.host, there.tree)) == under_way
        assert not traces.drilled(str(there.folder))
        assert [path for path in there.left() if "certtui" in path and PENDING not in path] == []
        assert clean.recover(there.host, there.tree) == ""
        if not died:
            return number
    raise AssertionError


@pytest.mark.parametrize("backend", ["cron", "at-block"])
def test_a_drill_of_the_mail(tmp_path: Path, backend: str) -> None:
    jobs: list[Path] = []

    def made(number: int) -> Place:
        folder = tmp_path / str(number)
        folder.mkdir()
        there = place(folder / "r", schedule_backend=backend)
        jobs.append(queue(there))
        return there

    def work(there: Place) -> None:
        works(there, "at" if backend == "at-block" else "cron")
        mail.drill(there.scene)

    assert sweep(made, work) > 15
    assert not any(job.exists() for job in jobs)


@pytest.mark.parametrize("state", ["same", "old"])
def test_a_drill_of_the_deploy(applied: Place, monkeypatch: pytest.MonkeyPatch, state: str) -> None:
    serves(monkeypatch, {**SAME, "b.example": state})
    Hooks(applied)

    def made(number: int) -> Place:
        wait_for(applied, f"{LIVE}/x", f"{LIVE}/a.example")
        return applied

    def work(there: Place) -> None:
        deploy.drill(there.scene)
        if state == "same":
            assert pending.lines(there.tree) == ()

    def check(there: Place) -> None:
        work(there)

    count = 0
    for number in itertools.count(1):
        there = made(number)
        died = killed(lambda: check(applied), number)
        under_way = there.trace() is not None
        # Gone by then: the hook has ended well, and loaded it.
        loaded = pending.lines(there.tree) == ()
        clean.recover(there.host, there.tree)
        assert there.trace() is None
        assert not there.path(trace.MARKER).exists()
        waits = pending.lines(there.tree)
        # All of it, or (once it is proved) nothing.
        assert waits in ((f"{LIVE}/x", f"{LIVE}/a.example"), () if state == "same" else waits[:2])
        assert not under_way or waits == (() if loaded else (f"{LIVE}/x", f"{LIVE}/a.example"))
        count = number
        if not died:
            break
    assert count > 10
