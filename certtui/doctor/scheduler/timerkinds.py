"""What can be wrong with our timer and the service that it starts, and what follows from it."""

from __future__ import annotations

from certtui.doctor.check import Kind
from certtui.doctor.finding import Status

TIMER = Kind(
    "timer.scheduled",
    Status.FAIL,
    "the timer is enabled, active and will elapse",
    "A timer has many ways to be there and never to start anything.",
)
MISSING = Kind(
    "timer.missing",
    Status.FAIL,
    "systemd knows the timer",
    "Nothing starts the renewal.",
)
REFUSED = Kind(
    "timer.refused",
    Status.FAIL,
    "systemd accepts the units",
    "A unit that systemd refuses may go on as it was until a reboot; then it is not there.",
)
MASKED = Kind(
    "timer.masked",
    Status.FAIL,
    "neither the timer nor its service is masked",
    "A masked unit is never started, by hand or at boot (systemctl(1), mask).",
)
INSTALL = Kind(
    "timer.no-install",
    Status.FAIL,
    "[Install] WantedBy=timers.target: it is back after a reboot",
    "Without [Install] systemctl enable exits 0 and does nothing: it is gone after a reboot.",
)
ENABLED = Kind(
    "timer.not-enabled",
    Status.FAIL,
    "the timer is enabled: it is back after a reboot",
    "An active timer that is not enabled works until the next reboot, perhaps for months.",
)
ACTIVE = Kind(
    "timer.not-active",
    Status.FAIL,
    "the timer is active: enabled alone starts nothing",
    "systemctl enable without --now starts a timer at the next boot only.",
)
RELOAD = Kind(
    "timer.needs-reload",
    Status.FAIL,
    "systemd has read the units as they are on disk",
    "systemd goes on with what it read before; what is on disk counts from the next daemon-reload "
    "or boot.",
)
NEXT = Kind(
    "timer.no-next",
    Status.FAIL,
    "systemd knows when the timer elapses next",
    "An active timer whose times are all over, or cannot be computed, stays active for ever and "
    "starts nothing (a date in the past; systemd.time(7)).",
)
EXEC = Kind(
    "timer.exec",
    Status.FAIL,
    "the timer starts the service, and that our script",
    "systemd counts a run of whatever else is started as a success.",
)
LATE = Kind(
    "timer.next-too-late",
    Status.FAIL,
    "the timer elapses as often as the plan says",
    "The fewer runs there are, the fewer tries are left before a certificate expires.",
)
RESULT = Kind(
    "timer.service-failed",
    Status.FAIL,
    "the last run of the service ended well",
    "Its failure is not in the log of runs, and no later run has ended well. A script that could "
    "not even be started writes no line there and sends no mail; only systemd knows.",
)

KINDS = (
    TIMER,
    MISSING,
    REFUSED,
    MASKED,
    INSTALL,
    ENABLED,
    ACTIVE,
    RELOAD,
    NEXT,
    EXEC,
    LATE,
    RESULT,
)
