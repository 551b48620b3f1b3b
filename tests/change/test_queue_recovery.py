"""Killed anywhere: afterwards at's queue has the jobs of the scripts that are there, no other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from certtui.change import apply as engine
from certtui.change import store, undo
from certtui.change.files import Tree
from certtui.change.jobs import Queue
from certtui.render.artifact import Rendered
from tests.change.at import BLOCK, RANDOM, AtHost, queue, target
from tests.change.kill import killed
from tests.change.support import Listing, listing, new_root, rendered

pytestmark = pytest.mark.usefixtures("no_sync")

Work = Callable[[Tree], object]


def _apply(wanted: Rendered) -> Work:
    wants = queue(wanted.queue) if wanted.queue else Queue()
    return lambda tree: engine.apply(AtHost(tree), tree, wanted, plan_text="", queue=wants)


def _undo(tree: Tree) -> None:
    undo.undo(AtHost(tree), tree)


def _remove(tree: Tree) -> None:
    undo.remove(AtHost(tree), tree)


CRON = rendered(timer=False)
#: name -> what was done before, and what is killed.
CASES: dict[str, tuple[list[Work], Work]] = {
    "first": ([], _apply(target())),
    "other": ([_apply(target(BLOCK))], _apply(target())),
    "changed": ([_apply(target())], _apply(target(content=b"#!/bin/sh\n# new\n"))),
    "to-cron": ([_apply(target())], _apply(CRON)),
    "undo": ([_apply(target(BLOCK)), _apply(target())], _undo),
    "undo-to-at": ([_apply(target()), _apply(CRON)], _undo),
    "remove": ([_apply(CRON), _apply(target(BLOCK)), _apply(target())], _remove),
}


def _new(folder: Path, before: list[Work]) -> Tree:
    tree = new_root(folder)
    for work in before:
        work(tree)
    return tree


def _scripts(tree: Tree) -> list[str]:
    return [path for path in (RANDOM, BLOCK) if Path(tree.root + path).exists()]


def _seen(tree: Tree) -> tuple[Listing, list[str]]:
    return listing(tree), AtHost(tree).scripts()


def _is_consistent(tree: Tree) -> bool:
    state = Path(f"{tree.root}{store.HOME}/at-state")
    of = [state.read_text().strip()] if state.exists() else []
    return AtHost(tree).scripts() == of == _scripts(tree)


@pytest.mark.parametrize("case", list(CASES))
def test_killed_anywhere(tmp_path: Path, case: str) -> None:
    earlier, work = CASES[case]
    before = _seen(_new(tmp_path / "before", earlier))
    whole = _new(tmp_path / "whole", earlier)
    work(whole)
    after = _seen(whole)
    assert _is_consistent(whole)
    assert before != after
    outcomes = []
    for number in range(1, 1000):
        tree = _new(tmp_path / f"{number:03d}", earlier)
        if not killed(lambda tree=tree: work(tree), number):  # type: ignore[misc]
            break
        engine.recover(AtHost(tree), tree)
        assert _is_consistent(tree), number
        outcomes.append(_seen(tree) == after)
        assert outcomes[-1] or _seen(tree) == before, number
        if not outcomes[-1]:
            work(tree)
        assert _seen(tree) == after, number
    assert {*outcomes} == {False, True}
    assert len(outcomes) > 40


@pytest.mark.parametrize("share", [0.5, 0.7, 0.9])
def test_recovery_killed_anywhere(tmp_path: Path, share: float) -> None:
    """The first kill is somewhere in the apply, a second one at each call of the recovery."""
    earlier, work = CASES["other"]
    before = _seen(_new(tmp_path / "before", earlier))
    first = int(share * _points(tmp_path / "counted", earlier, work))
    for number in range(1, 1000):
        tree = _new(tmp_path / f"{number:03d}", earlier)
        assert killed(lambda tree=tree: work(tree), first)  # type: ignore[misc]
        again = killed(lambda tree=tree: engine.recover(AtHost(tree), tree), number)  # type: ignore[misc]
        engine.recover(AtHost(tree), tree)
        assert _is_consistent(tree), number
        assert _seen(tree) == before, number
        if not again:
            break
    assert number > 10


def _points(folder: Path, earlier: list[Work], work: Work) -> int:
    """How many calls there are at which it can be killed before it commits."""
    for number in range(1, 1000):
        tree = _new(folder / f"{number:03d}", earlier)
        killed(lambda tree=tree: work(tree), number)  # type: ignore[misc]
        if Path(f"{tree.root}{store.JOURNAL}/current/committed").exists():
            break
    return number
