"""This machine, whose programs have to answer by a deadline: doctor ends in time."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from certtui.host.interface import QUERY_TIMEOUT, Completed, RealHost

#: Seconds that one program has at the least, also when the time is up.
_LEAST = 0.5


class Hurried(RealHost):
    """A host whose programs are all ended when ``seconds`` from now are over."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._deadline = time.monotonic() + seconds

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float = QUERY_TIMEOUT,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
    ) -> Completed:
        left = max(_LEAST, self._deadline - time.monotonic())
        return super().run(argv, timeout=min(timeout, left), env=env, stdin=stdin)
