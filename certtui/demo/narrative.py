"""What ``certtui demo`` says: plain text of at most 80 columns, each line as it happens."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from certtui.demo.sandbox import Step

if TYPE_CHECKING:
    from certtui.change import model as change
    from certtui.change.model import Action, Preview
    from certtui.plan.model import Plan

_WIDTH = 80
_SECTIONS = 6

#: The answers of the plan that are worth a line.
_SHOWN = ("webserver.kind", "schedule.backend", "schedule.runs_per_day", "mail.to")


class Narrative:
    """Prints the demo's story; numbers its sections where they are known before (``numbered``)."""

    def __init__(self, *, numbered: bool) -> None:
        self._numbered = numbered
        self._section = 0

    def sandbox(self, step: Step) -> None:
        """One step of making the sandbox; the first begins the story."""
        if step.kind == "folder":
            self._say(
                "certtui demo: sets up certificate renewal and proves that it works, on a server "
                "that is only a folder. No root is needed; nothing on this machine is changed."
            )
            self._begin("A server with certificates")
        self._say(f"{step.seconds:4.1f} s  {step.text}", indent=2, hang=10)

    def plan(self, file: str, plan: Plan) -> None:
        """Where the plan is, and what it says."""
        self._begin("The plan: what shall happen, written down")
        self._say(file, indent=2)
        values = plan.values()
        for key in _SHOWN:
            self._say(f"{key:<23}{values[key] or '(empty: no mail)'}", indent=4)
        self.played()

    def played(self) -> None:
        """What is not real."""
        self._say(
            "Certificates, certbot and its server are real. systemd and nginx are played: their "
            "files are written, nothing is started or reloaded.",
            indent=2,
        )

    def wizard(self) -> None:
        """Just before the wizard takes the screen."""
        self._begin("The wizard (certtui)")
        self.played()

    def preview(self, preview: Preview, actions: Sequence[Action], root: Path) -> None:
        """A line a file, and the commands that a folder has no use for."""
        self._begin("The preview: what apply would do (certtui diff)")
        self._say(f"below {root}:", indent=2)
        for file in preview.files:
            added, removed = file.counts()
            lines = " ".join(f"{sign}{n}" for sign, n in (("+", added), ("-", removed)) if n)
            print(f"  {file.state:<4} {file.mode:04o}  {file.path}  {lines}", flush=True)
        self._say("A real server would then run:", indent=2)
        for action in actions:
            self._say(f"$ {shlex.join(action.argv)}", indent=4, hang=8)
        self._say("To read every line, made for your own machine and not written to it:", indent=2)
        self._say("$ certtui init my.toml; certtui diff my.toml", indent=4)

    def apply(self) -> None:
        self._begin("Apply: all of it, or nothing (certtui apply)")

    def step(self, step: change.Step) -> None:
        """One step of the apply as it ends."""
        mark = "ok" if step.ok else "FAILED"
        note = f": {step.message}" if step.message else ""
        self._say(f"{mark}  {step.what}{note}", indent=2, hang=6)

    def applied(self) -> None:
        self._say("On a server `certtui undo` takes all of it back.", indent=2)

    def dry_run(self) -> None:
        self._begin("The proof: a live dry run of every renewal (certtui dry-run)")

    def status(self) -> None:
        self._begin("How it stands (certtui status)")

    def end(self, folder: Path, seconds: float, problems: Sequence[str]) -> None:
        """How it went, where it was, and what to do next."""
        took = f" in {seconds:.0f} s" if self._numbered else ""
        print()
        for problem in problems:
            self._say(f"NOT PROVED: {problem}", hang=12)
        if not problems:
            self._say(f"Done{took}: everything is written, every renewal is proved.")
        self._say(f"All of the above happened in {folder}, which is gone now.")
        self._say("Next, on a real server:")
        self._say("sudo certtui      the wizard: choose, preview, apply, prove", indent=2)
        self._say("certtui --help    every command", indent=2)

    def _begin(self, title: str) -> None:
        self._section += 1
        print()
        number = f"[{self._section}/{_SECTIONS}] " if self._numbered else "== "
        self._say(f"{number}{title}")

    def _say(self, text: str, indent: int = 0, hang: int = 0) -> None:
        """A paragraph; ``hang`` is the indent of its further lines. A long path is not broken."""
        print(
            textwrap.fill(
                text,
                _WIDTH,
                initial_indent=" " * indent,
                subsequent_indent=" " * (hang or indent),
                break_long_words=False,
                break_on_hyphens=False,
                drop_whitespace=True,
            ),
            flush=True,
        )
