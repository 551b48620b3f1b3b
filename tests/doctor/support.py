"""A healthy host for the checks, from which each test takes something away."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from certtui.change import apply as engine
from certtui.change.files import Tree
from certtui.doctor.certificates import webserver
from certtui.doctor.check import Context
from certtui.doctor.finding import Finding
from certtui.doctor.registry import run_checks
from certtui.host.facts import Facts, Lineage, Mailer, Renewer, Service
from certtui.host.interface import RealHost
from certtui.render.build import render
from tests.facts.support import FakeHost
from tests.render.support import facts as some_facts
from tests.render.support import plan as some_plan

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=timezone.utc)
CRON = "/etc/cron.d/certtui-renew"
SCRIPT = "/usr/local/sbin/certbot-renew-everything"
LOG = "/var/lib/certtui/runs.log"

TIMER = {
    "Id": "certtui-renew.timer",
    "LoadState": "loaded",
    "UnitFileState": "enabled",
    "ActiveState": "active",
    "SubState": "waiting",
    "NeedDaemonReload": "no",
    "NextElapseUSecRealtime": "Mon 2026-03-02 15:00:00 UTC",
    "Result": "success",
}
SERVICE = {
    "Id": "certtui-renew.service",
    "LoadState": "loaded",
    "Result": "success",
    "FragmentPath": "/etc/systemd/system/certtui-renew.service",
}
NGINX_UNIT = "LoadState=loaded\nActiveState=active\nSubState=running\nResult=success\n"


def exec_start(argv: str) -> str:
    """``ExecStart`` as ``systemctl show`` prints it (systemd 252)."""
    program = argv.partition(" ")[0]
    return (
        f"{{ path={program} ; argv[]={argv} ; ignore_errors=no ; start_time=[n/a] ; "
        "stop_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }"
    )


def facts(**changes: Any) -> Facts:
    lineage = Lineage(
        "a.example.org",
        "/etc/letsencrypt/renewal/a.example.org.conf",
        not_before=NOW - timedelta(days=10),
        not_after=NOW + timedelta(days=80),
    )
    well = some_facts(
        lineages=(lineage,),
        cron=Service("cron", True, "cron.service", True, True),
        atd=Service("atd", True, "atd.service", True, True),
        mailer=Mailer("sendmail", "/usr/sbin/sendmail", "/usr/sbin/exim4"),
        renewers=(
            Renewer("timer", "certtui-renew.timer", SCRIPT, True, False, ours=True),
            Renewer("timer", "certbot.timer", "certbot renew", False, True),
        ),
    )
    return replace(well, **changes)


class Applied(FakeHost):
    """A host made of dictionaries whose files are those of a root that a plan was applied to."""

    def __init__(self, folder: Path, backend: str, found: Facts) -> None:
        super().__init__()
        self.root = str(folder)
        self.applied = timedelta(hours=1)  # ago
        self.plan = some_plan(schedule_backend=backend, mail_to="root")
        self.rendered = render(self.plan, found, plan_text=b"version = 1\n")
        for name in ("etc/cron.d", "etc/letsencrypt", "etc/systemd/system", "usr/local/sbin"):
            (folder / name).mkdir(parents=True)
        (folder / "var/lib").mkdir(parents=True)
        engine.apply(
            self, Tree(self.root), self.rendered, plan_text="version = 1\n", activate=False
        )
        self.real = RealHost(self.root)
        self.timer = dict(TIMER)
        self.service = {**SERVICE, "ExecStart": exec_start(SCRIPT)}
        trigger = "at" if backend.startswith("at-") else backend
        self.write(LOG, f"{NOW - timedelta(hours=3):%Y-%m-%dT%H:%M:%SZ} {trigger} ok 12 \n")
        self.answer()
        self.answers["nginx", "-t"] = ""
        self.answers["systemctl", "show", "-p", webserver.ASKED] = NGINX_UNIT

    def path(self, name: str) -> Path:
        return Path(self.root + name)

    def write(self, name: str, content: str) -> None:
        self.path(name).parent.mkdir(parents=True, exist_ok=True)
        self.path(name).write_text(content)

    def answer(self) -> None:
        blocks = [
            "\n".join(f"{key}={value}" for key, value in unit.items())
            for unit in (self.timer, self.service)
        ]
        self.answers["systemctl", "show"] = "\n\n".join(blocks) + "\n"

    # The checks read the real files of the root.
    def read(self, path: str, most: int = -1) -> bytes | None:
        return self.real.read(path, most)

    def info(self, path: str) -> Any:
        found = self.real.info(path)
        if found is None:
            return None
        # An ordinary user's root belongs to that user, and certtui's own are as old as told.
        mtime = found.mtime
        if path.startswith(("/var/lib/certtui/", "/etc/letsencrypt/renewal/")):
            mtime = (NOW - self.applied).timestamp()
        return replace(found, uid=0 if found.uid == Tree(self.root).uid else found.uid, mtime=mtime)

    def names(self, path: str) -> list[str]:
        return self.real.names(path)

    def link(self, path: str) -> str | None:
        return self.real.link(path)

    def resolve(self, path: str) -> str | None:
        return self.real.resolve(path)


def context(host: Applied, found: Facts | None = None) -> Context:
    return Context(host, found or facts(), host.plan, host.rendered, now=NOW)


def bad(host: Applied, found: Facts | None = None) -> dict[str, Finding]:
    """What is not ok: id -> finding."""
    findings = run_checks(context(host, found))
    return {item.id: item for item in findings if item.status.value not in ("ok", "skip")}
