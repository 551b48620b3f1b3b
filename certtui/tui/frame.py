"""The first and the last line of the screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from rich.cells import cell_len, set_cell_size
from textual import events
from textual.binding import Binding, BindingType
from textual.widgets import Static

if TYPE_CHECKING:
    from certtui.tui.app import WizardApp


class Back(Static, can_focus=True):
    """The way back for those who look for a button: Tab reaches it, Enter takes it."""

    WIDTH = 7
    DEFAULT_CSS = """
    Back { width: 7; height: 100%; dock: right; content-align: right bottom; }
    Back:focus { text-style: reverse bold; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "app.earlier", show=False)]

    def __init__(self) -> None:
        super().__init__(" [Back]", markup=False)

    def on_focus(self) -> None:
        """The cursor can be read without any colour."""
        self._shown(">[Back]")

    def on_blur(self) -> None:
        """Elsewhere again."""
        self._shown(" [Back]")

    def _shown(self, text: str) -> None:
        self.update(text)
        cast("WizardApp", self.app).refresh_frame()

    def on_key(self, event: events.Key) -> None:
        """A letter here is none of the page's keys: it may be text for its line."""
        if event.is_printable:
            event.stop()
        elif event.key in ("up", "down"):
            event.stop()
            self.screen.focus_previous()


def title_line(left: Sequence[str], right: str, width: int) -> str:
    """Name, host and note at the left, the step at the right; the left gives way."""
    text = "  ".join(left)
    room = width - len(right) - 4
    if cell_len(text) > room:
        text = set_cell_size(text, max(0, room - 3)) + "..."
    return f" {text}{' ' * max(2, width - cell_len(text) - len(right) - 2)}{right}"


def keys_line(keys: Sequence[tuple[str, str]], width: int) -> str:
    """The keys that work; folded between two keys where they do not fit."""
    items = [f"{key} {what}".strip() for key, what in keys]
    for gap in ("   ", "  "):
        line = gap.join(items)
        if len(line) <= width:
            return line
    lines = [""]
    for item in items:
        longer = f"{lines[-1]}  {item}" if lines[-1] else item
        if len(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(item)
    return "\n".join(lines)


def rule(text: str, right: str, width: int) -> str:
    """A line between two parts, with what is below it and where in it we are."""
    head = f"-- {text} "
    tail = f" {right} --" if right else ""
    if len(head) + len(tail) > width:
        head = f"-- {shorten(text, max(8, width - len(tail) - 5))} "
    return head + "-" * max(0, width - len(head) - len(tail)) + tail


def shorten(path: str, width: int) -> str:
    """A path cut in its middle; never its file name, unless that alone is too long."""
    if len(path) <= width:
        return path
    folder, slash, name = path.rpartition("/")
    room = width - len(name) - 4
    if room < 1:
        return "..." + path[-(width - 3) :]
    return f"{folder[:room]}...{slash}{name}"
