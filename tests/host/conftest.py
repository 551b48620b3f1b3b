"""Fixtures of the booted hosts; where a machine cannot boot any, the tests are skipped or fail."""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.host import server
from tests.host.folders import scratch
from tests.host.image import PYTHON, image
from tests.host.machine import Machine, install
from tests.host.mutations import Hosts, rows
from tests.host.terminal import Terminal
from tests.host.web import NGINX, Web

REQUIRE = "CERTTUI_REQUIRE_HOST"
#: The Debian release of the hosts, by name.
SUITE = os.environ.get("CERTTUI_SUITE", "bookworm")


#: Where transcripts are kept, by default in the folder that pytest was started in.
TRANSCRIPTS = "CERTTUI_TRANSCRIPTS"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """``-m host`` chooses these tests, ``-m "not host"`` all others.

    Those that wait for minutes (``WAITS`` in their module) come first, so that others can run
    meanwhile where pytest-xdist runs several at a time.
    """
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("host")
    items.sort(key=lambda item: not getattr(getattr(item, "module", None), "WAITS", False))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test of the mutation table runs once for each row of its module's file."""
    if "row" in metafunc.fixturenames:
        found = rows(metafunc.module.TABLE)
        metafunc.parametrize("row", found, ids=[row.name for row in found])


def transcripts() -> Path:
    """The folder that keeps what commands printed, a file a test."""
    return Path(os.environ.get(TRANSCRIPTS, "build/transcripts"))


def missing() -> str:
    """Why no host can be booted here, or ""."""
    if os.geteuid() != 0:
        return "booting hosts needs root"
    if importlib.util.find_spec("pip") is None:
        return "installing certtui on a host needs pip beside pytest (pip install pip)"
    programs = ("systemd-nspawn", "mmdebstrap", "nsenter", "mount", "ssh", "ssh-keygen")
    lacking = [program for program in programs if shutil.which(program) is None]
    if lacking:
        packages = "systemd-container mmdebstrap openssh-client"
        return f"not installed: {', '.join(lacking)} (apt install {packages})"
    return ""


@pytest.fixture
def transcript(request: pytest.FixtureRequest) -> Iterator[Callable[..., None]]:
    """Keeps what commands printed; a test's file is written as it ends."""
    lines: list[str] = []

    def keep(done: subprocess.CompletedProcess[str], shown: str) -> None:
        lines.append(f"$ {shown}\n{done.stdout}{done.stderr}-> {done.returncode}\n")

    yield keep
    transcripts().mkdir(parents=True, exist_ok=True)
    (transcripts() / f"{request.node.name}.txt").write_text("\n".join(lines), "utf-8")
    print("\n".join(lines))


@pytest.fixture(scope="session")
def needed() -> None:
    """What everything here needs; where hosts must boot, it is a failure if they cannot."""
    reason = missing()
    if reason and os.environ.get(REQUIRE):
        pytest.fail(f"{REQUIRE} is set, but {reason}")
    if reason:
        pytest.skip(reason)


@pytest.fixture(scope="session")
def workshop(needed: None) -> Iterator[Path]:
    """A folder for what all hosts share; an end by a signal takes everything away as well."""

    def end(signum: int, frame: object) -> None:
        raise KeyboardInterrupt(signal.Signals(signum).name)

    before = {signum: signal.signal(signum, end) for signum in (signal.SIGTERM, signal.SIGHUP)}
    folder = scratch()
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
        for signum, handler in before.items():
            signal.signal(signum, handler)


@pytest.fixture(scope="session")
def ssh_key(workshop: Path) -> Path:
    """A private key; its public half is beside it with .pub."""
    key = workshop / "key"
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
    return key


Machines = Callable[..., Machine]
Login = Callable[..., Terminal]


@pytest.fixture(scope="session")
def machine(workshop: Path, ssh_key: Path) -> Machines:
    """Makes machines that are servers whose certificates are issued; not booted yet.

    Each combination of release and web server is prepared once, when it is first asked for.
    """
    preparing = threading.Lock()  # tests start hosts side by side

    @functools.cache
    def packages(suite: str) -> Path:
        folder = workshop / f"packages-{suite}"
        install(folder, PYTHON[suite])
        return folder

    @functools.cache
    def layers(suite: str, web: Web) -> list[Path]:
        base, layer = image(suite), workshop / f"{suite}-{web.kind}"
        shutil.rmtree(layer, ignore_errors=True)  # what a try that failed has left
        first = Machine([base], packages=packages(suite), keep=layer)
        try:
            server.prepare(first, ssh_key.with_suffix(".pub").read_text(), web)
            first.boot()
            server.issue(first, web)
            first.shut_down()
        finally:
            first.close()
        return [layer, base]

    def make(machine_id: str = "", *, suite: str = SUITE, web: Web = NGINX) -> Machine:
        with preparing:
            lower, installed = layers(suite, web), packages(suite)
        return Machine(lower, packages=installed, machine_id=machine_id)

    return make


@contextmanager
def booted(machine: Machines) -> Iterator[Machines]:
    """Boots hosts, and ends them. Takes what :func:`machine` takes."""
    made: list[Machine] = []

    def boot(machine_id: str = "", *, suite: str = SUITE, web: Web = NGINX) -> Machine:
        host = machine(machine_id, suite=suite, web=web)
        made.append(host)
        host.boot()
        server.new_account(host)
        return host

    try:
        yield boot
    finally:
        for host in made:
            host.close()


@pytest.fixture
def new_host(machine: Machines) -> Iterator[Machines]:
    """Boots hosts; each goes with the test."""
    with booted(machine) as boot:
        yield boot


@pytest.fixture(scope="module")
def fresh_host(machine: Machines) -> Iterator[Callable[[Web], Machine]]:
    """Hosts as :func:`server.make_fresh` leaves them, one a web server for a whole module."""
    with booted(machine) as boot:

        @functools.cache
        def make(web: Web) -> Machine:
            host = boot(web=web)
            server.make_fresh(host, web)
            return host

        yield make


@pytest.fixture(scope="module")
def hosts(machine: Machines) -> Iterator[Hosts]:
    """For rows of the mutation table; each is booted when its first row comes."""
    with booted(machine) as boot:
        yield Hosts(boot)


@pytest.fixture
def login(ssh_key: Path) -> Iterator[Login]:
    """Runs a command on a host in a terminal, through its sshd; "" is a shell."""
    opened: list[Terminal] = []

    def start(host: Machine, command: str, **look: Any) -> Terminal:
        opened.append(Terminal(host.ssh(ssh_key, *([command] if command else [])), **look))
        return opened[-1]

    yield start
    for terminal in opened:
        terminal.close()


@pytest.fixture
def host(new_host: Machines) -> Machine:
    """One booted server."""
    return new_host()
