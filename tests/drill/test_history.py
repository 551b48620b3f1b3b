"""The line of a drill in the log of runs: shown, and counted neither as a run nor as a failure."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from certtui.doctor.records import history
from tests.doctor.support import LOG, Applied, bad, facts

DRILL = "2026-03-02T11:00:00Z cron drill 1 0123456789abcdef mail not sent: no\n"
WELL = "2026-03-02T09:00:00Z cron ok 3 \n"
FAILED = "2026-03-02T09:00:00Z cron failed 3 renewal failed: a\n"
LONG_AGO = "2026-02-01T09:00:00Z cron ok 3 \n"


def test_it_is_a_line_of_the_log() -> None:
    found = history.parse((WELL + DRILL).encode())
    assert [(run.result, run.is_drill) for run in found.runs] == [("ok", False), ("drill", True)]
    assert found.runs[1].detail == "0123456789abcdef mail not sent: no"
    assert [run.result for run in found.real] == ["ok"]
    assert found.last == found.runs[0]
    assert found.damaged == 0
    assert history.parse(DRILL.encode()).last is None


@pytest.mark.parametrize(
    ("log", "ids"),
    [
        (WELL + DRILL, set()),
        (DRILL, {"runs.late"}),
        (FAILED + DRILL, {"runs.failed"}),
        (LONG_AGO + DRILL, {"runs.late"}),
    ],
)
def test_doctor_takes_it_neither_for_a_run_nor_for_a_failure(
    tmp_path: Path, log: str, ids: set[str]
) -> None:
    host = Applied(tmp_path / "r", "cron", facts())
    host.applied = timedelta(days=20)
    host.write(LOG, log)
    assert {name for name in bad(host) if name.startswith("runs.")} == ids
