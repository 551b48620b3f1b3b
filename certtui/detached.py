"""An apply that a lost connection cannot stop: a process in a session of its own.

sshd closes the terminal, and the kernel sends SIGHUP to every process of its session; the apply is
in another (setsid(2)) and goes on. While the terminal lives, its steps arrive here as they happen.
Both wizards apply in this way; ``certtui apply``, which nobody watches, does it in its own process.
"""

from __future__ import annotations

import json
import os
import pickle
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict
from typing import IO, TYPE_CHECKING, Any

from certtui import crash
from certtui.change import outcome
from certtui.change.lock import holder
from certtui.change.model import Result, Step
from certtui.change.outcome import Ending, Recorder
from certtui.errors import (
    CertbotMissing,
    CerttuiError,
    Ended,
    ExitCode,
    Locked,
    NeedsRoot,
    NotApplied,
    Refused,
)

if TYPE_CHECKING:
    from certtui.change.apply import Consent
    from certtui.change.model import Preview
    from certtui.change.run import OnStep
    from certtui.workflow import Job

#: What the new interpreter runs: our own search path, whatever the caller's environment says.
_CODE = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from certtui import detached; detached.main()"
)

#: Seconds after which it is noticed at the latest that nobody waits any more.
_PATIENCE = 0.2


class Detached:
    """One apply of what a person approved."""

    def __init__(self, job: Job, consent: Consent, approved: Preview) -> None:
        self._job = job
        self._request = (
            job.document.text,
            job.document.file,
            job.root,
            job.facts,
            consent,
            approved,
        )
        self._left = threading.Event()

    def leave(self) -> None:
        """Lets it go on without us: :meth:`run` ends soon, the apply when it is done."""
        self._left.set()

    def run(self, on_step: OnStep) -> Result:
        """Applies and tells each step; for a worker. Raises :class:`NotApplied`."""
        ending: Ending | None = None
        steps: list[Step] = []
        for event in self._events():
            if event.pop("event") == "step":
                steps.append(Step(**event))
                on_step(steps[-1])
            else:
                ending = Ending(**event)
        if ending is None:
            raise NotApplied(self._cut_off(), ExitCode.FAILED)
        if not ending.ok:
            raise NotApplied(ending.sentence, ExitCode(ending.code))
        return Result(ending.changed, tuple(steps))

    def _events(self) -> Iterator[dict[str, Any]]:
        argv = [sys.executable, "-I", "-c", _CODE, json.dumps([p for p in sys.path if p])]
        with subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        ) as process:
            assert process.stdin is not None and process.stdout is not None
            with process.stdin as stdin:
                pickle.dump(self._request, stdin)
            yield from self._lines(process.stdout)

    def _lines(self, stream: IO[bytes]) -> Iterator[dict[str, Any]]:
        rest = b""
        while not self._left.is_set():
            if not select.select([stream], [], [], _PATIENCE)[0]:
                continue
            data = os.read(stream.fileno(), 65536)
            if not data:
                return
            *whole, rest = (rest + data).split(b"\n")
            yield from (json.loads(line) for line in whole)

    def _cut_off(self) -> str:
        """Nothing more came: we left, or the process was killed."""
        if self._left.is_set():
            return "the apply goes on without this terminal"
        from certtui import workflow

        mended = workflow.recover(self._job.root)
        return f"the apply was ended from outside; {mended or 'nothing was changed'}"


def unseen(root: str, on_step: OnStep, left: threading.Event) -> str:
    """How the apply ended that nobody saw end, a sentence; "" if there is none.

    One still at work is waited for, each of its steps told, until ``left`` is set; for a worker.
    """
    from certtui import workflow
    from certtui.change.files import Tree

    tree = Tree(root)
    told = 0
    while not left.is_set():
        working = holder(tree)
        record = outcome.read(tree)  # after the holder: one that has just ended has written it
        if record is None:
            return ""
        for step in record.steps[told:]:
            on_step(step)
        told = len(record.steps)
        if record.ending is not None:
            return outcome.sentence(record)
        if not working:
            return outcome.cut_off(record, workflow.recover(root))
        left.wait(_PATIENCE)
    return ""


def is_unseen(root: str) -> bool:
    """Whether there is an apply that nobody saw end; :func:`unseen` tells of it."""
    from certtui.change.files import Tree

    return outcome.read(Tree(root)) is not None


def seen(root: str) -> None:
    """A person has seen how the last apply ended: nothing is told of it any more."""
    from certtui.change.files import Tree

    tree = Tree(root)
    record = outcome.read(tree)
    if record is not None and (record.ending is not None or not holder(tree)):
        outcome.forget(tree)


def main() -> None:
    """The process of its own: the request comes on stdin, events go to stdout and the record."""
    try:
        # From our own parent, through a pipe that nobody else has: not data from outside.
        request = pickle.load(sys.stdin.buffer)  # noqa: S301
    except (EOFError, pickle.UnpicklingError):
        return  # the wizard died before it could say what to apply
    if os.fork():
        os._exit(0)  # whoever started us need not wait for the apply to end
    for signum in (signal.SIGHUP, signal.SIGINT):
        signal.signal(signum, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end)
    # Unbuffered: nothing is left to be written to a pipe that nobody reads any more.
    with open(sys.stdout.fileno(), "wb", buffering=0, closefd=False) as stream:
        carry_out(request, stream)


def _end(signum: int, frame: object) -> None:
    del frame
    raise Ended(signum)


def carry_out(request: tuple[Any, ...], stream: IO[bytes]) -> None:
    """Applies, and tells it to ``stream`` as long as somebody listens, and to the record."""
    from certtui.plan.document import Document
    from certtui.workflow import Job

    text, file, root, facts, consent, approved = request
    job = Job(Document(text, file), root, known=facts)
    recorder = Recorder(job.tree)

    def on_step(step: Step) -> None:
        recorder.step(step)
        _tell(stream, {"event": "step", **asdict(step)})

    try:
        result = job.apply(on_step, consent=consent, approved=approved)
        ending = Ending(True, result.changed)
    except BaseException as error:  # noqa: BLE001 - told to a person, here or at the next start
        ending = _ending(error)
    if ending.code != ExitCode.LOCKED:
        # The certtui that holds the lock has a record of its own, which is left alone.
        recorder.ended(ending)
    _tell(stream, {"event": "ended", **asdict(ending)})


def _ending(error: BaseException) -> Ending:
    code = error.exit_code if isinstance(error, CerttuiError) else ExitCode.FAILED
    refused = isinstance(error, (Refused, Locked, CertbotMissing, NeedsRoot))
    return Ending(False, False, int(code), crash.sentence(error), refused)


def _tell(stream: IO[bytes], event: dict[str, Any]) -> None:
    try:
        stream.write(json.dumps(event).encode() + b"\n")
    except OSError:
        return  # the wizard has gone; the record has it
