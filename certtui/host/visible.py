"""What came from the host, made safe to print: file names, file contents, what programs said."""

from __future__ import annotations


def visible(line: str) -> str:
    """A line without what a terminal would act on; tabs stay, the rest becomes ``\\xNN``."""
    return "".join(c if c.isprintable() or c == "\t" else f"\\x{ord(c):02x}" for c in line)
