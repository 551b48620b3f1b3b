"""Sentences that the commands share."""

from __future__ import annotations

import subprocess
import sys

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


def test_a_name_in_an_error_reaches_no_terminal_as_it_is() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "certtui", "check", "evil\x1b[2J\r\x07.toml"],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 66
    assert done.stderr.startswith(rb"certtui: evil\x1b[2J\x0d\x07.toml: no such file")
