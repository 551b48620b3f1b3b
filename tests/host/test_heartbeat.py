"""The heartbeat on a real server: what it costs a run, and who can learn its address."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

from certtui.demo.keys import write_self_signed
from tests.host import server
from tests.host.machine import Machine
from tests.host.schedules import LOG, PLAN, TIMER, quiet

Keep = Callable[[subprocess.CompletedProcess[str], str], None]

#: Whoever knows it can keep the monitoring quiet. The other one is what a test shows in the open,
#: to see that it would be found.
SECRET, OPEN = "5ecret-0f-the-heartbeat", "0pen-t0-everybody"
ADDRESS = f"https://127.0.0.1:8443/ping/{SECRET}"
ASKED = "/root/asked"
#: Nobody listens there.
_REFUSING = ADDRESS.replace("8443", "8444")

#: Answers, or hangs once it has read the request, as the file beside it says.
_SERVER = """\
import http.server, ssl, time
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with open("/root/asked", "a") as file:
            print(self.path, file=file)
        if open("/root/mode").read() == "hang":
            time.sleep(60)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"OK")
    def log_message(self, *words):
        pass  # it would go to the journal
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/root/heart.pem", "/root/heart.key")
listening = http.server.ThreadingHTTPServer(("127.0.0.1", 8443), Handler)
listening.socket = context.wrap_socket(listening.socket, server_side=True)
listening.serve_forever()
"""

#: Reads, as any user may, what is in /proc until its standard input ends; prints what it found.
_WATCHER = """\
import glob, json, select, sys
wanted = json.loads(sys.stdin.readline())
found, looks = set(), 0
print("ready", flush=True)
while not select.select([sys.stdin], [], [], 0.01)[0]:
    looks += 1
    for kind in ("cmdline", "environ", "comm", "stat", "maps", "wchan"):
        for path in glob.glob(f"/proc/[0-9]*/{kind}"):
            try:
                with open(path, "rb") as file:
                    text = file.read()
            except OSError:
                continue
            found |= {f"{word} in {kind}" for word in wanted if word.encode() in text}
print(json.dumps([looks, sorted(found)]))
"""


class Watcher:
    """A user of the host who reads every list of processes while a run goes on."""

    def __init__(self, host: Machine) -> None:
        argv = ["runuser", "-u", server.ADMIN, "--", "python3", "-c", _WATCHER]
        self._process = subprocess.Popen(
            [*host.enter(), *argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps([SECRET, OPEN]) + "\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "ready\n"

    def found(self) -> list[str]:
        """Ends the watching. At least two looks a second: a program that hangs is seen often."""
        looks, found = json.loads(self._process.communicate(timeout=20)[0])
        assert looks >= 2
        return list(found)


@pytest.fixture(scope="module")
def host(machine: Callable[..., Machine]) -> Iterator[Machine]:
    """A server with nothing due, and a heartbeat's server whose certificate it trusts."""
    made = machine(quiet(TIMER))
    try:
        made.boot()
        server.new_account(made)
        server.make_due(made, server.DUE, due=False)
        write_self_signed(made.root / "root/heart.key", made.root / "root/heart.pem", "127.0.0.1")
        trusted = "/usr/local/share/ca-certificates/heart.crt"
        made.write(trusted, made.read("/root/heart.pem"))
        made.run(["update-ca-certificates"])
        made.write("/root/mode", "answer")
        made.run(["systemd-run", "--quiet", "--unit=heart", "python3", "-c", _SERVER])
        yield made
    finally:
        made.close()


@pytest.fixture
def sends(host: Machine) -> Iterator[Callable[[str], None]]:
    """Leaves the host with just one of the programs that can send it."""
    hidden: list[str] = []

    def by(program: str) -> None:
        for other in ("curl", "wget", "python3"):
            if other == program:
                break
            host.run(["mv", f"/usr/bin/{other}", f"/usr/bin/{other}.away"])
            hidden.append(other)

    yield by
    for other in hidden:
        host.run(["mv", f"/usr/bin/{other}.away", f"/usr/bin/{other}"])


def apply(host: Machine, address: str, variable: str = "REQUESTS_CA_BUNDLE") -> None:
    text = server.plan("systemd-timer").replace("REQUESTS_CA_BUNDLE", variable)
    host.write(PLAN, f'{text}[notify]\nheartbeat_url = "{address}"\n', 0o600)
    host.write(ASKED, "", 0o600)
    host.certtui("apply", PLAN, "--no-dry-run", check=True)


def run(host: Machine) -> tuple[str, float]:
    """A run by the service: its result in the log, and how long it took in seconds."""
    began = time.monotonic()
    host.run(["systemctl", "start", "certtui-renew.service"], check=False)
    took = time.monotonic() - began
    return host.read(LOG).splitlines()[-1].split(" ")[2], took


@pytest.mark.parametrize("program", ["curl", "wget", "python3"])
def test_it_changes_neither_result_nor_much_of_the_duration(
    host: Machine, sends: Callable[[str], None], program: str, transcript: Keep
) -> None:
    apply(host, "")
    without = run(host)
    sends(program)
    watcher = Watcher(host)
    said = [f"without a heartbeat: {without[0]} after {without[1]:.1f} s"]
    expected = []
    for mode, address in (("answer", ADDRESS), ("refuse", _REFUSING), ("hang", ADDRESS)):
        apply(host, address)
        host.write("/root/mode", mode)
        result, took = run(host)
        said.append(f"a server that would {mode}: {result} after {took:.1f} s, by {program}")
        assert result == without[0] == "ok"
        assert took < without[1] + 10
        if mode == "hang":
            assert took > without[1] + 5, "it did not wait at all"
        expected.append("" if mode == "refuse" else f"/ping/{SECRET}\n")
        assert host.read(ASKED) == expected[-1]
    host.write("/root/mode", "answer")
    assert watcher.found() == []
    transcript(subprocess.CompletedProcess([], 0, "\n".join(said) + "\n", ""), "durations of runs")


def test_a_run_that_failed_says_so(host: Machine, transcript: Keep) -> None:
    apply(host, ADDRESS)
    server.make_due(host, server.DUE)
    host.run(["systemctl", "stop", "pebble"])
    try:
        assert run(host)[0] == "failed"
    finally:
        host.run(["systemctl", "start", "pebble"])
        server.new_account(host)
        server.make_due(host, server.DUE, due=False)
    transcript(host.run(["cat", ASKED]), "what the heartbeat's server was asked")
    assert host.read(ASKED) == f"/ping/{SECRET}/fail\n"
    assert run(host)[0] == "ok"  # and the next one mails that it works again


def test_a_private_authority_in_the_plans_environment(
    host: Machine, sends: Callable[[str], None]
) -> None:
    """``SSL_CERT_FILE`` of certbot.env counts for curl and python3 (docs/files.md)."""
    trusted = "/etc/ssl/certs/ca-certificates.crt"
    known = host.read(trusted)
    host.write(trusted, known.replace(host.read("/root/heart.pem").strip(), ""))
    host.write("/etc/ssl/both.pem", host.read("/root/heart.pem") + host.read(server.TRUST))
    text = server.plan("systemd-timer").replace("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
    text = text.replace(server.TRUST, "/etc/ssl/both.pem")
    host.write(PLAN, f'{text}[notify]\nheartbeat_url = "{ADDRESS}"\n', 0o600)
    host.certtui("apply", PLAN, "--no-dry-run", check=True)
    try:
        for program in ("curl", "python3"):
            host.write(ASKED, "", 0o600)
            sends(program)
            assert run(host)[0] == "ok"
            assert host.read(ASKED) == f"/ping/{SECRET}\n", program
    finally:
        host.write(trusted, known)


def test_nobody_learns_the_address(host: Machine, transcript: Keep) -> None:
    """Not from a list of processes, a file or the journal, by whatever certtui does with it."""
    watcher = Watcher(host)
    host.write("/var/tmp/mark", "")
    host.write("/var/tmp/shown", OPEN)
    host.run(["sh", "-c", "sleep 0.5; exit 0", OPEN])
    apply(host, ADDRESS.replace("ping", "first"))
    apply(host, ADDRESS)
    assert run(host)[0] == "ok"
    for arguments in (["diff"], ["status"], ["doctor"], ["undo"], ["apply", PLAN, "--no-dry-run"]):
        host.certtui(*arguments)
    assert run(host)[0] == "ok"
    assert watcher.found() == [f"{OPEN} in cmdline"]

    host.run(["journalctl", "--sync"])
    assert SECRET not in host.run(["journalctl", "-b", "-o", "verbose"]).stdout

    roots = ["/", "/run", "/tmp", "/dev/shm"]
    for word, files in ((OPEN, ["/var/tmp/shown"]), (SECRET, [])):
        look = [*("find", *roots, "-xdev", "-type", "f", "-newer", "/var/tmp/mark", "-readable")]
        look += ["-exec", "grep", "-l", "-e", word, "{}", "+"]
        done = host.run(["runuser", "-u", server.ADMIN, "--", *look], check=False)
        done.stderr = ""  # the folders it was not let into
        transcript(done, f"runuser -u {server.ADMIN} -- {' '.join(look)}")
        assert done.stdout.splitlines() == files
    holders = host.run([*look[: look.index("-newer")], *look[look.index("-exec") :]], check=False)
    transcript(holders, "the same as root, of any age")
    assert PLAN in holders.stdout.splitlines()
