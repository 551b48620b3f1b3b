"""What renews on this host today, and what can be done about it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.widgets import Static

from certtui.ask import explain, welcome
from certtui.tui.body import Body, Keys
from certtui.tui.choices import ChoiceList, Row
from certtui.tui.frame import keys_line
from certtui.tui.lines import Lines

if TYPE_CHECKING:
    from certtui.ask.session import Session

#: Rows a terminal needs for blank lines between the parts, and columns for one column of notes.
_ROOMY, _WIDE = 20, 70

_HELP = [
    "certtui makes the renewal of this host's certificates certain. It asks a few questions, "
    "shows every file and command before anything is written, applies exactly that, and proves "
    "it with a live dry run of every renewal.",
    "Nothing is written before you press a on the page called Review.",
    "",
    "On this page:",
    "  Enter   open the line with the > ; on the first line: the questions",
    "  d       Doctor: what is wrong here, and what mends it",
    "  s       Status: certificates, tries left, next and last runs",
    "",
    "On every page:",
    "  Enter   accept what is shown and go on (on Review: open the whole diff)",
    "  Esc     back; it never quits, and no answer is lost",
    "  =  F2   every answer; Enter there goes to its question",
    "  o  F3   rarely needed answers of the step",
    "  ?  F1   help for the step",
    "  q       leave (Ctrl+Q where text is typed); answers are kept for the next time",
    "",
    "What the words mean:",
    "  due         certbot would renew it at its next run",
    "  overdue     it should have, days ago",
    "  not proved  the program is there; F4 on the Mail page sends a test mail, and once it is",
    "              set up, certtui drill proves that news of a failure arrives",
    "  not active  it is there, but starts nothing as things stand",
    "",
    "Afterwards: certtui status, certtui doctor, certtui drill, certtui undo.",
]


def has_doctor(session: Session) -> bool:
    """Whether there is a running machine that doctor could look at, and not a folder alone."""
    return session.root == "/" or session.doctor is not None


class Welcome(Body, can_focus=False):
    """What was found, filled in when it is known, and a menu that is always in view."""

    step = "Welcome"

    def __init__(self) -> None:
        super().__init__()
        self._shown: list[str] = []
        #: whether not even the least of it fits
        self._more = False

    def compose(self) -> ComposeResult:
        yield Static("What renews here today", classes="heading", markup=False)
        yield Lines(id="found")
        yield Static(classes="note", markup=False)
        yield ChoiceList(self._menu(), id="menu")

    def on_mount(self) -> None:
        self.query_one(Lines).can_focus = False
        self.facts_arrived()

    def on_resize(self) -> None:
        self.facts_arrived()

    def resume(self) -> None:
        self.facts_arrived()

    def facts_arrived(self) -> None:
        width = self.wizard.size.width
        notes = [part for line in self._notes() for part in textwrap.wrap(line, max(1, width - 2))]
        self.query_one(".note", Static).display = bool(notes)
        self.query_one(".note", Static).update("\n".join(f"  {line}" for line in notes))
        self.query_one("#menu", ChoiceList).rows(self._menu())
        found = self._fitted(len(notes))
        if found != self._shown:
            self._shown = found
            lines = self.query_one("#found", Lines)
            lines.styles.max_height = len(found)
            lines.replace(found)

    def _fitted(self, noted: int) -> list[str]:
        """What was found, in the rows that heading, notes and menu leave to it.

        Those of the window count and not those of this body: its last line grows with PgDn.
        """
        width, height = self.wizard.size
        head = len(self._first()) + 3 if width >= _WIDE else welcome.HEAD
        unknown = "not known" if self.wizard.facts_error else explain.LOOKING

        def fit(rows: int) -> list[str]:
            return welcome.fitted(self.interview, width, rows, head=head, unknown=unknown)

        keys = keys_line(self._keys(more=False), width)
        frame = 1 + self.screen.has_class("-tall") + len(keys.splitlines())
        room = height - frame - 1 - noted - len(self._menu())
        # Blank rows between the parts are given up where something would have to be left out.
        blank = 2 + bool(noted)
        tight = height < _ROOMY and len(fit(height * 2)) > room - blank
        self.set_class(tight, "-tight")
        room -= 1 if tight else blank
        found = fit(room)
        more = len(found) > room
        if more != self._more:
            self._more = more
            self.wizard.refresh_frame()
        return found

    def _notes(self) -> list[str]:
        if self.wizard.facts_error:
            return [f"This host could not be looked at: {self.wizard.facts_error}"]
        return welcome.notes(self.interview)

    def _first(self) -> str:
        return "Change the set-up" if welcome.applied(self.interview) else "Set up renewal"

    def _menu(self) -> list[Row]:
        known = self.interview.facts is not None
        waits = "not yet: r looks again" if self.wizard.facts_error else explain.LOOKING
        rows = [Row(self._first(), welcome.set_up(self.interview) if known else waits)]
        if self._has_doctor:
            rows.append(Row("Doctor", "what is wrong here, and what mends it"))
        return [*rows, Row("Status", "certificates, next and last runs")]

    @property
    def _has_doctor(self) -> bool:
        return has_doctor(self.wizard.session)

    def works(self) -> Keys:
        return self._keys(more=self._more)

    def _keys(self, *, more: bool) -> Keys:
        keys: Keys = [("Enter", "go on")]
        if self._at:
            keys = [("Enter", "open")]
        elif self.wizard.facts_error:
            keys = [("r", "look again")]
        elif self.interview.facts is None:
            keys = [("", "looking...")]
        keys += [("d", "doctor")] if self._has_doctor else []
        keys += [("s", "status")]
        keys += [("PgDn", "more")] if more else []
        return [*keys, ("=", "answers"), ("?", "help"), ("q", "quit")]

    def help(self) -> list[str]:
        return [line for line in _HELP if self._has_doctor or "Doctor:" not in line]

    @property
    def _at(self) -> int:
        """The line of the menu with the cursor."""
        return self.query_one("#menu", ChoiceList).highlighted or 0

    def letter(self, key: str) -> None:
        if key == "r" and self.wizard.facts_error:
            self.wizard.look()
            self.facts_arrived()
            self.wizard.refresh_frame()
        elif key == "s" or (key == "d" and self._has_doctor):
            self._open(doctor=key == "d")

    def accept(self) -> None:
        if self._at:
            self._open(doctor=self._has_doctor and self._at == 1)
        elif self.interview.facts is not None:
            self.wizard.go(self.wizard.forward(None))

    def _open(self, *, doctor: bool) -> None:
        from certtui.tui.screens.doctor_page import DoctorPage
        from certtui.tui.screens.status_page import StatusPage

        self.wizard.go(self.wizard.detour(DoctorPage() if doctor else StatusPage()))
