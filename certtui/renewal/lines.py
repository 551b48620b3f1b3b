"""The bytes of a terminal as lines that can be shown anywhere; memory stays bounded."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import NamedTuple

#: Characters after which a line without an end is cut.
LONGEST = 16_384

# ECMA-48: CSI (5.4), the strings OSC, DCS, SOS, PM, APC with their ends, any other escape.
_SEQUENCE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]?"
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"
    r"|\x1b[ -/]*[0-~]?"
)

# Controls, and the characters that make text read other than it is (Unicode TR 36, bidi).
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


class Piece(NamedTuple):
    """A line, or a part of one too long: ``goes_on`` says that it does not begin one."""

    text: str
    goes_on: bool


class Lines:
    """Gathers bytes into lines; what has no line's end yet waits."""

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._rest = ""
        self._goes_on = False

    def feed(self, data: bytes) -> Iterator[Piece]:
        """The lines that these bytes complete."""
        *whole, self._rest = (self._rest + self._decode(data)).split("\n")
        for line in whole:
            yield from self._cut(line)
            yield self._piece(line[len(line) // LONGEST * LONGEST :], last=True)
        if len(self._rest) >= LONGEST:
            yield from self._cut(self._rest)
            self._rest = self._rest[len(self._rest) // LONGEST * LONGEST :]

    def flush(self) -> Iterator[Piece]:
        """What is left when nothing more will come."""
        rest, self._rest = self._rest + self._decode(b"", final=True), ""
        if rest or self._goes_on:
            yield self._piece(rest, last=True)

    def _cut(self, line: str) -> Iterator[Piece]:
        for start in range(0, len(line) - LONGEST + 1, LONGEST):
            yield self._piece(line[start : start + LONGEST], last=False)

    def _piece(self, text: str, *, last: bool) -> Piece:
        piece = Piece(clean(text), self._goes_on)
        self._goes_on = not last
        return piece


def clean(line: str) -> str:
    """A line without control sequences; of one written over itself (CR), the last writing."""
    line = line.rstrip("\r")
    if line.isprintable():
        return line.rstrip()
    line = _SEQUENCE.sub("", line).rstrip("\r").rpartition("\r")[2]
    return _CONTROL.sub("", line.expandtabs(4)).rstrip()
