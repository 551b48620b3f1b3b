"""A wizard without a terminal that is driven by keys.

Not in ``support``: a started program sets its environment before Textual is imported.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from certtui.tui.app import WizardApp
from certtui.tui.screens.question import Question
from certtui.tui.screens.review import Review
from tests.tui.support import screen_text, session


class Driver:
    """A wizard and its pilot."""

    def __init__(self, app: WizardApp, pilot: Any) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def text(self) -> str:
        return "\n".join(screen_text(self.app))

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
            await self.pilot.pause()

    async def until(self, what: Callable[[], bool], seconds: float = 20.0) -> None:
        for _ in range(int(seconds / 0.05)):
            if what():
                await self.pilot.pause()
                return
            await self.pilot.pause(0.05)
        raise AssertionError(f"did not happen; the screen:\n{self.text}")

    async def to_review(self) -> Review:
        await self.until(lambda: self.app.interview.facts is not None)
        await self.press("enter")
        for _ in range(10):
            if not isinstance(self.app.body, Question):
                break
            await self.press("enter")
        body = self.app.body
        assert isinstance(body, Review), self.text
        await self.until(lambda: body.preview is not None or bool(body.problem))
        return body


@asynccontextmanager
async def wizard(
    root: Path, size: tuple[int, int] = (80, 24), **changes: Any
) -> AsyncIterator[Driver]:
    """A wizard for a throw-away root, with :func:`session`'s arguments."""
    app = WizardApp(session(root, **changes))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield Driver(app, pilot)
