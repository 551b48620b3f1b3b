"""What ``certtui status`` prints, as a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.widgets import Static

from certtui.ask import explain
from certtui.tui.body import Body, Keys
from certtui.tui.folding import folded
from certtui.tui.lines import Lines

if TYPE_CHECKING:
    from certtui.status import Status

_HELP = [
    "What `certtui status` prints about this host.",
    "",
    "  left         days until it expires, of its whole lifetime; hours (h) when there are few",
    "  tries        the runs between now, or the day certbot begins to renew, and expiry",
    "  due          certbot will renew it at the next run",
    "  on 443       what this host serves for its names: yes the one on disk, OLD ONE the one",
    "               before it, OTHER one that is not certbot's, not here none at all",
    "  Next runs    from the scheduler itself; a timer's delay makes some of them a window",
    "  Last runs    from /var/lib/certtui/runs.log: result, what started it, how long it took",
    "",
    "  r    look again",
    "  Esc  back",
]


class StatusPage(Body, can_focus=False):
    """The status as text that scrolls."""

    step = "Status"

    def __init__(self) -> None:
        super().__init__()
        self.looking = False
        self._status: Status | None = None
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

    def _work(self) -> Status:
        """In the worker."""
        from certtui import lookups

        return lookups.status_for(self.wizard.session)

    def _found(self, status: Status) -> None:
        if not self.is_attached:
            return  # left before the answer came
        self.looking = False
        self._head("")
        self._status = status
        self._fold()
        self.wizard.refresh_frame()

    def on_resize(self) -> None:
        self._fold()

    def _fold(self) -> None:
        """The text at this width."""
        if self._status is None:
            return
        from certtui import status

        width = max(20, self.size.width)
        shown = list(folded(status.text(self._status, width).splitlines(), width))
        if shown != self._shown:
            self._shown = shown
            self.query_one(Lines).replace(shown)
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
