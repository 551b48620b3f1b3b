"""What the wizard reads from its surroundings is the same for every test of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def surroundings(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A terminal of 256 colours in UTF-8, a time zone, and a home of its own, which is given."""
    home = tmp_path_factory.mktemp("home")
    for name in ("NO_COLOR", "COLORFGBG", "COLORTERM", "LC_CTYPE", "LANG", "COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "TERM": "xterm-256color",
        "LC_ALL": "C.UTF-8",
        "TZ": "Europe/Berlin",
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_STATE_HOME": str(home / "state"),
    }.items():
        monkeypatch.setenv(name, value)
    # Tests press keys as fast as pasted text comes.
    monkeypatch.setattr("certtui.tui.keyed.HURRY", 0.0)
    time.tzset()
    yield home
    monkeypatch.undo()
    time.tzset()
