"""What makes hosts differ, and one host stay as it is: numbers from its machine id."""

from __future__ import annotations

import hashlib

from certtui.host.facts import Facts
from certtui.plan.model import Plan


def number(plan: Plan, facts: Facts) -> int:
    """A large number of this host and this unit's name, the same on every apply."""
    return int.from_bytes(_digest(plan, facts)[:8], "big")


def key(plan: Plan, facts: Facts) -> str:
    """16 hex digits of this host, independent of :func:`number`: what slots are drawn with."""
    return _digest(plan, facts)[8:16].hex()


def _digest(plan: Plan, facts: Facts) -> bytes:
    """Without a machine id (machine-id(5)) the host's name has to do."""
    host = facts.system.machine_id or facts.system.hostname
    return hashlib.sha256(f"{host}:{plan.files.unit}".encode()).digest()
