"""Signals of the command line."""

from __future__ import annotations

import signal

import pytest

from certtui import cli


@pytest.mark.parametrize("ignored", [True, False])
def test_a_hangup_that_the_caller_ignores_stays_ignored(ignored: bool) -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGTERM)}
    signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL)
    try:
        assert cli.main(["schema"]) == 0
        assert (signal.getsignal(signal.SIGHUP) is signal.SIG_IGN) is ignored
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
