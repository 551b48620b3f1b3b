"""The server that the demo plays: its plan, its facts, and what this process must not leave behind.

The certificates, the certbot and the files are real; the machine around them is not, so that the
demo shows the same everywhere: Debian with systemd and nginx, and nothing that renews yet.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING

from certtui.demo.guard import MARK
from certtui.demo.sandbox import Sandbox

if TYPE_CHECKING:
    from certtui.ask.session import Session
    from certtui.change.model import Action
    from certtui.host.facts import Facts
    from certtui.plan.document import Document
    from certtui.workflow import Job

#: Any 32 hex digits: the times of the demo's timer are derived from it (machine-id(5)).
_MACHINE_ID = "6365727474756964656d6f0000000000"


def facts(sandbox: Sandbox) -> Facts:
    """What is true in the sandbox, and the played machine around it."""
    from certtui.host.facts import CertbotInstall, Facts, Mailer, Service, System, WebServer
    from certtui.host.interface import RealHost
    from certtui.host.lineages import lineages

    # Not gathered as on a server: that would look at this machine and run what is installed on it.
    said = re.search(r"certbot (\d[\d.]*)", sandbox.run_certbot("--version").stdout)
    certbot = CertbotInstall(str(sandbox.command), "other", said[1] if said else "")
    found, unreadable = lineages(RealHost(), str(sandbox.root / "etc/letsencrypt"))
    system = System(
        os_id="debian",
        os_like=(),
        os_name="the demo's Debian",
        hostname=sandbox.names[0],
        machine_id=_MACHINE_ID,
        init="systemd",
        systemd_version=252,
        package_manager="apt",
        is_root=True,
    )
    return Facts(
        system=system,
        certbots=(certbot,),
        lineages=found,
        webservers=(WebServer("nginx", "/usr/sbin/nginx", "nginx.service", True, (80, 443)),),
        cron=Service("cron", True, "cron.service", True, True),
        atd=Service("atd", True, "atd.service", True, True),
        has_cron_d=True,
        mailer=Mailer("sendmail", "/usr/sbin/sendmail", "/usr/sbin/sendmail"),
        unreadable=unreadable,
    )


def answers(sandbox: Sandbox) -> dict[str, object]:
    """The plan's answers where they differ from the defaults, flat and dotted."""
    return {"webserver.kind": "nginx", "certbot.command": str(sandbox.command)}


def plan(sandbox: Sandbox) -> Document:
    """The demo's plan, written to ``plan.toml`` in the sandbox's folder."""
    from certtui.plan import document

    made = document.new(answers(sandbox), str(sandbox.folder / "plan.toml"))
    (sandbox.folder / "plan.toml").write_bytes(made.content)
    return made


def job(sandbox: Sandbox) -> Job:
    """The plan on that server: files go below the sandbox's root."""
    from certtui.workflow import Job

    return Job(plan(sandbox), str(sandbox.root), known=facts(sandbox))


def session(sandbox: Sandbox) -> Session:
    """The wizard on that server: it starts from :func:`answers` and leaves no draft."""
    from certtui.ask.session import Session

    found = facts(sandbox)
    return Session(
        facts=lambda plan: found,
        path=str(sandbox.folder / "plan.toml"),
        root=str(sandbox.root),
        keeps_draft=False,
        answers=answers(sandbox),
        note="demo",
        played=actions,
    )


def actions(job: Job) -> list[Action]:
    """The commands that a server would run after the files are written; a folder has no use."""
    from certtui.change.units import ABSENT, UNIT_FOLDER, after_files

    units = job.rendered.units
    changed = [
        artifact.path
        for artifact in job.rendered.artifacts
        if artifact.path.startswith(UNIT_FOLDER)
    ]
    now = {unit.unit: ABSENT for unit in units}
    return after_files(units, now, changed, job.rendered.verify)


@contextlib.contextmanager
def surroundings(sandbox: Sandbox) -> Iterator[None]:
    """Keeps the drafts and temporary files of this process in the sandbox, and marks its children.

    The mark is only in the environment that children get: the guard reads ``/proc/PID/environ``,
    which shows the one a process was started with (proc(5)), and so does not end its own owner.
    """
    before = dict(os.environ)
    taken = ("HOME", "TMPDIR", "XDG_CONFIG_HOME", MARK)
    os.environ.update({name: sandbox.environment[name] for name in taken})
    os.environ.pop("XDG_STATE_HOME", None)
    temporary, tempfile.tempdir = tempfile.tempdir, sandbox.environment["TMPDIR"]
    try:
        yield
    finally:
        tempfile.tempdir = temporary
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def usual_umask() -> Iterator[None]:
    """The umask of a server, whatever the caller's: 0777 would keep the demo from its own files."""
    before = os.umask(0o022)
    try:
        yield
    finally:
        os.umask(before)
