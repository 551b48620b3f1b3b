"""What renews on this host today."""

from __future__ import annotations

import textwrap

from textual.app import ComposeResult
from textual.widgets import Static

from certtui import explain, welcome
from certtui import interview as talk
from certtui.plan.fields import BY_KEY
from certtui.tui.body import Body, Keys

_HELP = [
    "certtui makes the renewal of this host's certificates certain.",
    "",
    "It asks a few questions, shows every file and command before anything is written,",
    "applies exactly that, and proves it with a live dry run of every renewal.",
    "Nothing is written before you press a on the page called Review.",
    "",
    "Keys that work on every page:",
    "  Enter   accept what is shown and go on (on Review: open the whole diff)",
    "  Esc     back; it never quits, and no answer is lost",
    "  =  F2   every answer; Enter there goes to its question",
    "  o       rarely needed answers of the step",
    "  ?  F1   help for the step",
    "  q       leave (Ctrl+Q where text is typed); answers are kept for the next time",
    "",
    "Afterwards: certtui status, certtui doctor, certtui undo.",
]


class Welcome(Body):
    """What was found, filled in when it is known."""

    step = "Welcome"

    def compose(self) -> ComposeResult:
        yield Static("What renews here today", classes="heading", markup=False)
        yield Static(id="found", markup=False)
        yield Static(id="next", classes="note", markup=False)

    def on_mount(self) -> None:
        self.facts_arrived()

    def on_resize(self) -> None:
        self.facts_arrived()

    def facts_arrived(self) -> None:
        width = max(20, (self.size.width or 80) - 18)
        unknown = "not known" if self.wizard.facts_error else explain.LOOKING
        lines: list[str] = []
        for head, text in welcome.rows(self.interview, unknown=unknown):
            first, *more = textwrap.wrap(text, width, break_on_hyphens=False) or [""]
            lines.append(f"  {head:<14}{first}")
            lines += [f"{'':<16}{line}" for line in more]
        self.query_one("#found", Static).update("\n".join(lines))
        self.query_one("#next", Static).update("\n".join(self._next()))

    def _next(self) -> list[str]:
        if self.wizard.facts_error:
            return [f"This host could not be looked at: {self.wizard.facts_error}"]
        lines = [self.wizard.session.before] if self.wizard.session.before else []
        if self.interview.facts is None:
            return lines
        if self.interview.resumed:
            lines.append("Your answers of last time are taken up; = lists them.")
        elif self.interview.session.base is not None:
            lines.append(f"The answers of {self.interview.session.base.file} are taken up.")
        values = self.interview.values()
        runs = len(values["schedule.times"]) or values["schedule.runs_per_day"]
        backend = talk.shown(BY_KEY["schedule.backend"], values["schedule.backend"])
        server = talk.shown(BY_KEY["webserver.kind"], values["webserver.kind"])
        lines.append(f"Set up renewal: {backend}, {runs} a day, web server {server}")
        return lines

    def works(self) -> Keys:
        if self.wizard.facts_error:
            return [("r", "look again"), ("?", "help"), ("q", "quit")]
        if self.interview.facts is None:
            return [("", explain.LOOKING), ("?", "help"), ("q", "quit")]
        return [("Enter", "go on"), ("=", "answers"), ("?", "help"), ("q", "quit")]

    def help(self) -> list[str]:
        return _HELP

    def letter(self, key: str) -> None:
        if key == "r" and self.wizard.facts_error:
            self.wizard.look()
            self.facts_arrived()

    def accept(self) -> None:
        if self.interview.facts is not None:
            self.wizard.go(self.wizard.forward(None))
