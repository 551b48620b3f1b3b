"""What ``certtui status`` prints, as a page."""

from __future__ import annotations

import re
import textwrap

from textual.app import ComposeResult
from textual.widgets import Static

from certtui import explain
from certtui.tui.body import Body, Keys
from certtui.tui.lines import Lines

_HELP = [
    "What `certtui status` prints about this host.",
    "",
    "  tries left   the runs between now, or the day certbot begins to renew, and expiry",
    "  due now      certbot will renew it at the next run",
    "  Next runs    from the scheduler itself; a timer's delay makes some of them a window",
    "  Last runs    from /var/lib/certtui/runs.log: result, what started it, how long it took",
    "",
    "  r    look again",
    "  Esc  back",
]


#: Columns by which what goes on in a further line stands further in.
_FURTHER = 6


def _fold(line: str, width: int) -> list[str]:
    """Between two columns where there are some, else between two words."""
    if len(line) <= width:
        return [line]
    room = width - _FURTHER
    whole = re.sub(r"\S+(?: \S+)*", lambda m: m[0] if len(m[0]) > room else _tied(m[0]), line)
    parts = textwrap.wrap(whole, width, subsequent_indent=" " * _FURTHER, break_on_hyphens=False)
    return [part.replace("\0", " ") for part in parts]


def _tied(column: str) -> str:
    return column.replace(" ", "\0")


class StatusPage(Body, can_focus=False):
    """The status as text that scrolls."""

    step = "Status"

    def __init__(self) -> None:
        super().__init__()
        self.looking = False
        self._text = ""
        self._shown: list[str] = []

    def compose(self) -> ComposeResult:
        yield Static(classes="status", markup=False)
        yield Static(classes="problem", markup=False)
        yield Lines()

    def on_mount(self) -> None:
        self.query_one(Lines).focus()
        self._look()

    def _look(self) -> None:
        self.looking = True
        self.say("")
        self._head(explain.LOOKING)
        self.wizard.background(self._work, self._found, self._failed)
        self.wizard.refresh_frame()

    def _work(self) -> str:
        """In the worker."""
        from certtui import lookups, status

        return status.text(lookups.status_for(self.wizard.session))

    def _found(self, text: str) -> None:
        if not self.is_attached:
            return  # left before the answer came
        self.looking = False
        self._head("")
        self._text = text
        self._fold()
        self.wizard.refresh_frame()

    def on_resize(self) -> None:
        self._fold()

    def _fold(self) -> None:
        """The text at this width."""
        width = max(20, self.size.width)
        folded = [part for line in self._text.splitlines() for part in _fold(line, width)]
        if folded != self._shown:
            self._shown = folded
            self.query_one(Lines).replace(folded)
            self.call_after_refresh(self.wizard.refresh_frame)

    def _failed(self, sentence: str, code: int) -> None:
        del code
        if not self.is_attached:
            return
        self.looking = False
        self._head("Nothing was looked at")
        self.say(sentence)
        self.wizard.refresh_frame()

    def _head(self, text: str) -> None:
        """The line above; what was found needs none."""
        head = self.query_one(".status", Static)
        head.display = bool(text)
        head.update(text)

    def works(self) -> Keys:
        keys: Keys = [("", explain.LOOKING) if self.looking else ("r", "look again")]
        if self.query_one(Lines).max_scroll_y > 0:
            keys.append(("PgDn", "more"))
        return [*keys, ("Esc", "back"), ("?", "help"), ("q", "quit")]

    def help(self) -> list[str]:
        return _HELP

    def letter(self, key: str) -> None:
        if key == "r" and not self.looking:
            self._look()
