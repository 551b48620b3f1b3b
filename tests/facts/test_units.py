"""What systemd says of a unit: whether it comes back after a reboot."""

from __future__ import annotations

import pytest

from certtui.host import daemons, units
from tests.facts.support import FakeHost


@pytest.mark.parametrize(
    ("state", "comes_back"),
    [
        ("enabled", True),
        ("alias", True),
        ("static", True),
        ("enabled-runtime", False),  # a link below /run, which a reboot empties (systemctl(1))
        ("disabled", False),
        ("masked", False),
        ("", False),
    ],
)
def test_what_comes_back_after_a_reboot(state: str, comes_back: bool) -> None:
    assert units.is_enabled({"UnitFileState": state}) is comes_back


def test_a_daemon_that_is_enabled_until_the_reboot_is_not_enabled() -> None:
    known = {
        "atd.service": {
            "Id": "atd.service",
            "UnitFileState": "enabled-runtime",
            "ActiveState": "active",
        }
    }
    found = daemons.daemon(FakeHost(), "atd", known)
    assert (found.enabled, found.running) == (False, True)


@pytest.mark.parametrize(
    ("state", "enabled", "masked"),
    [
        ("generated", True, ""),  # of an init script
        ("disabled", False, ""),
        ("masked", False, "masked"),
        ("masked-runtime", False, "masked-runtime"),
    ],
)
def test_whether_a_daemon_comes_back_after_a_reboot(state: str, enabled: bool, masked: str) -> None:
    unit = {"Id": "atd.service", "UnitFileState": state, "ActiveState": "active"}
    found = daemons.daemon(FakeHost(), "atd", {"atd.service": unit})
    assert (found.enabled, found.masked) == (enabled, masked)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("3600", 3600),
        ("1h", 3600),
        ("41min 40s", 2500),
        ("1d 2h 500ms", 93600.5),
        ("infinity", float("inf")),
        ("", None),
        ("n/a", None),
        ("5 parsecs", None),
    ],
)
def test_time_spans(text: str, seconds: float | None) -> None:
    assert units.seconds(text) == seconds


@pytest.mark.parametrize(
    ("state", "waits"), [("waiting", True), ("running", True), ("elapsed", False)]
)
def test_a_timer_that_is_over_waits_for_nothing(state: str, waits: bool) -> None:
    assert units.is_waiting({"ActiveState": "active", "SubState": state}) is waits
    assert not units.is_waiting({"ActiveState": "inactive", "SubState": "dead"})


@pytest.mark.parametrize(
    ("state", "sub", "result", "runs", "broken"),
    [
        ("active", "running", "success", True, ""),
        ("activating", "start", "success", True, ""),  # a oneshot service that is at work
        ("activating", "auto-restart", "exit-code", False, "activating, auto-restart, exit-code"),
        ("activating", "auto-restart-queued", "", False, "activating, auto-restart-queued"),
        ("failed", "failed", "start-limit-hit", False, "failed, start-limit-hit"),
        ("failed", "failed", "signal", False, ""),  # killed: it may be started
        ("inactive", "dead", "success", False, ""),
    ],
)
def test_a_daemon_that_is_only_tried_again_does_not_run(
    state: str, sub: str, result: str, runs: bool, broken: str
) -> None:
    unit = {"Id": "atd.service", "ActiveState": state, "SubState": sub, "Result": result}
    found = daemons.daemon(FakeHost(), "atd", {"atd.service": unit})
    assert (found.running, found.broken) == (runs, broken)


@pytest.mark.parametrize(
    ("state", "halted"),
    [("S", False), ("T", True), ("t", False)],  # t: a debugger looks at it
)
def test_a_daemon_that_a_signal_has_stopped_does_not_run(state: str, halted: bool) -> None:
    unit = {"Id": "cron.service", "ActiveState": "active", "SubState": "running", "MainPID": "7"}
    host = FakeHost(files={"/proc/7/stat": f"7 (cr) on) {state} 1 7".encode()})
    found = daemons.daemon(host, "cron", {"cron.service": unit})
    assert (found.running, found.halted) == (not halted, halted)
