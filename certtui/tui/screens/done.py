"""What was reached, what happens next, and what to remember."""

from __future__ import annotations

import textwrap

from textual.app import ComposeResult
from textual.widgets import Static

from certtui import explain
from certtui.errors import CerttuiError
from certtui.interview import Interview
from certtui.tui.body import Body, Keys
from certtui.tui.progress import Progress

_REMEMBER = (
    "certtui status   certificates, next and last runs",
    "certtui doctor   checks that the next renewal will happen",
    "certtui undo     puts back what was there before",
)


def summary(interview: Interview, progress: Progress | None) -> list[str]:
    """The page and, on leaving, the lines that stay in the terminal."""
    lines = [_headline(interview, progress), ""]
    lines += _block("Next runs", _next(interview))
    lines += _block("Mail", [_mail(interview)])
    if progress is not None and progress.failed:
        lines += _block(
            "Failed", [f"{name}: {progress.reasons.get(name, '')}" for name in progress.failed[:6]]
        )
    return [*lines, *_block("Remember", list(_REMEMBER))]


def _headline(interview: Interview, progress: Progress | None) -> str:
    if interview.facts is not None and not interview.facts.lineages:
        return "SET UP, NOT PROVED: no certificate yet; after the first: certtui dry-run"
    if progress is None:
        return "SET UP, NOT PROVED: certtui dry-run proves it"
    count = f"{progress.count('ok')} of {len(progress.states)}"
    if progress.proved:
        return f"SET UP AND PROVED: dry run renewed {count}"
    return f"SET UP, NOT PROVED: dry run renewed {count}; mend it, then: certtui dry-run"


def _next(interview: Interview) -> list[str]:
    try:
        return [line[11:] for line in explain.next_runs(interview, 2)]
    except CerttuiError as error:
        return [str(error)]


def _mail(interview: Interview) -> str:
    values = interview.values()
    if not values["mail.to"]:
        return "none; runs are in /var/lib/certtui/runs.log"
    when = {"failure": "on failure", "every-failure": "on every failure", "always": "on every run"}
    return f"{values['mail.to']} {when[values['mail.on']]}; not proved: certtui drill"


def _block(head: str, lines: list[str]) -> list[str]:
    return [f"  {head if not number else '':<11}{line}" for number, line in enumerate(lines)]


class Done(Body):
    """The last page."""

    step = "Done"
    free = False

    def __init__(self, progress: Progress | None) -> None:
        super().__init__()
        self._progress = progress

    def compose(self) -> ComposeResult:
        yield Static(classes="heading", markup=False)
        yield Static(id="text", markup=False)

    def on_resize(self) -> None:
        width = max(20, self.size.width)
        headline, _, *lines = summary(self.interview, self._progress)
        self.query_one(".heading", Static).update(headline)
        folded = [
            part
            for line in lines
            for part in textwrap.wrap(
                line, width, subsequent_indent=" " * 13, break_on_hyphens=False
            )
            or [""]
        ]
        self.query_one("#text", Static).update("\n".join(folded))

    def works(self) -> Keys:
        return [("Enter", "leave (this summary stays in your terminal)")]

    def help(self) -> list[str]:
        return list(_REMEMBER)

    def accept(self) -> None:
        self.wizard.finish()

    async def leave(self) -> bool:
        return True
