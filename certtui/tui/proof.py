"""What the page of the dry run says beside its progress: pure lines of text, for any width."""

from __future__ import annotations

import textwrap

from certtui.renewal.reasons import usual
from certtui.tui.frame import rule
from certtui.tui.progress import Progress

_HELP = [
    "Every renewal is tried now against a test server; no certificate is replaced.",
    "",
    "  c       cancel: certbot is asked to stop, and is waited for",
    "  r       once it is over: try those again that failed",
    "  PgUp Up read back: the log is paused, certbot goes on",
    "  End     follow the log again",
    "",
    "tried: certbot went on to the next one; at its end it tells which have renewed.",
    "",
]


def help_lines(progress: Progress, path: str, width: int) -> list[str]:
    """The keys and the usual mends, then all that failed; ``path`` is the full log's, or ""."""
    found = [*_HELP, "What usually keeps a renewal from working, and what mends it:"]
    column = max(len(cause) for cause, _ in usual())
    found += [f"  {cause:<{column}}  {mend}" for cause, mend in usual()]
    if path:
        found += ["", f"The full log is in {path}"]
    if progress.failed:
        found += ["", "What failed, with certbot's own words:", *progress.explained(width)]
    return found


def rule_text(path: str) -> str:
    """What the line above the log says where the full log is at ``path``."""
    return f"full log: {path}"


def fits(path: str, rows: int, width: int) -> bool:
    """Whether that line holds the whole path beside any position in a log of so many rows."""
    last = "9" * len(str(rows))
    line = rule(rule_text(path), f"{last}-{last} of {last}", width)
    return path in line and len(line) <= width


def log_line(path: str, width: int) -> list[str]:
    """The path in lines of its own; not folded at a hyphen, for it is there to be copied."""
    return textwrap.wrap(f"Full log: {path}", width, break_on_hyphens=False)
