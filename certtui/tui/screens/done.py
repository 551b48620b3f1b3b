"""What was reached, what happens next, and what to remember."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.widgets import Static

from certtui.ask import explain, farewell
from certtui.ask.interview import Interview
from certtui.errors import CerttuiError
from certtui.tui.body import Body, Keys
from certtui.tui.progress import Progress

if TYPE_CHECKING:
    from certtui.workflow import Job

#: Columns before what a block says.
_HANG = 13

#: Certificates named among those that failed.
_NAMED = 6

_HELP = [
    "What was set up works on by itself; certtui is needed no more, only to look or to change.",
    "",
    "  Enter   leaves; what this page says stays in your terminal",
    "  r       tries again what was not proved",
    "  d       doctor: everything that could keep the next renewal from happening",
    "  s       status: certificates, next and last runs",
    "",
    "A dry run proves that certbot can renew. That mail arrives is proved by: certtui drill",
]


def summary(interview: Interview, progress: Progress | None, *, short: int = 0) -> list[str]:
    """The page and, on leaving, the lines that stay in the terminal.

    ``short`` of explanations, for a page of so many columns; 0 explains.
    """
    lines = [_headline(interview, progress), ""]
    lines += _block("Next runs", _next(interview))
    lines += _block("Mail", [_mail(interview)])
    lines += _first(interview)
    if progress is not None and not progress.proved:
        lines += _block("Failed", _failed(progress))
        lines += _block("Why", [progress.trouble] if progress.trouble else [])
        lines += _block("Full log", [progress.log] if progress.log else [])
    commands = farewell.remember(interview)
    if short:
        names = [command for command, _ in commands]
        line = "   ".join(names)
        return [*lines, *_block("Remember", [line] if len(line) + _HANG <= short else names)]
    width = max(len(command) for command, _ in commands)
    explained = [f"{command:<{width}}   {what}".rstrip() for command, what in commands]
    return [*lines, *_block("Remember", explained)]


def _headline(interview: Interview, progress: Progress | None) -> str:
    if interview.facts is not None and not interview.facts.lineages:
        return "SET UP, NOT PROVED: there is no certificate yet"
    if progress is None:
        how = ": certtui dry-run proves it" if farewell.live(interview) else ""
        return f"SET UP, NOT PROVED{how}"
    count = f"{progress.count('ok')} of {len(progress.states)}"
    if progress.proved:
        return f"SET UP AND PROVED: dry run renewed {count}"
    if progress.cancelled:
        tried = f"{progress.tried} of {len(progress.states)}"
        return f"SET UP, NOT PROVED: the dry run was cancelled after {tried}"
    then = "; mend it, then: certtui dry-run" if farewell.live(interview) else ""
    return f"SET UP, NOT PROVED: dry run renewed {count}{then}"


def _next(interview: Interview) -> list[str]:
    try:
        return [line[11:].strip() for line in explain.next_runs(interview, 2)]
    except CerttuiError as error:
        return [str(error)]


def _mail(interview: Interview) -> str:
    values = interview.values()
    if not values["mail.to"]:
        return "none; runs are in /var/lib/certtui/runs.log"
    when = {"failure": "on failure", "every-failure": "on every failure", "always": "on every run"}
    how = ": certtui drill" if farewell.live(interview) else ""
    return f"{values['mail.to']} {when[values['mail.on']]}; not proved yet{how}"


def _first(interview: Interview) -> list[str]:
    """How to get a first certificate, where there is none."""
    from certtui.renewal.commands import first_certificate

    facts = interview.facts
    if facts is None or facts.lineages:
        return []
    command = first_certificate(interview.document(lenient=True).plan, facts)
    then = ["then: certtui dry-run"] if farewell.live(interview) else []
    return _block("First", [command, *then])


def _failed(progress: Progress) -> list[str]:
    failed = progress.failed
    lines = [f"{name}: {progress.brief(name, '')}" for name in failed[:_NAMED]]
    more = len(failed) - _NAMED
    return [*lines, f"and {more} more"] if more > 0 else lines


def _block(head: str, lines: list[str]) -> list[str]:
    return [f"  {head if not number else '':<11}{line}" for number, line in enumerate(lines)]


class Done(Body):
    """The last page. With the ``job`` of a dry run it can be tried again."""

    step = "Done"
    free = False

    def __init__(self, progress: Progress | None, job: Job | None = None) -> None:
        super().__init__()
        self._progress = progress
        self._job = job

    def compose(self) -> ComposeResult:
        yield Static(classes="heading", markup=False)
        yield Static(id="text", markup=False)

    def on_mount(self) -> None:
        self._show()

    def on_resize(self) -> None:
        self._show()
        self.wizard.refresh_frame()

    def resume(self) -> None:
        self._show()

    def _show(self) -> None:
        width = max(20, self.size.width or 80)
        short = self.wizard.size.height < 20
        headline, _, *lines = summary(self.interview, self._progress, short=width * short)
        self.query_one(".heading", Static).set_class(short, "tight")
        self.query_one(".heading", Static).update(headline)
        proved = self._progress is not None and self._progress.proved
        heading = self.query_one(".heading", Static)
        heading.set_class(proved, "-good")
        heading.set_class(self._progress is not None and not proved, "-bad")
        hang = " " * _HANG
        folded = [
            part
            for line in lines
            for part in textwrap.wrap(line, width, subsequent_indent=hang, break_on_hyphens=False)
            or [""]
        ]
        self.query_one("#text", Static).update("\n".join(folded))

    @property
    def _unproved(self) -> bool:
        return self._job is not None and self._progress is not None and not self._progress.proved

    def works(self) -> Keys:
        keys: Keys = [("Enter", "leave")]
        if self._unproved:
            keys.append(("r", "retry"))
        if self._has_doctor:
            keys.append(("d", "doctor"))
        keys.append(("s", "status"))
        if self.overflows():
            keys.append(("PgDn", "more"))
        return [*keys, ("?", "help")]

    @property
    def _has_doctor(self) -> bool:
        from certtui.tui.screens.welcome import has_doctor

        return has_doctor(self.wizard.session)

    def help(self) -> list[str]:
        return _HELP

    def accept(self) -> None:
        self.wizard.finish()

    def letter(self, key: str) -> None:
        from certtui.tui.screens.doctor_page import DoctorPage
        from certtui.tui.screens.dry_run import DryRun
        from certtui.tui.screens.status_page import StatusPage

        if key == "r" and self._unproved:
            assert self._job is not None
            self.wizard.go(self.wizard.show(DryRun(self._job, self._progress)))
        elif key == "d" and self._has_doctor:
            self.wizard.go(self.wizard.detour(DoctorPage()))
        elif key == "s":
            self.wizard.go(self.wizard.detour(StatusPage()))

    async def leave(self) -> bool:
        return True
