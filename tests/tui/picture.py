"""A page as text that can be read in a review: its rows, and which cells stand out and how.

Under each row that has more than plain text stand its runs, as columns and style:
``  |  0-79 bold white on blue``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.color import Color, ColorType
from rich.segment import Segment
from rich.style import Style
from textual.app import App

_NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
_ATTRIBUTES = ("bold", "dim", "italic", "underline", "reverse", "strike")


def picture(app: App[Any]) -> str:
    """The present screen."""
    strips = app.screen._compositor.render_strips()
    return "\n".join(line for strip in strips for line in _row(list(strip))) + "\n"


def _row(segments: list[Segment]) -> Iterator[str]:
    yield "".join(segment.text for segment in segments).rstrip()
    runs = [
        f"{start}-{end} {style}" if end > start else f"{start} {style}"
        for start, end, style in _runs(segments)
        if style
    ]
    if runs:
        yield f"  |  {'; '.join(runs)}"


def _runs(segments: list[Segment]) -> list[tuple[int, int, str]]:
    """(first column, last column, style) of neighbours with the same style."""
    runs: list[tuple[int, int, str]] = []
    column = 0
    for segment in segments:
        width = segment.cell_length
        if not width:
            continue
        style = _style(segment.style or Style())
        if runs and runs[-1][2] == style:
            runs[-1] = (runs[-1][0], column + width - 1, style)
        else:
            runs.append((column, column + width - 1, style))
        column += width
    return runs


def _style(style: Style) -> str:
    """Such as "bold white on blue"; empty for plain text."""
    words = [name for name in _ATTRIBUTES if getattr(style, name)]
    if style.color is not None and not style.color.is_default:
        words.append(_colour(style.color))
    if style.bgcolor is not None and not style.bgcolor.is_default:
        words += ["on", _colour(style.bgcolor)]
    return " ".join(words)


def _colour(color: Color) -> str:
    if color.type is ColorType.STANDARD and color.number is not None:
        bright = "bright " if color.number >= len(_NAMES) else ""
        return bright + _NAMES[color.number % len(_NAMES)]
    return color.name
