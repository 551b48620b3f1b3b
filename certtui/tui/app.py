"""The program around the bodies: one frame, the way through the steps, and how it ends."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, OptionList, Static
from textual.worker import Worker, WorkerState

from certtui import crash, traces
from certtui.ask import farewell
from certtui.ask import interview as talk
from certtui.ask.session import Session
from certtui.errors import CerttuiError, ExitCode
from certtui.tui.folding import folded
from certtui.tui.frame import Back, keys_line, title_line
from certtui.tui.keyed import Keyed
from certtui.tui.lines import Lines
from certtui.tui.screens.text import Fault, Text

T = TypeVar("T")

#: Keys that only some bodies know.
_LETTERS = ("a", "c", "d", "k", "r", "s", "end")

_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


def run(session: Session) -> int:
    """Runs the full-screen wizard; what it did last stays in the terminal. Raises CerttuiError."""
    before = {signum: signal.getsignal(signum) for signum in _SIGNALS}
    app = WizardApp(session)
    try:
        code = app.run(mouse=session.preferences.mouse)
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
    if app.crashed is not None:
        raise app.crashed
    for line in app.farewell:
        print(line)
    return ExitCode.OK if code is None else code


class WizardApp(Keyed):
    """The wizard. Bodies are swapped in the frame; a detour lies on the body it came from."""

    CSS_PATH = "wizard.tcss"
    ENABLE_COMMAND_PALETTE = False
    TITLE = "certtui"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "accept", show=False),
        Binding("escape", "earlier", show=False),
        Binding("question_mark,f1", "help", show=False),
        Binding("equals_sign,f2", "answers", show=False),
        Binding("o,f3", "advanced", show=False),
        Binding("q,ctrl+q", "leave", show=False),
        Binding("ctrl+c", "interrupt", show=False, priority=True),
        Binding("pagedown", "page(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        *(Binding(key, f"letter('{key}')", show=False) for key in _LETTERS),
        Binding("f4,ctrl+t", "letter('f4')", show=False),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.crashed: Exception | None = None
        self.facts_error = ""
        self._waiting: dict[Worker[Any], tuple[Callable[[Any], None], Callable[[str, int], None]]]
        self._waiting = {}

    def compose(self) -> ComposeResult:
        yield Static(id="title", markup=False)
        yield Vertical(id="stage")
        with Horizontal(id="foot"):
            yield Static(id="keys", markup=False)
            yield Back()

    async def on_mount(self) -> None:
        loop = asyncio.get_running_loop()
        for signum in _SIGNALS:
            loop.add_signal_handler(signum, self._ended, signum)
        await self.first()
        self.call_after_refresh(self.look)

    # -- facts ---------------------------------------------------------------------------------

    def look(self) -> None:
        """Gathers the facts in a worker; bodies fill in when they arrive."""
        self.facts_error = ""
        self.background(self.interview.gather, self._learn, self._not_learnt)

    def _learn(self, facts: Any) -> None:
        self.interview.learn(facts)
        self._tell_facts()

    def _not_learnt(self, sentence: str, code: int) -> None:
        del code
        self.facts_error = sentence
        self._tell_facts()

    def _tell_facts(self) -> None:
        with self.batch_update():
            for body in self._bodies:
                if body.is_mounted:  # else it looks at them when it is
                    body.facts_arrived()
            self.refresh_frame()

    # -- keys ----------------------------------------------------------------------------------

    def action_accept(self) -> None:
        self.body.accept()
        self.go_on()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.body.accept()
        self.go_on()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        if event.option_list in self.body.walk_children():
            self.body.highlighted(event.option_index)
            self.refresh_frame()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.body.submitted(event.value)
        self.go_on()

    def action_earlier(self) -> None:
        self.go(self._back())

    async def _back(self) -> None:
        self.body.set_down()
        if await self.body.leave() or await self.return_from_detour() or not self.body.free:
            return
        await self.backward()

    def action_help(self) -> None:
        if not isinstance(self.body, Text):
            self.body.set_down()
            help = folded(self.body.help(), self.size.width)
            self.go(self.detour(Text("Help", list(help))))

    def action_answers(self) -> None:
        self._list_answers(advanced_only=False)

    def action_advanced(self) -> None:
        self._list_answers(advanced_only=True)

    def _list_answers(self, *, advanced_only: bool) -> None:
        from certtui.tui.screens.answers import Answers
        from certtui.tui.screens.question import Question

        barred = isinstance(self.body, (Answers, Text)) or self.interview.facts is None
        if barred or not all(body.free for body in self._bodies):
            return
        self.body.set_down()
        if advanced_only:
            if isinstance(self.body, Question) and self.body.advanced():
                self.go(self.detour(Answers(self.body.advanced(), "Advanced answers")))
        else:
            self.go(self.detour(Answers(None, "All answers")))

    def action_page(self, direction: int) -> None:
        self.body.page(direction)

    def action_letter(self, key: str) -> None:
        self.body.letter(key)

    def on_lines_moved(self, event: Lines.Moved) -> None:
        event.stop()
        if self._bodies:
            self.body.moved()
            self.call_after_refresh(self.refresh_frame)  # what fits is known then

    # -- the frame -----------------------------------------------------------------------------

    def step_names(self) -> list[str]:
        """The steps of the title line."""
        asked = [talk.step_title(step) for step in talk.steps()]
        return ["Welcome", *asked, "Review", "Apply", "Dry run", "Done"]

    def refresh_frame(self) -> None:
        """Title and keys, from the body on top; one not there yet calls again when it is."""
        if not self._bodies or not self.body.is_mounted:
            return
        facts = self.interview.facts
        names = self.step_names()
        place = self.body.step
        count = f"{names.index(place) + 1}/{len(names)}" if place in names else ""
        left = ["certtui", facts.system.hostname if facts else "", self.session.note]
        title = title_line(
            [part for part in left if part], f"{place}  {count}".rstrip(), self.size.width
        )
        keys = self.body.works()
        back = self.query_one(Back)
        back.display = any(key == "Esc" for key, _ in keys)
        if self.focused is back:
            keys = [("Enter", "back"), ("Tab", "to the page"), ("Ctrl+Q", "quit")]
        if self.asked:
            keys = [("Ctrl+C", f"again {self.body.leaving}"), ("any other key", "goes on")]
        room = self.size.width - (back.WIDTH + 1 if back.display else 0)
        for name, text in (("#title", title), ("#keys", keys_line(keys, room))):
            line = self.query_one(name, Static)
            if line.content != text:
                line.update(text)
        # Not left to the widget: Textual loses a layout that is asked for while one is made.
        self.query_one("#foot").styles.height = str(line.content).count("\n") + 1

    def on_resize(self, event: events.Resize) -> None:
        self.screen.set_class(event.size.height >= 20, "-tall")
        self.call_after_refresh(self.refresh_frame)

    # -- work in the background ----------------------------------------------------------------

    def background(
        self,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[str, int], None],
    ) -> None:
        """Runs ``work`` in a thread; then ``done(result)``, or ``failed(sentence, exit code)``."""
        worker = self.run_worker(work, thread=True, exit_on_error=False)
        self._waiting[worker] = (done, failed)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.state not in (WorkerState.SUCCESS, WorkerState.ERROR):
            return
        done, failed = self._waiting.pop(event.worker, (None, None))
        if event.state is WorkerState.SUCCESS and done:
            done(event.worker.result)
        elif failed and event.worker.error is not None:
            error = event.worker.error
            code = error.exit_code if isinstance(error, CerttuiError) else ExitCode.FAILED
            sentence = crash.sentence(error)
            failed(sentence, int(code))
            if crash.unexpected(error):
                self.go(self.detour(Fault(sentence)), must=True)

    # -- ending --------------------------------------------------------------------------------

    def finish(self, code: int | None = None) -> None:
        """A person leaves; answers that were not applied stay in the draft."""
        if traces.recorded(self.session.root):
            from certtui import detached

            detached.seen(self.session.root)
        if sentence := farewell.unkept(self.interview):
            self.farewell = [*self.farewell, sentence]
        self._finish(code)

    def _finish(self, code: int | None) -> None:
        self.over = True
        self._waiting.clear()  # what workers bring now comes to pages that are gone
        for body in self._bodies:
            body.set_down()
            body.end()
        self.exit(self.code if code is None else code)

    def action_leave(self) -> None:
        """``q``: leaves where that harms nothing; a body may say that it does not."""
        if all(body.may_leave() for body in self._bodies):
            self.finish()

    def action_interrupt(self) -> None:
        """Ctrl+C asks once; a running apply is never interrupted, it goes on by itself."""
        if self.asked:
            self.finish(ExitCode.INTERRUPTED)
        else:
            self.asked = True
            self.refresh_frame()

    def _ended(self, signum: int) -> None:
        if signum == signal.SIGHUP and self._driver is not None and not self.is_headless:
            # Nobody reads the terminal any more: Textual's writer would wait for ever.
            self._driver.write = lambda data: None  # type: ignore[method-assign]
        self.farewell = []
        self._finish(128 + signum)

    def _handle_exception(self, error: Exception) -> None:
        """Textual would print every local variable; the command line writes a report instead."""
        if self.is_headless:
            super()._handle_exception(error)
            return
        self.crashed = self.crashed or error
        self._return_code = 1
        self._close_messages_no_wait()
