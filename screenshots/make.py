"""Draws the pictures of the wizard from the real program: ``nox -s screenshots``.

The program runs without a terminal at a fixed size, is driven by keys, and each page is written as
SVG and PNG beside this file. Only the host is played: its facts are fixed, files go to a folder
that is thrown away, and certbot's words are those of a real dry run.
"""

from __future__ import annotations

import asyncio
import io
import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

os.environ.update(TEXTUAL_ANIMATIONS="none", TZ="Europe/Berlin")
os.environ.pop("NO_COLOR", None)

import resvg_py
from rich.console import Console
from rich.terminal_theme import TerminalTheme

from certtui.demo.server import actions
from certtui.host.facts import (
    CertbotInstall,
    Facts,
    Lineage,
    Mailer,
    Renewer,
    Service,
    System,
    WebServer,
)
from certtui.renewal.events import Done, Event, Line, LineageResult, LineageStarted
from certtui.session import Session
from certtui.tui.app import WizardApp
from certtui.tui.screens.dry_run import DryRun
from certtui.workflow import Job

HERE = Path(__file__).parent
NOW = datetime(2026, 3, 1, 18, 30, tzinfo=timezone.utc)

_COLOURS = [
    ((1, 1, 1), (222, 56, 43), (57, 181, 74), (200, 150, 0)),
    ((0, 90, 200), (160, 60, 160), (0, 140, 160), (204, 204, 204)),
    ((128, 128, 128), (255, 80, 80), (80, 220, 80), (230, 200, 0)),
    ((80, 140, 255), (220, 100, 220), (60, 200, 220), (255, 255, 255)),
]
_SIXTEEN = [colour for row in _COLOURS for colour in row]
THEMES = {
    "dark": TerminalTheme((24, 26, 31), (214, 217, 222), _SIXTEEN[:8], _SIXTEEN[8:]),
    "light": TerminalTheme((252, 252, 250), (36, 41, 47), _SIXTEEN[:8], _SIXTEEN[8:]),
}

_CERTIFICATES = (
    ("example.com", 61),
    ("shop.example.org", 12),
    ("mail.example.com", 44),
    ("api.example.com", 58),
    ("wiki.example.net", 29),
)


def facts() -> Facts:
    """Debian 12 with nginx, exim and five certificates."""
    return Facts(
        system=System(
            "debian",
            (),
            "Debian GNU/Linux 12",
            "web1.example.com",
            "1f" * 16,
            "systemd",
            252,
            "apt",
            True,
        ),
        certbots=(CertbotInstall("/usr/bin/certbot", "deb", "2.1.0"),),
        lineages=tuple(
            Lineage(
                name,
                f"/etc/letsencrypt/renewal/{name}.conf",
                certificate=f"/etc/letsencrypt/live/{name}/cert.pem",
                authenticator="nginx",
                domains=(name,),
                not_before=NOW - timedelta(days=90 - days),
                not_after=NOW + timedelta(days=days, hours=1),
            )
            for name, days in _CERTIFICATES
        ),
        webservers=(
            WebServer("nginx", "/usr/sbin/nginx", "nginx.service", True, (80, 443), "1.22"),
        ),
        cron=Service("cron", True, "cron.service", True, True),
        atd=Service("atd", False),
        has_cron_d=True,
        mailer=Mailer("sendmail", "/usr/sbin/sendmail", "/usr/sbin/exim4"),
        renewers=(
            Renewer(
                "timer",
                "certbot.timer",
                "certbot -q renew",
                True,
                True,
                next_run=NOW + timedelta(hours=7, minutes=42),
            ),
        ),
    )


class Stage:
    """A dry run that stops half-way until it is told to go on."""

    def __init__(self, failing: str = "") -> None:
        self.failing = failing
        self.go = threading.Event()

    def events(self, cancel: threading.Event, only: str = "") -> Iterator[Event]:
        """What certbot says, certificate by certificate."""
        del cancel, only
        yield Line("Saving debug log to /var/log/letsencrypt/letsencrypt.log", 0.4)
        results = []
        for number, (name, _) in enumerate(_CERTIFICATES):
            at = 1.5 + 2.6 * number
            yield LineageStarted(name, at)
            yield Line("- " * 40, at)
            yield Line(f"Processing /etc/letsencrypt/renewal/{name}.conf", at)
            yield Line("- " * 40, at)
            yield Line("Account registered.", at)
            yield Line(f"Simulating renewal of an existing certificate for {name}", at)
            if number == 2:
                self.go.wait(30)
            failed = name == self.failing
            reason = "port 80 refused the connection: open it for the Internet, then r"
            if failed:
                yield Line(f"Failed to renew certificate {name} with error: ", at)
                yield Line("Some challenges have failed. Connection refused", at)
            results.append(
                LineageResult(name, "failed" if failed else "ok", reason if failed else "", at + 2)
            )
            yield results[-1]
        ok = all(result.result == "ok" for result in results)
        yield Line("Congratulations, all simulated renewals succeeded." if ok else "1 failed.", 14)
        why = "" if ok else "1 certificate was not proved."
        yield Done(ok, tuple(results), 14.2, why, "/var/lib/certtui/dry-run.log")


class Camera:
    """Takes a picture of the present page in every theme."""

    def __init__(self, app: WizardApp, pilot: Any, suffix: str, themes: tuple[str, ...]) -> None:
        self.app = app
        self.pilot = pilot
        self.suffix = suffix
        self.themes = themes

    async def keys(self, *keys: str) -> None:
        """Presses keys."""
        for key in keys:
            await self.pilot.press(key)
            await self.pilot.pause(0.05)

    async def until(self, what: Callable[[], bool]) -> None:
        """Waits for something to happen."""
        for _ in range(400):
            if what():
                await self.pilot.pause(0.3)
                return
            await self.pilot.pause(0.05)
        raise SystemExit(f"did not happen on the page {self.app.body.step}")

    async def take(self, name: str) -> None:
        """Writes NAME.svg and NAME.png, with the size and the theme in the name."""
        await self.pilot.pause(0.2)
        for theme in self.themes:
            svg = _svg(self.app, THEMES[theme])
            base = HERE / f"{name}{self.suffix}-{theme}"
            base.with_suffix(".svg").write_text(svg, "utf-8")
            base.with_suffix(".png").write_bytes(
                bytes(resvg_py.svg_to_bytes(svg_string=svg, monospace_family="DejaVu Sans Mono"))
            )
            print(base.name)


def _svg(app: WizardApp, theme: TerminalTheme) -> str:
    width, height = app.size
    console = Console(
        width=width,
        height=height,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        record=True,
        legacy_windows=False,
    )
    console.print(app.screen._compositor.render_update(full=True))
    svg = console.export_svg(title="certtui", theme=theme)
    # Nothing is fetched when the picture is looked at.
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    return svg.replace("Fira Code", "DejaVu Sans Mono")


def _session(root: Path) -> Session:
    return Session(
        facts=lambda plan: facts(),
        root=str(root),
        keeps_draft=False,
        clock=lambda: NOW,
        played=actions,
    )


async def _success(size: tuple[int, int], suffix: str, themes: tuple[str, ...]) -> None:
    """Every page of a set-up that goes well."""
    stage = Stage()
    Job.dry_run = stage.events  # type: ignore[method-assign,assignment]
    with tempfile.TemporaryDirectory() as folder:
        app = WizardApp(_session(Path(folder)))
        async with app.run_test(size=size) as pilot:
            camera = Camera(app, pilot, suffix, themes)
            await camera.until(lambda: app.interview.facts is not None)
            await camera.take("1-welcome")
            for name in ("2-webserver", "3-scheduler", "4-runs"):
                await camera.keys("enter")
                await camera.take(name)
            await camera.keys("enter", *"admin@example.com")
            await camera.take("5-mail")
            await camera.keys("f2")
            await camera.take("answers")
            await camera.keys("escape", "enter")
            await camera.until(lambda: getattr(app.body, "preview", None) is not None)
            await camera.keys("down")
            await camera.take("6-review")
            await camera.keys("a")
            await camera.until(
                lambda: isinstance(app.body, DryRun) and app.body.progress.finished == 2
            )
            await camera.take("8-dry-run")
            stage.go.set()
            await camera.until(lambda: not getattr(app.body, "running", True))
            await camera.keys("enter")
            await camera.take("9-done")


async def _failure(size: tuple[int, int], suffix: str, themes: tuple[str, ...]) -> None:
    """A dry run in which one certificate fails, and a review with a conflict."""
    stage = Stage("shop.example.org")
    stage.go.set()
    Job.dry_run = stage.events  # type: ignore[method-assign,assignment]
    with tempfile.TemporaryDirectory() as folder:
        edited = Path(folder) / "usr/local/sbin/certbot-renew-everything"
        edited.parent.mkdir(parents=True)
        edited.write_text("#!/bin/sh\n# written by hand years ago\ncertbot renew\n")
        edited.chmod(0o700)
        app = WizardApp(_session(Path(folder)))
        async with app.run_test(size=size) as pilot:
            camera = Camera(app, pilot, suffix, themes)
            await camera.until(lambda: app.interview.facts is not None)
            await camera.keys("enter", "enter", "enter", "enter", "enter")
            await camera.until(lambda: getattr(app.body, "preview", None) is not None)
            await camera.take("6-review-conflict")
            await camera.keys("r", "a")
            await camera.until(lambda: not getattr(app.body, "running", True))
            await camera.take("8-dry-run-failed")


async def main() -> None:
    """All pictures."""
    time.tzset()
    await _success((80, 24), "", ("dark", "light"))
    await _failure((80, 24), "", ("dark",))
    await _success((120, 36), "-120x36", ("dark",))


if __name__ == "__main__":
    os.chdir(HERE)
    asyncio.run(main())
    sys.exit(0)
