"""The way through the pages: one body on the stage, detours laid over it, forward and back."""

from __future__ import annotations

import gc
from collections.abc import Coroutine
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.css.query import NoMatches
from textual.widget import MountError

from certtui.ask import interview as talk
from certtui.ask.interview import Interview
from certtui.ask.session import Session
from certtui.errors import ExitCode
from certtui.plan.fields import Field
from certtui.tui.body import Body
from certtui.tui.decisions import Decisions
from certtui.tui.looks import Dressed

if TYPE_CHECKING:
    from certtui.tui.progress import Progress
    from certtui.workflow import Job


class Way(Dressed):
    """An app with a stage for bodies. What stands around the stage is :meth:`refresh_frame`'s."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+l", "redraw", show=False)]

    def __init__(self, session: Session) -> None:
        super().__init__(session.preferences)
        self.session = session
        self.interview = Interview(session)
        self.interview.on_preferences = self.dress
        #: lines for the normal screen afterwards
        self.farewell: list[str] = []
        #: the exit code if the wizard is left now
        self.code: int = ExitCode.OK
        #: about conflicts, for every look at Review
        self.decisions = Decisions()
        self._bodies: list[Body] = []
        self._moving = False
        #: what was typed into a line and is no answer yet, by the question's key
        self.typed: dict[str, str] = {}
        self._next: list[Coroutine[Any, Any, Any]] = []
        #: the program ends: no page comes any more
        self.over = False

    def refresh_frame(self) -> None:
        """Draws what stands around the stage anew."""
        raise NotImplementedError

    @property
    def body(self) -> Body:
        """The body on top."""
        return self._bodies[-1]

    async def first(self) -> None:
        """The page to begin with: an apply that nobody saw end comes before everything else."""
        if self.session.unseen:
            from certtui.tui.screens.applying import Unseen

            await self.show(Unseen())
            return
        from certtui.tui.screens.welcome import Welcome

        await self.show(Welcome())

    async def welcome(self, before: str) -> None:
        """The welcome page with a sentence about what happened before."""
        from certtui.tui.screens.welcome import Welcome

        self.session = self.interview.session = replace(self.session, before=before, unseen=False)
        await self.show(Welcome())

    async def show(self, body: Body) -> None:
        """Swaps the whole stage."""
        with self.batch_update():
            old, self._bodies = self._bodies, [body]
            for gone in old:
                await gone.remove()
            del old
            await self._put(body)
        # Widgets hold each other; cleared away by and by they would take a megabyte more.
        self.call_after_refresh(gc.collect)

    async def detour(self, body: Body) -> None:
        """Lays a body over the present one, which keeps what it shows."""
        with self.batch_update():
            self.body.display = False
            body.step = body.step or self.body.step
            self._bodies.append(body)
            await self._put(body)

    async def return_from_detour(self) -> bool:
        """Takes the topmost detour away; False if there is none."""
        if len(self._bodies) < 2:
            return False
        with self.batch_update():
            await self._bodies.pop().remove()
            self.forget_screen()
            self.body.display = True
            self.body.resume()
            self._focus(self.body)
            self.refresh_frame()
        return True

    def forget_screen(self) -> None:
        """All of the next frame is sent: the terminal may not show what it was told to."""
        frames = getattr(self._driver, "frames", None)
        if frames is not None:
            frames.forget()

    def on_resize(self, event: events.Resize) -> None:
        """A terminal of another size may show anything."""
        del event
        self.forget_screen()

    def action_redraw(self) -> None:
        """Ctrl+L: something else has written to the terminal."""
        self.forget_screen()
        self.refresh(layout=True)

    async def _put(self, body: Body) -> None:
        self.forget_screen()
        await self.query_one("#stage").mount(body)
        self._focus(body)
        self.refresh_frame()
        self.call_after_refresh(self.refresh_frame)

    def _focus(self, body: Body) -> None:
        inner = next((w for w in body.query("ChoiceList, Input").results() if w.can_focus), None)
        (inner or body).focus(scroll_visible=False)

    async def forward(self, field: Field | None) -> None:
        """The page after a question; after None, the first question."""
        asked = talk.pages(self.interview.values())
        keys = [question.key for question in asked]
        at = keys.index(field.key) + 1 if field and field.key in keys else 0
        if at < len(asked):
            await self.ask(asked[at])
        else:
            await self.review()

    async def ask(self, field: Field) -> None:
        """The page of one question."""
        from certtui.tui.screens.question import Question

        await self.show(Question(field))

    async def review(self) -> None:
        """The page that shows everything before anything is written."""
        from certtui.tui.screens.review import Review

        await self.show(Review())

    async def backward(self) -> None:
        """The page before; the welcome page is the first."""
        from certtui.tui.screens.question import Question
        from certtui.tui.screens.welcome import Welcome

        asked = talk.pages(self.interview.values())
        keys = [question.key for question in asked]
        if isinstance(self.body, Question) and self.body.field.key in keys:
            at = keys.index(self.body.field.key) - 1
        elif isinstance(self.body, Welcome):
            return
        else:
            at = len(asked) - 1
        if at < 0:
            await self.show(Welcome())
        else:
            await self.ask(asked[at])

    def applied(self, job: Job, *, changed: bool) -> None:
        """After an apply: the proof, where there is something to prove."""
        del changed
        self.told(None)
        if self.session.proves and job.facts.lineages:
            from certtui.tui.screens.dry_run import DryRun

            self.go(self.show(DryRun(job)), must=True)
        else:
            self.done_page(None)

    def told(self, progress: Progress | None) -> None:
        """Keeps the summary for the normal screen."""
        from certtui.tui.screens.done import summary

        self.farewell = summary(self.interview, progress)

    def done_page(self, progress: Progress | None) -> None:
        """The last page."""
        from certtui.tui.screens.done import Done

        self.go(self.show(Done(progress)), must=True)

    def below(self, body: Body) -> Body:
        """The body that a detour lies on."""
        at = self._bodies.index(body) if body in self._bodies else 0
        return self._bodies[max(0, at - 1)]

    def go(self, move: Coroutine[Any, Any, Any], *, must: bool = False) -> None:
        """Moves to another page; a second key pressed meanwhile does not move twice.

        ``must``: no key but the work's own end asks for it, so that it waits for its turn.
        """
        if self._moving and must and not self.over:
            self._next.append(move)
            return
        if self._moving or self.over:
            move.close()
            return
        self._moving = True
        self.call_later(self._move, move)

    async def _move(self, move: Coroutine[Any, Any, Any]) -> None:
        try:
            await move
        except (MountError, NoMatches):
            if not self.over:
                raise
            # The stage was taken down while the page was on its way to it.
        finally:
            self._moving = False
        if self._next:
            self.go(self._next.pop(0), must=True)
        else:
            self.settled()

    @property
    def moving(self) -> bool:
        """Whether another page is on its way."""
        return self._moving

    def settled(self) -> None:
        """A move has ended."""
