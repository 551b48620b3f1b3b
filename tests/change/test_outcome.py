"""The record of an apply in a session of its own, and what the next start is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from certtui.change import outcome
from certtui.change.files import Tree
from certtui.change.model import Step
from certtui.change.outcome import Ending, Recorder


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    (tmp_path / "var/lib/certtui").mkdir(parents=True)
    return Tree(str(tmp_path))


def record_of(tree: Tree, ending: Ending | None, *steps: Step) -> outcome.Record:
    recorder = Recorder(tree)
    for step in steps:
        recorder.step(step)
    if ending is not None:
        recorder.ended(ending)
    found = outcome.read(tree)
    assert found is not None
    return found


def test_what_is_written_is_read(tree: Tree) -> None:
    steps = (Step("made /x", True), Step("systemctl start y", False, "it is\nmasked"))
    found = record_of(tree, Ending(True, True), *steps)
    assert found.steps == steps
    assert found.ending == Ending(True, True)
    assert found.began.tzinfo is not None
    file = Path(tree.root + outcome.RECORD)
    assert file.stat().st_mode & 0o777 == 0o600


def test_each_apply_begins_its_record_anew(tree: Tree) -> None:
    record_of(tree, Ending(False, sentence="no"), Step("a", True))
    found = record_of(tree, None, Step("b", True))
    assert found.steps == (Step("b", True),)
    assert found.ending is None


@pytest.mark.parametrize(
    ("ending", "words"),
    [
        (Ending(True, True), "finished: applied as reviewed"),
        (Ending(True, False), "there was nothing to change"),
        (Ending(False, sentence="disk full", code=1), "was taken back: disk full"),
        (Ending(False, sentence="no at", refused=True), "refused, nothing was changed: no at"),
    ],
)
def test_the_next_start_is_told(tree: Tree, ending: Ending, words: str) -> None:
    found = record_of(tree, ending, Step("a", True))
    assert words in outcome.sentence(found)
    outcome.forget(tree)
    assert outcome.read(tree) is None


def test_a_record_cut_off_counts_up_to_there(tree: Tree) -> None:
    record_of(tree, None, Step("a", True), Step("b", True))
    file = Path(tree.root + outcome.RECORD)
    file.write_bytes(file.read_bytes()[:-9])
    found = outcome.read(tree)
    assert found is not None and found.steps == (Step("a", True),)
    assert outcome.sentence(found) == ""
    assert "see what is there: certtui diff" in outcome.cut_off(found, "")


def test_a_record_that_cannot_be_kept_stops_nothing(tmp_path: Path) -> None:
    tree = Tree(str(tmp_path))  # without certtui's folder
    Recorder(tree).step(Step("a", True))
    assert outcome.read(tree) is None


def test_a_link_in_its_place_is_not_followed(tree: Tree, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    Path(tree.root + outcome.RECORD).symlink_to(precious)
    Recorder(tree).step(Step("a", True))
    assert precious.read_text() == "precious"


def test_one_that_was_killed_and_mended_by_whoever_came_first(tree: Tree) -> None:
    record_of(tree, None, Step("a", True))
    outcome.mended(tree, "an interrupted apply was taken back")
    outcome.mended(tree, "an interrupted undo was taken back")
    found = outcome.read(tree)
    assert found is not None
    assert found.steps == (Step("a", True),)
    said = outcome.sentence(found)
    assert said.endswith("was ended from outside; an interrupted apply was taken back")


def test_what_was_mended_without_a_record_is_nobodys(tree: Tree) -> None:
    outcome.mended(tree, "an interrupted apply was taken back")
    assert outcome.read(tree) is None
