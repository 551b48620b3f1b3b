"""A window of any size: no page breaks in it, and each is as before when it has grown again."""

from __future__ import annotations

import pytest

from tests.tui.pages import PAGES
from tests.tui.support import screen_text

#: Columns and rows that a tiling window manager or a person at a corner of a window can ask for.
SIZES = ((1, 1), (2, 2), (5, 1), (1, 40), (200, 60))


#: One of each kind.
KINDS = (
    "welcome",
    "welcome-help",
    "question-webserver.kind",
    "question-mail.to",
    "question-wrong",
    "advanced-mail",
    "answers",
    "review",
    "review-conflict",
    "whole-diff",
    "apply",
    "dry-run",
    "dry-run-failed",
    "done-failed",
    "doctor",
    "doctor-finding",
    "status",
    "test-mail-refused",
)


@pytest.mark.parametrize("name", KINDS)
async def test_no_size_breaks_a_page(name: str) -> None:
    async with PAGES[name].open() as player:
        before = screen_text(player.app)
        for columns, rows in SIZES:
            await player.pilot.resize_terminal(columns, rows)
            await player.pilot.pause()
            assert len(screen_text(player.app)) == rows
        await player.pilot.resize_terminal(80, 24)
        await player.settled()
        assert screen_text(player.app) == before
