"""Seed defect 23: whatever ends the script, certbot ends with it and nothing is left."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.render.support import Machine, alive, until
from tests.tools import need

_WAITS = "echo $$ >{0}/certbot.pid.new; mv {0}/certbot.pid.new {0}/certbot.pid; exec /bin/sleep 60"


def _certbot_pid(machine: Machine) -> int:
    path = machine.folder / "certbot.pid"
    until(path.exists)
    return int(path.read_text())


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
@pytest.mark.parametrize("timeout", [True, False])
def test_seed_23_certbot_ends_with_the_script(
    machine: Machine, signum: signal.Signals, timeout: bool
) -> None:
    if not timeout:
        (machine.folder / "bin/timeout").unlink()
    machine.sleeps('exec /bin/sleep "$1"')
    machine.certbot(_WAITS.format(machine.folder))
    machine.install()
    started = machine.start(CERTTUI_TRIGGER="systemd-timer")
    certbot = _certbot_pid(machine)
    os.kill(started.pid, signum)
    out, err = started.communicate(timeout=20)
    assert (started.returncode, err) == (128 + signum, "")
    assert out == "certbot-renew-everything: ended by a signal; the next run tries again\n"
    assert not alive(certbot)
    assert _session(started.pid) == []
    assert machine.results() == ["failed"]
    assert machine.mails() == []
    assert sorted(path.name for path in machine.state.iterdir()) == ["runs.log"]


@pytest.mark.parametrize("shell", [("busybox", "sh"), ("bash", "--posix")])
def test_seed_23_in_other_shells(tmp_path: Path, shell: tuple[str, ...]) -> None:
    need(shell[0])
    machine = Machine(tmp_path / "m", shell)
    machine.certbot(_WAITS.format(machine.folder))
    machine.install()
    started = machine.start(CERTTUI_TRIGGER="cron")
    certbot = _certbot_pid(machine)
    os.kill(started.pid, signal.SIGTERM)
    assert started.communicate(timeout=20) == ("", "")
    assert started.returncode == 128 + signal.SIGTERM
    assert not alive(certbot)
    assert machine.results() == ["failed"]


def test_seed_23_certbot_may_put_its_changes_back_first(machine: Machine) -> None:
    machine.sleeps('exec /bin/sleep "$1"')
    machine.certbot(
        f"trap '/bin/sleep 2; echo done >{machine.folder}/rolled-back; exit 1' TERM\n"
        f"echo $$ >{machine.folder}/certbot.pid\n"
        "while :; do /bin/sleep 0.1; done"
    )
    machine.install()
    started = machine.start()
    _certbot_pid(machine)
    os.kill(started.pid, signal.SIGTERM)
    started.communicate(timeout=20)
    assert started.returncode == 128 + signal.SIGTERM
    assert (machine.folder / "rolled-back").exists()


def test_seed_23_ended_in_the_random_wait_certbot_never_starts(machine: Machine) -> None:
    machine.sleeps(f"echo x >{machine.folder}/waiting; exec /bin/sleep 60")
    machine.install()
    started = machine.start(CERTTUI_TRIGGER="cron")
    until((machine.folder / "waiting").exists)
    machine.sleeps("exit 0")
    os.kill(started.pid, signal.SIGTERM)
    assert started.communicate(timeout=20) == ("", "")
    assert started.returncode == 128 + signal.SIGTERM
    assert machine.ran("certbot") == []
    assert _session(started.pid) == []


def test_ended_while_it_mails_the_run_is_logged_and_the_mail_tried_again(machine: Machine) -> None:
    machine.certbot("exit 1")
    machine.fake("sendmail", f"echo >{machine.folder}/mailing; exec /bin/sleep 60")
    machine.install()
    started = machine.start(CERTTUI_TRIGGER="cron")
    until((machine.folder / "mailing").exists)
    os.kill(started.pid, signal.SIGTERM)
    assert started.communicate(timeout=20) == ("", "")
    assert machine.results() == ["failed"]
    assert "mail not sent" in machine.runs()[0]
    machine.mailer()
    machine.run(trigger="cron")
    assert len(machine.mails()) == 1


def test_killed_outright_the_run_still_reports(machine: Machine) -> None:
    """KILL cannot be caught; the waiting shell dies, and the run goes on to its end."""
    machine.certbot(
        f"echo $$ >{machine.folder}/certbot.pid\n"
        f"while [ ! -e {machine.folder}/go ]; do /bin/sleep 0.05; done\nexit 1"
    )
    machine.install()
    started = machine.start(CERTTUI_TRIGGER="cron")
    _certbot_pid(machine)
    os.kill(started.pid, signal.SIGKILL)
    (machine.folder / "go").touch()
    # The pipes close when the run has ended.
    assert started.communicate(timeout=20) == ("", "")
    assert started.returncode == -signal.SIGKILL
    assert machine.results() == ["failed"]
    assert len(machine.mails()) == 1


def _session(leader: int) -> list[str]:
    """Every process that is left in the session of a script that has ended."""
    left = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        state, _, _, session = text.rpartition(")")[2].split()[:4]
        if int(session) == leader and state != "Z":
            left.append(text)
    return left
