"""The heartbeat: who learns its address (nobody), and what it may cost a run (little)."""

from __future__ import annotations

import http.server
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.render.support import Machine
from tests.tools import need

URL = "https://hc.example/ping"
CURL = "-q -fsS -m 7 --retry 2 --retry-delay 1 --retry-max-time 4 -o /dev/null -K -"
GNU = 'if [ "$1" = --version ]; then echo "GNU Wget 1.21.3 built on linux-gnu."; exit; fi\n'
BUSYBOX = 'if [ "$1" = --version ]; then echo "wget: unrecognized option" >&2; exit 1; fi\n'


@pytest.mark.parametrize(
    ("url", "good", "bad"),
    [
        (URL, URL, f"{URL}/fail"),
        (
            "https://hc.example/p?rid='$(id)'#x",
            "https://hc.example/p?rid='$(id)'#x",
            "https://hc.example/p/fail?rid='$(id)'#x",
        ),
    ],
)
def test_the_address_stays_off_the_command_line(
    machine: Machine, url: str, good: str, bad: str
) -> None:
    machine.fake("curl", f"cat >>{machine.folder}/curl.in; env >>{machine.folder}/curl.env")
    machine.install(notify_heartbeat_url=url)
    machine.run(trigger="cron")
    machine.certbot("exit 1")
    machine.run(trigger="cron", HEARTBEAT_URL="exported by the caller")
    asked = (machine.folder / "curl.in").read_text().splitlines()
    assert asked == [f'url = "{good}"', f'url = "{bad}"']
    assert set(machine.ran("curl")) == {CURL}
    assert "hc.example" not in (machine.folder / "curl.env").read_text()


def test_by_wget(machine: Machine) -> None:
    machine.fake("wget", f"{GNU}cat >>{machine.folder}/wget.in")
    machine.install(notify_heartbeat_url=URL)
    machine.run(trigger="cron")
    assert (machine.folder / "wget.in").read_text() == f"{URL}\n"
    assert machine.ran("wget") == ["--version", "-q -T 7 -t 1 -O /dev/null -i -"]


@pytest.mark.parametrize("wget", [BUSYBOX, GNU.replace("Wget 1.21.3", "Wget2 2.0.1")])
def test_by_python_where_wget_takes_no_list(machine: Machine, wget: str) -> None:
    """busybox's takes an address as an argument only, where everybody sees it."""
    machine.fake("wget", wget)
    machine.fake("python3", f"cat >>{machine.folder}/python3.in")
    machine.install(notify_heartbeat_url=URL)
    machine.run(trigger="cron")
    assert machine.ran("wget") == ["--version"]
    assert (machine.folder / "python3.in").read_text() == f"{URL}\n"
    assert "hc.example" not in "".join(machine.ran("python3"))
    assert "heartbeat could not" not in machine.syslog()


@pytest.mark.parametrize("program", ["curl", "wget", "python3", ""])
def test_one_that_fails_fails_no_run(machine: Machine, program: str) -> None:
    if program:
        machine.fake(program, "exit 6")
    machine.install(notify_heartbeat_url=URL)
    done = machine.run(trigger="cron")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert machine.results() == ["ok"]
    assert "heartbeat could not be sent" in machine.syslog()


@pytest.mark.parametrize("shell", [("dash",), ("busybox", "sh")])
@pytest.mark.parametrize("program", ["curl", "wget", "python3"])
def test_one_that_hangs_is_ended(tmp_path: Path, program: str, shell: tuple[str, ...]) -> None:
    need(shell[0])
    machine = Machine(tmp_path / "m", shell)
    machine.certbot("exit 0")
    machine.fake(program, (GNU if program == "wget" else "") + "exec /bin/sleep 60")
    machine.install(notify_heartbeat_url=URL)
    text = machine.script.read_text()
    assert text.count("\nBEAT=7\n") == 1  # less than ten seconds; here not to wait for them
    machine.script.write_text(text.replace("\nBEAT=7\n", "\nBEAT=1\n"))
    began = time.monotonic()
    done = machine.run(trigger="cron")
    assert 1 <= time.monotonic() - began < 3
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    # The record is written before, so that nothing of it is lost if someone ends the run here.
    assert machine.results() == ["ok"]
    assert machine.runs()[0].split(" ")[3] in ("0", "1")
    assert "heartbeat could not be sent" in machine.syslog()


class _Server(http.server.ThreadingHTTPServer):
    """Answers with ``codes`` one after the other, the last one again and again."""

    def __init__(self, codes: list[int]) -> None:
        self.codes, self.asked = codes, list[str]()
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        codes = self.server.codes
        self.send_response(codes.pop(0) if len(codes) > 1 else codes[0])
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"OK")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def answers() -> Iterator[_Server]:
    """A real server; the plan takes https only, so tests write its address into the script."""
    server = _Server([200])
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("program", ["curl", "wget", "python3"])
def test_the_real_programs(machine: Machine, answers: _Server, program: str) -> None:
    need(program)
    # No interpreter of a test's own environment: the one that servers have.
    found = "/usr/bin/python3" if program == "python3" else program
    (machine.folder / "bin" / program).symlink_to(_which(found))
    machine.install(notify_heartbeat_url=URL)
    text = machine.script.read_text()
    address = f"http://127.0.0.1:{answers.server_port}/ping?a=b"
    machine.script.write_text(text.replace(f"HEARTBEAT_URL='{URL}'", f"HEARTBEAT_URL='{address}'"))
    assert machine.run(trigger="cron").returncode == 0
    machine.certbot("exit 1")
    assert machine.run(trigger="cron").returncode == 1
    assert answers.asked == ["/ping?a=b", "/ping/fail?a=b"]
    assert "heartbeat could not" not in machine.syslog()
    answers.codes = [404]
    machine.run(trigger="cron")
    assert "heartbeat could not" in machine.syslog()


def test_curl_tries_again_what_failed_at_once(machine: Machine, answers: _Server) -> None:
    need("curl")
    (machine.folder / "bin/curl").symlink_to(_which("curl"))
    machine.install(notify_heartbeat_url=URL)
    text = machine.script.read_text()
    address = f"http://127.0.0.1:{answers.server_port}/ping"
    machine.script.write_text(text.replace(f"'{URL}'", f"'{address}'"))
    answers.codes = [503, 503, 200]
    assert machine.run(trigger="cron").returncode == 0
    assert answers.asked == ["/ping"] * 3
    assert "heartbeat could not" not in machine.syslog()


def _which(program: str) -> str:
    found = shutil.which(program)
    assert found, program
    return found
