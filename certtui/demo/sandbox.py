"""A throw-away server: a fake root with real certificates in it, an ACME server, a certbot.

Nothing outside the sandbox's folder is written, nothing needs root, and nothing is left however
the owner ends (see :mod:`certtui.demo.guard`); no signal handler is needed for that.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import site
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from certtui.demo import ca, guard, isolated_certbot
from certtui.demo.guarded import DemoError, GuardedFolder
from certtui.errors import CertbotMissing

#: The lineages of the sandbox. ``.test`` is reserved (RFC 6761): nobody can own these names.
NAMES = ("demo.example.test", "shop.example.test")

#: Seconds one certificate may take; on an idle machine three, two of which certbot sleeps.
CERTBOT_TIMEOUT = 60.0

_INSTALL = "install both with: pip install 'certtui[demo]'"

_FOLDERS = (
    "etc/cron.d",
    "etc/letsencrypt",
    "etc/nginx",
    "etc/systemd/system",
    "usr/local/sbin",
    "var/lib/letsencrypt",
    "var/log/letsencrypt",
)

# What programs need to start at all. Proxies, CA bundles and everything else of the caller would
# only lead the sandbox's certbot astray.
_KEPT = ("PATH", "TERM", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV")


@dataclass(frozen=True)
class Step:
    """Something the sandbox has begun or done; ``seconds`` since it was entered."""

    kind: str  # folder | starting | server | requesting | certificate
    text: str
    seconds: float


class Sandbox:
    """``with Sandbox(progress) as sandbox:`` makes it and gets a certificate for each of ``names``.

    ``progress`` is called with each :class:`Step` as it happens, in the caller's thread; ``steps``
    keeps them. ``authority`` is ``pebble``, ``acme2certifier``, or ``auto`` for the best there is.
    ``close`` may be called from another thread to give up. Entering raises
    :class:`~certtui.errors.CertbotMissing` (certbot or an ACME server is not installed) or
    :class:`DemoError`, and leaves nothing.
    """

    folder: Path  # everything of the sandbox is below it
    root: Path  # the fake root: what to give to ``--root``
    certbot: list[str]  # a program and its options; append a sub-command
    command: Path  # the same with its environment as one program: what a plan can name
    environment: dict[str, str]  # all that a program of the sandbox is to be started with
    server: str  # URL of the ACME directory
    validates: bool  # whether the server really fetched the challenges

    def __init__(
        self,
        progress: Callable[[Step], None] | None = None,
        *,
        authority: str = "auto",
        names: Sequence[str] = NAMES,
    ) -> None:
        self.names = tuple(names)
        self.steps: list[Step] = []
        self._progress = progress
        self._wanted = authority
        self._start = 0.0
        self._folder: GuardedFolder | None = None
        self._authority: ca.Authority | None = None

    def __enter__(self) -> Sandbox:
        self._start = time.monotonic()
        program = find_certbot()
        kinds = _authorities(self._wanted)
        try:
            self._folder = GuardedFolder()
            self._furnish(self._folder, program)
            self._start_authority(kinds, self._folder.path)
            self._write_command()
            for name in self.names:
                self._issue(name)
        except BaseException:
            self._close_quietly()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
        else:
            self._close_quietly()

    def close(self) -> None:
        """Ends every process of the sandbox and removes its folder; may be called again.

        Raises :class:`DemoError` where something could not be taken away.
        """
        try:
            if self._folder is not None:
                self._folder.close()
        finally:
            if self._authority is not None:
                self._authority.reap()

    def run_certbot(
        self, *arguments: str, timeout: float = CERTBOT_TIMEOUT
    ) -> subprocess.CompletedProcess[str]:
        """Runs the sandbox's certbot to its end; ``stdout`` holds both streams. ``timeout`` in
        seconds. An interruption, such as Ctrl+C, ends certbot first. Raises :class:`DemoError`
        when it takes too long.
        """
        argv = [*self.certbot, *arguments]
        with subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            env=self.environment,
            cwd=self.root,
            start_new_session=True,
        ) as process:
            try:
                out, _ = process.communicate(timeout=timeout)
            except subprocess.TimeoutExpired as late:
                _kill_group(process)
                raise DemoError(f"certbot had not ended after {timeout:g} s") from late
            except BaseException:
                _kill_group(process)
                raise
        return subprocess.CompletedProcess(argv, process.returncode, out)

    def dry_run(self, name: str) -> list[str]:
        """The argv of a dry run of one lineage, to be started with :attr:`environment`.

        The server has to be named: a bare ``--dry-run`` asks Let's Encrypt's staging server.
        """
        options = ["-n", "--dry-run", "--no-random-sleep-on-renew", "--server", self.server]
        return [*self.certbot, "renew", *options, "--cert-name", name]

    def _furnish(self, folder: GuardedFolder, program: Path) -> None:
        """The fake root, a home and a place for temporary files; certbot and its environment."""
        self.folder, self.root = folder.path, folder.path / "root"
        self._step("folder", f"folder {folder.path}, which goes away by itself")
        home, scratch = folder.path / "home", folder.path / "tmp"
        for place in (home, scratch, *(self.root / name for name in _FOLDERS)):
            place.mkdir(parents=True)
        # As on a real server, whatever the umask: certtui refuses parents that others may write to.
        for directory, _, _ in os.walk(self.root):
            os.chmod(directory, 0o755)  # noqa: S103 - inside a folder that is 0700
        self.environment = {
            **{key: os.environ[key] for key in _KEPT if key in os.environ},
            **folder.mark,
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / ".config"),
            "TMPDIR": str(scratch),
            "LC_ALL": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",  # it would be written beside the installed modules
            # Where pip install --user put certbot, which is looked for below HOME otherwise.
            "PYTHONUSERBASE": site.getuserbase(),
        }
        self.certbot = [
            *_without_host_configuration(program),
            *("--config-dir", str(self.root / "etc/letsencrypt")),
            *("--work-dir", str(self.root / "var/lib/letsencrypt")),
            *("--logs-dir", str(self.root / "var/log/letsencrypt")),
            # A dry run runs post hooks, and the one that certtui writes reloads this host's server.
            "--no-directory-hooks",
        ]

    def _start_authority(self, kinds: Sequence[str], folder: Path) -> None:
        """Starts the first kind of server that will; each has a folder of its own."""
        for kind in kinds:
            self._step("starting", f"starting an ACME server of its own ({kind})")
            try:
                self._authority = ca.start(kind, folder / kind, self.environment)
                break
            except DemoError:
                if kind == kinds[-1]:
                    raise
        assert self._authority is not None
        self.server, self.validates = self._authority.url, self._authority.validates
        self.environment |= self._authority.trust
        how = (
            "it really checks every challenge"
            if self.validates
            else "it takes every challenge as passed (pebble, where installed, checks them)"
        )
        self._step("server", f"{self.server} answers; {how}")

    def _write_command(self) -> None:
        """certbot as one program, for code that knows nothing of sandboxes."""
        self.command = self.folder / guard.COMMAND
        settings = [f"{name}={value}" for name, value in sorted(self.environment.items())]
        argv = ["/usr/bin/env", "-i", *settings, *self.certbot]
        lines = ["#!/bin/sh", "# The demo's certbot: all it reads and writes is in this folder."]
        self.command.write_text("\n".join([*lines, f'exec {shlex.join(argv)} "$@"', ""]))
        self.command.chmod(0o700)

    def _issue(self, name: str) -> None:
        assert self._authority is not None
        self._step("requesting", f"certbot asks for a certificate for {name}")
        done = self.run_certbot(
            *("certonly", "-n", "--agree-tos", "--register-unsafely-without-email"),
            *("--server", self.server, "-d", name, "--standalone"),
            *("--http-01-address", "127.0.0.1"),
            *("--http-01-port", str(self._authority.http_port)),
        )
        live = self.root / "etc/letsencrypt/live" / name / "fullchain.pem"
        if done.returncode != 0 or not live.exists():
            said = done.stdout.strip() or self._authority.failure()
            raise DemoError(f"certbot got no certificate for {name}:\n{said}")
        self._step("certificate", f"issued: {live.parent.relative_to(self.root)}")

    def _step(self, kind: str, text: str) -> None:
        step = Step(kind, text, time.monotonic() - self._start)
        self.steps.append(step)
        if self._progress is not None:
            self._progress(step)

    def _close_quietly(self) -> None:
        """Closes where another error is on its way out, which must not be hidden by this one."""
        with contextlib.suppress(DemoError):
            self.close()


def find_certbot() -> Path:
    """The certbot beside this Python, else the one on PATH. Raises :class:`CertbotMissing`."""
    beside = Path(sysconfig.get_path("scripts")) / "certbot"
    if os.access(beside, os.X_OK):
        return beside
    found = shutil.which("certbot")
    if found is None:
        raise CertbotMissing(f"the demo needs certbot and an ACME server; {_INSTALL}")
    return Path(found)


def _authorities(wanted: str) -> list[str]:
    kinds = [kind for kind in ca.available() if wanted in ("auto", kind)]
    if not kinds:
        raise CertbotMissing(f"the demo needs an ACME server of its own; {_INSTALL}")
    return kinds


def _without_host_configuration(program: Path) -> list[str]:
    """An argv that runs certbot without this host's cli.ini, where it is a Python script."""
    python = _python_of(program)
    return [python, isolated_certbot.__file__, str(program)] if python else [str(program)]


def _python_of(program: Path) -> str | None:
    """The Python that runs a script; None for a program of another sort, such as the snap's."""
    if program.parent == Path(sysconfig.get_path("scripts")):
        return sys.executable
    with program.open("rb") as file:
        first = os.fsdecode(file.readline(256))
    words = first.removeprefix("#!").split() if first.startswith("#!") else []
    is_python = bool(words) and os.path.basename(words[0]).startswith("python")
    return words[0] if is_python else None


def _kill_group(process: subprocess.Popen[str]) -> None:
    """Ends certbot and what it started: all that it could spoil is thrown away anyway."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
