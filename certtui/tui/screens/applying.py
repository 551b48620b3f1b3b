"""Apply as it happens; and where it is somebody else who may apply, what to run."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from textual.app import ComposeResult
from textual.widgets import Static

from certtui import detached
from certtui.detached import Detached
from certtui.errors import ExitCode
from certtui.tui.body import Body, Keys
from certtui.tui.folding import folded
from certtui.tui.lines import Lines

if TYPE_CHECKING:
    from certtui.change.apply import Consent
    from certtui.change.model import Preview, Result, Step
    from certtui.workflow import Job

_HELP = [
    "Apply writes every file, runs every command, and takes all of it back if one fails.",
    "It is not interrupted, not even by a lost connection: it runs on by itself, and the next",
    "start of certtui tells how it ended. Afterwards `certtui undo` restores what was there.",
]

_GOES_ON = ("The apply goes on by itself; the next start of certtui tells how it ended.",)


class _Steps(Body, can_focus=False):
    """The steps of an apply as they happen."""

    step = "Apply"
    free = False
    #: what stands above them
    headline = ""

    def compose(self) -> ComposeResult:
        yield Static(self.headline, classes="status", markup=False)
        yield Static(classes="problem", markup=False)
        yield Lines()

    def on_mount(self) -> None:
        self.query_one(Lines).follow = True
        self.query_one(Lines).focus()
        self.wizard.background(self.work, self.done, self.failed)

    def work(self) -> Any:
        """In the worker; gives what :meth:`done` takes."""
        raise NotImplementedError

    def done(self, outcome: Any) -> None:
        """It went well."""

    def failed(self, sentence: str, code: int) -> None:
        """It did not."""

    def tell(self, step: Step) -> None:
        """One step as it ended; from the worker."""
        note = f": {step.message}" if step.message else ""
        line = f"  {'ok    ' if step.ok else 'FAILED'}  {step.what}{note}"
        lines = list(folded([line], self.wizard.size.width))
        self.wizard.call_later(self.query_one(Lines).extend, lines)

    async def leave(self) -> bool:
        return True


class Applying(_Steps):
    """Applies what was reviewed; goes on to the dry run by itself."""

    headline = "Applying what you reviewed..."

    def __init__(self, job: Job, approved: Preview, consent: Consent) -> None:
        super().__init__()
        self._job = job
        self._apply = Detached(job, consent, approved)
        self._running = True

    def work(self) -> Result:
        if self.interview.session.named:
            self.interview.keep_plan()
        return self._apply.run(self.tell)

    def done(self, outcome: Result) -> None:
        self._running = False
        self.interview.forget()
        self.wizard.applied(self._job, changed=outcome.changed)

    def failed(self, sentence: str, code: int) -> None:
        self._running = False
        self.free = True
        self.wizard.code = code
        self.query_one(".status", Static).update("Not applied")
        self.say(sentence)
        self.wizard.refresh_frame()

    def works(self) -> Keys:
        if self._running:
            return [("", "applying, a few seconds..."), ("Ctrl+C", "detach"), ("?", "help")]
        more: Keys = [("PgUp", "read back")] if self.query_one(Lines).max_scroll_y else []
        return [("Esc", "back to review"), *more, ("?", "help"), ("q", "quit")]

    def help(self) -> list[str]:
        return _HELP

    async def leave(self) -> bool:
        if not self._running:
            self.wizard.code = ExitCode.OK
            await self.wizard.review()
        return True

    def may_leave(self) -> bool:
        return not self._running

    @property
    def leaving(self) -> str:  # type: ignore[override]
        """An apply is never stopped half-way."""
        return "leaves, the apply goes on" if self._running else "leaves"

    def end(self) -> None:
        if self._running:
            self._apply.leave()
            self.wizard.farewell = list(_GOES_ON)


class Unseen(_Steps):
    """An apply that lost its terminal: watched to its end, then told on the welcome page."""

    headline = "An apply that lost its terminal is at work"
    leaving = "leaves, the apply goes on"

    def __init__(self) -> None:
        super().__init__()
        self._left = threading.Event()

    def work(self) -> str:
        return detached.unseen(self.interview.session.root, self.tell, self._left)

    def done(self, outcome: str) -> None:
        self.wizard.look()
        self.wizard.go(self.wizard.welcome(outcome), must=True)

    def failed(self, sentence: str, code: int) -> None:
        del code
        self.done(sentence)

    def works(self) -> Keys:
        return [("", "waiting for it to end..."), ("?", "help"), ("q", "quit")]

    def help(self) -> list[str]:
        return [*_HELP, *_GOES_ON]

    def end(self) -> None:
        self._left.set()


class HandOver(Body, can_focus=False):
    """A normal user: the plan is kept, and the line for sudo is shown."""

    step = "Apply"

    def compose(self) -> ComposeResult:
        yield Static("Root has to apply this", classes="heading", markup=False)
        yield Static("saving the plan...", id="text", markup=False)

    def on_mount(self) -> None:
        self.can_focus = True
        self.focus()
        self.wizard.background(self.interview.keep_plan, self._kept, self._failed)

    def _kept(self, path: str) -> None:
        lines = ["This user may not change the system. Your plan is saved; next:", ""]
        command = f"sudo certtui apply {path}"
        self.query_one("#text", Static).update("\n".join([*lines, command]))
        self.wizard.farewell = [f"The plan is in {path}; nothing was applied yet. Next:", command]

    def _failed(self, sentence: str, code: int) -> None:
        self.wizard.code = code
        self.query_one("#text", Static).update(sentence)

    def works(self) -> Keys:
        return [("Enter", "leave"), ("Esc", "back"), ("?", "help"), ("q", "quit")]

    def help(self) -> list[str]:
        return ["certtui writes below /etc and /usr/local, which only root may."]

    def accept(self) -> None:
        self.wizard.finish()

    async def leave(self) -> bool:
        await self.wizard.review()
        return True
