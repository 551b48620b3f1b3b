"""Lists that do not fit: that they go on is said in words, and every row can be reached."""

from __future__ import annotations

import re

import pytest

from certtui.tui.choices import ChoiceList
from tests.tui.pages import PAGES


def _told(text: str) -> tuple[int, int]:
    """Rows above and below, as the page says."""
    found = re.search(r"\((?:(\d+) more above)?(?:, )?(?:(\d+) more below)?\)", text)
    assert found, text
    return int(found[1] or 0), int(found[2] or 0)


async def test_pgdn_moves_the_cursor_by_a_page_where_the_list_is_all() -> None:
    async with PAGES["answers"].open((60, 16)) as player:
        rows = player.app.body.query_one(ChoiceList).option_count
        shown = [line for line in player.text.splitlines() if re.match(r"[> ] \w+\.\w+", line)]
        assert _told(player.text) == (0, rows - len(shown))
        assert "PgDn more" in player.text
        await player.press("pagedown")
        await player.settled()
        above, below = _told(player.text)
        assert above and above + below + len(shown) == rows
        assert "> webserver.kind" not in player.text
        await player.press("pagedown", "pagedown")
        await player.settled()
        assert "> interface." in player.text
        assert _told(player.text) == (rows - len(shown), 0)
        await player.press("pageup", "pageup", "pageup")
        await player.settled()
        assert "> webserver.kind" in player.text


@pytest.mark.parametrize(("page", "size"), [("review", (60, 16)), ("doctor", (60, 16))])
async def test_rows_out_of_view_are_counted_beside_what_is_below(
    page: str, size: tuple[int, int]
) -> None:
    async with PAGES[page].open(size) as player:
        found = player.app.body.query_one(ChoiceList)
        for _ in range(found.option_count):
            above, below = _told(player.text)
            assert above + found.size.height + below == found.option_count
            assert re.search(r"^> ", player.text, re.MULTILINE), "the cursor is in view"
            await player.press("down")
        cursor = found.highlighted
        await player.press("pagedown")
        assert found.highlighted == cursor, "PgDn is for what is below the list"


async def test_a_list_that_fits_says_nothing() -> None:
    async with PAGES["answers"].open((60, 16)) as player:
        await player.pilot.resize_terminal(60, 40)
        await player.settled()
        assert " more " not in player.text
        await player.pilot.resize_terminal(60, 16)
        await player.settled()
        assert _told(player.text)[1]
