"""What a person reads, what a program reads, and the exit code."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pytest

from certtui.errors import ExitCode
from certtui.renewal import report
from certtui.renewal.events import Done, Event, Line, LineageResult, LineageStarted

OK = LineageResult("a.example", "ok", "", 1.0)
BAD = LineageResult("longer.example", "failed", "no disk", 2.0)

EVENTS: tuple[Event, ...] = (
    Line("Processing a", 0.1),
    LineageStarted("a.example", 0.2),
    Line("", 0.3),
    OK,
    BAD,
    Done(False, (OK, BAD), 3.25, "1 of 2 certificates not proved", "/var/log/x"),
)


def test_text() -> None:
    out = io.StringIO()
    end = report.stream_text(iter(EVENTS), out)
    assert end is EVENTS[-1]
    assert out.getvalue() == (
        "  Processing a\n"
        "\n"
        "\n"
        "  CERTIFICATE     RESULT  REASON\n"
        "  a.example       ok\n"
        "  longer.example  failed  no disk\n"
        "dry run: NOT PROVED, 1 of 2 certificates renewed on trial, 3.2 s: "
        "1 of 2 certificates not proved\n"
        "full output: /var/log/x\n"
    )


@pytest.mark.parametrize(
    ("done", "last"),
    [
        (Done(True, (OK,), 3.0), "dry run: ok, 1 of 1 certificate renewed on trial, 3.0 s\n"),
        (Done(True, (), 0.0, "no certificate yet"), "dry run: warning: no certificate yet\n"),
        (Done(False, (), 0.0, "run as root"), "dry run: NOT PROVED: run as root\n"),
        (
            Done(False, (BAD,), 2.0, "cancelled; x", cancelled=True),
            "dry run: CANCELLED, 0 of 1 certificate renewed on trial, 2.0 s: cancelled; x\n",
        ),
    ],
)
def test_the_line_that_sums_up(done: Done, last: str) -> None:
    assert report.table(done).splitlines(keepends=True)[-1] == last
    assert ("CERTIFICATE" in report.table(done)) == bool(done.lineages)


def test_each_line_is_out_before_the_next_comes() -> None:
    out = io.TextIOWrapper(io.BufferedWriter(raw := io.BytesIO()), "utf-8")
    seen = []

    def events() -> Iterator[Event]:
        for event in EVENTS:
            seen.append(raw.getvalue())
            yield event

    report.stream_text(events(), out)
    assert seen[1] == b"  Processing a\n"


def test_a_stream_with_few_characters() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, "ascii")
    report.stream_text(iter((Line("müller → ok", 0.0), Done(True, (OK,), 1.0))), out)
    assert raw.getvalue().startswith(b"  m?ller ? ok\n")


def test_the_events_are_closed_where_writing_fails() -> None:
    closed = []

    def events() -> Iterator[Event]:
        try:
            yield from EVENTS
        finally:
            closed.append(True)

    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        report.stream_text(events(), Broken())
    assert closed == [True]


def test_json() -> None:
    out = io.StringIO()
    assert report.stream_json(iter(EVENTS), out) is EVENTS[-1]
    assert [json.loads(line) for line in out.getvalue().splitlines()] == [
        {"schema_version": 1, "event": "line", "text": "Processing a", "seconds": 0.1},
        {
            "schema_version": 1,
            "event": "lineage",
            "name": "a.example",
            "state": "started",
            "seconds": 0.2,
        },
        {"schema_version": 1, "event": "line", "text": "", "seconds": 0.3},
        {
            "schema_version": 1,
            "event": "lineage",
            "name": "a.example",
            "state": "ended",
            "result": "ok",
            "reason": "",
            "seconds": 1.0,
        },
        {
            "schema_version": 1,
            "event": "lineage",
            "name": "longer.example",
            "state": "ended",
            "result": "failed",
            "reason": "no disk",
            "seconds": 2.0,
        },
        {
            "schema_version": 1,
            "event": "done",
            "ok": False,
            "lineages": [
                {"name": "a.example", "result": "ok", "reason": ""},
                {"name": "longer.example", "result": "failed", "reason": "no disk"},
            ],
            "reason": "1 of 2 certificates not proved",
            "cancelled": False,
            "locked": False,
            "log": "/var/log/x",
            "seconds": 3.25,
        },
    ]
    assert out.getvalue().isascii()


def test_only_the_last() -> None:
    assert report.last(list(EVENTS)) is EVENTS[-1]


@pytest.mark.parametrize(
    ("done", "code"),
    [
        (Done(True, (OK,), 1.0), ExitCode.OK),
        (Done(True, (), 1.0, "no certificate yet"), ExitCode.OK),
        (Done(False, (BAD,), 1.0), ExitCode.FAILED),
        (Done(False, (BAD,), 1.0, locked=True), ExitCode.LOCKED),
        (Done(False, (BAD,), 1.0, cancelled=True), ExitCode.INTERRUPTED),
    ],
)
def test_exit_code(done: Done, code: ExitCode) -> None:
    assert report.exit_code(done) is code
