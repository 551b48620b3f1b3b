"""Whether an earlier certtui left something behind: asked at every start, so with ``os`` alone.

The rooms that mend it would take a fifth of the time until the wizard's first picture.
"""

from __future__ import annotations

import os

#: As ``change.store.JOURNAL`` and ``change.outcome.RECORD`` have them.
JOURNAL = "/var/lib/certtui/journal"
RECORD = "/var/lib/certtui/last-apply.jsonl"


def unfinished(root: str = "/") -> bool:
    """Whether the journal holds more than the generations that undo takes back, or is hidden."""
    try:
        names = os.listdir(root.rstrip("/") + JOURNAL)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return not all(name.isdecimal() for name in names)


def recorded(root: str = "/") -> bool:
    """Whether there is an apply that nobody saw end."""
    return os.path.lexists(root.rstrip("/") + RECORD)
