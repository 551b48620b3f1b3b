"""What Review says about a preview: pure lines of text, for any width."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Callable, Iterator, Sequence

from certtui.change.model import Action, FileChange, Preview
from certtui.tui.decisions import KEEP
from certtui.tui.frame import shorten

#: What was decided about a file, or "".
Decided = Callable[[FileChange], str]

_MARKS = {"new": "+", "changed": "~", "removed": "-", "conflict": "!", "same": " "}

#: The order in which states are counted, conflicts apart.
_COUNTED = ("new", "changed", "removed", "same")

#: Columns from which the list names owners; the line below it always does.
_OWNERS = 96

#: Columns from which a row has room for a whole sentence about a conflict.
_ROOMY = 76


def ordered(preview: Preview) -> list[FileChange]:
    """The files in the order of the preview, but what has to be decided first."""
    place = {"conflict": 0, "same": 2}
    return sorted(preview.files, key=lambda change: place.get(change.state, 1))


def headline(preview: Preview, actions: Sequence[Action], undecided: int, width: int) -> str:
    """One line that fits: what there is, and that nothing is written."""
    written = "; nothing is written yet"
    if preview.refusals:
        return "Apply would refuse this" + written
    if not preview.changed:
        count = len(preview.files)
        return f"In sync: {_many(count, 'file')} as wanted" + written
    counted = [
        f"{count} {state}"
        for state in _COUNTED
        if (count := sum(change.state == state for change in preview.files))
    ]
    head = []
    if preview.conflicts:
        open_ = f" ({undecided} to decide)" if undecided else ""
        head = [_many(len(preview.conflicts), "conflict") + open_]
    tail = [_many(len(actions), "command")] if actions else []
    files = _many(len(preview.files), "file")
    for parts in ([*head, *counted, *tail], [files, *head, *tail], head or [files]):
        line = ", ".join(parts) + written
        if len(line) <= width:
            break
    return line


def rows(changes: Sequence[FileChange], decided: Decided, width: int) -> list[str]:
    """One line a file: state, mode, owner where there is room, path, lines added and removed."""
    notes = [_note(change, decided(change), width) for change in changes]
    added = max((len(note.split()[0]) for note in notes if note.startswith("+")), default=0)
    notes = [_aligned(note, added) for note in notes]
    column = max((len(note) for note in notes), default=0)
    longest = max((len(change.path) for change in changes), default=0)
    lines = []
    for change, note in zip(changes, notes, strict=True):
        owner = f"{change.owner:<9}  " if width >= _OWNERS else ""
        head = f"{_MARKS[change.state]} {change.state:<8}  {change.mode:04o}  {owner}"
        # A note that is longer than most takes its room from its own path alone.
        room = width - len(head) - 2 - max(len(note), min(column, 11))
        room = max(12, min(room, longest))
        path = shorten(change.path, room)
        lines.append(f"{head}{path:<{room}}  {note}".rstrip())
    return lines


def _aligned(note: str, added: int) -> str:
    """Lines added end in the same column, those removed come behind them."""
    if note.startswith("-") and added:
        return " " * (added + 1) + note
    return " " * (added - len(note.split()[0])) + note if note.startswith("+") else note


def _note(change: FileChange, word: str, width: int) -> str:
    if change.state == "conflict":
        if not word:
            return "k keep, r replace" if width >= _ROOMY else "k or r?"
        return f"{word}, decided" if width >= _ROOMY else word
    added, removed = change.counts()
    if not added and not removed:
        return "" if change.state == "same" else "mode or owner" if width >= _ROOMY else "mode"
    return " ".join([f"+{added}"] * bool(added) + [f"-{removed}"] * bool(removed))


def one(change: FileChange, word: str, width: int) -> list[str]:
    """A file: why it is there, what is to be decided, and the diff."""
    lines = list(_about(change, word, width))
    if change.state == "same":
        return lines
    return [*lines, *change.diff().splitlines()]


def _about(change: FileChange, word: str, width: int) -> Iterator[str]:
    if change.state == "same":
        yield from _prose(f"{change.reason}: is as it should be, and stays", width)
        return
    yield from _prose(change.reason, width)
    if change.state != "conflict":
        return
    taken = "taken away" if change.after is None else "replaced"
    yield from _prose(
        "k  keep: it stays and is what counts; `certtui diff` goes on to show the difference",
        width,
        chosen=word == KEEP,
    )
    yield from _prose(
        f"r  replace: it is {taken} as shown; its bytes are saved, `certtui undo` restores them",
        width,
        chosen=bool(word) and word != KEEP,
    )


def _prose(text: str, width: int, *, chosen: bool = False) -> list[str]:
    head = "#>" if chosen else "# "
    return textwrap.wrap(
        text,
        max(20, width),
        initial_indent=head,
        subsequent_indent="#    " if text[1:3] == "  " else "# ",
        break_on_hyphens=False,
    )


def commands(actions: Sequence[Action], width: int) -> list[str]:
    """The commands in their order, each with its reason."""
    lines: list[str] = []
    for action in actions:
        lines.append(f"$ {shlex.join(action.argv)}")
        lines += textwrap.wrap(
            action.why, max(20, width), initial_indent="    ", subsequent_indent="    "
        )
    return lines


def refusals(sentences: Sequence[str], width: int) -> list[str]:
    """Why apply would refuse, and what to do."""
    lines: list[str] = []
    for sentence in sentences:
        lines += textwrap.wrap(
            f"Apply would refuse: {sentence}",
            max(20, width),
            initial_indent="! ",
            subsequent_indent="  ",
            break_on_hyphens=False,
            break_long_words=False,
        )
    end = "Mend it in another terminal, then r looks again; or Esc, and another answer."
    return [*lines, "", *textwrap.wrap(end, max(20, width))]


def whole(
    changes: Sequence[FileChange], actions: Sequence[Action], decided: Decided, width: int
) -> list[str]:
    """Everything that would change, and every command."""
    lines: list[str] = []
    for change in changes:
        if change.state != "same":
            head = f"# {change.state} {change.mode:04o} {change.owner} {change.path}"
            lines += [head, *one(change, decided(change), width), ""]
    return lines + (commands(actions, width) or ["# no commands"])


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"
