"""Draws the pictures of the wizard from the real program: ``nox -s screenshots [NAME...]``.

The pages are those of the tests (``tests/tui/pages.py``): the program runs without a terminal, on a
host that is played, and is driven by keys. Each page is written as SVG and PNG beside this file, at
two sizes and in the program's own colours for dark and for light terminals.
"""

from __future__ import annotations

import asyncio
import io
import os
import re
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.update(
    TERM="xterm-256color", LC_ALL="C.UTF-8", TZ="Europe/Berlin", TEXTUAL_ANIMATIONS="none"
)

import resvg_py
from PIL import Image
from rich.console import Console
from rich.terminal_theme import TerminalTheme

from certtui.tui.app import WizardApp
from tests.tui.pages import PAGES

HERE = Path(__file__).resolve().parent

#: Each picture and its page, in the order of the steps.
PICTURES = {
    "1-welcome": "welcome",
    "1-welcome-empty": "welcome-empty",
    "2-webserver": "question-webserver.kind",
    "3-scheduler": "question-schedule.backend",
    "4-runs": "question-schedule.runs_per_day",
    "5-mail": "test-mail",
    "6-review": "review-script",
    "6-review-conflict": "review-conflict",
    "6-review-whole-diff": "whole-diff",
    "7-apply": "apply",
    "7-apply-failed": "apply-failed",
    "8-dry-run": "dry-run",
    "8-dry-run-failed": "dry-run-failed",
    "8-dry-run-hundred": "dry-run-hundred",
    "9-done": "done",
    "answers": "answers",
    "doctor": "doctor",
    "help": "help-schedule.backend",
    "status": "status",
}

SIZES = ((80, 24), (120, 36))

_Colour = tuple[int, int, int]


def _palette(text: str) -> list[_Colour]:
    """Colours written as #rrggbb."""
    return [(int(word[1:3], 16), int(word[3:5], 16), int(word[5:], 16)) for word in text.split()]


_DARK = _palette(
    "#000000 #cd3131 #0dbc79 #e5e510 #2472c8 #bc3fbc #11a8cd #e5e5e5 "
    "#767676 #f14c4c #23d18b #f5f543 #3b8eea #d670d6 #29b8db #ffffff"
)
_LIGHT = _palette(
    "#000000 #cd3131 #00a000 #949800 #0451a5 #bc05bc #0598bc #555555 "
    "#666666 #cd3131 #14ce14 #b5ba00 #0451a5 #bc05bc #0598bc #ffffff"
)

#: Two terminals with the sixteen colours that a widespread editor gives its own.
THEMES = {
    "dark": TerminalTheme((24, 26, 31), (214, 217, 222), _DARK[:8], _DARK[8:]),
    "light": TerminalTheme((252, 252, 250), (36, 41, 47), _LIGHT[:8], _LIGHT[8:]),
}

#: Colours of a PNG: text on one background needs few, and the files stay small.
_COLOURS = 48


async def draw(name: str, theme: str) -> None:
    """Writes a page in one theme, at every size."""
    async with PAGES[PICTURES[name]].open(SIZES[0], colours=theme) as player:
        for size in SIZES:
            await player.pilot.resize_terminal(*size)
            await player.settled()
            svg = _svg(player.app, THEMES[theme])
            base = HERE / f"{name}-{size[0]}x{size[1]}-{theme}"
            base.with_suffix(".svg").write_text(svg, "utf-8")
            base.with_suffix(".png").write_bytes(_png(svg))
            print(base.name)


def _svg(app: WizardApp, theme: TerminalTheme) -> str:
    width, height = app.size
    console = Console(
        width=width,
        height=height,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        record=True,
        legacy_windows=False,
    )
    console.print(app.screen._compositor.render_update(full=True))
    # Without an id of its own, a picture would differ each time it is drawn.
    svg = console.export_svg(title="certtui", theme=theme, unique_id="certtui")
    # Nothing is fetched when the picture is looked at.
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    return svg.replace("Fira Code", "DejaVu Sans Mono")


def _png(svg: str) -> bytes:
    drawn = bytes(resvg_py.svg_to_bytes(svg_string=svg, monospace_family="DejaVu Sans Mono"))
    few = Image.open(io.BytesIO(drawn)).convert("RGBA").quantize(_COLOURS)
    written = io.BytesIO()
    few.save(written, "PNG", optimize=True)
    return written.getvalue()


async def main(names: list[str]) -> None:
    """The pictures named, or all of them; those that are no more are deleted."""
    for name in ("NO_COLOR", "COLORFGBG", "COLORTERM"):
        os.environ.pop(name, None)
    time.tzset()
    for name in names or PICTURES:
        for theme in THEMES:
            await draw(name, theme)
    if not names:
        known = {
            f"{name}-{w}x{h}-{theme}" for name in PICTURES for w, h in SIZES for theme in THEMES
        }
        for path in (*HERE.glob("*.svg"), *HERE.glob("*.png")):
            if path.stem not in known:
                path.unlink()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
