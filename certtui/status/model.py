"""What ``certtui status`` shows, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from certtui.doctor.records.history import PastRun
from certtui.doctor.records.lastmail import LastMail
from certtui.host.served import Served
from certtui.render.times import Run


@dataclass(frozen=True)
class CertificateStatus:
    """One lineage. ``days_left`` is negative once expired; None where nothing could be read.

    ``tries_left`` counts the runs between now, or the moment certbot begins to renew, and expiry.
    ``overdue``: it could have been renewed for days, or by several runs, and was not.
    ``key`` is "ECDSA P-256" or "RSA 2048"; ``serial`` is hexadecimal; ``issuer`` is a common name.
    """

    name: str
    domains: tuple[str, ...]
    not_before: datetime | None
    not_after: datetime | None
    lifetime_days: float | None
    days_left: float | None
    tries_left: int | None
    due: bool
    overdue: bool
    error: str
    served: Served
    issuer: str = ""
    key: str = ""
    serial: str = ""
    hidden: bool = False  # only root may look at it

    @property
    def is_served(self) -> bool | None:
        """False where its names are served with what is not on disk.

        None where they are not served here, or with the certificate of another lineage.
        """
        if self.served.state in ("covered", "absent", "nobody", "unknown"):
            return None
        return self.served.state == "same"

    @property
    def expired(self) -> bool:
        return self.days_left is not None and self.days_left < 0


@dataclass(frozen=True)
class Status:
    """Everything that is shown; ``notes`` are sentences about what is missing.

    ``backend`` and ``runs`` a day are the plan's, "" and 0 without one. ``mails`` is whether the
    plan sends mail and its last one could be looked for. ``unscheduled``: nothing starts a run.
    ``stopped`` is the kind of the plan's web server where it does not run. ``seen`` is whether
    all facts could be; ``hidden``, whether there are certificates that only root may look at.
    """

    now: datetime
    certificates: tuple[CertificateStatus, ...]
    next: tuple[Run, ...]
    last: tuple[PastRun, ...]  # newest first
    pending: tuple[str, ...]
    notes: tuple[str, ...]
    last_mail: LastMail | None = None
    backend: str = ""
    runs: int = 0
    mails: bool = False
    unscheduled: bool = False
    stopped: str = ""
    seen: bool = True
    hidden: bool = False
