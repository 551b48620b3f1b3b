"""Everything that apply would do; nothing is written from here but by the key ``a``."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from textual import events
from textual.app import ComposeResult
from textual.widgets import Static

from certtui.ask.explain import LOOKING
from certtui.errors import ExitCode
from certtui.tui import preview as say
from certtui.tui.body import Body, Keys
from certtui.tui.choices import ChoiceList, Row
from certtui.tui.decisions import KEEP, REPLACE
from certtui.tui.frame import rule
from certtui.tui.lines import Lines, diff_style, no_style
from certtui.tui.screens.text import WholeDiff

if TYPE_CHECKING:
    from certtui.change.model import Action, FileChange, Preview
    from certtui.workflow import Job

_HELP = [
    "Review: nothing is written yet.",
    "",
    "  a       apply exactly what is shown; if the host changes meanwhile, apply refuses",
    "  Enter   the whole diff, every file and command",
    "  Up Down choose a file; its diff is below, PgDn and PgUp scroll it",
    "  k       conflict: keep the file as it is",
    "  r       conflict: replace it; its old bytes are saved, `certtui undo` restores them",
    "  r       elsewhere: look at this host again",
    "  =       every answer        q   quit; your answers are kept",
    "",
    "new: will be written        changed: will be rewritten      same: is right already",
    "removed: not in the plan any more        conflict: certtui did not write what is there",
]

_HURRIED = "a came with other keys, as pasted text does: nothing was applied; press a."
_IN_SYNC = "Nothing has to change. With a, apply tries every renewal, and so proves it."

#: Rows of the list that are no file.
_REFUSED, _COMMANDS = "refused", "commands"

#: What their part below is called.
_RULES = {_REFUSED: "why apply would refuse", _COMMANDS: "commands, in this order"}

#: Lines that the diff keeps at least.
_DIFF = 6


class Review(Body, can_focus=False):
    """The file list, and the diff of the file in hand."""

    step = "Review"

    def __init__(self) -> None:
        super().__init__()
        self.job: Job | None = None
        self.preview: Preview | None = None
        self.actions: tuple[Action, ...] = ()
        self.problem = ""
        #: a user who may not even look: root has to
        self.unseen = False
        self._looking = True
        self._answers: dict[str, Any] = {}
        self._entries: list[FileChange | str] = []

    def compose(self) -> ComposeResult:
        yield Static(LOOKING, classes="status", markup=False)
        yield Static(classes="problem", markup=False)
        yield ChoiceList([], id="files")
        yield Static(classes="rule", markup=False)
        yield Lines(style=diff_style)

    def on_mount(self) -> None:
        self.query_one(Lines).can_focus = False
        self.look()

    def on_resize(self, event: events.Resize) -> None:
        height = event.size.height
        self.query_one("#files", ChoiceList).styles.max_height = max(
            4, min(height // 2, height - _DIFF - 2)
        )
        self._redraw()
        self._show(self._at)

    # -- looking -------------------------------------------------------------------------------

    def look(self) -> None:
        """Compares anew, in a worker."""
        self.preview, self.problem, self.unseen, self._looking = None, "", False, True
        self._entries, self._answers = [], self.interview.values()
        self._redraw()
        self.query_one(".status", Static).update(LOOKING)
        self.say("")
        self.wizard.background(self._compare, self._compared, self._failed)
        self.wizard.refresh_frame()

    def _compare(self) -> tuple[Job, Preview, tuple[Action, ...]]:
        """In the worker: everything slow."""
        interview, decisions = self.interview, self.wizard.decisions
        if interview.stale or decisions.stale:
            interview.learn(interview.gather())
            decisions.stale = False
        job = interview.job()
        preview = job.draft().preview
        played = interview.session.played
        return job, preview, preview.actions + (tuple(played(job)) if played else ())

    def _failed(self, sentence: str, code: int) -> None:
        if not self.is_attached:
            return  # left before the answer came
        self._looking, self._entries = False, []
        self.unseen = code == ExitCode.NEEDS_ROOT and not self.wizard.session.may_apply
        if self.unseen:
            status = "Only root can see what would change; nothing is written yet"
            sentence += "\na saves your plan and shows the command for root."
        else:
            status = "This cannot be applied; nothing is written"
            self.problem = sentence
            sentence += "\nMend it, then r looks again; or Esc, and another answer."
            self.wizard.decisions.stale = True
        self.query_one(".status", Static).update(status)
        self._redraw()
        self.query_one(Lines).replace(())
        self.say(sentence)
        self.wizard.refresh_frame()

    def _compared(self, found: tuple[Job, Preview, tuple[Action, ...]]) -> None:
        if not self.is_attached:
            return
        self._looking = False
        self.job, self.preview, self.actions = found
        self.problem = "\n".join(self.preview.refusals)
        self.wizard.decisions.stale = bool(self.preview.refusals)
        self._entries = [_REFUSED] if self.preview.refusals else []
        self._entries += say.ordered(self.preview)
        self._entries += [_COMMANDS] if self.actions else []
        self._redraw()
        # What stands in the way or has to be decided is first, and comes first to the eye.
        self.query_one("#files", ChoiceList).highlighted = 0 if self._entries else None
        self._show(0)
        self.wizard.refresh_frame()

    # -- what is shown -------------------------------------------------------------------------

    def _redraw(self) -> None:
        """The status and the list."""
        width = self.size.width or 80
        decided = self.wizard.decisions.of
        files = [entry for entry in self._entries if not isinstance(entry, str)]
        lines = iter(say.rows(files, decided, max(40, width - 2)))
        self.query_one("#files", ChoiceList).rows(
            [Row(self._special(e) if isinstance(e, str) else next(lines)) for e in self._entries]
        )
        if self.preview is not None:
            text = say.headline(self.preview, self.actions, self.undecided, width)
            self.query_one(".status", Static).update(text)

    def _special(self, entry: str) -> str:
        assert self.preview is not None
        if entry == _REFUSED:
            count = len(self.preview.refusals)
            return f"! refused   {count} reason{'s' * (count > 1)}, and what mends each"
        count = len(self.actions)
        return f"$ run       {count} command{'s' * (count > 1)}, in this order"

    @property
    def _at(self) -> int:
        return self.query_one("#files", ChoiceList).highlighted or 0

    @property
    def _in_hand(self) -> FileChange | str:
        return self._entries[self._at] if self._at < len(self._entries) else ""

    def highlighted(self, index: int) -> None:
        self._show(index)

    def _show(self, index: int) -> None:
        if index < len(self._entries):
            entry, width = self._entries[index], self.size.width or 80
            style = no_style if entry == _REFUSED else diff_style
            self.query_one(Lines).replace(self._lines(entry, width), style)
        self.moved()

    def _lines(self, entry: FileChange | str, width: int) -> list[str]:
        assert self.preview is not None
        if entry == _REFUSED:
            return say.refusals(self.preview.refusals, width)
        if isinstance(entry, str):
            return say.commands(self.actions, width)
        lines = say.one(entry, self.wizard.decisions.of(entry), width)
        if not self.preview.changed:
            lines = [*textwrap.wrap(_IN_SYNC, width), "", *lines]
        return lines

    def moved(self) -> None:
        entry, width = self._in_hand, self.size.width
        position = self.query_one(Lines).position
        if isinstance(entry, str):
            text = _RULES.get(entry, "")
        else:
            text = f"{entry.path.rpartition('/')[2]}  {entry.mode:04o} {entry.owner}"
            number = f"{self._at + 1}/{len(self._entries)} "
            # A name is never shortened for a number.
            text = number * (len(number + text + position) + 8 <= width) + text
        self.query_one(".rule", Static).update(rule(text, position, width))

    # -- keys ----------------------------------------------------------------------------------

    @property
    def undecided(self) -> int:
        """Conflicts nobody decided yet."""
        conflicts = self.preview.conflicts if self.preview else ()
        return sum(not self.wizard.decisions.of(change) for change in conflicts)

    @property
    def ready(self) -> bool:
        """Whether ``a`` applies."""
        seen = self.preview is not None and not self.problem and not self.undecided
        return seen or self.unseen

    @property
    def _conflict(self) -> FileChange | None:
        """The conflict in hand."""
        entry = self._in_hand
        return None if isinstance(entry, str) or entry.state != "conflict" else entry

    def works(self) -> Keys:
        keys: Keys = []
        if self.preview is not None:
            keys.append(("Enter", "whole diff"))
        if self.ready:
            keys.append(("a", "apply"))
        if self._conflict:
            keys += [("k", "keep"), ("r", "replace")]
        elif self.problem:
            keys.append(("r", "look again"))
        if self.preview is not None and self.query_one(Lines).max_scroll_y > 0:
            keys.append(("PgDn", "scroll"))
        quits = [] if self._conflict else [("q", "quit")]
        return [*keys, ("Esc", "back"), ("?", "help"), *quits]

    def help(self) -> list[str]:
        return _HELP

    def accept(self) -> None:
        if self.preview is not None:
            files = [entry for entry in self._entries if not isinstance(entry, str)]
            decided, width = self.wizard.decisions.of, self.size.width
            lines = say.whole(files, self.actions, decided, width)
            self.wizard.go(self.wizard.detour(WholeDiff("the whole diff", lines, diff_style)))

    def resume(self) -> None:
        """Other answers have other files."""
        if self.interview.values() != self._answers:
            self.look()

    def letter(self, key: str) -> None:
        conflict = self._conflict
        if key == "a" and self.ready and self.wizard.hurried:
            self.say(_HURRIED)
        elif key == "a" and self.ready:
            self._apply()
        elif key == "a" and self.undecided and not self.problem:
            self._remind()
        elif key in ("k", "r") and conflict:
            self.wizard.decisions.decide(conflict, KEEP if key == "k" else REPLACE)
            self.say("")
            self._redraw()
            self._show(self._at)
            self.wizard.refresh_frame()
        elif key == "r" and not self._looking:
            self.wizard.decisions.stale = True
            self.look()

    def _remind(self) -> None:
        """``a`` while a conflict is open: goes to it and says what is missing."""
        decided = self.wizard.decisions.of
        for number, entry in enumerate(self._entries):
            if not isinstance(entry, str) and entry.state == "conflict" and not decided(entry):
                self.query_one("#files", ChoiceList).highlighted = number
                self.say("First decide about this file: k keeps it, r replaces it.")
                return

    def _apply(self) -> None:
        from certtui.tui.screens.applying import Applying, HandOver

        if not self.wizard.session.may_apply:
            self.wizard.go(self.wizard.show(HandOver()))
            return
        assert self.job is not None and self.preview is not None
        decisions = self.wizard.decisions
        # Whoever comes back from there comes to a look at the host as it is then.
        decisions.stale = True
        consent = decisions.consent(self.preview.conflicts)
        self.wizard.go(self.wizard.show(Applying(self.job, self.preview, consent)))
