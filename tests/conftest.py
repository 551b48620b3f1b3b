"""What holds for every test."""

from __future__ import annotations

import signal

# A shell that starts its commands in the background makes them ignore these (POSIX, 2.11), and
# programs under test inherit that: then a Ctrl+C would never arrive.
for _number in (signal.SIGINT, signal.SIGQUIT):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(
            _number, signal.default_int_handler if _number == signal.SIGINT else signal.SIG_DFL
        )
