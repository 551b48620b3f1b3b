"""Every page of the wizard and every state of it that matters, as people meet it.

``PAGES`` is what the tests of the layout, the snapshots and the pictures go through.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from certtui import interview as talk
from certtui.host.facts import Facts, Service
from certtui.plan import fields
from certtui.plan.fields import FIELDS, Field
from certtui.testmail import Answer
from certtui.tui.app import WizardApp
from certtui.tui.screens.dry_run import DryRun
from certtui.tui.screens.question import Question
from certtui.tui.screens.review import Review
from tests.tui.driver import Driver
from tests.tui.played import Stage
from tests.tui.scenes import EMPTY, FIVE, HUNDRED, SERVER, Scene, applied, ill, ran, well
from tests.tui.support import facts

MAIL = {"mail.to": "admin@example.com"}


class Player(Driver):
    """A driver of a wizard on a played host."""

    def __init__(self, app: WizardApp, pilot: Any, stage: Stage) -> None:
        super().__init__(app, pilot)
        self.stage = stage

    async def settled(self) -> None:
        """Waits until nothing on the screen moves any more."""
        before = ""
        while before != (before := self.text):
            for _ in range(3):
                await self.pilot.pause()

    async def known(self) -> None:
        """Waits for the facts."""
        await self.until(lambda: self.app.interview.facts is not None)

    async def ask(self, key: str) -> None:
        """The page of a question, as it is reached from the list of all answers."""
        await self.known()
        field = fields.BY_KEY[key]
        asked = field in talk.pages(self.app.interview.values())
        move = self.app.ask(field) if asked else self.app.detour(Question(field, detour=True))
        self.app.go(move)
        await self.until(
            lambda: isinstance(self.app.body, Question) and self.app.body.field.key == key
        )

    async def review(self) -> None:
        """The review, with what apply would do."""
        await self.known()
        self.app.go(self.app.review())
        await self.until(lambda: isinstance(self.app.body, Review))
        body = self.app.body
        assert isinstance(body, Review)
        await self.until(lambda: body.preview is not None or bool(body.problem))

    async def dry_run(self) -> DryRun:
        """The dry run, after an apply."""
        await self.review()
        await self.press("a")
        await self.until(lambda: isinstance(self.app.body, DryRun))
        body = self.app.body
        assert isinstance(body, DryRun)
        return body

    async def over(self) -> None:
        """The dry run, at its end."""
        body = await self.dry_run()
        await self.until(lambda: not body.running)


Drive = Callable[[Player], Awaitable[None]]


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


# -- the host as it is looked at --------------------------------------------------------------


async def _start(driver: Player) -> None:
    await driver.known()


async def _looking(driver: Player) -> None:
    await driver.until(lambda: "looking at this host" in driver.text)


async def _unknown(driver: Player) -> None:
    await driver.until(lambda: "look again" in driver.text)


def _keys(*keys: str, first: Drive = _start) -> Drive:
    async def drive(driver: Player) -> None:
        await first(driver)
        await driver.press(*keys)

    return drive


def _question(key: str, *keys: str) -> Drive:
    async def drive(driver: Player) -> None:
        await driver.ask(key)
        await driver.press(*keys)

    return drive


async def _review(driver: Player) -> None:
    await driver.review()


async def _comparing(driver: Player) -> None:
    await driver.known()
    driver.app.go(driver.app.review())
    await driver.until(lambda: isinstance(driver.app.body, Review))


def _dry_run(running: int) -> Drive:
    """The dry run, while certbot works on the certificate of that number."""

    async def drive(driver: Player) -> None:
        body = await driver.dry_run()
        name = driver.stage.names[running]
        await driver.until(lambda: body.progress.states[name] == "running")
        driver.stage.now += 1.3
        await driver.pilot.pause(0.15)

    return drive


async def _cancelled(driver: Player) -> None:
    await _dry_run(2)(driver)
    await driver.press("c")
    body = driver.app.body
    await driver.until(lambda: not getattr(body, "running", True))


async def _over(driver: Player) -> None:
    await driver.over()


async def _done(driver: Player) -> None:
    await driver.over()
    await driver.press("enter")
    await driver.until(lambda: driver.app.body.step == "Done")


async def _done_at_once(driver: Player) -> None:
    await driver.review()
    await driver.press("a")
    await driver.until(lambda: driver.app.body.step == "Done")


async def _handed_over(driver: Player) -> None:
    await driver.review()
    await driver.press("a")
    await driver.until(lambda: "sudo" in driver.text)


async def _apply_fails(driver: Player) -> None:
    await driver.review()
    await driver.press("a")
    await driver.until(lambda: "Not applied" in driver.text)


async def _applying(driver: Player) -> None:
    await driver.review()
    await driver.press("a")
    await driver.until(lambda: "wrote /etc/systemd" in driver.text)


async def _detour(driver: Player) -> None:
    """A page with a heading over what a worker found."""
    await driver.until(lambda: driver.app.body.step in ("Doctor", "Status"))
    await driver.until(lambda: not getattr(driver.app.body, "looking", False))


def _aside(key: str, *keys: str) -> Drive:
    """Doctor or Status."""

    async def drive(driver: Player) -> None:
        await driver.known()
        await driver.press(key)
        await _detour(driver)
        await driver.press(*keys)

    return drive


async def _examining(driver: Player) -> None:
    await driver.known()
    await driver.press("d")
    await driver.until(lambda: driver.app.body.step == "Doctor")


async def _mailed(driver: Player) -> None:
    await driver.ask("mail.to")
    await driver.press("f4")
    await driver.until(lambda: "exim4" in driver.text and "Sending" not in driver.text)


async def _fault(driver: Player) -> None:
    await driver.known()
    driver.app.go(driver.app.review())
    await driver.until(lambda: "report" in driver.text)


async def _unseen(driver: Player) -> None:
    await driver.until(lambda: "daemon-reload" in driver.text)


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
        found[f"question-{one.key}"] = Page(_question(one.key), scene)
        if not one.advanced:
            found[f"help-{one.key}"] = Page(_question(one.key, "f1"), scene)
    for step in talk.steps():
        found |= _advanced(step)
    return found


def _advanced(step: str) -> dict[str, Page]:
    answers = {"schedule.backend": "at-random", **MAIL}
    first = next((one for one in FIELDS if one.step == step and not one.advanced), None)
    rare: list[Field] = talk.advanced(step, {**fields.defaults(), **answers})
    if first is None or not rare:
        return {}
    return {f"advanced-{step}": Page(_question(first.key, "f3"), Scene(answers=answers))}


def _schedulers() -> dict[str, Page]:
    """Each backend where everything is there, and where what it needs is not."""
    atd = Service("atd", True, "atd.service", True, True)
    complete = facts(certificates=FIVE, atd=atd, renewers=SERVER.renewers)
    return {
        f"scheduler-{choice.value}{suffix}": Page(
            _question("schedule.backend"),
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
    "welcome": Page(_start),
    "welcome-looking": Page(_looking, Scene(slow=frozenset({"facts"}))),
    "welcome-unknown": Page(_unknown, Scene(unknown="the folder /etc cannot be read")),
    "welcome-empty": Page(_start, Scene(found=EMPTY)),
    "welcome-hundred": Page(_start, Scene(found=facts(certificates=HUNDRED))),
    "welcome-user": Page(
        _start,
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
        _start, Scene(session={"before": "The apply of 12:00 finished: applied as reviewed."})
    ),
    "welcome-help": Page(_keys("question_mark")),
    "welcome-interrupted": Page(_keys("ctrl+c")),
    **_questions(),
    **_schedulers(),
    "question-wrong": Page(_question("mail.to", *"no@", "enter")),
    "runs-wrong": Page(_question("schedule.runs_per_day", "9", "9", "enter")),
    "webserver-lacks": Page(_question("webserver.kind"), Scene(found=EMPTY)),
    "mail-lacks": Page(_question("mail.to"), Scene(found=EMPTY)),
    "answers": Page(_keys("equals_sign"), Scene(answers=MAIL)),
    "review": Page(_review, Scene(answers=MAIL)),
    "review-script": Page(_keys("down", first=_review), Scene(answers=MAIL)),
    "review-looking": Page(_comparing, Scene(slow=frozenset({"compare"}))),
    "review-commands": Page(_keys("end", first=_review), Scene(answers=MAIL)),
    "review-conflict": Page(_review, Scene(answers=MAIL, prepare=_foreign)),
    "review-conflict-kept": Page(_keys("k", first=_review), Scene(answers=MAIL, prepare=_foreign)),
    "review-refused": Page(_review, Scene(found=EMPTY, answers=MAIL)),
    "review-same": Page(_review, Scene(answers=MAIL, prepare=applied)),
    "review-help": Page(_keys("question_mark", first=_review), Scene(answers=MAIL)),
    "whole-diff": Page(_keys("enter", first=_review), Scene(answers=MAIL)),
    "fault": Page(_fault, Scene(answers=MAIL, fault=True)),
    "apply": Page(_applying, Scene(answers=MAIL, applied=6)),
    "apply-interrupted": Page(_keys("ctrl+c", first=_applying), Scene(answers=MAIL, applied=6)),
    "apply-unseen": Page(_unseen, Scene(session={"unseen": True})),
    "apply-failed": Page(_apply_fails, Scene(answers=MAIL, fails=_STOPS)),
    "hand-over": Page(_handed_over, Scene(answers=MAIL, may_apply=False)),
    "dry-run": Page(_dry_run(2), Scene(answers=MAIL, hold=2)),
    "dry-run-paused": Page(_keys("pageup", first=_dry_run(2)), Scene(answers=MAIL, hold=2)),
    "dry-run-failing": Page(_dry_run(2), Scene(answers=MAIL, hold=2, failing=_SHOP)),
    "dry-run-proved": Page(_over, Scene(answers=MAIL)),
    "dry-run-failed": Page(_over, Scene(answers=MAIL, failing=_SHOP)),
    "dry-run-cancelled": Page(_cancelled, Scene(answers=MAIL, hold=2)),
    "dry-run-hundred": Page(
        _dry_run(41),
        Scene(found=facts(certificates=HUNDRED), answers=MAIL, hold=41, failing=_SOME),
    ),
    "dry-run-hundred-failed": Page(
        _over, Scene(found=facts(certificates=HUNDRED), answers=MAIL, failing=_SOME)
    ),
    "dry-run-help": Page(_keys("question_mark", first=_over), Scene(answers=MAIL)),
    "done": Page(_done, Scene(answers=MAIL)),
    "done-failed": Page(_done, Scene(answers=MAIL, failing=_SHOP)),
    "done-no-certificate": Page(_done_at_once, Scene(found=replace(SERVER, lineages=()))),
    "done-no-mail": Page(_done),
    "doctor": Page(_aside("d"), Scene(doctor=ill)),
    "doctor-well": Page(_aside("d"), Scene(doctor=well)),
    "doctor-finding": Page(_aside("d", "enter"), Scene(doctor=ill)),
    "doctor-looking": Page(_examining, Scene(slow=frozenset({"doctor"}))),
    "doctor-help": Page(_aside("d", "question_mark"), Scene(doctor=ill)),
    "status": Page(_aside("s"), Scene(answers=MAIL, prepare=ran)),
    "status-nothing": Page(_aside("s"), Scene(found=EMPTY)),
    "test-mail": Page(_mailed, Scene(answers=MAIL, mailed=Answer("exim4", 0))),
    "test-mail-refused": Page(
        _mailed,
        Scene(
            answers=MAIL,
            mailed=Answer(
                "exim4", 75, "exim: could not open /var/log/exim4/mainlog: Permission denied"
            ),
        ),
    ),
}
