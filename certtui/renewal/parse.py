"""What certbot prints, line by line, as what became of each certificate.

The wordings are certbot's from 0.40 to 5.8 (``certbot/_internal/renewal.py``, ``hooks.py``). A
certificate has renewed only when certbot's table of results has a row for it that says so: an exit
status of 0 alone says nothing, for certbot gives it too when it found nothing to do. A hook that
fails is a failure here, though to certbot it is none (certbot #8528): with it, the renewed
certificate would not be in use.
"""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from certtui.host.facts import Lineage
from certtui.renewal.events import Event, LineageResult, LineageStarted
from certtui.renewal.reasons import Reason, shorten, understand

#: How many lines are kept for a certificate about which certbot says nothing else.
_TAIL = 20

#: How many of certbot's lines about one certificate are kept for its reason.
_NOTES = 40

_LOCKED = "Another instance of Certbot is already running."

_HEADERS = (
    ("success", r"Congratulations, all .*succeeded|The following .*(?:succeeded|ly renewed):"),
    ("failure", r"All .*failed\. The following|The following .*(?:failed|not be renewed):"),
    ("skipped", r"The following cert\S* are not due for renewal yet:"),
    ("parsefail", r"Additionally, the following renewal configurations were invalid:"),
)
_SECTIONS = tuple((name, re.compile(pattern)) for name, pattern in _HEADERS)
_ROW = re.compile(r" {2}(\S.*?)(?: expires on \S+)? \((success|failure|skipped|parsefail)\)")

_FAILED = re.compile(
    r"Failed to renew certificate (?P<name>.+?) with error: (?P<error>.*)"
    r"|Attempting to renew cert \((?P<old>.+?)\) from .+? produced an unexpected error: (?P<why>.*)"
)
_BROKEN = re.compile(r"Renewal configuration file .+|The error was: .*")
_DETAIL = re.compile(r" {2,}(Domain|Identifier|Type|Detail): +(.*)")
_MANUAL = re.compile(r"Hook '--manual-.*' for .* reported error|manual-\S+ command .* error code")
_HOOK = re.compile(
    r"Hook '(pre|post|deploy|renew)-hook' reported error code (\d+)"
    r'|(pre|post|deploy|renew)-hook command "(.*)" returned error code (\d+)'
)
_HOOK_SAID = re.compile(
    r"Hook '(?:pre|post|deploy|renew)-hook' ran with (?:error )?output:"
    r"|Error output from (?:pre|post|deploy|renew)-hook command .*:"
)
_CLOSING = re.compile(r"Ask for help or search|\d+ renew failure|[- ]*$|Saving debug log")


@dataclass
class _Hook:
    """A hook that failed. ``name`` is the lineage a deploy hook ran for, empty for the others."""

    kind: str
    code: str
    name: str
    command: str = ""
    said: str = ""
    speaks: bool = False  # its output comes next

    @property
    def reason(self) -> Reason:
        command = f" {self.command}" if self.command else ""
        said = f": {shorten(self.said)}" if self.said else ""
        failed = f"failed with exit status {self.code}"
        return Reason(
            f"the renewal works, but the {self.kind} hook{command} {failed}{said}",
            "run it by hand to see why",
            short=f"it renews, but the {self.kind} hook failed{self._briefly}",
            remedy="run the hook by hand",
        )

    @property
    def _briefly(self) -> str:
        return f" ({shorten(self.said, 60)})" if self.said else f" with {self.code}"


@dataclass
class Reader:
    """Follows one certbot command; ``expected`` are the lineages it has to renew."""

    expected: tuple[Lineage, ...]
    locked: bool = False
    current: str = ""
    _section: str = ""
    _processing: str | None = None  # a path that certbot folded at column 80
    _listening: _Hook | None = None  # a hook whose first words come next
    _rows: dict[str, str] = field(default_factory=dict)
    _errors: dict[str, Reason] = field(default_factory=dict)
    _told: dict[str, LineageResult] = field(default_factory=dict)
    _hooks: list[_Hook] = field(default_factory=list)
    _broken: dict[str, str] = field(default_factory=dict)
    _notes: list[str] = field(default_factory=list)
    _tail: deque[str] = field(default_factory=lambda: deque(maxlen=_TAIL))

    def feed(self, text: str, seconds: float) -> Iterator[Event]:
        """One whole line; what it says about a lineage."""
        if text.startswith(_LOCKED):
            self.locked = True
        if not _CLOSING.match(text):
            self._tail.append(shorten(text.strip()))
        if self._is_hook(text) or self._is_row(text):
            return
        yield from self._progress(text, seconds)

    def finish(
        self, code: int, why: str, seconds: float, *, without_row: str = "failed"
    ) -> Iterator[LineageResult]:
        """What became of each lineage, those that were told of before only if it has changed.

        ``why`` is a sentence where the run did not end by itself; "" where it ended with ``code``.
        ``without_row`` is the result of a lineage that certbot did not come to.
        """
        names = [lineage.name for lineage in self.expected]
        # Rows of others: they have come since the facts were gathered.
        for name in dict.fromkeys([*names, *self._rows]):
            result, reason = self._judge(name, code, why, without_row)
            yield from self._tell(name, result, reason, seconds)

    @property
    def last_words(self) -> str:
        """The last line that says something, or ""."""
        return next((line for line in reversed(self._tail) if line), "")

    @property
    def results(self) -> tuple[LineageResult, ...]:
        """What was told, the expected lineages first."""
        return tuple(self._told.values())

    # -- while it runs -------------------------------------------------------------------------

    def _progress(self, text: str, seconds: float) -> Iterator[Event]:
        name = self._is_processing(text)
        if name:
            self.current = name
            self._notes.clear()
            yield LineageStarted(name, seconds)
            return
        failed = _FAILED.match(text)
        if failed:
            name = failed["name"] or failed["old"]
            if text.startswith(f"Failed to renew certificate {self.current} with error: "):
                name = self.current
            error = failed["error"] or (failed["why"] or "").removesuffix(". Skipping.")
            self._errors[name] = understand(self._words(error))
            yield from self._tell(name, "failed", self._errors[name], seconds)
        elif self.current and _BROKEN.match(text):
            said = self._broken.get(self.current, "")
            self._broken[self.current] = shorten(f"{said} {text}".strip())
        elif (_DETAIL.match(text) or _MANUAL.match(text)) and len(self._notes) < _NOTES:
            self._notes.append(shorten(" ".join(text.split())))

    def _is_processing(self, text: str) -> str:
        """The lineage named by ``Processing PATH``, which certbot may fold at any space."""
        if self._processing is None:
            if text != "Processing" and not text.startswith("Processing "):
                return ""
            self._processing = text.removeprefix("Processing").lstrip()
        elif text:
            self._processing = f"{self._processing} {text}".lstrip()
        path, suffix = self._processing, ".conf"
        if path.endswith(suffix) and "/renewal/" in path:
            self._processing = None
            return self._name(path)
        if len(path) > 8192 or text.startswith("- -"):
            self._processing = None
        return ""

    def _words(self, error: str) -> str:
        """The CA's details say more than certbot's "Some challenges have failed."."""
        if self._notes and error.startswith("Some challenges have failed"):
            return " ".join(self._notes)
        return " ".join([error, *self._notes])

    def _is_hook(self, text: str) -> bool:
        found = _HOOK.match(text)
        if found:
            kind, code = found[1] or found[3], found[2] or found[5]
            name = self.current if kind in ("deploy", "renew") else ""
            self._listening = _Hook(kind, code, name, found[4] or "")
            self._hooks.append(self._listening)
            return True
        if _HOOK_SAID.match(text):
            if self._listening is not None:
                self._listening.said, self._listening.speaks = "", True  # errors come last
            return True
        return self._hears(text)

    def _hears(self, text: str) -> bool:
        """Whether a line is what a failed hook said; before certbot 2.0 it is not indented."""
        hook = self._listening
        if hook is None or not hook.speaks:
            return False
        if text.startswith(" ") or (hook.command and not hook.said):
            hook.said = hook.said or text.strip()
            return True
        self._listening = None
        return False

    def _is_row(self, text: str) -> bool:
        """A row counts only below its heading, so that no hook's words are taken for one."""
        row = _ROW.fullmatch(text) if self._section else None
        if row and row[2] == self._section:
            # An error after the renewal itself gives one lineage a row of each kind.
            name = self._name(row[1])
            if self._rows.get(name, "success") == "success":
                self._rows[name] = row[2]
            return True
        if text:
            headings = (name for name, pattern in _SECTIONS if pattern.match(text))
            self._section = next(headings, "")
        return bool(self._section)

    def _name(self, path: str) -> str:
        """The lineage that a path in certbot's words belongs to."""
        for lineage in self.expected:
            if path in (lineage.certificate, lineage.config):
                return lineage.name
        folder, file = os.path.split(path)
        return file.removesuffix(".conf") if file.endswith(".conf") else os.path.basename(folder)

    # -- its end -------------------------------------------------------------------------------

    def _judge(self, name: str, code: int, why: str, without_row: str) -> tuple[str, Reason | None]:
        """The result of a lineage and its reason."""
        row = self._rows.get(name, "")
        if row == "success" and name not in self._errors:
            hook = next((hook for hook in self._hooks if hook.name in ("", name)), None)
            return ("failed", hook.reason) if hook else ("ok", None)
        if row == "skipped":
            return "skipped", Reason("certbot passed over it: not due yet")
        if row or name in self._errors or name in self._broken:
            return "failed", self._reason(name, row)
        if why:
            return without_row, Reason(why)
        return without_row, silence(code, " ".join(self._tail), self.last_words)

    def _reason(self, name: str, row: str) -> Reason:
        if name in self._errors:
            return self._errors[name]
        if row == "parsefail" or name in self._broken:
            said = self._broken.get(name, "")
            return Reason("certbot cannot use its configuration", "correct or remove it", said)
        return Reason()

    def _tell(
        self, name: str, word: str, reason: Reason | None, seconds: float
    ) -> Iterator[LineageResult]:
        sentence = reason.sentence if reason else ""
        result = LineageResult(name, word, sentence, seconds, reason)
        before = self._told.get(name)
        self._told[name] = result
        if before is None or (before.result, before.reason) != (result.result, result.reason):
            yield result


def silence(code: int, said: str, last: str) -> Reason:
    """Why there is no result at all, by the exit status and the last lines."""
    how = f"was ended by signal {-code}" if code < 0 else f"ended with exit status {code}"
    known = understand(said)
    what = known.sentence if known.cause else f"its last words: {last or 'none'}"
    return Reason(
        f"certbot did not say what became of it and {how}; {what}",
        short=known.short or f"certbot {how} and did not say why",
        remedy=known.remedy or "read its last words",
    )
