"""Every page as it looks, at three sizes, in colour and without: a file of text each.

What changed on purpose is taken over with ``pytest tests/tui/test_snapshots.py --snapshot-update``
and looked at in the diff before it is committed.
"""

from __future__ import annotations

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from tests.tui.pages import PAGES
from tests.tui.picture import picture

SIZES = ((60, 16), (80, 24), (120, 36))


class TextFile(SingleFileSnapshotExtension):
    """A file of text for each test; syrupy before 5 had the name with an underscore."""

    _write_mode = WriteMode.TEXT
    _file_extension = file_extension = "txt"


@pytest.mark.parametrize("colour", ["colour", "no-colour"])
@pytest.mark.parametrize("name", PAGES)
async def test_page(
    name: str, colour: str, snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch
) -> None:
    if colour == "no-colour":
        monkeypatch.setenv("NO_COLOR", "1")
    drawn = []
    async with PAGES[name].open(SIZES[0]) as player:
        for columns, lines in SIZES:
            await player.pilot.resize_terminal(columns, lines)
            await player.settled()
            drawn.append(f"==== {columns}x{lines}\n{picture(player.app)}")
    assert "\n".join(drawn) == snapshot(extension_class=TextFile)
