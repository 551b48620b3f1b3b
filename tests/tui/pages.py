"""Every page of the wizard and every state of it that matters, as people meet it.

``PAGES`` is what the tests of the layout, the snapshots and the pictures go through.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from certtui.ask import interview as talk
from certtui.ask.testmail import Answer
from certtui.host.facts import Facts, Service
from certtui.plan import fields
from certtui.plan.fields import FIELDS, Field
from certtui.tui.app import WizardApp
from tests.tui import ways
from tests.tui.scenes import EMPTY, FIVE, HUNDRED, SERVER, Scene, applied, ill, ran, well
from tests.tui.support import facts
from tests.tui.ways import Drive, Player

MAIL = {"mail.to": "admin@example.com"}


@dataclass(frozen=True)
class Page:
    """How to get to a page, and the host it is about."""

    drive: Drive
    scene: Scene = field(default_factory=Scene)

    async def __call__(self, driver: Player) -> None:
        await self.drive(driver)

    @asynccontextmanager
    async def open(
        self, size: tuple[int, int] = (80, 24), colours: str = "auto"
    ) -> AsyncIterator[Player]:
        """The page in a new wizard; ``colours`` as in ``certtui --colours``."""
        with (
            tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
            self.scene.play(Path(folder) / "root", colours) as (session, stage),
        ):
            app = WizardApp(session)
            async with app.run_test(size=size) as pilot:
                player = Player(app, pilot, stage)
                await pilot.pause()
                await self(player)
                await player.settled()
                yield player
                # A worker that waits would hold up the end of the program.
                app._waiting.clear()
                stage.release()


def _foreign(root: Path, session: object) -> None:
    """A script of that name that certtui did not write."""
    script = root / "usr/local/sbin/certbot-renew-everything"
    script.write_text("#!/bin/sh\n# written by hand years ago\ncertbot renew\n")
    script.chmod(0o700)


# -- the questions ----------------------------------------------------------------------------

#: Answers by which a question that does not always count does.
_COUNTS: Mapping[str, Mapping[str, Any]] = {
    "webserver.test": {"webserver.kind": "custom"},
    "webserver.command": {"webserver.kind": "custom"},
    "schedule.trigger": {"schedule.backend": "at-random"},
    "schedule.daily_cap": {"schedule.backend": "at-random"},
    "schedule.at_queue": {"schedule.backend": "at-random"},
    "mail.on": MAIL,
    "mail.from": MAIL,
}


def _questions() -> dict[str, Page]:
    """Every question of the declaration, and the help of each step."""
    found: dict[str, Page] = {}
    for one in FIELDS:
        scene = Scene(answers=_COUNTS.get(one.key, {}))
        found[f"question-{one.key}"] = Page(ways.question(one.key), scene)
        if not one.advanced:
            found[f"help-{one.key}"] = Page(ways.question(one.key, "f1"), scene)
    for step in talk.steps():
        found |= _advanced(step)
    return found


def _advanced(step: str) -> dict[str, Page]:
    answers = {"schedule.backend": "at-random", **MAIL}
    first = next((one for one in FIELDS if one.step == step and not one.advanced), None)
    rare: list[Field] = talk.advanced(step, {**fields.defaults(), **answers})
    if first is None or not rare:
        return {}
    return {f"advanced-{step}": Page(ways.question(first.key, "f3"), Scene(answers=answers))}


def _schedulers() -> dict[str, Page]:
    """Each backend where everything is there, and where what it needs is not."""
    atd = Service("atd", True, "atd.service", True, True)
    complete = facts(certificates=FIVE, atd=atd, renewers=SERVER.renewers)
    return {
        f"scheduler-{choice.value}{suffix}": Page(
            ways.question("schedule.backend"),
            Scene(found=found, answers={"schedule.backend": choice.value}),
        )
        for choice in fields.BY_KEY["schedule.backend"].choices
        for suffix, found in (("", complete), ("-lacks", _bare(choice.value)))
    }


def _bare(backend: str) -> Facts:
    """A host that lacks what a backend needs."""
    if backend != "systemd-timer":
        return replace(SERVER, cron=Service("cron", False), has_cron_d=False)
    system = replace(SERVER.system, init="other", systemd_version=0)
    return replace(SERVER, system=system, renewers=())


# -- all of them ------------------------------------------------------------------------------

_SHOP = frozenset({"shop.example.org"})
_SOME = frozenset(name for name, _ in HUNDRED[6:37:10])
_STOPS = (("systemctl", "enable"), "Failed to enable unit: the file system is read-only")

PAGES: dict[str, Page] = {
    "welcome": Page(ways.start),
    "welcome-looking": Page(ways.looking, Scene(slow=frozenset({"facts"}))),
    "welcome-unknown": Page(ways.unknown, Scene(unknown="the folder /etc cannot be read")),
    "welcome-empty": Page(ways.start, Scene(found=EMPTY)),
    "welcome-hundred": Page(ways.start, Scene(found=facts(certificates=HUNDRED))),
    "welcome-user": Page(
        ways.start,
        Scene(
            found=replace(
                SERVER,
                system=replace(SERVER.system, is_root=False),
                unreadable=("/etc/letsencrypt/renewal: only root may look there",),
                lineages=(),
            ),
            may_apply=False,
        ),
    ),
    "welcome-before": Page(
        ways.start, Scene(session={"before": "The apply of 12:00 finished: applied as reviewed."})
    ),
    "welcome-help": Page(ways.keys("question_mark")),
    "welcome-interrupted": Page(ways.keys("ctrl+c")),
    **_questions(),
    **_schedulers(),
    "question-wrong": Page(ways.question("mail.to", *"no@", "enter")),
    "runs-wrong": Page(ways.question("schedule.runs_per_day", "9", "9", "enter")),
    "webserver-lacks": Page(ways.question("webserver.kind"), Scene(found=EMPTY)),
    "mail-lacks": Page(ways.question("mail.to"), Scene(found=EMPTY)),
    "answers": Page(ways.keys("equals_sign"), Scene(answers=MAIL)),
    "review": Page(ways.review, Scene(answers=MAIL)),
    "review-script": Page(ways.keys("down", first=ways.review), Scene(answers=MAIL)),
    "review-looking": Page(ways.comparing, Scene(slow=frozenset({"compare"}))),
    "review-commands": Page(ways.keys("end", first=ways.review), Scene(answers=MAIL)),
    "review-conflict": Page(ways.review, Scene(answers=MAIL, prepare=_foreign)),
    "review-conflict-kept": Page(
        ways.keys("k", first=ways.review), Scene(answers=MAIL, prepare=_foreign)
    ),
    "review-refused": Page(ways.review, Scene(found=EMPTY, answers=MAIL)),
    "review-same": Page(ways.review, Scene(answers=MAIL, prepare=applied)),
    "review-help": Page(ways.keys("question_mark", first=ways.review), Scene(answers=MAIL)),
    "whole-diff": Page(ways.keys("enter", first=ways.review), Scene(answers=MAIL)),
    "fault": Page(ways.fault, Scene(answers=MAIL, fault=True)),
    "apply": Page(ways.applying, Scene(answers=MAIL, applied=6)),
    "apply-interrupted": Page(
        ways.keys("ctrl+c", first=ways.applying), Scene(answers=MAIL, applied=6)
    ),
    "apply-unseen": Page(ways.unseen, Scene(session={"unseen": True})),
    "apply-failed": Page(ways.apply_fails, Scene(answers=MAIL, fails=_STOPS)),
    "hand-over": Page(ways.handed_over, Scene(answers=MAIL, may_apply=False)),
    "dry-run": Page(ways.dry_run(2), Scene(answers=MAIL, hold=2)),
    "dry-run-paused": Page(ways.keys("pageup", first=ways.dry_run(2)), Scene(answers=MAIL, hold=2)),
    "dry-run-failing": Page(ways.dry_run(2), Scene(answers=MAIL, hold=2, failing=_SHOP)),
    "dry-run-proved": Page(ways.over, Scene(answers=MAIL)),
    "dry-run-failed": Page(ways.over, Scene(answers=MAIL, failing=_SHOP)),
    "dry-run-cancelled": Page(ways.cancelled, Scene(answers=MAIL, hold=2)),
    "dry-run-hundred": Page(
        ways.dry_run(41),
        Scene(found=facts(certificates=HUNDRED), answers=MAIL, hold=41, failing=_SOME),
    ),
    "dry-run-hundred-failed": Page(
        ways.over, Scene(found=facts(certificates=HUNDRED), answers=MAIL, failing=_SOME)
    ),
    "dry-run-help": Page(ways.keys("question_mark", first=ways.over), Scene(answers=MAIL)),
    "done": Page(ways.done, Scene(answers=MAIL)),
    "done-failed": Page(ways.done, Scene(answers=MAIL, failing=_SHOP)),
    "done-no-certificate": Page(ways.done_at_once, Scene(found=replace(SERVER, lineages=()))),
    "done-no-mail": Page(ways.done),
    "doctor": Page(ways.aside("d"), Scene(doctor=ill)),
    "doctor-well": Page(ways.aside("d"), Scene(doctor=well)),
    "doctor-finding": Page(ways.aside("d", "enter"), Scene(doctor=ill)),
    "doctor-looking": Page(ways.examining, Scene(slow=frozenset({"doctor"}))),
    "doctor-help": Page(ways.aside("d", "question_mark"), Scene(doctor=ill)),
    "status": Page(ways.aside("s"), Scene(answers=MAIL, prepare=ran)),
    "status-nothing": Page(ways.aside("s"), Scene(found=EMPTY)),
    "test-mail": Page(ways.mailed, Scene(answers=MAIL, mailed=Answer("exim4", 0))),
    "test-mail-refused": Page(
        ways.mailed,
        Scene(
            answers=MAIL,
            mailed=Answer(
                "exim4", 75, "exim: could not open /var/log/exim4/mainlog: Permission denied"
            ),
        ),
    ),
}
