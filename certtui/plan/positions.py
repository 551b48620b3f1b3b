"""Where each key of a TOML text stands, so that a problem can be shown as ``line:column``.

tomlkit keeps comments and order but gives no positions. This is a walk over text that is (but for
duplicate keys) valid TOML 1.0: it finds keys and skips values, and never interprets them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SPACE = re.compile(r"[ \t]*")
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BASIC = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_LITERAL = re.compile(r"'[^'\n]*'")
_LONG_BASIC = re.compile(r'"""(?:[^\\]|\\.)*?"""(?!")', re.DOTALL)
_LONG_LITERAL = re.compile(r"'''.*?'''(?!')", re.DOTALL)
_PLAIN = re.compile(r"[^,\]}#\r\n]+")
_ESCAPE = re.compile(r'\\(["\\])')


class ScanError(ValueError):
    """The text is not TOML at the given offset."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"not TOML at offset {offset}")
        self.offset = offset


@dataclass(frozen=True)
class Entry:
    """One key. ``path`` is its full dotted path; ``start`` and ``end`` are offsets of its text,
    for a table header those of the header alone."""

    path: tuple[str, ...]
    start: int
    end: int
    header: str = ""  # "[" for a table, "[[" for one of an array of tables


def line_column(text: str, offset: int) -> tuple[int, int]:
    """Line and column of an offset, both counted from 1, columns in characters."""
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def scan(text: str) -> list[Entry]:
    """Every table header and every key in order. Raises :class:`ScanError`."""
    return _Walk(text).document()


class _Walk:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.entries: list[Entry] = []

    def document(self) -> list[Entry]:
        table: tuple[str, ...] = ()
        while True:
            self._skip(_BLANK)
            if self.at >= len(self.text):
                return self.entries
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._end_of_line()

    def _header(self) -> tuple[str, ...]:
        start = self.at
        mark = "[[" if self.text.startswith("[[", start) else "["
        self.at += len(mark)
        path = self._key()
        self._expect(mark.replace("[", "]"))
        self.entries.append(Entry(path, start, self.at, mark))
        return path

    def _pair(self, prefix: tuple[str, ...]) -> None:
        start = self.at
        path = prefix + self._key()
        self._expect("=")
        self._skip(_SPACE)
        index = len(self.entries)
        self._value(path)
        self.entries.insert(index, Entry(path, start, self.at))

    def _key(self) -> tuple[str, ...]:
        parts: list[str] = []
        while True:
            self._skip(_SPACE)
            parts.append(self._key_part())
            self._skip(_SPACE)
            if not self.text.startswith(".", self.at):
                return tuple(parts)
            self.at += 1

    def _key_part(self) -> str:
        for pattern in (_BARE, _BASIC, _LITERAL):
            found = pattern.match(self.text, self.at)
            if found:
                self.at = found.end()
                part = found.group()
                return _ESCAPE.sub(r"\1", part[1:-1]) if part[0] in "\"'" else part
        raise ScanError(self.at)

    def _value(self, path: tuple[str, ...]) -> None:
        if self.text.startswith("[", self.at):
            self._sequence("]", lambda: self._value(path))
        elif self.text.startswith("{", self.at):
            self._sequence("}", lambda: self._pair(path))
        else:
            for pattern in (_LONG_BASIC, _LONG_LITERAL, _BASIC, _LITERAL, _PLAIN):
                found = pattern.match(self.text, self.at)
                if found:
                    self.at = found.end()
                    return
            raise ScanError(self.at)

    def _sequence(self, close: str, item: object) -> None:
        assert callable(item)
        self.at += 1
        while True:
            self._skip(_BLANK)
            if self.text.startswith(close, self.at):
                self.at += 1
                return
            item()
            self._skip(_BLANK)
            if self.text.startswith(",", self.at):
                self.at += 1
            elif not self.text.startswith(close, self.at):
                raise ScanError(self.at)

    def _end_of_line(self) -> None:
        self._skip(_SPACE)
        if self.at < len(self.text) and self.text[self.at] not in "#\r\n":
            raise ScanError(self.at)

    def _expect(self, mark: str) -> None:
        self._skip(_SPACE)
        if not self.text.startswith(mark, self.at):
            raise ScanError(self.at)
        self.at += len(mark)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self.text, self.at)
        if found:
            self.at = found.end()
