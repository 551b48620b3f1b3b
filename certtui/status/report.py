"""The status for a person: read in five seconds, the most urgent first."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain

from certtui.doctor.records.history import PastRun
from certtui.host.visible import visible
from certtui.render.times import Run
from certtui.status.model import CertificateStatus, Status
from certtui.status.trouble import trouble, urgency

#: Columns, unless there is more or less room.
WIDTH = 80

#: Certificates that are shown; the JSON has them all. Lineages that are pending, as many.
MOST = 20

#: Columns below which the lifetimes are left out.
_NARROW = 72

_LOCAL = "%a %Y-%m-%d %H:%M"

_SERVED = {
    "same": "yes",
    "covered": "by another",
    "old": "OLD ONE",
    "other": "OTHER",
    "silent": "NO ANSWER",
    "absent": "not here",
    "nobody": "not here",
    "unknown": "?",
}


def text(status: Status, width: int = WIDTH) -> str:
    """Times in this process's zone, lines of at most ``width`` columns where words allow it."""
    parts = [
        _wrapped(_headline(status), width),
        _certificates(status, width),
        _pending(status),
        [_runs_head(status), *([f"  {_when(run)}" for run in status.next] or ["  none"])],
        ["Last runs", *(_past(status.last, width) or ["  none"])],
        _mail(status, width),
        [line for note in status.notes for line in _wrapped(f"note: {note}", width)],
    ]
    lines = chain.from_iterable([*part, ""] for part in parts if part)
    return "\n".join(visible(line) for line in lines).rstrip("\n") + "\n"


def _headline(status: Status) -> str:
    found = trouble(status)
    if found:
        return f"TROUBLE: {'; '.join(found)} (see certtui doctor)"
    if status.hidden:
        return "How it stands needs root: sudo certtui status"
    count = len(status.certificates)
    if not count:
        return "No certificate to renew." if status.seen else "No certificate seen."
    some = "1 certificate" if count == 1 else f"{count:,} certificates"
    left = min(item.days_left for item in status.certificates if item.days_left is not None)
    coming = f"; next run {_ahead(status.next[0], status.now)}" if status.next else ""
    return f"No trouble seen: {some}, first expiry in {_length(left)}{coming}"


def _length(days: float) -> str:
    """Cut, never rounded up; hours where there are few days."""
    hours = timedelta(days=days) // timedelta(hours=1)
    if hours < 72:
        return "1 hour" if hours == 1 else f"{hours} hours"
    return f"{hours // 24:,} days"


def _ahead(run: Run, now: datetime) -> str:
    left = max(run.earliest - now, timedelta(0))
    minutes = left // timedelta(minutes=1)
    if minutes < 90:
        return f"in {minutes} min"
    return f"in {_length(left / timedelta(days=1))}"


# -- certificates ----------------------------------------------------------------------------------


def _certificates(status: Status, width: int) -> list[str]:
    if not status.certificates:
        return ["Certificates", "  none"]
    first = sorted(status.certificates, key=urgency)
    shown, rest = first[:MOST], first[MOST:]
    port = any(item.served.state not in ("nobody", "unknown") for item in status.certificates)
    rows = [_row(item, port, width < _NARROW) for item in shown]
    head = ("left", "expires", "tries", "on 443" if port else "")
    lines = list(_columns(head, rows, ["" if item.hidden else item.error for item in shown], width))
    if rest:
        lines.append(f"  {_rest(rest)}")
    return lines


def _row(item: CertificateStatus, port: bool, narrow: bool) -> tuple[str, ...]:
    """Name, what is left, expiry, tries left, what is served; no more than a date gives."""
    if item.days_left is None or item.not_after is None:
        return (item.name, "needs root" if item.hidden else "unknown")
    tries = "" if item.tries_left is None else f"{item.tries_left:>4}"
    return (
        item.name,
        _left(item, narrow),
        item.not_after.astimezone().strftime("%Y-%m-%d"),
        f"{tries}{'' if item.expired else ' OVERDUE' if item.overdue else ' due' * item.due}",
        _SERVED[item.served.state] if port else "",
    )


def _left(item: CertificateStatus, narrow: bool) -> str:
    assert item.days_left is not None
    if item.expired:
        return "EXPIRED"
    hours = timedelta(days=item.days_left) // timedelta(hours=1)
    left = f"{hours} h" if hours < 72 else f"{hours // 24}"
    if item.lifetime_days is None or narrow:
        return left if hours < 72 else f"{left} days"
    whole = f"{item.lifetime_days:.1f}".removesuffix(".0")
    return f"{left} of {whole} days"


def _columns(
    head: tuple[str, ...], rows: Sequence[tuple[str, ...]], errors: Sequence[str], width: int
) -> Iterator[str]:
    """A name that does not fit beside the others stands on a line of its own."""
    cells = [(*row[1:], *("",) * (5 - len(row))) for row in rows]
    widths = [max(len(cell[at]) for cell in (head, *cells)) for at in range(4)]
    room = max(12, width - 2 - sum(size + 2 for size in widths if size))
    longest = max(len(row[0]) for row in rows)
    name_width = max(len("Certificates") - 2, min(room, longest))

    def line(name: str, cell: Sequence[str]) -> str:
        parts = [f"{text:<{size}}" for text, size in zip(cell, widths, strict=True)]
        return f"{name:<{name_width + 2}}  {'  '.join(parts)}".rstrip()

    yield line("Certificates", head)
    for (name, *_), cell, error in zip(rows, cells, errors, strict=True):
        if len(name) > name_width:
            yield f"  {name}"
            name = ""
        yield line(f"  {name}", cell)
        yield from _wrapped(f"    {error}" if error else "", width, "      ")


def _rest(rest: Sequence[CertificateStatus]) -> str:
    """What is not shown, with what is wrong with some of it."""
    said = [
        f"{count:,} {what}"
        for what, count in (
            ("expired", sum(item.expired for item in rest)),
            (
                "cannot be read",
                sum(item.days_left is None and not item.hidden for item in rest),
            ),
            ("need root", sum(item.hidden for item in rest)),
            ("not served as on disk", sum(item.is_served is False for item in rest)),
            ("overdue", sum(item.overdue and not item.expired for item in rest)),
            ("due", sum(item.due and not (item.expired or item.overdue) for item in rest)),
        )
        if count
    ]
    good = [item.days_left for item in rest if item.days_left is not None and not item.expired]
    if good:
        every = "all" if len(good) == len(rest) else "the others"
        said.append(f"{every} valid for {_length(min(good))} or longer")
    return f"{len(rest):,} more: {', '.join(said)} (status --json lists them)"


# -- what is renewed but not loaded, runs, mail ----------------------------------------------------


def _pending(status: Status) -> list[str]:
    if not status.pending:
        return []
    lines = ["Renewed, but not loaded by the web server yet"]
    lines += [f"  {path}" for path in status.pending[:MOST]]
    if len(status.pending) > MOST:
        lines.append(f"  {len(status.pending) - MOST:,} more")
    return lines


def _runs_head(status: Status) -> str:
    return f"Next runs ({status.runs} a day by {status.backend})" if status.runs else "Next runs"


def _past(runs: Sequence[PastRun], width: int) -> list[str]:
    cells = [(_local(run.time), run.result, run.trigger, f"{run.seconds} s") for run in runs]
    return [
        line
        for row, run in zip(_table(cells), runs, strict=True)
        for line in (row, *_wrapped(f"    {run.detail}" if run.detail else "", width, "    "))
    ]


def _mail(status: Status, width: int) -> list[str]:
    mail = status.last_mail
    if mail is None:
        return ["Last mail", "  none yet"] if status.mails else []
    row = f"  {_local(mail.time)}  {'sent' if mail.sent else 'NOT SENT'}  {mail.text}"
    return ["Last mail", *_wrapped(row, width, "    ")]


def _table(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Columns as wide as their longest cell."""
    cells = list(rows)
    if not cells:
        return []
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        ("  " + "  ".join(f"{cell:<{widths[at]}}" for at, cell in enumerate(row))).rstrip()
        for row in cells
    ]


def _wrapped(line: str, width: int, further: str = "  ") -> list[str]:
    if not line:
        return []
    return textwrap.wrap(
        line,
        max(width, 20),
        subsequent_indent=further,
        break_long_words=False,
        break_on_hyphens=False,
        replace_whitespace=False,
        drop_whitespace=True,
    )


def _when(run: Run) -> str:
    if run.earliest == run.latest:
        return _local(run.earliest)
    start, end = run.earliest.astimezone(), run.latest.astimezone()
    until = end.strftime("%H:%M %Z" if start.date() == end.date() else f"{_LOCAL} %Z")
    return f"{start.strftime(_LOCAL)} to {until}"


def _local(moment: datetime) -> str:
    return moment.astimezone().strftime(f"{_LOCAL} %Z")
