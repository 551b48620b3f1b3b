"""Answers about the terminal: kept for the user, asked like the others, never in a plan."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from certtui.ask import answers as store
from certtui.ask import preferences
from certtui.ask.preferences import Preferences
from certtui.plan.fields import BY_KEY
from certtui.tui.screens.answers import Answers
from tests.tui.driver import wizard


def test_preferences_are_kept_for_the_user_alone(surroundings: Path) -> None:
    first = preferences.load()
    assert (first.colours, first.mouse) == ("auto", False)
    assert preferences.keep(first, "interface.colours", "light").colours == "light"
    assert preferences.keep(first, "interface.mouse", True).mouse
    assert (preferences.load().colours, preferences.load().mouse) == ("light", True)
    file = surroundings / "config/certtui/interface.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert json.loads(file.read_text()) == {"colours": "light", "mouse": True}


def test_the_command_line_counts_for_this_start_alone() -> None:
    started = preferences.load("dark", True)
    assert (started.colours, started.mouse) == ("dark", True)
    preferences.keep(started, "interface.colours", "none")
    assert (preferences.load().colours, preferences.load().mouse) == ("none", False)


@pytest.mark.parametrize(
    "content",
    [b"", b"[1]", b"\xff", b'{"colours": "pink", "mouse": "yes"}', b'{"colours": 3, "other": 1}'],
)
def test_a_broken_file_counts_as_nothing(surroundings: Path, content: bytes) -> None:
    file = surroundings / "config/certtui/interface.json"
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    assert (preferences.load().colours, preferences.load().mouse) == ("auto", False)


def test_a_home_that_cannot_be_written_stops_nothing(
    surroundings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (surroundings / "file").write_text("")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(surroundings / "file"))
    assert preferences.keep(preferences.load(), "interface.colours", "dark").colours == "dark"


def test_what_is_no_answer_is_a_sentence() -> None:
    assert 'is "pink"' in preferences.problem("interface.colours", "pink")
    assert "true or false" in preferences.problem("interface.mouse", "yes")
    assert not preferences.problem("interface.mouse", True)
    assert not set(preferences.BY_KEY) & set(BY_KEY)


async def test_they_are_listed_last_and_reach_neither_plan_nor_draft(
    tmp_path: Path, surroundings: Path
) -> None:
    start = Preferences(path=preferences.file_path())
    async with wizard(tmp_path, keeps_draft=True, preferences=start) as driver:
        await driver.until(lambda: driver.app.interview.facts is not None)
        await driver.press("equals_sign", "end")
        assert isinstance(driver.app.body, Answers)
        assert driver.text.index("interface.colours") < driver.text.index("interface.mouse")
        assert "> interface.mouse" in driver.text
        await driver.press("enter")
        assert "It counts from the next start on." in driver.text
        await driver.press("up", "enter")
        assert isinstance(driver.app.body, Answers)
        assert driver.app.interview.values()["interface.mouse"] is True
        document = driver.app.interview.document()
        assert "interface" not in document.text and "mouse" not in document.text
        assert store.load_draft(str(tmp_path / "plan.toml")) == {}
    assert preferences.load().mouse
    assert list((surroundings / "state").rglob("*.json")) == []
