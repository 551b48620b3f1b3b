"""Rows that the terminal shows already are not sent again; what it shows is right all the same."""

from __future__ import annotations

from pathlib import Path

import pyte
from hypothesis import given
from hypothesis import strategies as st

from certtui.tui.frames import Frames
from tests.tui.test_terminal import Terminal

_HEIGHT, _WIDTH = 5, 12

#: None is wider than the room at the places below: Textual never draws beyond an edge.
_TEXTS = st.sampled_from(["", "one", "two words", "\x1b[1mbold\x1b[0m", "x" * 9])


def _row(y: int, x: int, text: str) -> str:
    return f"\x1b[{y + 1};{x + 1}H{text}"


def _whole(texts: list[str]) -> str:
    rows = [_row(y, 0, f"{text:<{_WIDTH}}") for y, text in enumerate(texts)]
    return "\n".join(rows) + _row(0, 3, "")


def _part(pieces: list[tuple[int, int, str]]) -> str:
    return "\n".join(_row(y, x, text) for y, x, text in sorted(pieces)) + _row(1, 1, "")


_FRAMES = st.one_of(
    st.lists(_TEXTS, min_size=_HEIGHT, max_size=_HEIGHT).map(_whole),
    st.lists(
        st.tuples(st.integers(0, _HEIGHT - 1), st.integers(0, 3), _TEXTS),
        min_size=1,
        max_size=3,
        unique_by=lambda piece: piece[0],
    ).map(_part),
    st.just("\x1b[?2026h"),
    st.just("\x1b[2J"),
    st.just("\x1b[H\x1b[?2026hwritten"),
)


@given(st.lists(_FRAMES, max_size=12))
def test_the_terminal_shows_the_same(frames: list[str]) -> None:
    shown, wanted = pyte.Screen(_WIDTH, _HEIGHT), pyte.Screen(_WIDTH, _HEIGHT)
    sent = Frames()
    for frame in frames:
        pyte.Stream(wanted).feed(frame)
        pyte.Stream(shown).feed(sent.news(frame))
        assert shown.display == wanted.display
        assert shown.buffer == wanted.buffer
        assert (shown.cursor.x, shown.cursor.y) == (wanted.cursor.x, wanted.cursor.y)


def test_what_is_there_is_not_sent_again() -> None:
    frames = Frames()
    texts = ["a", "b", "c", "d", "e"]
    assert frames.news(_whole(texts)) == _whole(texts).replace("\n", "")
    assert frames.news(_whole(texts)) == _row(0, 3, "")
    texts[2] = "changed"
    assert "changed" in frames.news(_whole(texts)) and "\x1b[1;1H" not in frames.news(_whole(texts))
    frames.forget()
    assert len(frames.news(_whole(texts))) > _WIDTH * _HEIGHT


def test_ctrl_l_draws_everything_anew(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    terminal.until("Enter ")
    terminal.until("61 days left")
    terminal.read(0.5)
    before = terminal.text
    terminal.stream.feed(b"\x1b[1;1H\x1b[2JBroadcast message from root: going down")
    assert terminal.text != before
    terminal.keys("\x0c")
    terminal.until(lambda: terminal.text == before)
    # And a step takes it away too.
    terminal.stream.feed(b"\x1b[12;1HBroadcast message from root: going down")
    terminal.keys("\r")
    terminal.until("2/9")
    terminal.read(0.5)
    assert "Broadcast" not in terminal.text
    terminal.keys("q")
    assert terminal.code() == 0
