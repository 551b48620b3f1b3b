"""The live dry run: certificates above, certbot's words below."""

from __future__ import annotations

import textwrap
import threading
from collections import deque
from time import monotonic
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from certtui.errors import ExitCode
from certtui.renewal.events import Event, Line
from certtui.tui.body import Body, Keys
from certtui.tui.frame import rule
from certtui.tui.lines import Lines
from certtui.tui.progress import Progress

if TYPE_CHECKING:
    from textual.timer import Timer

    from certtui.workflow import Job

#: Seconds between two looks at what certbot said: one redraw for many lines.
_TICK = 0.1

#: Columns from which the log stands beside the certificates, and those of the certificates.
_WIDE, _LEFT = 120, 48

_HELP = [
    "Every renewal is tried now against a test server; no certificate is replaced.",
    "",
    "  c      cancel: certbot is asked to stop, and is waited for",
    "  r      try those again that failed",
    "  PgUp   read back; the log waits",
    "  End    follow the log again",
    "",
    "What usually mends a failure:",
    "  connection refused or timeout   port 80 must be open from the Internet",
    "  DNS problem, NXDOMAIN           the name must point to this host",
    "  404 or unauthorized             the webroot is not the one the server serves",
    "  too many failed authorizations  wait an hour",
]


class DryRun(Body, can_focus=False):
    """Runs by itself; Enter goes on when it is over."""

    step = "Dry run"
    free = False

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._job = job
        self.progress = Progress(tuple(item.name for item in job.facts.lineages))
        self._events: deque[Event] = deque()
        self._cancel = threading.Event()
        self._retry: list[str] = []
        self._start = 0.0
        self._seconds = 0.0
        self._ticking: Timer | None = None
        self.running = False
        self.problem = ""

    def compose(self) -> ComposeResult:
        yield Static(classes="status", markup=False)
        yield Static(classes="problem", markup=False)
        with Vertical(id="halves"):
            yield Static(id="lineages", markup=False)
            with Vertical(id="log"):
                yield Static(classes="rule", markup=False)
                yield Lines()

    def on_mount(self) -> None:
        lines = self.query_one(Lines)
        lines.follow = True
        lines.focus()
        self._begin([""])

    def on_resize(self) -> None:
        self.set_class(self._wide, "-wide")
        self._draw()

    @property
    def _wide(self) -> bool:
        """Whether the log has room beside the certificates."""
        return self.size.width >= _WIDE

    def _begin(self, names: list[str]) -> None:
        """A run for all ("") or, one after the other, for those named."""
        self.running, self.problem = True, ""
        self._cancel.clear()
        self._start = monotonic()
        self._retry = names
        self.query_one(Lines).follow = True
        self._ticking = self.set_interval(_TICK, self._tick)
        self.wizard.background(self._work, self._ended, self._failed)
        self._draw()
        self.wizard.refresh_frame()

    def _work(self) -> None:
        """In the worker: events are left for the next tick."""
        for name in self._retry:
            if not self._cancel.is_set():
                for event in self._job.dry_run(self._cancel, only=name):
                    self._events.append(event)

    # -- what is shown -------------------------------------------------------------------------

    def _tick(self) -> None:
        if not self.running:
            return
        said: list[str] = []
        news = False
        for _ in range(len(self._events)):
            event = self._events.popleft()
            if isinstance(event, Line):
                # The rules certbot draws say nothing; the log on disk has them.
                if event.text.strip(" -") or not event.text:
                    said.append(event.text)
            else:
                news = True
                self.progress.take(event)
        if said:
            self.query_one(Lines).extend(said)
        seconds = monotonic() - self._start
        if news or int(seconds) != int(self._seconds):
            self._seconds = seconds
            self._draw()

    def _draw(self) -> None:
        height = self.size.height or 22
        state = self.progress.headline(self._seconds)
        if not self.running:
            state = f"{self._verdict()}   {state}"
        self.query_one(".status", Static).update(state)
        most = max(2, height - 6) if self._wide else max(2, min(8, height // 3))
        rows = self.progress.rows(most)
        width = _LEFT - 1 if self._wide else max(20, self.size.width or 80)
        folded = [
            part
            for row in rows
            for part in textwrap.wrap(row, width, subsequent_indent=" " * 12) or [""]
        ]
        self.query_one("#lineages", Static).update("\n".join(folded))
        self.moved()

    def _verdict(self) -> str:
        if self.progress.proved:
            return "PROVED"
        return "CANCELLED" if self._cancel.is_set() else "FAILED"

    def moved(self) -> None:
        lines = self.query_one(Lines)
        right = lines.position
        if self.running:
            right = "following" if lines.follow else f"paused  {right}"
        self.query_one(".rule", Static).update(
            rule("certbot", right, lines.size.width or self.size.width)
        )

    # -- its end -------------------------------------------------------------------------------

    def _ended(self, nothing: None) -> None:
        del nothing
        self._stop()
        done = self.progress.done
        code = ExitCode.OK
        if not self.progress.proved:
            from certtui.renewal.report import exit_code

            code = exit_code(done) if done and not done.ok else ExitCode.FAILED
            log = f"Full output: {done.log}" if done and done.log else ""
            reason = done.reason if done else ""
            self.problem = "  ".join(part for part in (reason, log) if part)
        self._close(int(code))

    def _failed(self, sentence: str, code: int) -> None:
        self._stop()
        self.problem = sentence
        self._close(code)

    def _stop(self) -> None:
        self._tick()
        self.running = False
        self._seconds = monotonic() - self._start
        if self._ticking is not None:
            self._ticking.stop()

    def _close(self, code: int) -> None:
        self.wizard.code = code
        self.wizard.told(self.progress)
        self.say(self.problem)
        self._draw()
        self.wizard.refresh_frame()

    # -- keys ----------------------------------------------------------------------------------

    def works(self) -> Keys:
        if self.running:
            asked = self._cancel.is_set()
            first = ("", "stopping certbot...") if asked else ("c", "cancel")
            return [first, ("PgUp", "pause"), ("End", "follow"), ("?", "help")]
        keys: Keys = [("Enter", "go on")]
        if self.progress.failed or not self.progress.proved:
            keys.append(("r", "retry"))
        return [*keys, ("PgUp", "read back"), ("?", "help"), ("q", "quit")]

    def help(self) -> list[str]:
        return _HELP

    def accept(self) -> None:
        if not self.running:
            self.wizard.done_page(self.progress)

    def letter(self, key: str) -> None:
        if key == "c" and self.running:
            self._cancel.set()
            self.wizard.refresh_frame()
        elif key == "r" and not self.running and not self.progress.proved:
            again = self.progress.failed
            self.progress.again(again or list(self.progress.states))
            self.say("")
            self._begin(again or [""])
        elif key == "end":
            self.follow(True)

    def follow(self, on: bool) -> None:
        """Follows the log, or waits where it is."""
        lines = self.query_one(Lines)
        lines.follow = on
        if on:
            lines.scroll_end(animate=False, force=True)
        self.moved()

    def page(self, direction: int) -> None:
        if direction < 0:
            self.follow(False)
        super().page(direction)

    async def leave(self) -> bool:
        return True

    def may_leave(self) -> bool:
        return not self.running

    def end(self) -> None:
        self._cancel.set()
