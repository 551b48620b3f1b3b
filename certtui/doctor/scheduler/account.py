"""root's account: cron and atd ask PAM before each job, and start none for one that is expired.

The rules are those of shadow(5), as pam_unix(8) applies them to an account: cron then says
"expired password for user root", atd "Authentication token is no longer valid", and nobody else
hears of it. systemd asks nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from certtui.doctor.check import Check, Context, Kind, needs_root, no_plan, not_needed, started_by
from certtui.doctor.finding import Finding, Fix, Status

_SHADOW = "/etc/shadow"
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

#: Where PAM keeps what it asks for a service, by distribution (pam.d(5)).
_FOLDERS = ("/etc/pam.d", "/usr/lib/pam.d", "/usr/etc/pam.d")

_EXPIRED = Kind(
    "root.expired",
    Status.FAIL,
    "neither root's password nor account is expired",
    "cron and atd ask PAM before each job and start none for an expired account; only the system's "
    "log tells (pam_unix(8), shadow(5)). A rule that passwords must be changed is enough for it.",
)
_SOON = Kind(
    "root.expires-soon",
    Status.WARN,
    "root's password and account last two weeks more",
    "From that day on cron and atd start no job of root's (pam_unix(8), shadow(5)).",
)

_AHEAD = 14  # days


@dataclass(frozen=True)
class _End:
    """When something of root's ends: the first day (days since 1970) on which no job starts."""

    day: int
    what: str
    fix: Fix


def _root(context: Context) -> Iterator[Finding]:
    daemons = _daemons(context)
    if context.plan is None or not daemons:
        yield _EXPIRED.skip("root", not_needed(context) if context.plan else no_plan(context))
        return
    asking = [name for name in daemons if _asks_pam(context, name)]
    if not asking:
        yield _EXPIRED.skip("root", f"{' and '.join(daemons)} here asks no PAM")
        return
    if not context.is_root:
        yield _EXPIRED.skip("root", needs_root(_SHADOW))
        return
    fields = _fields(context)
    if fields is None:
        yield _EXPIRED.skip("root", f"{_SHADOW} has no line of root")
        return
    today = (context.now - _EPOCH).days
    ends = list(_ends(fields, today))
    for end in ends:
        if end.day <= today:
            message = f"{end.what}: {' and '.join(asking)} will start no job of root's"
            yield _EXPIRED.found("root", message, _seen(fields), end.fix)
        elif end.day <= today + _AHEAD:
            yield _SOON.found("root", f"{end.what} on {_date(end.day)}", _seen(fields), end.fix)
    if all(end.day > today + _AHEAD for end in ends):
        yield _EXPIRED.ok("root", "neither password nor account is expired")


def _daemons(context: Context) -> list[str]:
    """What starts root's jobs for this plan."""
    plan = context.plan
    found = ["cron"] if started_by(context) == "cron" else []
    return [*found, "atd"] if plan and plan.schedule.backend.startswith("at-") else found


def _asks_pam(context: Context, daemon: str) -> bool:
    names = ("cron", "crond") if daemon == "cron" else ("atd",)
    paths = (f"{folder}/{name}" for folder in _FOLDERS for name in names)
    return any(context.host.info(path) is not None for path in paths)


def _fields(context: Context) -> list[str] | None:
    """The nine fields of root's line, the password taken out. Raises PermissionError."""
    for line in (context.host.read(_SHADOW) or b"").decode("utf-8", "replace").splitlines():
        name, *rest = line.split(":")
        if name == "root":
            return [name, "", *rest[1:], *[""] * 9][:9]
    return None


def _ends(fields: list[str], today: int) -> Iterator[_End]:
    """What ends, or has. An empty or negative field means never (shadow(5))."""
    changed, longest, account = _number(fields[2]), _number(fields[4]), _number(fields[7])
    if account is not None:
        yield _End(account, "the account expires", Fix(("chage", "-E", "-1", "root")))
    if changed == 0:
        what = "the password must be changed at the next login"
        yield _End(0, what, Fix(("chage", "-d", _date(today), "root")))
    elif changed is not None and longest is not None and changed <= today:
        what = f"the password expires {longest} days after its last change"
        yield _End(changed + longest + 1, what, Fix(("chage", "-M", "-1", "root")))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


def _seen(fields: list[str]) -> str:
    """Never the hash."""
    return (
        f"{_SHADOW}, root: last change {fields[2] or '-'}, maximum age {fields[4] or '-'}, "
        f"expiry {fields[7] or '-'} (days)"
    )


def _date(day: int) -> str:
    try:
        return f"{_EPOCH + timedelta(days=day):%Y-%m-%d}"
    except OverflowError:
        return "no date"


CHECKS = (Check((_EXPIRED, _SOON), _root),)
