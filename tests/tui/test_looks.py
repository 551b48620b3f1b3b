"""How the wizard looks on every terminal: which colours and which characters it draws with."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.color import Color as RichColor
from rich.style import Style
from textual.widgets import Input

from certtui.terminal import Terminal as Found
from certtui.tui.app import WizardApp
from certtui.tui.choices import ChoiceList
from certtui.tui.frame import Back, title_line
from certtui.tui.looks import Fit, Look, choose
from certtui.tui.screens.question import Question
from tests.tui.driver import wizard
from tests.tui.odd import HOST
from tests.tui.pages import PAGES


def colours_of(app: WizardApp) -> set[tuple[int | None, int | None]]:
    """(foreground, background) of every word on the screen, each one of the sixteen or None."""
    return {
        (_number(s.style.color), _number(s.style.bgcolor))
        for strip in app.screen._compositor.render_strips()
        for s in strip
        if s.style and s.text.strip()
    }


def _number(color: RichColor | None) -> int | None:
    if color is None or color.is_default:
        return None
    assert color.number is not None, f"{color} is none of the terminal's sixteen"
    return color.number


async def test_colours_change_at_once(tmp_path: Path) -> None:
    async with wizard(tmp_path) as driver:
        await driver.until(lambda: driver.app.interview.facts is not None)
        assert colours_of(driver.app) == {(None, None), (15, 4), (12, None)}
        await driver.press("equals_sign", "end", "up", "enter")
        assert isinstance(driver.app.body, Question)
        seen = {}
        for _ in range(3):
            await driver.press("down")
            seen[driver.app.interview.values()["interface.colours"]] = colours_of(driver.app)
            assert driver.app.theme.startswith("ansi-")
        assert seen["dark"] == {(None, None), (15, 4), (6, None)}
        assert seen["light"] == {(None, None), (15, 4), (4, None)}
        assert seen["none"] == {(None, None)}
        await driver.press("up")
        assert colours_of(driver.app) == seen["light"]


# -- which look ------------------------------------------------------------------------------------


def found(**changes: Any) -> Found:
    plain: dict[str, Any] = {
        "name": "xterm-256color",
        "utf8": True,
        "colours": 256,
        "alternate": True,
        "light": None,
        "no_colour": False,
    }
    return Found(**{**plain, **changes})


@pytest.mark.parametrize(
    ("wish", "terminal", "look"),
    [
        ("auto", {}, Look(True, None, True, False)),
        ("auto", {"light": True}, Look(True, True, True, False)),
        ("auto", {"light": False}, Look(True, False, True, False)),
        ("auto", {"colours": 8}, Look(True, None, False, False)),
        ("auto", {"colours": -1}, Look(False, None, False, False)),
        ("auto", {"no_colour": True}, Look(False, None, True, False)),
        ("auto", {"utf8": False}, Look(True, None, True, True)),
        ("none", {}, Look(False, False, True, False)),
        ("light", {"no_colour": True}, Look(True, True, True, False)),
        ("dark", {"light": True}, Look(True, False, True, False)),
    ],
)
def test_the_look_follows_from_the_wish_and_the_terminal(
    wish: str, terminal: dict[str, Any], look: Look
) -> None:
    assert choose(wish, found(**terminal)) == look


ASK = (
    "from certtui import terminal; t = terminal.look();"
    "print(t.colours, t.alternate, t.light, t.no_colour, t.utf8)"
)


def asked(**env: str) -> str:
    """What a program of its own finds: curses reads one terminal a process."""
    kept = {k: os.environ[k] for k in ("PATH", "HOME", "PYTHONPATH") if k in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", ASK], env={**kept, **env}, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("env", "answer"),
    [
        ({"TERM": "xterm-256color"}, "256 True None False True"),
        ({"TERM": "screen"}, "8 True None False True"),
        ({"TERM": "linux"}, "8 False False False False"),
        ({"TERM": "vt100"}, "-1 False None False False"),
        ({"TERM": "vt220"}, "-1 False None False False"),
        ({"TERM": "no-such-terminal"}, "8 True None False True"),
        ({"TERM": ""}, "0 False None False False"),
        ({}, "0 False None False False"),
        ({"TERM": "vt9000-of-tomorrow"}, "0 False None False False"),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, "256 True None True True"),
        ({"TERM": "xterm-256color", "NO_COLOR": ""}, "256 True None False True"),
        ({"TERM": "xterm-256color", "COLORFGBG": "0;15"}, "256 True True False True"),
        ({"TERM": "xterm-256color", "COLORFGBG": "0;default;7"}, "256 True True False True"),
        ({"TERM": "xterm-256color", "COLORFGBG": "15;0"}, "256 True False False True"),
        ({"TERM": "xterm-256color", "COLORFGBG": "0;default"}, "256 True None False True"),
    ],
)
def test_what_a_terminal_can_do(env: Mapping[str, str], answer: str) -> None:
    assert asked(LC_ALL="C.UTF-8", **env) == answer


@pytest.mark.parametrize(
    ("env", "utf8"),
    [
        ({}, False),
        ({"LANG": "C"}, False),
        ({"LANG": "POSIX"}, False),
        ({"LC_ALL": "C"}, False),
        ({"LC_ALL": "C", "LANG": "en_GB.UTF-8"}, False),
        ({"LC_CTYPE": "C", "LANG": "en_GB.UTF-8"}, False),
        ({"LC_ALL": "", "LANG": "C.UTF-8"}, True),
        ({"LC_CTYPE": "C.UTF-8"}, True),
        ({"LC_CTYPE": "UTF-8"}, True),
        # A locale of the user's own machine, which the server does not have.
        ({"LANG": "tlh_QO.UTF-8"}, True),
        ({"LC_ALL": "tlh_QO.utf8@latin"}, True),
        ({"LANG": "tlh_QO"}, False),
        ({"LANG": "de_DE.ISO-8859-1"}, False),
        ({"LC_ALL": "de_DE@euro"}, False),
    ],
)
def test_the_locale_is_asked_not_python(env: Mapping[str, str], utf8: bool) -> None:
    assert asked(TERM="xterm-256color", **env).endswith(str(utf8))


# -- colours that can be read ----------------------------------------------------------------------

#: The sixteen of terminals in use: the Linux console, xterm, GNOME's, PuTTY.
PALETTES = {
    "vga": "000000 aa0000 00aa00 aa5500 0000aa aa00aa 00aaaa aaaaaa "
    "555555 ff5555 55ff55 ffff55 5555ff ff55ff 55ffff ffffff",
    "xterm": "000000 cd0000 00cd00 cdcd00 0000ee cd00cd 00cdcd e5e5e5 "
    "7f7f7f ff0000 00ff00 ffff00 5c5cff ff00ff 00ffff ffffff",
    "gnome": "171421 c01c28 26a269 a2734c 12488b a347ba 2aa1b3 d0cfcc "
    "5e5c64 f66151 33d17a e9ad0c 2a7bde c061cb 33c7de ffffff",
    "putty": "000000 bb0000 00bb00 bbbb00 0000bb bb00bb 00bbbb bbbbbb "
    "555555 ff5555 55ff55 ffff55 5555ff ff55ff 55ffff ffffff",
}


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.1)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2.1; 3 is asked of large text, 4.5 of small."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", sorted(PALETTES))
@pytest.mark.parametrize("light", [False, True, None])
@pytest.mark.parametrize("number", range(16))
def test_every_colour_can_be_read_on_its_background(
    palette: str, light: bool | None, number: int
) -> None:
    colours = PALETTES[palette].split()
    style = Fit(Look(True, light, True, False)).style(Style(color=RichColor.from_ansi(number)))
    assert style.color is not None
    if style.color.is_default:
        return  # as plain text
    assert style.color.number is not None
    backgrounds = {False: [colours[0]], True: ["ffffff"], None: [colours[0], "ffffff"]}
    least = min(contrast(colours[style.color.number], other) for other in backgrounds[light])
    # On either: a green as pale as git's, and red for words that are bold.
    assert least >= (4 if light is not None else 2 if number in (2, 10) else 3)


@pytest.mark.parametrize("palette", sorted(PALETTES))
def test_the_title_and_the_row_in_hand_can_be_read(palette: str) -> None:
    colours = PALETTES[palette].split()
    wanted = Style(color="bright_white", bgcolor="blue", bold=True)
    for light in (False, True, None):
        for bright in (False, True):
            style = Fit(Look(True, light, bright, False)).style(wanted)
            assert style.bold and style.color and style.bgcolor
            front, back = style.color.number, style.bgcolor.number
            assert front is not None and back is not None
            assert contrast(colours[front], colours[back]) >= 4.5


def test_eight_colours_are_bright_by_bold() -> None:
    fit = Fit(Look(True, False, False, False))
    red = fit.style(Style(color="red"))
    assert red.color is not None and (red.color.number, red.bold) == (1, True)
    cyan = fit.style(Style(color="cyan"))
    assert cyan.color is not None and (cyan.color.number, cyan.bold) == (6, None)
    # A blue that bold may not make bright is plain where the background is not known.
    unknown = Fit(Look(True, None, False, False)).style(Style(color="cyan"))
    assert unknown.color is not None and unknown.color.is_default


def test_without_colours_a_background_is_reversed() -> None:
    fit = Fit(Look(False, False, True, False))
    title = fit.style(Style(color="bright_white", bgcolor="blue", bold=True))
    assert title == Style(bold=True, reverse=True)
    assert fit.style(Style(color="red", bold=True)) == Style(bold=True)
    assert fit.style(Style(color="default", bgcolor="default")) == Style()


@pytest.mark.parametrize("colours", ["dark", "light"])
@pytest.mark.parametrize(
    "name",
    [
        "question-schedule.backend",
        "question-schedule.runs_per_day",
        "question-wrong",
        "review-conflict",
        "whole-diff",
        "dry-run-failed",
        "doctor",
        "welcome-help",
    ],
)
async def test_no_page_has_colours_of_its_own(name: str, colours: str) -> None:
    async with PAGES[name].open(colours=colours) as driver:
        found = colours_of(driver.app)
        assert {pair for pair in found if pair[1] is not None} == {(15, 4)}
        allowed = {"dark": {2, 3, 6, 7, 9, 10, 11, 13}, "light": {0, 1, 4, 5}}[colours]
        assert {front for front, back in found if back is None} - {None} <= allowed
        await driver.press("tab", "tab", "shift+tab")
        assert {pair for pair in colours_of(driver.app) if pair[1] is not None} <= {(15, 4)}


@pytest.mark.parametrize("name", PAGES)
async def test_without_colour_one_cursor_and_the_choice_are_in_the_text(name: str) -> None:
    async with PAGES[name].open(colours="none") as driver:
        assert colours_of(driver.app) == {(None, None)}
        lines = driver.text.splitlines()
        focused = driver.app.focused
        cursors = [line for line in lines if re.match(r" *>( |$)", line)]
        if isinstance(focused, ChoiceList) and focused.option_count:
            assert len(cursors) == 1 and cursors[0].startswith("> "), driver.text
            chosen = [line for line in lines if "(*) " in line]
            assert chosen in ([], cursors)
            assert bool(chosen) == any("( ) " in line for line in lines)
        elif isinstance(focused, Input):
            assert len(cursors) == 1 and cursors[0].startswith("  >"), driver.text
        else:
            assert cursors == [], driver.text
        back = driver.app.query_one(Back)
        if back.display:
            for _ in range(4):
                if back.has_focus:
                    break
                await driver.press("tab")
            lines = driver.text.splitlines()
            assert lines[-1].endswith(">[Back]"), driver.text
            assert not [line for line in lines if re.match(r" *>( |$)", line)], driver.text


async def test_the_last_of_all_answers_is_in_view_in_a_small_window(tmp_path: Path) -> None:
    async with wizard(tmp_path, size=(60, 16)) as driver:
        await driver.press("equals_sign", "end")
        assert "> interface.mouse" in driver.text


def test_a_wide_name_leaves_the_step_its_place() -> None:
    for name in (HOST, HOST * 5):
        line = title_line(["certtui", name], "Welcome  1/9", 60)
        assert cell_len(line) <= 60 and line.endswith("  Welcome  1/9")


# -- characters ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "ascii_only", "shown"),
    [
        ("web1", True, "web1"),
        ("bücher", True, "b?cher"),
        ("bücher", False, "bücher"),
        ("日本", True, "????"),
        ("日本", False, "日本"),
        ("e\u0301t", True, "et"),
        ("e\u0301t", False, "e\u0301t"),
        ("a\xa0b", True, "a b"),
        ("a\xa0b", False, "a b"),
        ("\x1b[2Jx\x07", False, "[2Jx"),
        ("a\u202eb", False, "ab"),
        ("a\udcffb", False, "a?b"),
    ],
)
def test_characters_fit_cell_for_cell(text: str, ascii_only: bool, shown: str) -> None:
    assert Fit(Look(True, False, True, ascii_only)).text(text) == shown
