"""What doctor finds: the worst first, and what was seen, wanted and mends the one in hand."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.widgets import Static

from certtui.ask import explain
from certtui.tui.body import Body, Keys
from certtui.tui.choices import ChoiceList, Row
from certtui.tui.frame import rule
from certtui.tui.lines import Lines

if TYPE_CHECKING:
    from certtui.doctor.finding import Finding

_HELP = [
    "Doctor looks for everything that would keep a renewal from happening, or from being told.",
    "It changes nothing. `certtui doctor` prints the same.",
    "",
    "  FAIL   a renewal will not happen, will not be loaded, or nobody will hear that it failed",
    "  CRASH  the check itself broke: please report it",
    "  warn   it works now, but may not always",
    "  skip   could not be looked at, or is not needed with this plan",
    "  ok     as it should be",
    "",
    "  Enter    the line in hand as a page to read: the mend, what was wanted, what was seen",
    "  PgDn     read on in what is shown below the list",
    "  r        look again, for example after the command that mends it",
    "  Esc      back",
]

#: Columns of the words before what they say, in what is shown of a finding.
_HEAD = 6


class DoctorPage(Body, can_focus=False):
    """The findings of ``certtui doctor``, as a list."""

    step = "Doctor"

    def __init__(self) -> None:
        super().__init__()
        self.findings: list[Finding] = []
        self.looking = False
        self._width = 0
        #: whether the last line says that there is more to read
        self._more = False

    def compose(self) -> ComposeResult:
        yield Static(classes="status", markup=False)
        yield Static(classes="problem", markup=False)
        yield ChoiceList([], id="findings")
        yield Static(classes="rule", markup=False)
        yield Lines()

    def on_mount(self) -> None:
        self.query_one(Lines).can_focus = False
        self._look()

    def on_resize(self) -> None:
        if self.size.width != self._width:
            self._width = self.size.width
            self._list()
            self._show(self._at or 0)

    def _look(self) -> None:
        self.looking = True
        self.say("")
        self.query_one(".status", Static).update(explain.LOOKING)
        self.wizard.background(self._work, self._found, self._failed)
        self.wizard.refresh_frame()

    def _work(self) -> list[Finding]:
        """In the worker."""
        from certtui import lookups
        from certtui.doctor import report
        from certtui.doctor.check import is_needless

        found = report.ranked(lookups.doctor_for(self.wizard.session))
        return [finding for finding in found if not is_needless(finding)]

    def _found(self, findings: list[Finding]) -> None:
        from certtui.doctor import report

        if not self.is_attached:
            return  # left before the answer came
        self.looking = False
        self.findings = findings
        self.query_one(".status", Static).update(report.headline(findings))
        self._list()
        self.query_one("#findings", ChoiceList).highlighted = 0 if findings else None
        self._show(0)
        self.wizard.refresh_frame()

    def _failed(self, sentence: str, code: int) -> None:
        del code
        if not self.is_attached:
            return
        self.looking = False
        self.query_one(".status", Static).update("Nothing was looked at")
        self.say(sentence)
        self.wizard.refresh_frame()

    # -- what is shown -------------------------------------------------------------------------

    def _list(self) -> None:
        from certtui.doctor import report

        room = max(20, self.size.width - 2)
        rows = []
        for finding in self.findings:
            about = "" if finding.subject else f"{finding.id.partition('.')[0]}: "
            text = f"{report.word(finding):<5} {about}{report.sentence(finding)}"
            rows.append(Row(text if len(text) <= room else f"{text[: room - 3]}..."))
        self.query_one("#findings", ChoiceList).rows(rows)

    def highlighted(self, index: int) -> None:
        self._show(index)

    def _show(self, index: int) -> None:
        self.query_one(Lines).replace(self._lines(index) if index < len(self.findings) else ())
        self.moved()

    def _lines(self, index: int) -> Iterator[str]:
        """One finding: what is said, what mends it, what was wanted, seen, and why it matters."""
        from certtui.doctor import report
        from certtui.doctor.finding import Status

        finding = self.findings[index]
        yield from self._folded("", report.sentence(finding))
        if finding.fix is not None:
            # Never folded between words: it is there to be copied.
            yield f"{'mend':<{_HEAD}}{shlex.join(finding.fix.argv)}"
        if finding.expected:
            yield from self._folded("want", finding.expected)
        for number, line in enumerate(finding.evidence.splitlines()):
            yield from self._folded("" if number else "seen", line)
        if finding.why and finding.status not in (Status.OK, Status.SKIP):
            yield from self._folded("why", finding.why)

    def _folded(self, head: str, text: str) -> Iterator[str]:
        room = max(20, (self.size.width or 80) - _HEAD)
        for number, line in enumerate(textwrap.wrap(text, room, break_on_hyphens=False) or [""]):
            yield f"{'' if number else head:<{_HEAD}}{line}"

    def moved(self) -> None:
        at = self._at
        name = self.findings[at].id if at is not None else ""
        position = self.query_one(Lines).position
        line = self.query_one(".rule", Static)
        line.display = bool(name)
        line.update(rule(name, position, self.size.width))
        self.call_after_refresh(self._measure)

    def _measure(self) -> None:
        more = self.is_attached and self.query_one(Lines).max_scroll_y > 0
        if more != self._more:
            self._more = more
            self.wizard.refresh_frame()

    @property
    def _at(self) -> int | None:
        """The finding in hand."""
        at = self.query_one("#findings", ChoiceList).highlighted
        return at if at is not None and at < len(self.findings) else None

    # -- keys ----------------------------------------------------------------------------------

    def works(self) -> Keys:
        keys: Keys = []
        if self._at is not None:
            keys.append(("Enter", "read it"))
        keys.append(("", explain.LOOKING) if self.looking else ("r", "look again"))
        if self._more:
            keys.append(("PgDn", "more"))
        return [*keys, ("Esc", "back"), ("?", "help"), ("q", "quit")]

    def help(self) -> list[str]:
        return _HELP

    def letter(self, key: str) -> None:
        if key == "r" and not self.looking:
            self._look()

    def accept(self) -> None:
        from certtui.tui.screens.text import Text

        at = self._at
        if at is not None:
            self.wizard.go(self.wizard.detour(Text(self.findings[at].id, list(self._lines(at)))))
