"""A machine for generated scripts: a PATH of real tools and fakes, and the rendered files on it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from certtui.host.facts import CertbotInstall, Facts, System, WebServer
from certtui.plan import fields, validate
from certtui.plan.model import Plan
from certtui.render import build
from certtui.render.places import Places

#: Every tool that a generated script may not do without: no mktemp, openssl, bash, ps or pgrep.
TOOLS = (
    *("awk", "cat", "cut", "date", "env", "grep", "head", "mkdir", "mv", "od", "rm"),
    *("sed", "sh", "sleep", "tail", "tr", "true", "uname", "wc"),
)
#: Tools that are used where they are there.
MORE = ("timeout", "hostname")

NGINX = WebServer("nginx", "/usr/sbin/nginx", "nginx.service", True, (80, 443))


def system(**changes: Any) -> System:
    values: dict[str, Any] = {
        "os_id": "debian",
        "os_like": (),
        "os_name": "Debian GNU/Linux 12 (bookworm)",
        "hostname": "web1.example.org",
        "machine_id": "0123456789abcdef0123456789abcdef",
        "init": "systemd",
        "systemd_version": 252,
        "package_manager": "apt",
        "is_root": True,
    }
    return System(**{**values, **changes})


def facts(**changes: Any) -> Facts:
    values: dict[str, Any] = {
        "system": system(),
        "certbots": (CertbotInstall("/usr/bin/certbot", "deb", "2.1.0"),),
        "webservers": (NGINX,),
        "has_cron_d": True,
    }
    return Facts(**{**values, **changes})


def plan(**changes: Any) -> Plan:
    """A valid plan; ``webserver_kind="none"`` sets ``webserver.kind``."""
    answers = {name.replace("_", ".", 1): value for name, value in changes.items()}
    assert validate.problems(answers) == []
    return Plan.from_values({**fields.defaults(), **answers})


@dataclass
class Machine:
    """One throw-away machine. ``answers`` of the fakes are shell text that tests write."""

    folder: Path
    shell: tuple[str, ...] = ("dash",)
    tools: tuple[str, ...] = (*TOOLS, *MORE)
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": "/usr/bin:/bin"})

    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ("bin", "sbin", "log", "etc/renewal-hooks/post", "etc/renewal-hooks/deploy"):
            (self.folder / name).mkdir(parents=True)
        for tool in self.tools:
            path = shutil.which(tool)
            assert path, tool
            (self.folder / "bin" / tool).symlink_to(path)
        self.fake("logger", f'shift 3; printf "%s\\n" "$*" >>{self.folder}/syslog')
        self.fake("hostname", "echo web1.example.org")
        self.sleeps("exit 0")

    @property
    def program(self) -> str:
        found = shutil.which(self.shell[0])
        assert found, f"{self.shell[0]} is missing; apt-get install {self.shell[0]}"
        return found

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def fake(self, name: str, text: str) -> None:
        """A program that notes its arguments in ``NAME.ran`` and then does ``text``."""
        path = self.folder / "bin" / name
        path.unlink(missing_ok=True)
        path.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >>{self.folder}/{name}.ran\n{text}\n')
        path.chmod(0o755)

    def sleeps(self, text: str) -> None:
        self.fake("sleep", text)

    def mailer(self, code: int = 0) -> None:
        """A sendmail that keeps each message as ``mail.1``, ``mail.2``..."""
        self.fake(
            "sendmail",
            f"n=$(($(ls {self.folder} | grep -c '^mail[.][0-9]') + 1))\n"
            f"cat >{self.folder}/mail.$n\nexit {code}".replace("ls ", "/bin/ls "),
        )

    def server(self, test: int = 0, reload: int = 0) -> None:
        self.fake("nginx", f"echo 'nginx: [emerg] what nginx says' >&2; exit {test}")
        self.fake("systemctl", f"exit {reload}")

    def certbot(self, text: str) -> None:
        self.fake("certbot", text)

    def certbot_renews(self, *names: str, then: str = "exit 0") -> None:
        """Runs the deploy hook for each lineage and the post hook once, as certbot does."""
        hooks = self.folder / "etc/renewal-hooks"
        runs = [
            f"RENEWED_LINEAGE=/etc/letsencrypt/live/{name} {hooks}/deploy/certtui-deploy"
            for name in names
        ]
        self.certbot("\n".join([*runs, f"{hooks}/post/certtui-reload >/dev/null 2>&1", then]))

    def install(self, host: Facts | None = None, **changes: Any) -> None:
        """Renders and writes the scripts as apply would."""
        answers: dict[str, Any] = {
            "files_scripts": str(self.folder / "sbin"),
            "mail_to": "admin@example.com",
            **changes,
        }
        answers["certbot_extra_args"] = (
            *("--config-dir", str(self.folder / "etc")),
            f"--logs-dir={self.folder}/log",
            *changes.get("certbot_extra_args", ()),
        )
        rendered = build.render(
            plan(**answers),
            host or facts(certbots=()),
            plan_text=b"version = 1\n",
            where=Places(str(self.folder / "bin"), str(self.state)),
        )
        for artifact in rendered.artifacts:
            if artifact.path.startswith(str(self.folder)):
                Path(artifact.path).write_bytes(artifact.content)
                Path(artifact.path).chmod(artifact.mode)

    @property
    def script(self) -> Path:
        return self.folder / "sbin/certbot-renew-everything"

    @property
    def post_hook(self) -> Path:
        return self.folder / "etc/renewal-hooks/post/certtui-reload"

    @property
    def deploy_hook(self) -> Path:
        return self.folder / "etc/renewal-hooks/deploy/certtui-deploy"

    def run(
        self, path: Path | None = None, *arguments: str, trigger: str = "", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        if trigger:
            environment["CERTTUI_TRIGGER"] = trigger
        return subprocess.run(
            [self.program, *self.shell[1:], str(path or self.script), *arguments],
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=60,
        )

    def start(self, **environment: str) -> subprocess.Popen[str]:
        started = subprocess.Popen(
            [self.program, *self.shell[1:], str(self.script)],
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.started.append(started)
        return started

    def clear(self) -> None:
        """Ends what a failing test left."""
        for started in self.started:
            if started.returncode is None:
                os.killpg(started.pid, signal.SIGKILL)
                started.communicate()

    def mails(self) -> list[str]:
        return [path.read_text() for path in sorted(self.folder.glob("mail.[0-9]*"), key=_number)]

    def ran(self, name: str) -> list[str]:
        """The argument lists a fake was started with."""
        return _lines(self.folder / f"{name}.ran")

    def runs(self) -> list[str]:
        return _lines(self.state / "runs.log")

    def results(self) -> list[str]:
        return [line.split(" ")[2] for line in self.runs()]

    def syslog(self) -> str:
        return "\n".join(_lines(self.folder / "syslog"))

    def pending(self) -> list[str]:
        return _lines(self.state / "pending-deploy")

    def mail_state(self) -> dict[str, str]:
        return dict(line.split("=") for line in _lines(self.state / "mail-state"))

    def age(self, name: str, seconds: int) -> None:
        """Moves a time of the mail state into the past."""
        state = self.mail_state()
        state[name] = str(int(state[name]) - seconds)
        text = "".join(f"{key}={value}\n" for key, value in state.items())
        (self.state / "mail-state").write_text(text)


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def _number(path: Path) -> int:
    return int(path.suffix[1:])


def until(true: Callable[[], object], seconds: float = 20) -> None:
    """Waits for something to become true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
