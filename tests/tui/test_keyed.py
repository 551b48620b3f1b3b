"""Keys in the order they were typed: type-ahead, pasted text, questions that a key answers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual import events

from certtui import detached
from certtui.plan.fields import FIELDS
from certtui.tui.screens.dry_run import DryRun
from certtui.tui.screens.review import Review
from certtui.tui.screens.welcome import Welcome
from tests.tui.driver import Driver, wizard
from tests.tui.test_terminal import Terminal


async def burst(driver: Driver, text: str) -> None:
    """All of it at once, as a slow link delivers it."""
    for character in text:
        key = {"\r": "enter", "\x1b": "escape", "@": "at", ".": "full_stop"}.get(
            character, character
        )
        driver.app.post_message(events.Key(key, character))
    await asyncio.sleep(0)


async def test_what_is_typed_ahead_arrives_where_it_belongs(tmp_path: Path) -> None:
    async with wizard(tmp_path) as driver:
        await driver.until(lambda: driver.app.interview.facts is not None)
        await burst(driver, "\r\r\r\radmin@example.com\r")
        await driver.until(lambda: isinstance(driver.app.body, Review))
        assert driver.app.interview.values()["mail.to"] == "admin@example.com"


async def test_a_pasted_list_of_addresses_never_applies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("certtui.tui.keyed.HURRY", 0.15)
    async with wizard(tmp_path) as driver:
        await driver.until(lambda: driver.app.interview.facts is not None)
        await driver.press("enter", "enter", "enter", "enter")
        for character in "admin@example.com\rbettina@example.com\ranna@example.com\rcarla":
            await burst(driver, character)
            await asyncio.sleep(0.02)
        await driver.until(lambda: "Review  6/9" in driver.text)
        await driver.press("escape")
        await driver.pilot.pause(0.3)
        assert not detached.is_unseen(str(tmp_path))
        assert not (tmp_path / "usr").exists()


async def test_an_a_in_a_hurry_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with wizard(tmp_path) as driver:
        await driver.to_review()
        monkeypatch.setattr("certtui.tui.keyed.HURRY", 0.15)
        await burst(driver, "xa")
        await driver.until(lambda: "nothing was applied; press a." in driver.text)
        await driver.pilot.pause(0.3)
        await driver.press("a")
        await driver.until(lambda: isinstance(driver.app.body, DryRun))


@pytest.mark.parametrize("key", ["a", "q", "escape", "enter"])
async def test_the_key_after_ctrl_c_only_goes_on(tmp_path: Path, key: str) -> None:
    async with wizard(tmp_path) as driver:
        await driver.to_review()
        await driver.press("ctrl+c")
        assert "Ctrl+C again leaves" in driver.text
        await driver.press(key)
        assert isinstance(driver.app.body, Review)
        assert "Ctrl+C again leaves" not in driver.text
        assert not (tmp_path / "usr").exists()
        await driver.press("enter")
        assert "the whole diff" in driver.text


async def test_other_answers_are_reviewed_anew(tmp_path: Path) -> None:
    async with wizard(tmp_path) as driver:
        await driver.to_review()
        await driver.press("equals_sign")
        values = driver.app.interview.values()
        shown = [field.key for field in FIELDS if field.applies(values)]
        at = shown.index("certbot.timeout")
        await driver.press(*["down"] * at, "enter", *"777", "enter", "escape")
        await driver.until(lambda: "nothing is written yet" in driver.text)
        await driver.press("a")
        await driver.until(lambda: isinstance(driver.app.body, DryRun))
    assert "timeout = 777" in (tmp_path / "etc/certtui/plan.toml").read_text()


async def test_no_detour_leads_out_of_a_dry_run(tmp_path: Path) -> None:
    async with wizard(tmp_path, pause="2") as driver:
        await driver.to_review()
        await driver.press("a")
        await driver.until(lambda: isinstance(driver.app.body, DryRun))
        await driver.press("question_mark", "equals_sign")
        assert "-- Help" in driver.text
        await driver.press("q", "enter", "o")
        assert "-- Help" in driver.text
        await driver.press("escape")
        assert isinstance(driver.app.body, DryRun)


@pytest.mark.parametrize("key", ["f1", "f2"])
async def test_what_is_half_typed_is_there_after_a_detour(tmp_path: Path, key: str) -> None:
    async with wizard(tmp_path) as driver:
        await driver.until(lambda: driver.app.interview.facts is not None)
        await driver.press("enter", "enter", "enter", "enter")
        await driver.press(*"admin@", key, "escape")
        assert "> admin@" in driver.text
        await driver.press("escape")
        assert "Runs a day" in driver.text
        await driver.press("enter")
        assert "> admin@" in driver.text
        assert driver.app.interview.values()["mail.to"] == ""


async def test_letters_on_the_way_back_are_no_keys(tmp_path: Path) -> None:
    async with wizard(tmp_path) as driver:
        await driver.until(lambda: driver.app.interview.facts is not None)
        await driver.press("enter", "enter", "enter", "enter", "tab")
        assert "Enter back   Tab to the page" in driver.text
        await driver.press(*"quentin")
        assert driver.app.return_value is None and "Mail  5/9" in driver.text
        await driver.press("up", *"me")
        assert "> me" in driver.text


async def test_before_the_host_is_known_there_are_no_answers_to_list(tmp_path: Path) -> None:
    import threading

    from tests.tui.support import facts

    go = threading.Event()

    def slow(plan: object) -> object:
        go.wait(20)
        return facts()

    async with wizard(tmp_path, facts=slow) as driver:
        await driver.press("equals_sign")
        assert isinstance(driver.app.body, Welcome)
        go.set()
        await driver.until(lambda: driver.app.interview.facts is not None)


def test_a_burst_in_a_terminal(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    terminal.until("Enter go on")
    terminal.keys("\r\r\r\radmin@example.com\r")
    terminal.until("nothing is written yet")
    terminal.keys("\x03", "\x03")
    assert terminal.code() == 130
