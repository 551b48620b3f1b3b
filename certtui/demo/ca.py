"""The certificate authority of a sandbox: pebble where it is installed, else acme2certifier.

pebble (Let's Encrypt's own test server; Debian brings it) validates http-01 for real, on a port
that needs no root, and asks pebble-challtestsrv for names, which answers 127.0.0.1 to everything.
acme2certifier is a Python package, so it can be had everywhere; it does not validate here (see
:mod:`certtui.demo.acme_server`). Both listen on 127.0.0.1 only.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from certtui.demo.guarded import DemoError

#: Seconds a server may take until it answers: importing takes long on a small, cold machine.
START_TIMEOUT = 30.0

# Below Linux's range for outgoing connections (32768 up, ip(7)), so that none of those takes a port
# between the moment it is chosen and the moment it is used.
_PORTS = range(20000, 32000)


@dataclass(frozen=True)
class Authority:
    """A running ACME server. ``http_port`` is where it looks for (or would look for) http-01."""

    kind: str  # pebble | acme2certifier
    url: str  # of the ACME directory
    validates: bool  # whether it really fetches the challenge
    http_port: int
    logs: tuple[Path, ...]  # what each of the processes prints
    processes: tuple[subprocess.Popen[bytes], ...]
    trust: Mapping[str, str] = field(default_factory=dict)  # environment a client needs

    def failure(self) -> str:
        """The last lines each process printed: for a message about what went wrong.

        Of all of them, because one that ended first may not have been the one asked about.
        """
        texts = [log.read_text("utf-8", "replace") for log in self.logs]
        return "\n".join(line for text in texts for line in text.splitlines()[-5:])

    def reap(self) -> None:
        """Collects the exit status of the processes, which the guard has ended."""
        for process in self.processes:
            process.kill()
            process.wait()


def available() -> list[str]:
    """The kinds of server that can be started here, the preferred one first."""
    kinds: list[str] = []
    if importlib.util.find_spec("cryptography") is None:
        return kinds  # both need a certificate of their own
    if shutil.which("pebble") and shutil.which("pebble-challtestsrv"):
        kinds.append("pebble")
    if importlib.util.find_spec("acme2certifier") is not None:
        kinds.append("acme2certifier")
    return kinds


def start(kind: str, folder: Path, environment: Mapping[str, str]) -> Authority:
    """Starts a server of that kind in ``folder`` (made here) and waits until it answers.

    Raises :class:`DemoError` with the server's last words where it does not.
    """
    folder.mkdir()
    authority = _STARTERS[kind](folder, environment)
    try:
        _wait_until_ready(authority)
    except BaseException:
        authority.reap()
        raise
    return authority


def free_port() -> int:
    """A port that nobody uses on 127.0.0.1, neither TCP nor UDP. Raises :class:`DemoError`."""
    for port in random.sample(_PORTS, 200):  # spread out, not secret
        if _is_free(port, socket.SOCK_STREAM) and _is_free(port, socket.SOCK_DGRAM):
            return port
    raise DemoError("no free port on 127.0.0.1: is the loopback interface up?")


def _is_free(port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _start_acme2certifier(folder: Path, environment: Mapping[str, str]) -> Authority:
    log = folder / "server.log"
    argv = [sys.executable, "-m", "certtui.demo.acme_server", str(folder)]
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        # The child runs in the sandbox, from where a checkout of certtui would not be found.
        paths = [str(Path(__file__).parents[2]), environment.get("PYTHONPATH", "")]
        search = {"PYTHONPATH": os.pathsep.join(path for path in paths if path)}
        process = _spawn(argv, log, {**environment, **search}, stdin=listening.fileno())
    url = f"http://127.0.0.1:{port}/directory"
    return Authority("acme2certifier", url, False, free_port(), (log,), (process,))


def _start_pebble(folder: Path, environment: Mapping[str, str]) -> Authority:
    from certtui.demo.keys import write_self_signed

    key, certificate = folder / "api.key", folder / "api.pem"
    log, names_log = folder / "server.log", folder / "names.log"
    write_self_signed(key, certificate, "certtui demo ACME server")
    api, dns, http = free_port(), free_port(), free_port()
    config = folder / "pebble.json"
    config.write_text(json.dumps({"pebble": _pebble_config(api, http, key, certificate)}))
    # Without these pebble waits up to 15 s before it validates, rejects good nonces and reuses
    # authorizations, all at random.
    steady = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"}
    names = _spawn(_challtestsrv(dns), names_log, environment)
    argv = ["pebble", "-config", str(config), "-dnsserver", f"127.0.0.1:{dns}"]
    server = _spawn(argv, log, {**environment, **steady})
    trust = {"REQUESTS_CA_BUNDLE": str(certificate)}
    url = f"https://127.0.0.1:{api}/dir"
    return Authority("pebble", url, True, http, (log, names_log), (server, names), trust)


def _pebble_config(api: int, http: int, key: Path, certificate: Path) -> dict[str, object]:
    return {
        "listenAddress": f"127.0.0.1:{api}",
        "managementListenAddress": "",  # off
        "certificate": str(certificate),
        "privateKey": str(key),
        "httpPort": http,
        "tlsPort": http,  # never used: only http-01 is asked for
        "ocspResponderURL": "",
        "externalAccountBindingRequired": False,
        "certificateValidityPeriod": 90 * 86400,  # seconds; it would be five years
        "retryAfter": {"authz": 1, "order": 1},  # seconds; from 2.5 on it would be 3 and 5
    }


def _challtestsrv(dns: int) -> list[str]:
    """pebble-challtestsrv as a name server only; its management interface cannot be left out."""
    off = ["-http01", "", "-https01", "", "-tlsalpn01", "", "-management", "127.0.0.1:0"]
    addresses = ["-defaultIPv4", "127.0.0.1", "-defaultIPv6", ""]
    return ["pebble-challtestsrv", "-dns01", f"127.0.0.1:{dns}", *addresses, *off]


def _spawn(
    argv: Sequence[str], log: Path, environment: Mapping[str, str], stdin: int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(
            list(argv),
            stdin=stdin,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=log.parent,
            start_new_session=True,  # Ctrl+C is for the demo, which then ends it all in order
        )


def _wait_until_ready(authority: Authority) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while not _answers(authority):
        ended = any(process.poll() is not None for process in authority.processes)
        if ended or time.monotonic() > deadline:
            words = authority.failure()
            raise DemoError(f"the demo's ACME server ({authority.kind}) did not start:\n{words}")
        time.sleep(0.02)


def _answers(authority: Authority) -> bool:
    """Whether the directory can be read, straight and not through a proxy."""
    import http.client
    import ssl

    scheme, _, address, path = authority.url.split("/", 3)
    connection = http.client.HTTPConnection(address, timeout=START_TIMEOUT)
    if scheme == "https:":
        context = ssl.create_default_context(cafile=authority.trust["REQUESTS_CA_BUNDLE"])
        connection = http.client.HTTPSConnection(address, timeout=START_TIMEOUT, context=context)
    with contextlib.closing(connection):
        try:
            connection.request("GET", f"/{path}")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False


_STARTERS = {"pebble": _start_pebble, "acme2certifier": _start_acme2certifier}
