"""Everything that apply would do; nothing is written from here but by the key ``a``."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.widgets import Static

from certtui.errors import ExitCode
from certtui.tui.body import Body, Keys
from certtui.tui.choices import ChoiceList, Row
from certtui.tui.frame import rule, shorten
from certtui.tui.lines import Lines, diff_style

if TYPE_CHECKING:
    from certtui.change.model import Action, FileChange, Preview
    from certtui.workflow import Job

_MARKS = {"new": "+", "changed": "~", "removed": "-", "conflict": "!", "same": " "}

_HELP = [
    "Review: nothing is written yet.",
    "",
    "  a       apply exactly what is shown; if the host changes meanwhile, apply refuses",
    "  Enter   the whole diff, every file and command",
    "  Up Down choose a file; its diff is below, PgDn and PgUp scroll it",
    "  k       conflict: keep the file as it is",
    "  r       conflict: replace it; its old bytes are saved, `certtui undo` restores them",
    "",
    "new: will be written        changed: will be rewritten      same: is right already",
    "removed: not in the plan any more        conflict: certtui did not write what is there",
]


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
        self.keep: set[str] = set()
        self.replace: set[str] = set()
        self._files: list[FileChange] = []

    def compose(self) -> ComposeResult:
        yield Static("looking at this host...", classes="status", markup=False)
        yield Static(classes="problem", markup=False)
        yield ChoiceList([], id="files")
        yield Static(classes="rule", markup=False)
        yield Lines(style=diff_style)

    def on_mount(self) -> None:
        self.query_one(Lines).can_focus = False
        self.look()

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.height < 18, "-small")
        self.query_one("#files", ChoiceList).rows(self._rows())
        if self._files:
            self._summary()

    def look(self) -> None:
        """Compares anew, in a worker."""
        self.preview = None
        self.wizard.background(self._compare, self._compared, self._failed)

    def _compare(self) -> None:
        """In the worker: everything slow."""
        interview = self.interview
        if interview.stale:
            interview.learn(interview.gather())
        job = interview.job()
        preview = job.draft().preview
        played = interview.session.played
        self.actions = preview.actions + (tuple(played(job)) if played else ())
        self.job, self.preview = job, preview

    def _failed(self, sentence: str, code: int) -> None:
        self.unseen = code == ExitCode.NEEDS_ROOT and not self.wizard.session.may_apply
        status = "This cannot be applied; nothing is written"
        if self.unseen:
            status = "Only root can see what would change; nothing is written yet"
            sentence += "\na saves your plan and shows the command for root."
        else:
            self.problem = sentence
        self.query_one(".status", Static).update(status)
        self.say(sentence)
        self.wizard.refresh_frame()

    def _compared(self, nothing: None) -> None:
        del nothing
        assert self.preview is not None
        self._files = sorted(self.preview.files, key=lambda change: change.state == "same")
        self.query_one("#files", ChoiceList).rows(self._rows())
        if self.preview.refusals:
            self.problem = "\n".join(self.preview.refusals)
            self.say("\n".join(f"Apply would refuse: {why}" for why in self.preview.refusals))
        self._summary()
        # What has to be decided comes first to the eye.
        states = [change.state for change in self._files]
        first = states.index("conflict") if "conflict" in states else 0
        self.query_one("#files", ChoiceList).highlighted = first
        self._show(first)
        self.wizard.refresh_frame()

    # -- what is shown -------------------------------------------------------------------------

    def _summary(self) -> None:
        assert self.preview is not None
        counted = [
            f"{sum(change.state == state for change in self._files)} {state}"
            for state in ("new", "changed", "removed", "same")
            if any(change.state == state for change in self._files)
        ]
        conflicts = len(self.preview.conflicts)
        counted += [f"{conflicts} conflict{'s' * (conflicts > 1)}"] if conflicts else []
        files, end = f"Files: {', '.join(counted)}", "nothing is written yet"
        short = f"Files: {len(self._files)}; {end}"
        for text in (f"{files}; commands: {len(self.actions)}; {end}", f"{files}; {end}", short):
            if len(text) <= self.size.width:
                break
        self.query_one(".status", Static).update(text)

    def _rows(self) -> list[Row]:
        width = max(24, self.size.width - 31)
        rows = [Row(self._row(change, width)) for change in self._files]
        if self.actions:
            rows.append(Row(f"$ run       {len(self.actions)} commands, in this order"))
        return rows

    def _row(self, change: FileChange, width: int) -> str:
        head = f"{_MARKS[change.state]} {change.state:<9} {change.mode:04o}  "
        if change.state == "conflict":
            decided = "keep" if change.path in self.keep else "k keep, r replace"
            decided = "replace" if change.path in self.replace else decided
            return head + shorten(change.path, width + 8 - len(decided)) + f"  {decided}"
        added, removed = change.counts()
        counts = f"+{added}" * bool(added) + f" -{removed}" * bool(removed)
        return head + shorten(change.path, width).ljust(width) + f" {counts:>9}".rstrip()

    def highlighted(self, index: int) -> None:
        self._show(index)

    def _show(self, index: int) -> None:
        lines = self.query_one(Lines)
        if index < len(self._files):
            lines.replace(self._diff(self._files[index]))
        else:
            lines.replace(self._commands())
        self.moved()

    def _diff(self, change: FileChange) -> list[str]:
        reason = change.reason
        if change.state == "conflict":
            reason += ": k keep, r replace (`certtui undo` restores it)"
        return [f"# {reason}", *change.diff().splitlines()]

    def _commands(self) -> list[str]:
        lines: list[str] = []
        for action in self.actions:
            lines += [f"$ {shlex.join(action.argv)}", f"    {action.why}"]
        return lines

    def moved(self) -> None:
        at = self.query_one("#files", ChoiceList).highlighted
        name = ""
        if at is not None and at < len(self._files):
            change = self._files[at]
            name = f"{change.path.rpartition('/')[2]}  {change.mode:04o} {change.owner}"
        elif at is not None and self._files:
            name = "commands, in this order"
        position = self.query_one(Lines).position
        self.query_one(".rule", Static).update(rule(name, position, self.size.width))

    # -- keys ----------------------------------------------------------------------------------

    @property
    def undecided(self) -> int:
        """Conflicts nobody decided yet."""
        if self.preview is None:
            return 0
        return sum(c.path not in self.keep | self.replace for c in self.preview.conflicts)

    @property
    def ready(self) -> bool:
        """Whether ``a`` applies."""
        seen = self.preview is not None and not self.problem and not self.undecided
        return seen or self.unseen

    def works(self) -> Keys:
        keys: Keys = []
        if self.preview is not None:
            keys.append(("Enter", "whole diff"))
        if self.ready:
            keys.append(("a", "apply"))
        if self.preview is not None:
            if self.preview.conflicts:
                keys += [("k", "keep"), ("r", "replace")]
            keys.append(("PgDn", "scroll"))
        return [*keys, ("Esc", "back"), ("=", "answers"), ("?", "help"), ("q", "quit")]

    def help(self) -> list[str]:
        return _HELP

    def accept(self) -> None:
        from certtui.tui.screens.text import Text

        if self.preview is None:
            return
        lines: list[str] = []
        for change in self._files:
            if change.state != "same":
                lines += [
                    f"# {change.state} {change.mode:04o} {change.owner} {change.path}",
                    *self._diff(change),
                    "",
                ]
        lines += self._commands() or ["# no commands"]
        self.wizard.go(self.wizard.detour(Text("the whole diff", lines, diff_style)))

    def letter(self, key: str) -> None:
        if key == "a" and self.ready:
            self._apply()
        elif key in ("k", "r") and self.preview is not None:
            self._decide(key)

    def _decide(self, key: str) -> None:
        files = self.query_one("#files", ChoiceList)
        at = files.highlighted
        if at is None or at >= len(self._files) or self._files[at].state != "conflict":
            return
        path = self._files[at].path
        chosen, other = (self.keep, self.replace) if key == "k" else (self.replace, self.keep)
        chosen.add(path)
        other.discard(path)
        files.rows(self._rows())
        self.wizard.refresh_frame()

    def _apply(self) -> None:
        from certtui.change.apply import Consent
        from certtui.tui.screens.applying import Applying, HandOver

        if not self.wizard.session.may_apply:
            self.wizard.go(self.wizard.show(HandOver()))
            return
        assert self.job is not None and self.preview is not None
        consent = Consent(keep=frozenset(self.keep), replace=frozenset(self.replace))
        self.wizard.go(self.wizard.show(Applying(self.job, self.preview, consent)))
