"""A drill for people, line by line, and as one JSON object."""

from __future__ import annotations

from typing import Any

from certtui.drill.model import Outcome, Step
from certtui.host.visible import visible


def step_text(step: Step) -> str:
    """One step that has ended, as a line, and below it what mends it."""
    mark = "ok  " if step.ok else "FAIL"
    note = f": {visible(step.message)}" if step.message else ""
    mend = f"\n     mend: {visible(step.mend)}" if step.mend else ""
    return f"{mark} {step.what}{note}{mend}"


def wait_text(sentence: str) -> str:
    """What is waited for."""
    return f"     {visible(sentence)}"


def summary(outcome: Outcome) -> str:
    """The last line."""
    broken = outcome.broken
    if broken is not None:
        mend = f"; mend: {broken.mend}" if broken.mend else ""
        return visible(f'not proved: it broke at "{broken.what}": {broken.message}{mend}')
    return visible(f"proved: {outcome.proved}")


def to_json(outcome: Outcome) -> dict[str, Any]:
    """The shape of docs/drill.schema.json."""
    mail = outcome.mail
    return {
        "ok": outcome.ok,
        "kind": outcome.kind,
        "id": outcome.id,
        "backend": outcome.backend,
        "steps": [
            {"what": step.what, "ok": step.ok, "message": step.message, "mend": step.mend}
            for step in outcome.steps
        ],
        "mail": {"to": mail.to, "queue_id": mail.queue_id, "delivered": mail.delivered},
        "served": outcome.served,
        "summary": summary(outcome),
        "seconds": round(outcome.seconds, 1),
    }
