"""One booted host: an overlay over an image, systemd as its process 1, a network of its own."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from email.message import Message
from mailbox import mbox
from pathlib import Path
from typing import Any

from tests.host import cgroups, listing
from tests.host.folders import HostError, clean_leftovers, mount, scratch, take_away

#: What every command on the host is started with: nothing of the caller's.
PATH = "/opt/certtui/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_BOOT_TIMEOUT = 60.0

#: A shell that waits for one child is told of every orphan as well.
_INIT = ("sh", "-c", "while :; do sleep 1; done")


class Machine:
    """``layers`` are the lower directories of the overlay, the uppermost first.

    The upper directory is in memory and goes with :meth:`close`, or stays at ``keep`` to become a
    layer for others. ``packages`` is a folder made by :func:`install`.
    """

    def __init__(
        self,
        layers: Sequence[Path],
        *,
        packages: Path,
        machine_id: str = "",
        keep: Path | None = None,
    ) -> None:
        clean_leftovers()
        self.folder = scratch()
        self._packages = packages
        self._process: subprocess.Popen[bytes] | None = None
        self.root = self.folder / "root"
        atexit.register(self.close)
        mount("-t", "tmpfs", "-o", "mode=0755", "certtui-host", str(self.folder))
        try:
            upper = keep or self.folder / "upper"
            for path in (upper, self.folder / "work", self.root):
                path.mkdir(parents=True, exist_ok=True)
            work = upper.with_name(f"{upper.name}.work") if keep else self.folder / "work"
            work.mkdir(exist_ok=True)
            lower = ":".join(str(layer) for layer in layers)
            options = f"lowerdir={lower},upperdir={upper},workdir={work}"
            mount("-t", "overlay", "-o", options, "certtui-host", str(self.root))
            if machine_id:
                self.write("/etc/machine-id", f"{machine_id}\n")
        except BaseException:
            self.close()
            raise

    # -- its life ------------------------------------------------------------------------------

    def boot(self) -> None:
        """Boots and waits until systemd says that everything is started."""
        self._start(["--boot"])
        self.wait_until(self._is_up, _BOOT_TIMEOUT, "the host to boot")

    def boot_without_systemd(self) -> None:
        """Boots with a process 1 that only takes in orphans: nothing is started on the host.

        nspawn's own (--as-pid2) will not do: Debian's apache2ctl takes it for systemd, by the
        name of its program.
        """
        self._start([], *_INIT)
        self.wait_until(self._has_shell, _BOOT_TIMEOUT, "process 1")

    def _start(self, options: Sequence[str], *command: str) -> None:
        argv = [
            *cgroups.joining(self.folder.name),
            *("systemd-nspawn", "--quiet", *options, "--private-network", "--register=no"),
            *("--keep-unit", "--console=read-only", f"--directory={self.root}"),
            f"--machine=certtui-{os.getpid()}-{self.folder.name[-6:].replace('_', 'x')}",
            "--hostname=web1",
            f"--bind-ro={self._packages}:/opt/certtui/site",
            *command,
        ]
        with open(self.folder / "boot.log", "ab") as log:
            self._process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def _is_up(self) -> bool:
        if not self._starting():
            return False
        state = self.run(["systemctl", "is-system-running"], check=False).stdout.strip()
        return state in ("running", "degraded")

    def _has_shell(self) -> bool:
        """Whether nspawn has done its part: until then the root is not the host's."""
        leader = self._starting()
        return leader != 0 and Path(f"/proc/{leader}/cmdline").read_bytes().startswith(b"sh\0")

    def _starting(self) -> int:
        """As :meth:`_leader`. Raises HostError when there will be none."""
        if self._process is not None and self._process.poll() is not None:
            raise HostError(f"nspawn ended:\n{(self.folder / 'boot.log').read_text()[-2000:]}")
        return self._leader()

    def _leader(self) -> int:
        """The process that is 1 in the host; 0 before it is there."""
        return _child(self._process.pid) if self._process is not None else 0

    def reboot(self) -> None:
        """Shuts down as a server does and boots the same disk again."""
        self.shut_down()
        self.boot()

    def shut_down(self) -> None:
        """``systemctl poweroff``, and waits for it."""
        self.run(["systemctl", "poweroff"], check=False)
        assert self._process is not None
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._kill()

    def _kill(self) -> None:
        """The end of process 1 ends every process of the host (pid_namespaces(7))."""
        leader = self._leader()
        if leader:
            os.kill(leader, signal.SIGKILL)
        if self._process is not None:
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def close(self) -> None:
        """Ends the host and takes away everything of it; may be called again."""
        if self._process is not None and self._process.poll() is None:
            self._kill()
        take_away(self.folder)
        atexit.unregister(self.close)

    # -- what a test does with it ----------------------------------------------------------------

    def run(
        self,
        argv: Sequence[str],
        *,
        check: bool = True,
        timeout: float = 120,
        input: str = "",
        env: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command as root on the host; both streams are text. Raises HostError."""
        variables = {"PATH": PATH, "HOME": "/root", "LC_ALL": "C.UTF-8", **(env or {})}
        words = [f"{name}={value}" for name, value in variables.items()]
        done = subprocess.run(
            [*self.enter(), "env", "-i", *words, *argv],
            input=input,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
        )
        if check and done.returncode:
            raise HostError(f"{argv} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done

    def enter(self) -> list[str]:
        """The beginning of an argv that runs inside the host."""
        leader = self._leader()
        if not leader:
            raise HostError("the host is not up")
        return ["nsenter", "-t", str(leader), "-a"]

    def ssh(self, key: Path, *command: str) -> list[str]:
        """An argv for a login through the host's sshd, in a pseudo-terminal; from outside it."""
        return [
            *("nsenter", "-t", str(self._leader()), "-n", "ssh", "-tt", "-q", "-i", str(key)),
            *("-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"),
            *("-o", "ServerAliveInterval=15", "root@127.0.0.1", *command),
        ]

    def certtui(
        self, *arguments: str, check: bool = False, timeout: float = 300
    ) -> subprocess.CompletedProcess[str]:
        """Runs certtui on the host."""
        return self.run(["certtui", *arguments], check=check, timeout=timeout)

    def processes(self, words: str) -> list[int]:
        """Those of the host whose command line has the words; their numbers are ours, not its."""
        own = os.readlink(f"/proc/{self._leader()}/ns/pid")
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                line = (process / "cmdline").read_bytes().replace(b"\0", b" ")
                if words.encode() in line and os.readlink(process / "ns/pid") == own:
                    found.append(int(process.name))
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has ended meanwhile
        return sorted(found)

    def read(self, path: str) -> str:
        """A file of the host as text."""
        return (self.root / path.lstrip("/")).read_text("utf-8", "replace")

    def write(self, path: str, content: str, mode: int = 0o644) -> None:
        """Writes a file of the host, before or after it is booted."""
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, "utf-8")
        target.chmod(mode)

    def exists(self, path: str) -> bool:
        """Whether a path is there, links not followed."""
        return os.path.lexists(self.root / path.lstrip("/"))

    def mails(self, user: str) -> list[Message]:
        """What was delivered to a local user, oldest first."""
        path = self.root / "var/mail" / user
        if not path.exists():
            return []
        # mbox writes nothing, but it wants a file that nobody delivers to meanwhile.
        copy = self.folder / "mbox"
        shutil.copyfile(path, copy)
        with closing(mbox(copy, create=False)) as box:
            return list(box)

    def listing(self) -> dict[str, Any]:
        """Types, modes, owners and hashes of /etc, /usr/local and crontabs, and enabled units."""
        code = Path(listing.__file__).read_text("utf-8")
        return dict(json.loads(self.run(["python3", "-"], input=code).stdout))

    def marks(self) -> dict[str, list[int]]:
        """Inode and mtime (ns) of everything below /etc and /usr/local."""
        code = Path(listing.__file__).read_text("utf-8")
        return dict(json.loads(self.run(["python3", "-", "marks"], input=code).stdout))

    def wait_until(self, holds: Callable[[], object], timeout: float, what: str) -> None:
        """Waits until something holds. Raises HostError after ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while not holds():
            if time.monotonic() > deadline:
                raise HostError(f"waited {timeout:g} s in vain for {what}")
            time.sleep(0.2)


def _child(pid: int) -> int:
    """The first child of a process that has one thread; 0 where there is none."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            children = file.read().split()
    except FileNotFoundError:
        return 0
    return int(children[0]) if children else 0


def install(folder: Path, python: str) -> None:
    """Builds certtui as its users get it and puts it and what it needs into ``folder``.

    ``python`` is the version of the host's Python, for which compiled packages are chosen.
    """
    project = Path(__file__).parents[2]
    argv = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder)]
    argv += ["--python-version", python, "--only-binary=:all:"]
    argv += ["--disable-pip-version-check", "--root-user-action=ignore", str(project)]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise HostError(f"pip failed:\n{done.stdout[-1000:]}{done.stderr[-2000:]}")
