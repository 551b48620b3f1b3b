"""What every body of the frame can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual import events, on
from textual.containers import Vertical
from textual.widgets import Static

from certtui.tui.lines import Lines

if TYPE_CHECKING:
    from certtui.ask.interview import Interview
    from certtui.tui.app import WizardApp

#: (key, what it does), in the order of the last line.
Keys = list[tuple[str, str]]


class Body(Vertical, can_focus=True):
    """The part of the frame between title and keys.

    A body is focused itself where nothing in it can be, so that keys always arrive.
    """

    #: name of the step for the title line
    step = ""
    #: what a second Ctrl+C does here
    leaving = "leaves"
    #: whether ``=``, ``o`` and Esc may leave it
    free = True

    @property
    def wizard(self) -> WizardApp:
        """The program around it."""
        return cast("WizardApp", self.app)

    @property
    def interview(self) -> Interview:
        """The answers so far."""
        return self.wizard.interview

    def works(self) -> Keys:
        """What works now, Enter first."""
        return [("Enter", "go on")]

    def help(self) -> list[str]:
        """Lines for ``?``."""
        return []

    def accept(self) -> None:
        """Enter."""

    def submitted(self, text: str) -> None:
        """Enter in a line to type in, where ``text`` stood."""
        del text
        self.accept()

    async def leave(self) -> bool:
        """Esc, before the frame goes back; True if that was all it meant."""
        return False

    def letter(self, key: str) -> None:
        """A key that only some bodies know."""

    def highlighted(self, index: int) -> None:
        """The cursor of the body's list moved."""

    def facts_arrived(self) -> None:
        """The host is known now."""

    def resume(self) -> None:
        """Shown again after a detour."""

    def moved(self) -> None:
        """Other rows of the body's lines are in view."""

    def may_leave(self) -> bool:
        """Whether ``q`` leaves now."""
        return True

    def say(self, problem: str) -> None:
        """What is wrong, in its own place; nothing takes no room."""
        place = self.query_one(".problem", Static)
        place.display = bool(problem)
        place.update(problem)

    def set_down(self) -> None:
        """The body is left: what is typed and well is kept."""

    def end(self) -> None:
        """The program ends: work in the background must end too."""

    def page(self, direction: int) -> None:
        """PgDn and PgUp."""
        found = list(self.query(Lines))
        target = found[0] if found else self
        if direction > 0:
            target.scroll_page_down(animate=False, force=True)
        else:
            target.scroll_page_up(animate=False, force=True)

    @on(events.Resize)
    def watch_virtual_size(self) -> None:
        """More may fit now, or less: the keys say so, once it is laid out."""
        self.call_after_refresh(self.wizard.refresh_frame)

    def overflows(self) -> bool:
        """Whether there is more than fits."""
        return self.max_scroll_y > 0
