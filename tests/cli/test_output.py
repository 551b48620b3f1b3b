"""Sentences that the commands share."""

from __future__ import annotations

import pytest

from certtui.change.model import Result
from certtui.output import applied_text


@pytest.mark.parametrize(
    ("root", "undo"),
    [("/", "certtui undo"), ("/srv/a b", "certtui undo --root '/srv/a b'")],
)
def test_the_undo_that_is_named_takes_back_this_apply(root: str, undo: str) -> None:
    assert applied_text(Result(True), root) == f"applied; undo: {undo}"
    assert applied_text(Result(False), root) == "in sync: nothing was changed"
