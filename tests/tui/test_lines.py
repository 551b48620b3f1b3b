"""Many lines: the log keeps the last of them, and what is being read stays in view."""

from __future__ import annotations

import random
from typing import Any

from rich.cells import cell_len
from textual.app import App, ComposeResult

from certtui.renewal.events import Line, LineageStarted
from certtui.tui.feed import Feed
from certtui.tui.lines import MOST, SLACK, Lines, fold


class Log(App[None]):
    """Nothing but lines."""

    def compose(self) -> ComposeResult:
        yield Lines()


def _shown(app: App[Any]) -> list[str]:
    lines = app.query_one(Lines)
    return [lines.render_line(y).text.rstrip() for y in range(lines.size.height)]


def test_folding_loses_nothing() -> None:
    chance = random.Random(4)
    for _ in range(300):
        line = "".join(chance.choices("ab \u4e2d\u00e9", k=chance.randrange(60)))
        width = chance.randrange(2, 20)
        rows = fold(line, width)
        parts = [row if isinstance(row, str) else row[0] for row in rows]
        assert "".join(parts) == line
        assert all(cell_len(part) <= width for part in parts)
        for row in rows:
            if not isinstance(row, str):
                part, whole, at = row
                assert whole == line
                assert line[at : at + len(part)] == part


async def test_the_oldest_lines_go_and_it_is_said() -> None:
    app = Log()
    async with app.run_test(size=(60, 10)) as pilot:
        lines = app.query_one(Lines)
        lines.follow = True
        for start in range(0, 3 * MOST, 500):
            lines.extend([f"line {number}" for number in range(start, start + 500)])
        await pilot.pause()
        assert _shown(app)[-1] == f"line {3 * MOST - 1}"
        assert len(lines._lines) <= MOST + SLACK + 1
        lines.scroll_home(animate=False)
        await pilot.pause()
        lost, first = _shown(app)[0], _shown(app)[1]
        kept = 3 * MOST - int(first.removeprefix("line "))
        assert lost == f"({3 * MOST - kept} earlier lines are only in the full log)"


async def test_what_is_read_stays_in_view() -> None:
    app = Log()
    async with app.run_test(size=(40, 10)) as pilot:
        lines = app.query_one(Lines)
        lines.follow = True
        lines.extend([f"line {number} {'x' * (number % 60)}" for number in range(MOST)])
        await pilot.pause()
        lines.focus()
        await pilot.press("pageup", "pageup")
        assert not lines.follow
        before = next(row for row in _shown(app) if row.startswith("line "))
        for _ in range(10):
            lines.extend(["more"] * 500)
        await pilot.pause()
        assert before in _shown(app)
        await pilot.resize_terminal(60, 12)
        await pilot.pause()
        number = before.split()[1]
        assert any(row.startswith(f"line {number}") for row in _shown(app)[:3])


def test_a_flood_takes_no_memory() -> None:
    feed = Feed()
    for number in range(MOST + 5):
        feed.put(Line(f"line {number}", 0.0))
    feed.put(Line("- - - -", 0.0))
    feed.put(LineageStarted("example.com", 0.0))
    news = feed.take()
    assert news.lost == 5
    assert (len(news.lines), news.lines[0]) == (MOST, "line 5")
    assert len(news.events) == 1
    assert feed.take() == ([], 0, [])


async def test_lines_that_were_left_out_are_counted() -> None:
    app = Log()
    async with app.run_test(size=(60, 10)) as pilot:
        lines = app.query_one(Lines)
        lines.extend(["first"])
        lines.extend(["second", "third"], lost=7)
        await pilot.pause()
        assert _shown(app)[:3] == ["(8 earlier lines are only in the full log)", "second", "third"]


def test_a_long_line_is_folded_between_words_where_it_can_be() -> None:
    said = "Failed to renew certificate shop.example.org with error: Some challenges have failed."
    rows = [row[0] for row in fold(said, 30)]
    assert rows == [
        "Failed to renew certificate ",
        "shop.example.org with error: ",
        "Some challenges have failed.",
    ]
    path = "/etc/letsencrypt/live/shop.example.org/fullchain.pem"
    assert [row[0] for row in fold(path, 30)] == [path[:30], path[30:]]
    assert [row[2] for row in fold(said, 30)] == [0, 28, 57], "where in the line each begins"
