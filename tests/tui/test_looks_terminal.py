"""What reaches a real terminal: its characters, colours and modes, and where output may go."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pexpect
import pytest

from certtui.ask import preferences
from tests.tui.odd import CERTBOT_LINE, FILE_LINE, HOST, LINEAGE, odd_session
from tests.tui.test_terminal import Terminal

ODD = "tests.tui.odd"
ODD_COMMAND = f"{sys.executable} -m {ODD}"

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
        ({}, (b"97", b"44", b"94", b"1")),
        ({"COLORFGBG": "15;0"}, (b"97", b"44", b"36", b"1")),
        ({"COLORFGBG": "0;15"}, (b"97", b"44", b"34", b"1")),
        ({"TERM": "linux"}, (b"37", b"44", b"36", b"1")),
        ({"TERM": "screen"}, (b"37", b"44", b"1")),
        ({"TERM": "vt100"}, (b"7", b"1")),
        ({"NO_COLOR": "1"}, (b"7", b"1")),
    ],
    ids=str,
)
def test_the_colours_that_are_sent(
    tmp_path: Path, env: dict[str, Any], codes: tuple[bytes, ...]
) -> None:
    terminal = Terminal(tmp_path, **env)
    terminal.until("Enter go on")
    terminal.keys("q")
    assert terminal.code() == 0
    sent = {
        code
        for found in re.findall(rb"\x1b\[([0-9;]+)m", terminal.sent)
        for code in found.split(b";")
    }
    assert sent - {b"0", b"39", b"49"} == set(codes)
