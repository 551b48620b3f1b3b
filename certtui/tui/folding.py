"""Text that is read, folded between words; what goes on stands under where it began."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator

#: What a line begins with: its indentation, or its first column and the blanks after it.
_HEAD = re.compile(r"\s+(?:\S+(?: \S+)*\s{2,})?|\S+(?: \S+)*\s{3,}")

#: A column wider than this part of the line is no column.
_MOST = 0.6


def folded(lines: Iterable[str], width: int) -> Iterator[str]:
    """The same lines, none wider than ``width`` unless a word is."""
    for line in lines:
        if len(line) <= width:
            yield line
            continue
        head = _HEAD.match(line)
        indent = head.end() if head and head.end() <= width * _MOST else 2
        yield from textwrap.wrap(
            line,
            max(10, width),
            subsequent_indent=" " * indent if head else "",
            break_on_hyphens=False,
        )
