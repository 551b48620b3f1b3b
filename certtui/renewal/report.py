"""A dry run for people and for programs: text while it runs, a table at its end, JSON, exit code.

The text has no colour and says everything in words, so that a pipe and ``NO_COLOR`` change nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any, TextIO

from certtui.errors import ExitCode
from certtui.renewal.events import Done, Event, Line, LineageResult, LineageStarted

SCHEMA_VERSION = 1

#: The rules that certbot draws, 79 columns wide: indented they would wrap in a terminal of 80.
_RULE = re.compile(r"(- )+-?\s*")

_HEADINGS = ("CERTIFICATE", "RESULT", "REASON")


def stream_text(events: Iterable[Event], out: TextIO) -> Done:
    """Writes certbot's lines as they come, indented and without its rules, then the table.

    Gives the last event. However it ends, ``events`` is closed, which ends certbot. Raises what
    writing raises.
    """

    def show(event: Event) -> None:
        if isinstance(event, Done):
            _write(out, f"\n{table(event)}")
        elif isinstance(event, Line) and not _RULE.fullmatch(event.text):
            _write(out, f"  {event.text}".rstrip() + "\n")

    return _each(events, show)


def stream_json(events: Iterable[Event], out: TextIO) -> Done:
    """Writes each event as a line of JSON, in ASCII; else like :func:`stream_text`."""
    return _each(events, lambda event: _write(out, json.dumps(to_json(event)) + "\n"))


def last(events: Iterable[Event]) -> Done:
    """The last event, nothing written."""
    return _each(events, lambda event: None)


def _each(events: Iterable[Event], show: Callable[[Event], None]) -> Done:
    done: Done | None = None
    try:
        for event in events:
            done = event if isinstance(event, Done) else None
            show(event)
    finally:
        close = getattr(events, "close", None)
        if close is not None:
            close()
    assert done is not None, "a dry run ends with Done"
    return done


def table(done: Done) -> str:
    """One row a certificate, then a line that sums up; ends with a newline."""
    rows = [_HEADINGS, *((row.name, row.result, row.reason) for row in done.lineages)]
    name, result = (max(len(row[column]) for row in rows) for column in (0, 1))
    lines = [f"  {row[0]:<{name}}  {row[1]:<{result}}  {row[2]}".rstrip() for row in rows]
    parts = [*(lines if done.lineages else []), f"dry run: {_summary(done)}"]
    if done.log:
        parts.append(f"full output: {done.log}")
    return "\n".join(parts) + "\n"


def exit_code(done: Done) -> ExitCode:
    """75 where another certbot held the lock, 130 where it was cancelled, else 0 or 1."""
    if done.locked:
        return ExitCode.LOCKED
    if done.cancelled:
        return ExitCode.INTERRUPTED
    return ExitCode.OK if done.ok else ExitCode.FAILED


def to_json(event: Event) -> dict[str, Any]:
    """One event as a documented object (docs/commands.md); ``seconds`` since the start."""
    return {"schema_version": SCHEMA_VERSION, **_fields(event)}


def _fields(event: Event) -> dict[str, Any]:
    seconds = round(event.seconds, 3)
    if isinstance(event, Done):
        rows = [{"name": r.name, "result": r.result, "reason": r.reason} for r in event.lineages]
        return {
            "event": "done",
            "ok": event.ok,
            "lineages": rows,
            "reason": event.reason,
            "cancelled": event.cancelled,
            "locked": event.locked,
            "log": event.log,
            "seconds": seconds,
        }
    if isinstance(event, LineageStarted):
        return {"event": "lineage", "name": event.name, "state": "started", "seconds": seconds}
    if isinstance(event, LineageResult):
        return {
            "event": "lineage",
            "name": event.name,
            "state": "ended",
            "result": event.result,
            "reason": event.reason,
            "seconds": seconds,
        }
    return {"event": "line", "text": event.text, "seconds": seconds}


def _summary(done: Done) -> str:
    count = len(done.lineages)
    good = sum(row.result == "ok" for row in done.lineages)
    took = f"{done.seconds:.1f} s"
    if done.ok and not count:
        return f"warning: {done.reason}"
    if done.ok:
        return f"ok, {good} of {count} {_certificates(count)} renewed on trial, {took}"
    state = "CANCELLED" if done.cancelled else "NOT PROVED"
    counted = f"{good} of {count} {_certificates(count)} renewed on trial, {took}"
    reason = f": {done.reason}" if done.reason else ""
    return f"{state}, {counted}{reason}" if count else f"{state}{reason}"


def _certificates(count: int) -> str:
    return "certificate" if count == 1 else "certificates"


def _write(out: TextIO, text: str) -> None:
    """At once; what the stream's encoding lacks becomes "?"."""
    encoding = getattr(out, "encoding", None) or "utf-8"
    out.write(text.encode(encoding, "replace").decode(encoding))
    out.flush()
