"""Whether an earlier certtui left something behind: asked at every start, so with ``os`` alone.

The rooms that mend it would take a fifth of the time until the wizard's first picture.
"""

from __future__ import annotations

import os

#: As ``change.store`` and ``change.outcome`` have them.
JOURNAL = "/var/lib/certtui/journal"
RECORD = "/var/lib/certtui/last-apply.jsonl"
STATE = "/var/lib/certtui/state.json"
#: As ``drill.trace`` has it, and what is left where that was being written.
DRILL = "/var/lib/certtui/drill-at-work"
_HALF = "/var/lib/certtui/.drill-at-work.certtui-new~"


def unfinished(root: str = "/") -> bool:
    """Whether the journal holds more than the generations that undo takes back, or is hidden."""
    try:
        names = os.listdir(root.rstrip("/") + JOURNAL)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return not all(name.isdecimal() for name in names)


def drilled(root: str = "/") -> bool:
    """Whether there is a fire drill that is under way or was killed."""
    return any(os.path.lexists(root.rstrip("/") + path) for path in (DRILL, _HALF))


def recorded(root: str = "/") -> bool:
    """Whether there is an apply that nobody saw end."""
    return os.path.lexists(root.rstrip("/") + RECORD)


def applied(root: str = "/") -> bool:
    """Whether anything was ever applied, or cannot be known."""
    try:
        os.lstat(root.rstrip("/") + STATE)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True
