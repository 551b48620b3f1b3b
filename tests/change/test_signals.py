"""A signal in the middle of an apply: taken back whole, or committed whole, then obeyed."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest

from certtui.change import apply as engine
from certtui.change.journal import Intent, Journal
from certtui.change.model import Step
from certtui.errors import ApplyFailed, Ended
from tests.change.support import SCRIPT, Systemd, listing, new_root, rendered


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """What the command line installs, put back afterwards."""

    def end(number: int, frame: FrameType | None) -> None:
        raise Ended(number)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_signal_during_the_steps_takes_everything_back(tmp_path: Path) -> None:
    tree = new_root(tmp_path)
    before = listing(tree)

    def interrupt(step: Step) -> None:
        if SCRIPT in step.what:
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(Ended) as caught:
        engine.apply(Systemd(tree), tree, rendered(), plan_text="", on_step=interrupt)
    assert caught.value.exit_code == 143
    assert listing(tree) == before


def test_a_second_signal_waits_until_all_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = new_root(tmp_path)
    before = listing(tree)
    host = Systemd(tree)
    host.fail = ("systemctl", "enable")
    real = Journal.roll_back

    def disturbed(journal: Journal, intent: Intent) -> list[str]:
        signal.raise_signal(signal.SIGHUP)
        return real(journal, intent)

    monkeypatch.setattr(Journal, "roll_back", disturbed)
    with pytest.raises(Ended) as caught:
        engine.apply(host, tree, rendered(), plan_text="")
    assert caught.value.exit_code == 129
    assert isinstance(caught.value.__context__, ApplyFailed)
    assert listing(tree) == before


def test_a_signal_during_the_commit_comes_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = new_root(tmp_path)
    real = Journal.commit

    def disturbed(journal: Journal) -> None:
        signal.raise_signal(signal.SIGTERM)
        real(journal)

    monkeypatch.setattr(Journal, "commit", disturbed)
    with pytest.raises(Ended):
        engine.apply(Systemd(tree), tree, rendered(), plan_text="")
    assert tree.snapshot(SCRIPT) is not None
    assert engine.recover(Systemd(tree), tree) is None


def test_another_thread_sets_no_handlers(tmp_path: Path) -> None:
    tree = new_root(tmp_path)
    results = []
    thread = threading.Thread(
        target=lambda: results.append(
            engine.apply(Systemd(tree), tree, rendered(), plan_text="").changed
        )
    )
    thread.start()
    thread.join()
    assert results == [True]


def test_a_journal_that_cannot_be_closed_is_closed_by_the_next_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = new_root(tmp_path)

    def full(journal: Journal, intent: Intent) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Journal, "finish", full)
        with pytest.raises(ApplyFailed, match="all was done, but the journal could not be closed"):
            engine.apply(Systemd(tree), tree, rendered(), plan_text="")
    assert tree.snapshot(SCRIPT) is not None
    step = engine.recover(Systemd(tree), tree)
    assert step is not None
    assert step.what == "an interrupted apply was finished"
    assert tree.snapshot(SCRIPT) is not None
