"""Fixtures of the booted hosts; where a machine cannot boot any, the tests are skipped or fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.host import server
from tests.host.image import image
from tests.host.machine import Machine

REQUIRE = "CERTTUI_REQUIRE_HOST"
SUITE = "bookworm"


def missing() -> str:
    """Why no host can be booted here, or ""."""
    if os.geteuid() != 0:
        return "booting hosts needs root"
    if sys.hexversion >> 16 != 0x030B:
        return "certtui runs on the hosts with this Python's packages, and theirs is Python 3.11"
    programs = ("systemd-nspawn", "mmdebstrap", "nsenter", "mount")
    lacking = [program for program in programs if shutil.which(program) is None]
    if lacking:
        return f"not installed: {', '.join(lacking)} (apt install systemd-container mmdebstrap)"
    return ""


@pytest.fixture
def transcript(request: pytest.FixtureRequest) -> Iterator[Callable[..., None]]:
    """Keeps what commands printed, in build/transcripts, a file a test."""
    lines: list[str] = []

    def keep(done: subprocess.CompletedProcess[str], shown: str) -> None:
        lines.append(f"$ {shown}\n{done.stdout}{done.stderr}-> {done.returncode}\n")

    yield keep
    folder = Path(os.environ.get("CERTTUI_TRANSCRIPTS", "build/transcripts"))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{request.node.name}.txt").write_text("\n".join(lines), "utf-8")
    print("\n".join(lines))


@pytest.fixture(scope="session")
def ssh_key() -> Iterator[Path]:
    """A private key; its public half is beside it with .pub."""
    with tempfile.TemporaryDirectory(prefix="certtui-key-") as folder:
        key = Path(folder) / "key"
        argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)]
        subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
        yield key


@pytest.fixture(scope="session")
def layers(ssh_key: Path) -> Iterator[list[Path]]:
    """The layers of a server whose certificates are issued: made once, shared by all hosts."""
    reason = missing()
    if reason and os.environ.get(REQUIRE):
        pytest.fail(f"{REQUIRE} is set, but {reason}")
    if reason:
        pytest.skip(reason)
    base = image(SUITE)
    with tempfile.TemporaryDirectory(prefix="certtui-layer-") as folder:
        layer = Path(folder) / "server"
        host = Machine([base], keep=layer)
        try:
            server.prepare(host, ssh_key.with_suffix(".pub").read_text())
            host.boot()
            server.issue(host)
            host.shut_down()
        finally:
            host.close()
        yield [layer, base]


@pytest.fixture
def new_host(layers: list[Path]) -> Iterator[Callable[..., Machine]]:
    """Boots hosts; each goes with the test."""
    made: list[Machine] = []

    def boot(*, machine_id: str = "") -> Machine:
        host = Machine(layers, machine_id=machine_id)
        made.append(host)
        host.boot()
        server.new_account(host)
        return host

    yield boot
    for host in made:
        host.close()


@pytest.fixture
def host(new_host: Callable[..., Machine]) -> Machine:
    """One booted server."""
    return new_host()
