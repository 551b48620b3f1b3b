"""The renew script as it runs: what it says, what it logs, what it leaves."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.render.support import Machine
from tests.tools import need

LOCK = "echo 'Another instance of Certbot is already running.' >&2; exit 1"
FAILURE = """
cat >&2 <<END
Failed to renew certificate shop.example.org with error: Some challenges have failed.
All renewals failed. The following certificates could not be renewed:
  /etc/letsencrypt/live/shop.example.org/fullchain.pem (failure)
1 renew failure(s), 0 parse failure(s)
END
exit 1
"""


def test_a_run_that_ends_well(machine: Machine) -> None:
    machine.install()
    done = machine.run(trigger="cron")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert machine.ran("certbot") == [
        f"-q renew --no-random-sleep-on-renew -n --config-dir {machine.folder}/etc "
        f"--logs-dir={machine.folder}/log"
    ]
    (line,) = machine.runs()
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ cron ok \d+ ", line)
    assert machine.mails() == []
    assert "certbot-renew-everything: ok" in machine.syslog()
    assert (machine.state.stat().st_mode & 0o777) == 0o700
    assert sorted(path.name for path in machine.state.iterdir()) == ["runs.log"]


def test_seed_05_a_bare_path_of_the_caller_does_not_matter(machine: Machine) -> None:
    machine.install()
    machine.certbot(f'printf "%s\\n" "$PATH" >{machine.folder}/path; nginx -t 2>/dev/null')
    assert machine.run(trigger="cron", PATH="/usr/bin:/bin").returncode == 0
    assert (machine.folder / "path").read_text() == f"{machine.folder}/bin\n"
    assert machine.ran("nginx") == ["-t"]


def test_seed_06_noise_on_stderr_is_no_failure(machine: Machine) -> None:
    machine.install()
    machine.certbot("echo 'Saving debug log to /var/log/letsencrypt/letsencrypt.log' >&2; exit 0")
    assert machine.run(trigger="cron").returncode == 0
    assert machine.results() == ["ok"]
    assert machine.mails() == []


def test_seed_06_exit_1_without_a_word_is_a_failure(machine: Machine) -> None:
    machine.install()
    machine.certbot("exit 1")
    done = machine.run(trigger="cron")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
    assert machine.results() == ["failed"]
    assert len(machine.mails()) == 1
    assert "Subject: [certtui] web1.example.org: renewal failed\n" in machine.mails()[0]


@pytest.mark.parametrize(("code", "passed_on"), [(1, 1), (2, 2), (75, 1)])
def test_seed_07_the_exit_status_is_passed_on(machine: Machine, code: int, passed_on: int) -> None:
    machine.install()
    machine.certbot(f"exit {code}")
    assert machine.run(trigger="systemd-timer").returncode == passed_on


def test_seed_08_and_22_it_needs_no_mktemp_and_no_openssl(machine: Machine) -> None:
    assert not {"mktemp", "openssl", "bash", "ps"} & set(machine.tools)
    machine.install()
    assert machine.run(trigger="cron").returncode == 0
    assert machine.ran("certbot")


def test_it_survives_without_what_it_can_do_without(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "m")
    for name in ("timeout", "logger", "hostname"):
        (machine.folder / "bin" / name).unlink()
    machine.mailer()
    machine.certbot(FAILURE)
    machine.install(notify_heartbeat_url="https://hc.example/x")
    done = machine.run(trigger="cron")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
    assert machine.results() == ["failed"]
    assert "shop.example.org" in machine.mails()[0]


def test_an_old_timeout_without_k(machine: Machine) -> None:
    machine.fake("timeout", '[ "$1" != -k ] || exit 125; shift; exec "$@"')
    machine.install(certbot_timeout=77)
    assert machine.run().returncode == 0
    assert any(line.startswith("77 certbot") or "77 " in line for line in machine.ran("timeout"))
    assert machine.results() == ["ok"]


def test_seed_23_a_lock_is_waited_for_and_retried(machine: Machine) -> None:
    machine.install()
    machine.certbot(f'[ "$(wc -l <{machine.folder}/certbot.ran)" -gt 2 ] && exit 0\n{LOCK}')
    assert machine.run(trigger="systemd-timer").returncode == 0
    assert machine.ran("sleep") == ["60", "60"]
    assert machine.results() == ["ok"]
    assert machine.mails() == []


def test_seed_23_a_lock_held_all_the_time_is_no_failure_yet(machine: Machine) -> None:
    machine.install(notify_heartbeat_url="https://hc.example/x")
    machine.fake("curl", "cat >/dev/null")
    machine.certbot(LOCK)
    done = machine.run(trigger="cron")
    assert (done.returncode, done.stdout, done.stderr) == (75, "", "")
    assert machine.results() == ["locked"]
    assert len(machine.ran("certbot")) == 10
    assert machine.mails() == []
    assert machine.ran("curl") == []
    assert set(machine.mail_state()) == {"failing", "mailed", "locked"}


def test_a_lock_held_for_more_than_a_day_is_a_failure(machine: Machine) -> None:
    machine.install()
    machine.certbot(LOCK)
    machine.run(trigger="cron")
    machine.age("locked", 23 * 3600)
    assert machine.run(trigger="cron").returncode == 75
    machine.age("locked", 2 * 3600)
    assert machine.run(trigger="cron").returncode == 1
    assert machine.results() == ["locked", "locked", "failed"]
    assert len(machine.mails()) == 1
    assert "another certbot has held the lock for 25 hours" in machine.mails()[0]
    machine.certbot("exit 0")
    assert machine.run(trigger="cron").returncode == 0
    assert machine.mail_state() == {}
    assert "renewal works again" in machine.mails()[1]


def test_a_run_that_takes_too_long_is_ended(machine: Machine) -> None:
    machine.install(certbot_timeout=10)
    # The limit cannot be shorter than the plan allows, so the test shortens it.
    machine.script.write_text(machine.script.read_text().replace("TIMEOUT='10'", "TIMEOUT='1'"))
    machine.certbot("exec /bin/sleep 30")
    done = machine.run(trigger="cron")
    assert (done.returncode, done.stdout, done.stderr) == (124, "", "")
    assert machine.results() == ["timeout"]
    assert "certbot was ended after 1 s" in machine.mails()[0]


def test_one_that_does_not_end_when_told_is_killed_a_minute_later(machine: Machine) -> None:
    machine.fake("timeout", 'while [ "$1" = -k ]; do shift 2; done; shift; exec "$@"')
    machine.install(certbot_timeout=77)
    machine.run(trigger="cron")
    assert [line[:9] for line in machine.ran("timeout") if "certbot -q" in line] == ["-k 60 77 "]


def test_output_that_is_lost_is_no_success(machine: Machine) -> None:
    """Something ended the pipe of certbot's status: the kernel, when memory is short."""
    machine.fake("tail", "cat >/dev/null; exit 137")
    machine.install()
    assert machine.run(trigger="cron").returncode == 1
    assert machine.results() == ["failed"]


@pytest.mark.parametrize("trigger", ["cron", "at"])
def test_cron_and_at_are_spread_over_the_minute(machine: Machine, trigger: str) -> None:
    machine.install()
    machine.run(trigger=trigger)
    (seconds,) = machine.ran("sleep")
    assert 0 <= int(seconds) <= 59


def test_the_wait_needs_no_od(machine: Machine) -> None:
    (machine.folder / "bin/od").unlink()
    machine.install()
    assert machine.run(trigger="cron").returncode == 0
    assert 0 <= int(machine.ran("sleep")[0]) <= 59


@pytest.mark.parametrize("trigger", ["systemd-timer", "", "nonsense"])
def test_others_start_at_once(machine: Machine, trigger: str) -> None:
    machine.install()
    machine.run(trigger=trigger)
    assert machine.ran("sleep") == []


def test_by_hand_it_prints_the_result_and_what_certbot_said(machine: Machine) -> None:
    machine.install()
    machine.certbot(FAILURE)
    done = machine.run()
    first, *rest = done.stdout.splitlines()
    assert first == "certbot-renew-everything: failed: renewal failed: shop.example.org"
    assert rest[0].startswith("Failed to renew certificate shop.example.org")
    assert done.stderr == ""
    assert machine.runs()[0].split(" ")[1] == "manual"


def test_the_journal_gets_one_line(machine: Machine) -> None:
    machine.install()
    machine.certbot(FAILURE)
    done = machine.run(trigger="systemd-timer")
    assert done.stdout == "certbot-renew-everything: failed: renewal failed: shop.example.org\n"
    assert machine.syslog() == ""


def test_runs_log_keeps_its_last_thousand_lines(machine: Machine) -> None:
    machine.install()
    machine.state.mkdir()
    log = machine.state / "runs.log"
    log.write_text("".join(f"2026-01-01T00:00:00Z cron ok {n} \n" for n in range(1000)))
    machine.run(trigger="cron")
    lines = machine.runs()
    assert len(lines) == 1000
    assert lines[0] == "2026-01-01T00:00:00Z cron ok 1 "
    assert " cron ok " in lines[-1]
    assert not (machine.state / "runs.log.new").exists()


def test_arguments_reach_certbot_as_they_are(machine: Machine) -> None:
    machine.certbot(f'for a in "$@"; do printf "[%s]" "$a"; done >{machine.folder}/args')
    odd = ("--deploy-hook", "echo 'a' \"$HOME\" `id` *; \\", "--x=%", "", "-")
    machine.install(certbot_extra_args=odd)
    assert machine.run().returncode == 0
    seen = (machine.folder / "args").read_text()
    assert seen.endswith("".join(f"[{argument}]" for argument in odd))


def test_certbot_that_moved_is_found_when_the_plan_says_auto(machine: Machine) -> None:
    machine.install()
    text = machine.script.read_text()
    machine.script.write_text(text.replace("CERTBOT='certbot'", "CERTBOT='/gone/certbot'"))
    assert machine.run().returncode == 0
    assert len(machine.ran("certbot")) == 1


def test_a_certbot_of_the_plan_that_is_gone_is_a_failure(machine: Machine) -> None:
    machine.install(certbot_command="/gone/certbot")
    assert machine.run(trigger="cron").returncode == 127
    assert machine.ran("certbot") == []
    assert "certbot was not found" in machine.mails()[0]


def test_seed_16_it_depends_on_neither_its_name_nor_the_folder(machine: Machine) -> None:
    machine.install()
    copy = machine.folder / "renamed"
    copy.write_bytes(machine.script.read_bytes())
    assert machine.run(copy, trigger="at").returncode == 0
    assert machine.results() == ["ok"]


def test_a_full_disk_does_not_keep_certbot_from_running(machine: Machine) -> None:
    machine.install()
    # A file where the folder should be: no write below it can succeed, not even root's.
    machine.state.write_text("")
    machine.certbot(FAILURE)
    done = machine.run(trigger="cron")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
    assert machine.ran("certbot")
    assert len(machine.mails()) == 1


def test_floods_and_odd_bytes(machine: Machine) -> None:
    machine.install()
    machine.certbot(
        "/usr/bin/yes 'a line of noise \033[31m\377' | head -n 100000\nprintf 'a\\000b\\n'\n"
        + FAILURE
    )
    done = machine.run(trigger="cron")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
    (mail,) = [path.read_bytes() for path in machine.folder.glob("mail.[0-9]*")]
    assert b"shop.example.org" in mail
    assert b"\033" not in mail
    assert len(mail) < 20000


@pytest.mark.parametrize("shell", [("busybox", "sh"), ("bash", "--posix")])
def test_other_shells(tmp_path: Path, shell: tuple[str, ...]) -> None:
    need(shell[0])
    machine = Machine(tmp_path / "m", shell)
    machine.mailer()
    machine.server(test=1)
    machine.install()
    machine.certbot_renews("a.example", then=FAILURE)
    done = machine.run(trigger="cron", SHELLOPTS="braceexpand")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
    (mail,) = machine.mails()
    assert "renewal failed: shop.example.org" in mail
    assert "renewed but not loaded: a.example" in mail
