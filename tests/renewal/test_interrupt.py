"""Signals during a dry run, inside this process."""

from __future__ import annotations

import signal
import threading

import pytest

from certtui.errors import Ended, ExitCode
from certtui.renewal.interrupt import signals_cancel


def test_none_came() -> None:
    with signals_cancel(threading.Event()) as noted:
        pass
    assert noted.exit_code is ExitCode.OK


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_cancels_the_second_ends(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    cancel = threading.Event()
    second = KeyboardInterrupt if number == signal.SIGINT else Ended
    with pytest.raises(second), signals_cancel(cancel) as noted:
        signal.raise_signal(number)
        assert cancel.is_set()
        assert noted.exit_code == 128 + number
        signal.raise_signal(number)
    assert signal.getsignal(number) is before


def test_an_ignored_signal_stays_ignored() -> None:
    """As under nohup(1)."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        cancel = threading.Event()
        with signals_cancel(cancel):
            signal.raise_signal(signal.SIGHUP)
        assert not cancel.is_set()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_another_thread_sets_no_handler() -> None:
    seen = []

    def work() -> None:
        with signals_cancel(threading.Event()):
            seen.append(signal.getsignal(signal.SIGINT))

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]
