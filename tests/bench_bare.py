"""What everything is measured against: a Textual program that shows one label."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Label

#: What its screen says once it is painted.
TEXT = "one label"


class Bare(App[None]):
    """Nothing but the label."""

    def compose(self) -> ComposeResult:
        yield Label(TEXT)


if __name__ == "__main__":
    Bare().run(mouse=False)
