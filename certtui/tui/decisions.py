"""What the administrator decided about files that certtui did not write; outlives the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from certtui.change.apply import Consent
    from certtui.change.model import FileChange, Snapshot

KEEP, REPLACE = "keep", "replace"


class Decisions:
    """Keep or replace, for each conflict; one holds as long as the same is at the path."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[Snapshot | None, str]] = {}
        #: whether something was refused or failed since, so that the host may be another now
        self.stale = False

    def decide(self, change: FileChange, word: str) -> None:
        """Takes ``KEEP`` or ``REPLACE`` for a conflict."""
        self._made[change.path] = (change.before, word)

    def of(self, change: FileChange) -> str:
        """What was decided, or ""; nothing is if the file was changed again since."""
        before, word = self._made.get(change.path, (None, ""))
        return word if change.state == "conflict" and before == change.before else ""

    def consent(self, conflicts: Sequence[FileChange]) -> Consent:
        """What apply may do about them."""
        from certtui.change.apply import Consent

        decided = {change.path: self.of(change) for change in conflicts}
        keep, replace = (
            frozenset(path for path, found in decided.items() if found == word)
            for word in (KEEP, REPLACE)
        )
        return Consent(keep=keep, replace=replace)
