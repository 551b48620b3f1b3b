"""How the wizard looks on every terminal: colours, characters, and where its output goes."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pexpect
import pytest
from rich.cells import cell_len
from rich.color import Color as RichColor
from rich.style import Style
from textual.widgets import Input

from certtui import answers as store
from certtui import preferences
from certtui.plan.fields import BY_KEY
from certtui.preferences import Preferences
from certtui.terminal import Terminal as Found
from certtui.tui.app import WizardApp
from certtui.tui.choices import ChoiceList
from certtui.tui.frame import Back, title_line
from certtui.tui.looks import Fit, Look, choose
from certtui.tui.screens.answers import Answers
from certtui.tui.screens.question import Question
from tests.tui.driver import wizard
from tests.tui.odd import CERTBOT_LINE, FILE_LINE, HOST, LINEAGE, odd_session
from tests.tui.pages import PAGES
from tests.tui.test_terminal import Terminal

ODD = "tests.tui.odd"
ODD_COMMAND = f"{sys.executable} -m {ODD}"


# -- preferences -----------------------------------------------------------------------------------


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


#: Surroundings in which nothing but ASCII may be sent.
ASCII = [
    {"LC_ALL": "C"},
    {"LC_ALL": "", "LANG": "POSIX"},
    {"LC_ALL": "", "LANG": "", "LC_CTYPE": ""},
    {"LC_ALL": "", "LANG": "de_DE.ISO-8859-1"},
    {"TERM": "linux"},
    {"TERM": "vt100"},
    {"TERM": "vt220", "LC_ALL": "", "LANG": "en_GB.UTF-8"},
]


def through(terminal: Terminal) -> None:
    """From the welcome page to the end, past everything that is not of ASCII."""
    terminal.until("nginx 1.22")
    terminal.until("Enter go on")
    for words in ("Which server", "What starts", "How many tries", "Who is told"):
        terminal.keys("\r")
        terminal.until(words)
    terminal.keys("\x7f", "\xfcm\xfcller".encode(), "\x15", "admin@example.com", "\r")
    terminal.until("nothing is written yet")
    terminal.until("Gro")
    terminal.keys("r")
    terminal.until("a apply")
    terminal.keys("a")
    terminal.until("PROVED", 30)
    terminal.keys("\r")
    terminal.until("admin@example.com on failure")
    terminal.keys("\r")
    assert terminal.code() == 0, terminal.text


@pytest.mark.parametrize("env", ASCII, ids=lambda env: "-".join(map("=".join, env.items())))
def test_no_byte_outside_ascii_is_sent(tmp_path: Path, env: dict[str, Any]) -> None:
    terminal = Terminal(tmp_path, module=ODD, **env)
    through(terminal)
    assert terminal.sent.isascii(), [
        terminal.sent[max(0, found.start() - 30) : found.end() + 30]
        for found in re.finditer(rb"[\x80-\xff]+", terminal.sent)
    ]
    for shown in (b"b?cher-????.example", b"m?nchen", b"Gro?m?tter: ?a va, ??????", b"?chec"):
        assert shown in terminal.sent


def test_in_utf8_they_are_shown_as_they_are(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, module=ODD)
    through(terminal)
    sent = terminal.sent.decode()
    for words in (HOST, LINEAGE, FILE_LINE, CERTBOT_LINE):
        assert words in sent
    # Nothing but the terminal's own sixteen colours, none of which is changed.
    assert not re.search(r"\x1b\[[0-9;]*[34]8;[25]", sent)


@pytest.mark.parametrize("env", ASCII, ids=lambda env: "-".join(map("=".join, env.items())))
def test_the_plain_questions_send_none_either(tmp_path: Path, env: dict[str, Any]) -> None:
    sent = plainly(tmp_path, **env)
    assert sent.isascii()
    assert b"Gro\\xdfm\\xfctter: \\xe7a va, \\u65e5\\u672c\\u8a9e" in sent
    assert b"  ?chec ?vit?: ???? ??" in sent  # from certbot


def test_the_plain_questions_show_them_in_utf8(tmp_path: Path) -> None:
    sent = plainly(tmp_path).decode()
    assert FILE_LINE in sent and CERTBOT_LINE in sent and LINEAGE in sent


def plainly(root: Path, **env: str) -> bytes:
    """Through the plain questions to the end; gives what was sent."""
    terminal = Terminal(root, "--plain", module=ODD, size=(100, 2000), **env)
    terminal.until("1. Web server")
    terminal.keys("\r", "\r", "\r", "m\xfcller@example.com\r".encode())
    terminal.until("is not a mail address")
    terminal.keys(b"m\xfcller\r")  # a terminal that does not know UTF-8
    terminal.keys("me\r")
    terminal.until("type keep or replace")
    terminal.keys("replace\r")
    terminal.until("Type the word apply")
    terminal.keys("apply\r")
    terminal.until("SET UP AND PROVED")
    assert terminal.code() == 0
    # What was typed is echoed by the terminal's own driver, not by the program.
    return re.sub(rb"m(\xc3\xbc|\xfc)ller", b"", terminal.sent)


#: Commands that name what is not of ASCII, with the exit code of each.
SAYING = {
    "diff {root}/plan.toml --root {root}": 2,
    "apply {root}/plan.toml --root {root} --check": 1,
    "check {root}/bad.toml": 65,
    "diff {root}/b\xfccher/\u65e5\u672c.toml": 66,
    "status": 0,
}


@pytest.mark.parametrize("command", SAYING)
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_no_command_fails_on_a_character(tmp_path: Path, command: str, encoding: str) -> None:
    prepare(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "certtui", *command.format(root=tmp_path).split()],
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == SAYING[command], said
    assert b"an error inside certtui" not in said and b"Traceback" not in said
    shown = said.decode(encoding)
    if command != "status":
        assert re.search(r"\u65e5|\\u65e5|\xfc|\\xfc", shown), shown


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_json_is_json_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    prepare(tmp_path)
    plan = str(tmp_path / "plan.toml")
    done = subprocess.run(
        [sys.executable, "-m", "certtui", "diff", plan, "--root", str(tmp_path), "--json"],
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )
    diffs = "".join(file["diff"] for file in json.loads(done.stdout)["files"])
    assert f"-{FILE_LINE}" in diffs


@pytest.mark.parametrize("env", [{"LC_ALL": "C"}, {"TERM": "linux"}, {}], ids=str)
def test_a_command_in_a_terminal(tmp_path: Path, env: dict[str, Any]) -> None:
    prepare(tmp_path)
    sent: Any = pexpect.run(
        f"{sys.executable} -m certtui diff {tmp_path}/plan.toml --root {tmp_path}",
        env={**os.environ, **env},
        timeout=30,
    )
    if env:
        assert sent.isascii() and rb"Gro\xdfm\xfctter" in sent
    else:
        assert FILE_LINE.encode() in sent


def prepare(root: Path) -> None:
    """A plan, a file that certtui did not write, and a plan with mistakes in other letters."""
    made = odd_session(root)
    assert made.base is not None
    (root / "plan.toml").write_bytes(made.base.content)
    (root / "bad.toml").write_text('version = 1\n[mail]\nto = "müller"\n"日" = 1\n', "utf-8")


# -- where it goes ---------------------------------------------------------------------------------

MOUSE = re.compile(rb"\x1b\[\?(9|100[0-36]|1015|1016)([hl])")


@pytest.mark.parametrize("flag", [False, True])
def test_the_mouse_is_on_only_when_asked_for(tmp_path: Path, flag: bool) -> None:
    terminal = Terminal(tmp_path, *["--mouse"] * flag, module=ODD)
    terminal.until("Enter go on")
    terminal.keys("q")
    assert terminal.code() == 0
    said = MOUSE.findall(terminal.sent)
    assert bool(said) == flag
    last = dict(said)
    assert set(last.values()) == ({b"l"} if flag else set()), "it is off again at the end"
    assert terminal.left_clean()


def test_the_mouse_of_the_preferences_is_on(tmp_path: Path) -> None:
    preferences.keep(preferences.load(), "interface.mouse", True)
    terminal = Terminal(tmp_path, module=ODD)
    terminal.until("Enter go on")
    terminal.keys("q")
    assert terminal.code() == 0
    assert b"\x1b[?1000h" in terminal.sent


@pytest.mark.parametrize(
    ("term", "clears"), [("linux", True), ("vt100", True), ("xterm-256color", False)]
)
def test_a_terminal_with_one_screen_is_left_empty(tmp_path: Path, term: str, clears: bool) -> None:
    terminal = Terminal(tmp_path, module=ODD, TERM=term)
    terminal.until("Enter go on")
    terminal.keys("q")
    assert terminal.code() == 0
    assert (b"\x1b[H\x1b[2J" in terminal.sent.rpartition(b"\x1b[?1049l")[2]) == clears
    if clears:
        assert terminal.text.strip() == ""
        # What such a terminal would print a part of.
        assert not re.search(rb"\x1b\[([<>]|\?[0-9]+\$)", terminal.sent)


@pytest.mark.parametrize("where", ["2> {file}", "2> /dev/null", "2>&-"])
def test_standard_error_may_go_elsewhere(tmp_path: Path, where: str) -> None:
    terminal = shell(tmp_path, where)
    terminal.until("Enter go on")
    terminal.keys("\r")
    terminal.until("Which server")
    terminal.keys("q")
    assert terminal.code() == 0
    assert terminal.left_clean()
    assert not (tmp_path / "out").exists() or (tmp_path / "out").read_bytes() == b""


@pytest.mark.parametrize("where", ["> {file}", "> /dev/null", ">&-"])
def test_questions_that_nobody_would_see_are_not_asked(tmp_path: Path, where: str) -> None:
    terminal = shell(tmp_path, where)
    assert terminal.code() == 64
    assert "would go where nobody sees them" in terminal.text


def test_through_a_pipe_they_are_plain(tmp_path: Path) -> None:
    terminal = shell(tmp_path, "| cat")
    terminal.until("1. Web server")
    terminal.keys("q\r")
    assert terminal.code() == 0
    assert b"\x1b" not in terminal.sent


def shell(root: Path, where: str) -> Terminal:
    """The wizard with its output sent elsewhere by a shell."""
    line = f"exec {ODD_COMMAND} {root} {where.format(file=root / 'out')}"
    return Terminal(root, command=("/bin/sh", "-c", line))


async def test_the_last_of_all_answers_is_in_view_in_a_small_window(tmp_path: Path) -> None:
    async with wizard(tmp_path, size=(60, 16)) as driver:
        await driver.press("equals_sign", "end")
        assert "> interface.mouse" in driver.text


def test_a_wide_name_leaves_the_step_its_place() -> None:
    for name in (HOST, HOST * 5):
        line = title_line(["certtui", name], "Welcome  1/9", 60)
        assert cell_len(line) <= 60 and line.endswith("  Welcome  1/9")


@pytest.mark.parametrize(
    ("env", "size"),
    [({"TERM": ""}, (80, 24)), ({"TERM": "unknown"}, (80, 24)), ({}, (59, 24)), ({}, (80, 15))],
    ids=str,
)
def test_a_terminal_that_is_too_little_gets_plain_questions(
    tmp_path: Path, env: dict[str, Any], size: tuple[int, int]
) -> None:
    terminal = Terminal(tmp_path, module=ODD, size=size, **env)
    terminal.until("Enter accepts what stands in")
    terminal.keys("q\r")
    assert terminal.code() == 0
    assert b"\x1b[?1049h" not in terminal.sent


def test_a_terminal_without_a_size_gets_plain_questions(tmp_path: Path) -> None:
    line = f"stty rows 0 cols 0; exec {ODD_COMMAND} {tmp_path}"
    terminal = Terminal(tmp_path, command=("/bin/sh", "-c", line))
    terminal.until("Enter accepts what stands in")
    terminal.keys("q\r")
    assert terminal.code() == 0


@pytest.mark.parametrize(
    ("env", "codes"),
    [
        ({}, {b"97", b"44", b"94", b"1"}),
        ({"COLORFGBG": "15;0"}, {b"97", b"44", b"36", b"1"}),
        ({"COLORFGBG": "0;15"}, {b"97", b"44", b"34", b"1"}),
        ({"TERM": "linux"}, {b"37", b"44", b"36", b"1"}),
        ({"TERM": "screen"}, {b"37", b"44", b"1"}),
        ({"TERM": "vt100"}, {b"7", b"1"}),
        ({"NO_COLOR": "1"}, {b"7", b"1"}),
    ],
    ids=str,
)
def test_the_colours_that_are_sent(tmp_path: Path, env: dict[str, Any], codes: set[bytes]) -> None:
    terminal = Terminal(tmp_path, **env)
    terminal.until("Enter go on")
    terminal.keys("q")
    assert terminal.code() == 0
    sent = {
        code
        for found in re.findall(rb"\x1b\[([0-9;]+)m", terminal.sent)
        for code in found.split(b";")
    }
    assert sent - {b"0", b"39", b"49"} == codes
