"""Carries out one journalled transaction: intent, steps, commit, or all of it taken back."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from certtui.change import jobs, store
from certtui.change.files import Tree
from certtui.change.journal import Intent, Journal, Operation, changes
from certtui.change.model import Action, Step
from certtui.change.signals import HeldSignals
from certtui.errors import ApplyFailed, CerttuiError
from certtui.host.interface import Completed, Host

OnStep = Callable[[Step], None]

#: Lines of a failed command's answer that are part of the sentence about it.
_TOLD = 3


class Transaction:
    """The steps of one change, each told to ``on_step`` as it ends."""

    def __init__(self, host: Host, tree: Tree, journal: Journal, on_step: OnStep) -> None:
        self.host = host
        self.tree = tree
        self.journal = journal
        self._tell = on_step
        self.steps: list[Step] = []
        self._ran: list[Action] = []

    def say(self, what: str, ok: bool = True, message: str = "") -> None:
        """Records a step and tells it."""
        step = Step(what, ok, message)
        self.steps.append(step)
        self._tell(step)

    @contextmanager
    def journalled(self, begin: Callable[[], Intent]) -> Iterator[None]:
        """Runs its body between intent and commit; any exception takes everything back."""
        try:
            intent = begin()
        except OSError as error:
            self.journal.folder.discard("new")
            raise ApplyFailed(f"nothing was changed: {_sentence(error)}") from None
        held = HeldSignals()
        try:
            yield
            held.begin()  # a commit, once begun, is finished; so is taking back
            self.journal.commit()
        except BaseException as error:
            held.begin()
            problems = self.journal.roll_back(intent)
            self.say("everything taken back", not problems, "; ".join(problems))
            if not all(action.interruptible for action in self._ran):
                self.tell_packages(intent.beside.packages)
            if isinstance(error, CerttuiError) or not isinstance(error, OSError):
                raise
            raise ApplyFailed(f"{_sentence(error)}; everything was taken back") from None
        else:
            self._finish(intent)
        finally:
            held.end()

    def _finish(self, intent: Intent) -> None:
        """Tidies the journal after the commit: from there on nothing is taken back."""
        try:
            self.journal.finish(intent)
        except OSError as error:
            raise ApplyFailed(
                f"all was done, but the journal could not be closed ({_sentence(error)}): "
                "the next certtui command tries again"
            ) from None

    def carry_out(self, operations: Sequence[Operation]) -> None:
        """Makes directories and targets what they must be. Raises OSError, ApplyFailed."""
        for operation in operations:
            if operation.kind == "directory":
                if operation.after is not None:
                    self.tree.mkdir(operation.path, operation.after.mode)
                else:
                    self.tree.rmdir(operation.path)
                continue
            if operation.before != operation.after:
                store.write_target(self.tree, operation.kind, operation.path, operation.after)
            if operation.path != store.STATE:
                self.say(_what(operation))

    def after_files(
        self, scripts: Sequence[str], operations: Sequence[Operation], actions: Iterable[Action]
    ) -> None:
        """What follows the files; ``scripts`` are the at scripts that may be among them."""
        if changes(operations) & {*scripts}:
            with jobs.quiet(self.tree):
                jobs.forget(self.tree, scripts)
        for action in actions:
            self.command(action)
        if scripts:
            with jobs.quiet(self.tree):
                for action in jobs.orphans(self.host, self.tree):
                    self.command(action)

    def command(self, action: Action) -> None:
        """Runs one command. Raises :class:`ApplyFailed` with what it answered."""
        held = HeldSignals()
        if not action.interruptible:
            held.begin()
        try:
            self._run(action)
        finally:
            held.end()

    def _run(self, action: Action) -> None:
        shown = " ".join(action.argv)
        done = self.host.run(action.argv, timeout=action.timeout, env=dict(action.env))
        ok = done.ok or jobs.gone(self.host, action)
        told = done.text if action.interruptible else _reason(done)
        self.say(shown, ok, "" if done.ok else told)
        if not ok:
            raise ApplyFailed(f"`{shown}` failed: {_reason(done)}")
        self._ran.append(action)

    def tell_packages(self, packages: Sequence[str]) -> None:
        """Says what is not taken back: others may use it by now."""
        for package in dict.fromkeys(packages):
            self.say(f"the package {package} stays installed")


def _reason(done: Completed) -> str:
    """The last lines of what a command answered; where it complained, those of the complaint."""
    lines = [line.strip() for line in (done.err if done.err.strip() else done.out).splitlines()]
    told = [line for line in lines if line][-_TOLD:]
    return " / ".join(told) or f"exit code {done.code}"


def _what(operation: Operation) -> str:
    if operation.after is None:
        return f"removed {operation.path}"
    verb = "kept" if operation.before == operation.after else "wrote"
    return f"{verb} {operation.path} ({operation.after.mode:04o})"


def _sentence(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{os.strerror(error.errno or 0)}"
