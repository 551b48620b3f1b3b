"""An apply killed at any of its mutating calls: each file is old or new, and a rerun converges."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from certtui.change import apply as engine
from certtui.change import store, undo
from certtui.change.files import Tree
from certtui.errors import ApplyFailed
from certtui.render.artifact import Rendered
from tests.change.kill import killed
from tests.change.support import PLAN, SCRIPT, TIMER, Systemd, new_root, rendered

pytestmark = pytest.mark.usefixtures("no_sync")

OLD = rendered()
NEW = rendered(b"#!/bin/sh\n# new\n", timer=False)


def _apply(tree: Tree, target: Rendered) -> None:
    engine.apply(Systemd(tree), tree, target, plan_text="version = 1\n")


def _content(tree: Tree) -> dict[str, bytes | None]:
    found = {name: tree.snapshot(name) for name in (PLAN, SCRIPT, TIMER)}
    return {name: snapshot.content if snapshot else None for name, snapshot in found.items()}


def _no_rubbish(tree: Tree) -> bool:
    names = [name for _, folders, files in os.walk(tree.root) for name in folders + files]
    return not any("certtui-new~" in name or name in ("new", "current") for name in names)


def _sweep(tmp_path: Path, work: Callable[[Tree], None], prepare: Callable[[Tree], None]) -> int:
    """Kills ``work`` at each call in turn; gives the number of calls there were."""
    number = 0
    while True:
        number += 1
        tree = new_root(tmp_path / f"{number:03d}")
        prepare(tree)
        before = _content(tree)
        died = killed(lambda tree=tree: work(tree), number)  # type: ignore[misc]
        done = _content(tree) if not died else None
        engine.recover(Systemd(tree), tree)
        assert _no_rubbish(tree), number
        if not died:
            return number - 1
        after = _content(tree)
        reference = new_root(tmp_path / f"{number:03d}-whole")
        prepare(reference)
        work(reference)
        assert after in (before, _content(reference)), number
        assert done is None
        if after == before:
            work(tree)
        assert _content(tree) == _content(reference), number


def test_apply_killed_anywhere_recovers(tmp_path: Path) -> None:
    points = _sweep(tmp_path, lambda tree: _apply(tree, OLD), lambda tree: None)
    assert points > 50


def test_a_second_apply_killed_anywhere_recovers(tmp_path: Path) -> None:
    points = _sweep(tmp_path, lambda tree: _apply(tree, NEW), lambda tree: _apply(tree, OLD))
    assert points > 40


def test_undo_killed_anywhere_recovers(tmp_path: Path) -> None:
    def prepare(tree: Tree) -> None:
        _apply(tree, OLD)
        _apply(tree, NEW)

    def work(tree: Tree) -> None:
        undo.undo(Systemd(tree), tree)

    assert _sweep(tmp_path, work, prepare) > 40


def test_recovery_killed_anywhere_recovers(tmp_path: Path) -> None:
    """A first kill in the middle of apply, a second one at each call of the recovery."""
    number = 0
    while True:
        number += 1
        tree = new_root(tmp_path / f"{number:03d}")
        assert killed(lambda tree=tree: _apply(tree, OLD), 45)  # type: ignore[misc]
        assert store.JOURNAL + "/current" in _journal(tree)
        again = killed(lambda tree=tree: engine.recover(Systemd(tree), tree), number)  # type: ignore[misc]
        engine.recover(Systemd(tree), tree)
        assert _no_rubbish(tree), number
        assert _content(tree) == dict.fromkeys((PLAN, SCRIPT, TIMER)), number
        if not again:
            break
    assert number > 10


def _journal(tree: Tree) -> list[str]:
    return [f"{store.JOURNAL}/{name}" for name in os.listdir(tree.root + store.JOURNAL)]


def test_recovery_leaves_what_somebody_changed_meanwhile(tmp_path: Path) -> None:
    tree = new_root(tmp_path / "root")
    for number in range(1, 200):
        if tree.snapshot(SCRIPT):
            break
        assert killed(lambda n=number: _apply(tree, OLD), number)  # type: ignore[misc]
        if not tree.snapshot(SCRIPT):
            engine.recover(Systemd(tree), tree)
    Path(tree.root + SCRIPT).write_bytes(b"mine\n")
    step = engine.recover(Systemd(tree), tree)
    assert step is not None
    assert f"{SCRIPT} was changed by somebody else meanwhile: left as it is" in step.what
    assert Path(tree.root + SCRIPT).read_bytes() == b"mine\n"
    assert engine.recover(Systemd(tree), tree) is None


def test_a_damaged_intent_is_one_sentence(tmp_path: Path) -> None:
    tree = new_root(tmp_path / "root")
    assert killed(lambda: _apply(tree, OLD), 45)
    Path(f"{tree.root}{store.JOURNAL}/current/intent.json").write_text("{}")
    with pytest.raises(ApplyFailed, match=r"intent\.json is damaged"):
        engine.recover(Systemd(tree), tree)
