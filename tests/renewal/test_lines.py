"""Bytes of a terminal become lines that can be shown."""

from __future__ import annotations

import pytest

from certtui.renewal.lines import LONGEST, Lines, Piece, clean


def _fed(*chunks: bytes) -> list[Piece]:
    lines = Lines()
    found = [piece for chunk in chunks for piece in lines.feed(chunk)]
    return [*found, *lines.flush()]


def _texts(*chunks: bytes) -> list[str]:
    return [piece.text for piece in _fed(*chunks)]


def test_a_line_is_told_when_it_is_whole() -> None:
    lines = Lines()
    assert list(lines.feed(b"one\r\ntw")) == [("one", False)]
    assert list(lines.feed(b"o\n\n")) == [("two", False), ("", False)]
    assert list(lines.feed(b"rest")) == []
    assert list(lines.flush()) == [("rest", False)]
    assert list(lines.flush()) == []


def test_characters_cut_in_two_by_a_read() -> None:
    data = "müller.example → ok\n".encode()
    assert _texts(*(data[i : i + 1] for i in range(len(data)))) == ["müller.example → ok"]


def test_what_is_not_utf8_is_marked() -> None:
    assert _texts(b"a\xff\xfeb\n") == ["a\N{REPLACEMENT CHARACTER}" + "\N{REPLACEMENT CHARACTER}b"]
    assert _texts(b"a\xe2\x82") == ["a\N{REPLACEMENT CHARACTER}"]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("\x1b[31mFailed\x1b[0m", "Failed"),
        ("\x1b]0;title\x07x\x1b]8;;http://x\x1b\\y", "xy"),
        ("\x1bPdevice\x1b\\x", "x"),
        ("\x1b(Bx\x1b7\x1bc", "x"),
        ("\x1b[2J\x1b[H\x1b[?1049hx", "x"),
        ("a\x00b\x07c\x08d\x7fe\x9bf", "abcdef"),
        ("10%\r50%\r100%\r", "100%"),
        ("a\tb", "a   b"),
        ("safe\u202egnp.exe\u2066\u200b", "safegnp.exe"),
        ("ends  \r", "ends"),
        ("unfinished \x1b[3", "unfinished"),
        ("\x1b", ""),
    ],
)
def test_nothing_that_a_terminal_would_act_on_is_left(line: str, text: str) -> None:
    assert clean(line) == text
    assert clean(line).isprintable()


@pytest.mark.parametrize("end", [b"", b"\n"])
@pytest.mark.parametrize("more", [0, 1, 5, LONGEST])
def test_a_line_without_end_is_cut_and_nothing_of_it_lost(more: int, end: bytes) -> None:
    data = b"x" * (3 * LONGEST + more)
    pieces = _fed(*(data[i : i + 4000] for i in range(0, len(data), 4000)), end, b"y\n")
    expected = data.decode() + ("" if end else "y")
    joined = "".join(piece.text for piece in pieces)
    assert joined == expected + ("y" if end else "")
    assert max(len(piece.text) for piece in pieces) <= LONGEST
    assert [piece.goes_on for piece in pieces][:3] == [False, True, True]
    assert pieces[-1].goes_on is not bool(end)


def test_memory_stays_bounded_without_a_line_end() -> None:
    lines = Lines()
    for _ in range(500):
        list(lines.feed(b"x" * 65_536))
        assert len(lines._rest) < LONGEST
