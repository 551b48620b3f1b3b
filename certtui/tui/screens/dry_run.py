"""The live dry run: certificates above, certbot's words below."""

from __future__ import annotations

import textwrap
import threading
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from certtui.renewal.process import PATIENCE
from certtui.tui import proof
from certtui.tui.body import Body, Keys
from certtui.tui.feed import Feed
from certtui.tui.frame import rule
from certtui.tui.lines import Lines
from certtui.tui.progress import TRIED, UNTRIED, Progress

if TYPE_CHECKING:
    from textual.timer import Timer

    from certtui.workflow import Job

#: Seconds between two looks at what certbot said: one redraw for many lines.
_TICK = 0.2

#: Columns from which the log stands beside the certificates, and those of the certificates.
_WIDE, _LEFT = 120, 48

#: Lines that the log keeps at least, and those of the status and the rule.
_LOG, _FIXED = 4, 2


class DryRun(Body):
    """Runs by itself; Enter goes on when it is over. ``before`` is a run whose rest is tried."""

    step = "Dry run"
    free = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_log(-1)", show=False),
        Binding("down", "scroll_log(1)", show=False),
        Binding("home", "scroll_log(-1000000)", show=False),
    ]

    def __init__(self, job: Job, before: Progress | None = None) -> None:
        super().__init__()
        self._job = job
        self.progress = before or Progress(tuple(item.name for item in job.facts.lineages))
        self._retries = before is not None
        self._feed = Feed()
        self._cancel = threading.Event()
        self._names: list[str] = []
        self._start = 0.0
        self._seconds = 0.0
        self._ticking: Timer | None = None
        self._shown: dict[str, str] = {}
        #: whether the path of the log was last seen to fit in the rule
        self._was_beside = False
        self.running = False

    def compose(self) -> ComposeResult:
        yield Static(classes="status", markup=False)
        yield Static(classes="problem", markup=False)
        with Vertical(id="halves"):
            yield Static(id="lineages", markup=False)
            with Vertical(id="log"):
                yield Static(classes="rule", markup=False)
                yield Lines()
        yield Static(id="path", markup=False)

    def on_mount(self) -> None:
        # The keys are this body's: a log with the focus would scroll and go on to follow.
        self.query_one(Lines).can_focus = False
        if self._retries:
            self._again()
        else:
            self._begin([""])

    def on_resize(self) -> None:
        self.set_class(self._wide, "-wide")
        self._shown.clear()
        self._draw()

    @property
    def _wide(self) -> bool:
        """Whether the log has room beside the certificates."""
        return self.size.width >= _WIDE

    # -- the run -------------------------------------------------------------------------------

    def _begin(self, names: list[str]) -> None:
        """A run for all ("") or, one after the other, for those named."""
        self.running = True
        self._cancel.clear()
        self._start, self._seconds = monotonic(), 0.0
        self._names = names
        self.say("")
        self._follow()
        self._ticking = self.set_interval(_TICK, self._tick)
        self.wizard.background(self._work, self._ended, self._failed)
        self._draw()
        self.wizard.refresh_frame()

    def _again(self) -> None:
        """Tries what failed, else everything."""
        whole = self.progress.count(UNTRIED) + self.progress.count(TRIED)
        names = [] if whole else self.progress.failed
        self.progress.again(names or list(self.progress.states))
        self._retries = True
        self._begin(names or [""])

    def _work(self) -> None:
        """In the worker: events are left for the next look."""
        more = {"again": True} if self._retries else {}
        for name in self._names:
            if self._cancel.is_set():
                self.progress.cancelled = True
                return
            for event in self._job.dry_run(self._cancel, only=name, **more):
                self._feed.put(event)

    def _tick(self) -> None:
        if not self.running:
            return
        news = self._take()
        seconds = monotonic() - self._start
        if news or int(seconds) != int(self._seconds):
            self._seconds = seconds
            self._draw()

    def _take(self) -> bool:
        """Takes what has come; whether it changes more than the log."""
        news = self._feed.take()
        for event in news.events:
            self.progress.take(event)
        if news.lines:
            self.query_one(Lines).extend(news.lines, lost=news.lost)
        return bool(news.events)

    # -- what is shown -------------------------------------------------------------------------

    def _draw(self) -> None:
        """Only what has changed is drawn, and so sent: mostly the line with the clock."""
        height, width = self.size.height or 22, self.size.width or 80
        head = self.progress.verdict
        if self.running:
            head = "STOPPING" if self._cancel.is_set() else ""
        self._put(".status", self.progress.headline(self._seconds, width, head))
        self.query_one(".status").set_class(head == "PROVED", "-good")
        self.query_one(".status").set_class(head in ("FAILED", "NOT PROVED"), "-bad")
        columns = _LEFT - 1 if self._wide else max(20, width)
        rows = self.progress.rows(self._room(height, columns), columns)
        self._put("#lineages", "\n".join(rows))
        path = self._log_line()
        self.query_one("#path").display = bool(path)
        self._put("#path", "\n".join(path))
        self.moved()

    def _room(self, height: int, columns: int) -> int:
        """Lines for the certificates; more where many failed, for they are what matters."""
        said = [] if self.running else self.progress.said.splitlines()
        problem = sum(len(textwrap.wrap(line, self.size.width or 80)) for line in said)
        most = height - _FIXED - problem - len(self._log_line())
        if self._wide:
            return max(2, most)
        usual = max(3, min(8, height // 3))
        return max(2, min(most - _LOG, max(usual, self.progress.failing(columns) + 1)))

    def _log_line(self) -> list[str]:
        """Where all of it can be read, where the rule has no room to say so."""
        path = "" if self.running or self._beside else self.progress.log
        return proof.log_line(path, self.size.width or 80) if path else []

    @property
    def _beside(self) -> bool:
        """Whether the path fits beside the position in the log, wherever that is."""
        rows = self.query_one(Lines).virtual_size.height
        return proof.fits(self.progress.log, rows, self._rule_width)

    @property
    def _rule_width(self) -> int:
        width = self.size.width or 80
        return width - _LEFT if self._wide else width

    def moved(self) -> None:
        beside = self._beside
        if beside != self._was_beside:
            self._was_beside = beside
            self._draw()
            return
        lines = self.query_one(Lines)
        right, path = lines.position, self.progress.log
        if self.running:
            right = "following" if lines.follow else f"paused  {right}"
        here = path and not self.running and beside
        text = proof.rule_text(path) if here else "certbot"
        self._put(".rule", rule(text, right, self._rule_width))

    def _put(self, where: str, text: str) -> None:
        if self._shown.get(where) != text:
            grows = self._shown.get(where, "\n").count("\n") != text.count("\n")
            self._shown[where] = text
            self.query_one(where, Static).update(text, layout=grows)

    # -- its end -------------------------------------------------------------------------------

    def _ended(self, nothing: None) -> None:
        del nothing
        self._stop("")
        self._close(int(self.progress.exit_code()))

    def _failed(self, sentence: str, code: int) -> None:
        self._stop(sentence)
        self._close(code)

    def _stop(self, trouble: str) -> None:
        self._take()
        self.progress.stopped(trouble)
        self.running = False
        self._seconds = monotonic() - self._start
        if self._ticking is not None:
            self._ticking.stop()

    def _close(self, code: int) -> None:
        self.wizard.code = code
        self.wizard.told(self.progress)
        self.say(self.progress.said)
        self._draw()
        self.wizard.refresh_frame()

    # -- keys ----------------------------------------------------------------------------------

    def works(self) -> Keys:
        if self.running:
            asked = self._cancel.is_set()
            first = ("", "stopping certbot...") if asked else ("c", "cancel")
            return [first, ("PgUp", "pause"), ("End", "follow"), ("?", "help")]
        keys: Keys = [("Enter", "go on")]
        if not self.progress.proved:
            keys.append(("r", "retry"))
        if self.query_one(Lines).max_scroll_y > 0:
            keys.append(("PgUp", "read back"))
        return [*keys, ("?", "help"), ("q", "quit")]

    def help(self) -> list[str]:
        path = self._job.log_path if self.running else self.progress.log
        return proof.help_lines(self.progress, path, max(20, self.size.width))

    def accept(self) -> None:
        if not self.running:
            from certtui.tui.screens.done import Done

            self.wizard.go(self.wizard.show(Done(self.progress, self._job)))

    def letter(self, key: str) -> None:
        if key == "c" and self.running and not self._cancel.is_set():
            self._cancel.set()
            self._draw()
            self.wizard.refresh_frame()
        elif key == "r" and not self.running and not self.progress.proved:
            self._again()
        elif key == "end":
            self._follow()

    def _follow(self) -> None:
        lines = self.query_one(Lines)
        lines.follow = True
        lines.scroll_end(animate=False, force=True, immediate=True)
        self.moved()

    def action_scroll_log(self, by: int) -> None:
        """Moves the log, which waits there but at its end."""
        lines = self.query_one(Lines)
        to = max(0, min(lines.scroll_offset.y + by, lines.max_scroll_y))
        lines.follow = to >= lines.max_scroll_y
        lines.scroll_to(y=to, animate=False, force=True, immediate=True)
        self.moved()

    def page(self, direction: int) -> None:
        self.action_scroll_log(direction * max(1, self.query_one(Lines).size.height - 1))

    async def leave(self) -> bool:
        return True

    def may_leave(self) -> bool:
        return not self.running

    def end(self) -> None:
        self._cancel.set()
        if self.running:
            seconds = int(sum(PATIENCE))
            self.wizard.parting = f"waiting for certbot to stop (at most {seconds} s)..."
