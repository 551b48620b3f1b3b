"""The status for programs: the shape of ``status --json`` (docs/status.schema.json)."""

from __future__ import annotations

import math
from datetime import datetime, timezone
from typing import Any

from certtui.status.model import CertificateStatus, Status
from certtui.status.trouble import trouble


def to_json(status: Status) -> dict[str, Any]:
    """Times are ISO 8601 in UTC; ``served`` is null where nobody here serves this one."""
    mail = status.last_mail
    return {
        "trouble": trouble(status),
        "certificates": [_certificate(item) for item in status.certificates],
        "schedule": {
            "backend": status.backend or None,
            "runs_per_day": status.runs or None,
            "next": [
                {"earliest": _iso(run.earliest), "latest": _iso(run.latest)} for run in status.next
            ],
            "last": [
                {
                    "time": _iso(run.time),
                    "trigger": run.trigger,
                    "result": run.result,
                    "seconds": run.seconds,
                    "detail": run.detail,
                }
                for run in status.last
            ],
        },
        "pending_deploy": list(status.pending),
        "last_mail": {"time": _iso(mail.time), "sent": mail.sent, "text": mail.text}
        if mail
        else None,
        "notes": list(status.notes),
    }


def _certificate(item: CertificateStatus) -> dict[str, Any]:
    return {
        "name": item.name,
        "domains": list(item.domains),
        "not_before": _iso(item.not_before) if item.not_before else None,
        "not_after": _iso(item.not_after) if item.not_after else None,
        "lifetime_days": item.lifetime_days,
        "days_left": _cut(item.days_left),
        "attempts_left": item.tries_left,
        "due": item.due,
        "overdue": item.overdue,
        "issuer": item.issuer or None,
        "key": item.key or None,
        "serial": item.serial or None,
        "served": item.is_served,
        "served_state": item.served.state,
        "served_message": item.served.message,
        "error": item.error,
    }


def _cut(days: float | None) -> float | None:
    """Two digits, never more than there is: 84.0 means at least 84 whole days."""
    return None if days is None else math.floor(days * 100 + 1e-6) / 100


def _iso(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
