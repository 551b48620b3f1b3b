"""Runs certbot's dry runs one after another and tells what happens while it happens."""

from __future__ import annotations

import os
import shlex
import threading
import time
from collections.abc import Generator, Iterator

from certtui.host.facts import Facts
from certtui.plan.model import Plan
from certtui.render.places import config_dir
from certtui.renewal.commands import (
    DryRun,
    covered,
    dry_runs,
    first_certificate,
)
from certtui.renewal.events import CANCELLED, Done, Event, Line, LineageResult
from certtui.renewal.lines import Lines, Piece
from certtui.renewal.log import Log
from certtui.renewal.parse import Reader
from certtui.renewal.process import Process
from certtui.renewal.reasons import LOCKED

_HELD = "not tried: another certbot is at work"


def dry_run(
    plan: Plan,
    facts: Facts,
    *,
    cancel: threading.Event,
    only: str = "",
    log_path: str = "",
    again: bool = False,
) -> Generator[Event, None, None]:
    """Tries every renewal, or that of the lineage ``only``; the last event is :class:`Done`.

    ``cancel`` may be set from another thread or a signal's handler; certbot is then ended, by
    SIGINT and patience first. It is ended too where the generator is closed or an exception is
    raised in it. The full output goes to ``log_path`` (0600) if given; ``again`` adds to it.

    Raises, before the first event, CertbotMissing, and UsageError for an unknown ``only``.
    """
    runs = dry_runs(plan, facts, only, os.environ)
    return _Stream(plan, facts, cancel, runs, Log(log_path, again=again)).events(only)


class _Stream:
    """One whole dry run."""

    def __init__(
        self, plan: Plan, facts: Facts, cancel: threading.Event, runs: tuple[DryRun, ...], log: Log
    ) -> None:
        self._plan = plan
        self._facts = facts
        self._cancel = cancel
        self._runs = runs
        self._log = log
        self._start = time.monotonic()
        self._results: dict[str, LineageResult] = {}
        self._problem = ""  # why the whole is not ok though every certificate is
        self._locked = False

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self._start

    def events(self, only: str) -> Generator[Event, None, None]:
        """All of them, to :class:`Done`."""
        try:
            for run in self._runs:
                if self._cancel.is_set() or self._locked:
                    yield from self._not_tried(run, _HELD if self._locked else CANCELLED)
                else:
                    yield from self._run(run)
            yield from self._say_problem()
            if not only:
                yield from self._left_out()
        finally:
            self._log.close()
        yield self._done()

    def _run(self, run: DryRun) -> Iterator[Event]:
        """One certbot command."""
        self._log.write(f"$ {shlex.join(run.argv)}")
        reader = Reader(run.lineages)
        try:
            process = Process(run.argv, run.env)
        except OSError as error:
            why = f"{run.argv[0]} cannot be started: {error.strerror}"
            yield from self._finish(reader, 1, why)
            return
        code = 0
        late = False
        deadline = time.monotonic() + self._plan.certbot.timeout
        lines = Lines()
        try:
            while True:
                data = process.read()
                if data:
                    yield from self._lines(reader, lines.feed(data))
                if process.over(data):
                    break
                late = late or time.monotonic() > deadline
                if late or self._cancel.is_set():
                    process.stop()
            yield from self._lines(reader, lines.flush())
        finally:
            stopped = process.stopping
            code = process.close()
        yield from self._finish(reader, code, self._why(reader, late) if stopped else "")
        self._judge(reader, code, stopped=stopped)

    def _lines(self, reader: Reader, pieces: Iterator[Piece]) -> Iterator[Event]:
        for piece in pieces:
            self._log.write(piece.text)
            yield Line(piece.text, self._seconds)
            if not piece.goes_on:
                yield from reader.feed(piece.text, self._seconds)
        self._log.flush()

    def _why(self, reader: Reader, late: bool) -> str:
        """Why a run was stopped."""
        if not late:
            return CANCELLED
        last = reader.last_words
        said = f"; its last words: {last}" if last else ""
        return (
            f"certbot had not ended after {self._plan.certbot.timeout} s (certbot.timeout) and was "
            f"stopped{said}"
        )

    def _finish(self, reader: Reader, code: int, why: str) -> Iterator[Event]:
        if reader.locked:
            self._locked, why = True, _HELD
        untried = "skipped" if why in (CANCELLED, _HELD) else "failed"
        yield from reader.finish(code, why, self._seconds, without_row=untried)
        self._results.update({result.name: result for result in reader.results})

    def _judge(self, reader: Reader, code: int, *, stopped: bool) -> None:
        """An exit status that does not fit the rows is a failure of the whole."""
        failed = any(result.result != "ok" for result in reader.results)
        if code != 0 and not failed and not stopped:
            self._problem = (
                f"certbot reports success but ended with exit status {code}; "
                "look at the end of its output"
            )

    def _not_tried(self, run: DryRun, why: str) -> Iterator[Event]:
        for lineage in run.lineages:
            result = LineageResult(lineage.name, "skipped", why, self._seconds)
            self._results[lineage.name] = result
            yield result

    def _left_out(self) -> Iterator[Event]:
        """Certificates that the plan itself does not renew are not proved."""
        kept = {lineage.name for lineage in covered(self._plan, self._facts)}
        for lineage in self._facts.lineages:
            if lineage.name not in kept:
                why = "the plan does not renew it: certbot.extra_args has --cert-name for another"
                result = LineageResult(lineage.name, "skipped", why, self._seconds)
                self._results[lineage.name] = result
                yield result

    def _say_problem(self) -> Iterator[Event]:
        self._log.flush()
        if self._log.problem:
            yield Line(f"certtui: {self._log.problem}", self._seconds)

    def _done(self) -> Done:
        results = tuple(self._results.values())
        proved = bool(results) and all(result.result == "ok" for result in results)
        cancelled = self._cancel.is_set() and not proved
        ok, reason = proved and not self._problem, self._problem
        if self._locked:
            reason = f"{LOCKED.sentence}, then: certtui dry-run"
        elif cancelled:
            reason = "cancelled; certbot was asked to stop and has ended"
        elif not results:
            ok, reason = self._nothing()
        elif not proved:
            bad = sum(result.result != "ok" for result in results)
            reason = f"{bad} of {len(results)} certificates not proved"
        return Done(
            ok=ok,
            lineages=results,
            seconds=self._seconds,
            reason=reason,
            log=self._log.kept,
            cancelled=cancelled,
            locked=self._locked,
        )

    def _nothing(self) -> tuple[bool, str]:
        """No certificate is no failure, as to certbot itself; one that cannot be seen is."""
        folder = f"{config_dir(self._plan)}/renewal"
        hidden = [sentence for sentence in self._facts.unreadable if folder in sentence]
        if hidden:
            return False, "; ".join(hidden)
        return True, (
            "there is no certificate yet, so nothing was proved; get a first one with "
            f"`{first_certificate(self._plan, self._facts)}`, then: certtui dry-run"
        )
