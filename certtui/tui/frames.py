"""What was sent to each row of the terminal last, so that it is not sent again.

Textual draws a new page several times while it finds its size and its facts: 2.5 KB at 80x24 each
time, though most rows stay as they are. Between two pages everything is sent once (see
:meth:`Frames.forget`), which also takes away what wall(1) or the kernel has written in between.
"""

from __future__ import annotations

import re

#: Textual's drawing of a frame or of a part of one: a line for each row, which begins with a move
#: of the cursor to it (CUP, ECMA-48 8.3.21), and at the end a move to where the cursor belongs.
_FRAME = re.compile(r"\x1b\[(\d+);\d+H")
#: Modes switched on and off, such as the cursor's: no row changes by them.
_MODES = re.compile(r"(?:\x1b\[\?\d+[hl])+")
_CURSOR = re.compile(r"\x1b\[\d+;\d+H\Z")


class Frames:
    """The rows of a terminal by what was written to them last."""

    def __init__(self) -> None:
        self._rows: dict[str, str] = {}

    def forget(self) -> None:
        """The terminal may show anything: all of the next frame is sent."""
        self._rows.clear()

    def news(self, data: str) -> str:
        """What has to be sent for it; what is no frame is passed on as it is.

        Writing to a row what was the last thing to be written to it changes nothing.
        """
        if not _FRAME.match(data):
            if not _MODES.fullmatch(data):
                self.forget()
            return data
        cursor = _CURSOR.search(data)
        end = cursor.start() if cursor else len(data)
        kept = [line for line in data[:end].split("\n") if self._is_new(line)]
        return "".join(kept) + data[end:]

    def _is_new(self, line: str) -> bool:
        move = _FRAME.match(line)
        if move is None:
            self._rows.clear()
            return bool(line)
        if self._rows.get(move[1]) == line:
            return False
        self._rows[move[1]] = line
        return True
