"""Every page at every size: nothing clipped, nothing over anything, the cursor in view."""

from __future__ import annotations

from unittest import mock

import pytest
from textual.app import App, ComposeResult
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Input, Static

from certtui.tui.choices import ChoiceList, Row
from tests.tui.layout import complaints, rows
from tests.tui.pages import PAGES
from tests.tui.ways import Player

SIZES = [(60, 16), (80, 24), (120, 36), (200, 50)]

#: Pages that a list is too long for at the smallest size, and others that differ in kind.
RESIZED = ("welcome", "question-schedule.backend", "answers", "review", "dry-run-failed", "doctor")


async def resize(player: Player, size: tuple[int, int]) -> None:
    """As when a window is resized."""
    await player.pilot.resize_terminal(*size)
    await player.settled()


@pytest.mark.parametrize("name", PAGES)
async def test_a_page_can_be_read_and_used_at_every_size(name: str) -> None:
    async with PAGES[name].open((80, 24)) as player:
        wrong: list[str] = []
        for size in SIZES:
            await resize(player, size)
            wrong += [f"{size[0]}x{size[1]}: {sentence}" for sentence in complaints(player.app)]
            if size == (60, 16):
                wrong += [*await restless(player), *await unreached(player)]
        wrong += await untold(player)
        assert not wrong, "\n".join(wrong)


async def restless(player: Player) -> list[str]:
    """What is drawn though nothing happens: over SSH, it would be sent."""
    drawn: list[object] = []
    with mock.patch.object(player.app, "_display", lambda screen, part: drawn.append(part)):
        await player.pilot.pause(0.12)
    return [f"{len(drawn)} updates in an eighth of a second of nothing"] if drawn else []


async def unreached(player: Player) -> list[str]:
    """What the keys that scroll do not bring into view, though they are named."""
    body = player.app.body
    scrolled = [one for one in body.walk_children(Widget, with_self=True) if one.max_scroll_y]
    if not any("Pg" in key for key, _ in body.works()):
        return []  # nothing is left over, as the checker of the layout knows
    for _ in range(200):
        before = [one.scroll_y for one in scrolled]
        await player.pilot.press("pagedown")
        if [one.scroll_y for one in scrolled] == before:
            break
    # A list comes into view line by line, with its cursor.
    return [
        f"PgDn ends at row {one.scroll_y:g} of {one.max_scroll_y} of {one}"
        for one in scrolled
        if not isinstance(one, ChoiceList) and one.scroll_y != one.max_scroll_y
    ]


async def untold(player: Player) -> list[str]:
    """Enter does something where it is named, and nothing where it is not."""
    app = player.app
    named = any(key == "Enter" for key, _ in app.body.works())
    before, body = rows(app), app.body
    # A wrong answer stays where it is; and after Ctrl+C any key goes on.
    stays = app.asked or any(place.display for place in body.query(".problem"))
    await player.press("enter")
    await player.pilot.pause()
    moved = app.body is not body or app._exit or rows(app) != before
    if stays or moved == named:
        return []
    return ["Enter does something and is not named" if moved else "Enter is named, does nothing"]


@pytest.mark.parametrize("name", RESIZED)
async def test_a_resized_window_shows_what_a_new_one_shows(name: str) -> None:
    async with PAGES[name].open((60, 16)) as player:
        small = rows(player.app)
        await resize(player, (120, 36))
        large = rows(player.app)
        await resize(player, (60, 16))
        assert rows(player.app) == small
    async with PAGES[name].open((120, 36)) as player:
        assert rows(player.app) == large


# -- the checker can fail -----------------------------------------------------------------------


class Bad(App[None]):
    """A page on which everything is wrong that can be."""

    CSS = """
    #outside { width: 100; height: 1; }
    #cut { width: 20; height: 1; }
    #over { height: 1; offset: 0 -1; }
    #room { height: 3; overflow-y: scroll; }
    #long { height: 9; }
    #hidden { height: 0; border: none; padding: 0; }
    #choice { height: 1; border: none; padding: 0; }
    """

    def compose(self) -> ComposeResult:
        yield Static("\N{BULLET} as wide as two pages", id="outside")
        yield Static("this needs more than one row of twenty columns", id="cut")
        yield Static("here and there", id="below")
        yield Static("drawn over it", id="over")
        with Vertical(id="room"):
            yield Static("nine\nrows\nin\nthree", id="long")
        yield Static("pneumonoultramicroscopicsilicovolcanoconiosis" * 2, id="word")
        yield ChoiceList([Row("one", "1"), Row("two", "2")], at=1, id="choice")
        yield Input(id="hidden")


async def test_the_checker_sees_what_is_wrong() -> None:
    app = Bad()
    async with app.run_test(size=(60, 16)) as pilot:
        app.query_one("#hidden").focus()
        await pilot.pause()
        said = "\n".join(complaints(app))
        for sentence in (
            "Static#outside at Region(x=0, y=0, width=100, height=1) leaves Screen",
            "Static#cut needs 3 rows and has 1",
            "row 1 has ['\N{BULLET}'], which is not ASCII",
            "Static#below at Region(x=0, y=2, width=60, height=1) lies on Static#over",
            "Vertical#room has more than it shows, and no key is named that shows it",
            "Static#word has a word wider than its 60 columns",
            "Input#hidden has the focus and is hidden",
        ):
            assert sentence in said, said


class Short(App[None]):
    """A list that shows one of its lines, which is not the one with the cursor."""

    CSS = "ChoiceList { height: 1; border: none; padding: 0; }"

    def compose(self) -> ComposeResult:
        yield ChoiceList([Row("one", "1"), Row("two", "2")], at=1)


async def test_the_checker_sees_a_cursor_out_of_view() -> None:
    app = Short()
    async with app.run_test(size=(60, 16)) as pilot:
        await pilot.pause()
        assert complaints(app) == []
        app.query_one(ChoiceList).scroll_to(y=0, animate=False, force=True)
        await pilot.pause()
        assert complaints(app) == ["ChoiceList has the focus, and its line 2 is out of view"]


class Well(App[None]):
    """A page with nothing wrong."""

    CSS = "ChoiceList { height: auto; border: none; padding: 0; }"

    def compose(self) -> ComposeResult:
        yield Static("A question?")
        yield ChoiceList([Row("one", "1"), Row("two", "2")], at=1)


async def test_the_checker_lets_a_page_be_that_is_well() -> None:
    app = Well()
    async with app.run_test(size=(60, 16)) as pilot:
        await pilot.pause()
        assert complaints(app) == []
        # The mark goes with the cursor; without it nobody could find it.
        choice = app.query_one(ChoiceList)
        choice.replace_option_prompt_at_index(1, "  two  2")
        await pilot.pause()
        assert "no > shows it" in "\n".join(complaints(app))


async def test_the_checker_sees_keys_that_are_missing_or_in_the_wrong_place() -> None:
    async with PAGES["question-schedule.backend"].open((80, 24)) as player:
        body, keys = player.app.body, player.app.query_one("#keys", Static)
        assert complaints(player.app) == []
        keys.update("Enter accept   Esc back")
        await player.pilot.pause()
        assert "the last line does not show = answers" in "\n".join(complaints(player.app))
        works = body.works()
        body.works = lambda: works[::-1]  # type: ignore[method-assign]
        assert "Enter works and is not named first" in "\n".join(complaints(player.app))
