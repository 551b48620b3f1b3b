"""How a wizard is driven to each of its pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from certtui.ask import interview as talk
from certtui.plan import fields
from certtui.tui.app import WizardApp
from certtui.tui.screens.dry_run import DryRun
from certtui.tui.screens.question import Question
from certtui.tui.screens.review import Review
from tests.tui.driver import Driver
from tests.tui.played import Stage


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


async def start(driver: Player) -> None:
    await driver.known()


async def looking(driver: Player) -> None:
    await driver.until(lambda: "looking at this host" in driver.text)


async def unknown(driver: Player) -> None:
    await driver.until(lambda: "look again" in driver.text)


def keys(*keys: str, first: Drive = start) -> Drive:
    async def drive(driver: Player) -> None:
        await first(driver)
        await driver.press(*keys)

    return drive


def question(key: str, *keys: str) -> Drive:
    async def drive(driver: Player) -> None:
        await driver.ask(key)
        await driver.press(*keys)

    return drive


async def review(driver: Player) -> None:
    await driver.review()


async def comparing(driver: Player) -> None:
    await driver.known()
    driver.app.go(driver.app.review())
    await driver.until(lambda: isinstance(driver.app.body, Review))


def dry_run(running: int) -> Drive:
    """The dry run, while certbot works on the certificate of that number."""

    async def drive(driver: Player) -> None:
        body = await driver.dry_run()
        name = driver.stage.names[running]
        await driver.until(lambda: body.progress.states[name] == "running")
        driver.stage.now += 1.3
        await driver.pilot.pause(0.15)

    return drive


async def cancelled(driver: Player) -> None:
    await dry_run(2)(driver)
    await driver.press("c")
    body = driver.app.body
    await driver.until(lambda: not getattr(body, "running", True))


async def over(driver: Player) -> None:
    await driver.over()


async def done(driver: Player) -> None:
    await driver.over()
    await driver.press("enter")
    await driver.until(lambda: driver.app.body.step == "Done")


async def done_at_once(driver: Player) -> None:
    await driver.review()
    await driver.press("a")
    await driver.until(lambda: driver.app.body.step == "Done")


async def handed_over(driver: Player) -> None:
    await driver.review()
    await driver.press("a")
    await driver.until(lambda: "sudo" in driver.text)


async def apply_fails(driver: Player) -> None:
    await driver.review()
    await driver.press("a")
    await driver.until(lambda: "Not applied" in driver.text)


async def applying(driver: Player) -> None:
    await driver.review()
    await driver.press("a")
    await driver.until(lambda: "wrote /etc/systemd" in driver.text)


async def detour(driver: Player) -> None:
    """A page with a heading over what a worker found."""
    await driver.until(lambda: driver.app.body.step in ("Doctor", "Status"))
    await driver.until(lambda: not getattr(driver.app.body, "looking", False))


def aside(key: str, *keys: str) -> Drive:
    """Doctor or Status."""

    async def drive(driver: Player) -> None:
        await driver.known()
        await driver.press(key)
        await detour(driver)
        await driver.press(*keys)

    return drive


async def examining(driver: Player) -> None:
    await driver.known()
    await driver.press("d")
    await driver.until(lambda: driver.app.body.step == "Doctor")


async def mailed(driver: Player) -> None:
    await driver.ask("mail.to")
    await driver.press("f4")
    await driver.until(lambda: "exim4" in driver.text and "Sending" not in driver.text)


async def fault(driver: Player) -> None:
    await driver.known()
    driver.app.go(driver.app.review())
    await driver.until(lambda: "report" in driver.text)


async def unseen(driver: Player) -> None:
    await driver.until(lambda: "daemon-reload" in driver.text)
