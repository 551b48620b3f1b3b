"""What renews certificates already: cron, at jobs, timers; and what only looks like it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certtui.host import (
    atjobs,
    renewers,
)
from certtui.host.facts import Timer
from tests.facts.support import FakeHost


@pytest.mark.parametrize(
    ("path", "line", "active"),
    [
        ("/etc/cron.d/renew", "0 0 * * * root certbot renew", True),
        ("/etc/crontab", "@daily root /root/.acme.sh/acme.sh --cron", True),
        ("/var/spool/cron/crontabs/root", "17 4 * * * certbot renew -q", True),
        ("/var/spool/cron/crontabs/root", "@reboot dehydrated -c", True),
    ],
)
def test_cron_renewers(path: str, line: str, active: bool) -> None:
    host = FakeHost(files={path: f"# x\nMAILTO=a\n{line}\n".encode()})
    (found,), hidden = renewers.of_cron(host, "certtui-renew", running=True, systemd=False)
    assert (found.where, found.active, found.vendor) == (f"{path}:3", active, False)
    assert hidden == ()
    (found,), _ = renewers.of_cron(host, "certtui-renew", running=False, systemd=False)
    assert not found.active


def test_scripts_of_run_parts() -> None:
    host = FakeHost(files={"/etc/cron.daily/renew": b"#!/bin/sh\n# certbot renew\ncertbot renew\n"})
    (found,), _ = renewers.of_cron(host, "u", running=True, systemd=True)
    assert (found.where, found.active) == ("/etc/cron.daily/renew:3", False)
    host.modes["/etc/cron.daily/renew"] = 0o755
    (found,), _ = renewers.of_cron(host, "u", running=True, systemd=True)
    assert found.active


def test_the_next_run_of_a_line() -> None:
    text = b"0 5 * * * root certbot renew\n@reboot root certbot renew\n"
    host = FakeHost(files={"/etc/cron.d/renew": text})
    now = datetime(2026, 3, 2, 12, 0, tzinfo=timezone.utc)
    (daily, boot), _ = renewers.of_cron(host, "u", running=True, systemd=True, now=now)
    assert daily.next_run is not None
    assert now < daily.next_run <= now + timedelta(days=1)
    assert boot.next_run is None
    (off, _), _ = renewers.of_cron(host, "u", running=False, systemd=True, now=now)
    assert off.next_run is None


def test_ours_is_told_from_others() -> None:
    script = b"17 4 * * * root /usr/local/sbin/certbot-renew-everything\n"
    host = FakeHost(files={"/etc/cron.d/certtui-renew": script})
    (found,), _ = renewers.of_cron(host, "certtui-renew", running=True, systemd=True)
    assert found.ours


def test_what_only_root_may_read_is_named() -> None:
    host = FakeHost(
        files={"/etc/cron.d/x": b"", "/var/spool/cron/crontabs/root": b""},
        closed={"/etc/cron.d", "/var/spool/cron/crontabs/root"},
        root_user=False,
    )
    found, hidden = renewers.of_cron(host, "u", running=True, systemd=True)
    assert found == ()
    assert len(hidden) == 2
    assert all(sentence.endswith("run as root") for sentence in hidden)


@pytest.mark.parametrize(
    ("name", "debian", "cronie"),
    [
        ("renew", True, True),
        ("renew.sh", False, True),
        ("renew~", False, False),
        ("renew.rpmsave", False, False),
        ("renew.rpmnew", False, False),
        (".renew", False, False),
        ("#renew", False, False),
    ],
)
@pytest.mark.parametrize("folder", ["/etc/cron.d", "/etc/cron.daily"])
def test_names_that_are_passed_over(folder: str, name: str, debian: bool, cronie: bool) -> None:
    path = f"{folder}/{name}"
    host = FakeHost(files={path: b"0 0 * * * root certbot renew\n"}, modes={path: 0o755})
    (found,), _ = renewers.of_cron(host, "u", running=True, systemd=True)
    assert found.active is cronie
    host.files["/var/lib/dpkg/status"] = b""
    (found,), _ = renewers.of_cron(host, "u", running=True, systemd=True)
    assert found.active is debian


def test_a_file_that_the_disk_does_not_give(monkeypatch: pytest.MonkeyPatch) -> None:
    host = FakeHost(files={"/etc/crontab": b""})

    def broken(path: str) -> bytes | None:
        raise OSError(5, "Input/output error", path)

    monkeypatch.setattr(host, "read", broken)
    _, hidden = renewers.of_cron(host, "u", running=True, systemd=True)
    assert "/etc/crontab cannot be read: Input/output error" in hidden


def test_lines_are_counted_as_an_editor_does() -> None:
    host = FakeHost(
        files={"/etc/crontab": b"# a\x0cb\xe2\x80\xa8c\n0 0 * * * root certbot renew\n"}
    )
    (found,), _ = renewers.of_cron(host, "u", running=True, systemd=True)
    assert found.where == "/etc/crontab:2"


AT_JOB = """\
#!/bin/sh
# atrun uid=0 gid=0
# mail root -1
umask 22
PATH=/usr/sbin:/usr/bin; export PATH
TOOLS=/opt/lego; export TOOLS
cd / || {
\t echo 'Execution directory inaccessible' >&2
\t exit 1
}
"""


def test_at_jobs() -> None:
    host = FakeHost()
    host.program("/usr/bin/atq")
    host.answers = {
        ("atq",): "2\tWed Nov 25 10:00:00 2026 a root\n1\tTue Nov 24 13:18:00 2026 c root\n"
        "3\tTue Nov 24 13:18:00 2026 = root\n",
        ("at", "-c", "1"): AT_JOB + "exec /usr/local/sbin/certbot-at-block </dev/null\n\n",
        ("at", "-c", "2"): AT_JOB + "f() {\n:\n}\ncertbot renew -q\nf() {\n:\n}\n",
        ("at", "-c", "3"): AT_JOB + "# certbot renew\necho hi\n",
    }
    theirs, ours = atjobs.renewers(host, running=True)
    assert (theirs.where, theirs.command, theirs.ours) == ("at job 2", "certbot renew -q", False)
    assert (ours.where, ours.kind, ours.ours, ours.vendor) == ("at job 1", "at", True, False)
    assert ours.next_run == datetime(2026, 11, 24, 13, 18, tzinfo=timezone.utc)
    assert ours.active
    assert not any(job.active for job in atjobs.renewers(host, running=False))
    host.root_user = False
    assert atjobs.renewers(host, running=True) == ()


def test_a_timer_of_our_script_under_another_name_is_ours() -> None:
    services = {
        "old.service": {"ExecStart": "{ argv[]=/usr/local/sbin/certbot-renew-everything ; }"}
    }
    timer = Timer("old.timer", "enabled", True, "old.service")
    (found,) = renewers.of_timers(FakeHost(), [timer], services, "certtui-renew")
    assert (found.ours, found.vendor) == (True, False)


@pytest.mark.parametrize(
    ("command", "renews"),
    [
        ("certbot renew", True),
        ("/usr/bin/certbot -q renew", True),
        ("certbot certificates", False),
        ("rm /tmp/certbot-dns-old.log", False),
        ("/snap/bin/certbot renew", True),
        ("lego --path /x renew", True),
        ("legolas", False),
        ("tar czf /backup/le.tgz /etc/letsencrypt", False),
        ("rsync -a /etc/letsencrypt/live backup:", False),
        ("cp /var/log/letsencrypt/letsencrypt.log /backup", False),
        ("ls /opt/certbot/bin", False),
        ("certbot certificates; certbot renew", True),
        ("snap run certbot.renew", True),
        ("certtui doctor", False),
        ("/usr/local/sbin/certbot-renew-everything", True),
        ("/usr/local/sbin/certbot-at-random ensure", True),
        ("certbot renew --dry-run", False),
        ("certbot renew --deploy-hook 'x --dry-run'", True),
        ("grep -q certbot renew.log", False),
        ("/opt/backup --exclude certbot", False),
        ("echo certbot renew disabled", False),
        ("echo $(certbot renew) >/var/log/x", True),
        ("certbot", False),
        ("certbot revoke -n -d a.example.org", False),
        ("certbot -n --nginx -d a.example.org", True),
        ("test -x /usr/bin/certbot -a ! -d /run/x && perl -e 'sleep 9' && certbot -q renew", True),
        ("[ -x /usr/bin/certbot ] && echo well", False),
        ("cd /root;certbot renew>/dev/null 2>&1", True),
        ("PATH=/usr/sbin:/usr/bin nice -n 5 certbot renew", True),
        ("if true; then certbot renew; fi", True),
        ("sh -c 'sleep 5; certbot renew'", True),
        ("sh -c 'sleep 5; certbot certificates'", False),
        ("flock /run/x -c 'certbot renew' | logger -t certbot", True),
        ("python3 -m certbot renew", True),
        ("docker run --rm certbot/certbot:latest renew", True),
        ("docker compose run certbot", True),
        ("systemctl start certbot", True),
        ("systemctl status certbot", False),
        ("CERTBOT=/usr/bin/certbot; $CERTBOT renew", True),
        ("certbot \\", True),  # goes on in the next line
        ("certbot renew 'x", True),  # nobody knows
        ("/root/.acme.sh/acme.sh --cron --home /root/.acme.sh >/dev/null", True),
        ("acme.sh --list", False),
        ("lego --path /x list", False),
        ("backup /srv # certbot renew", False),
    ],
)
def test_what_counts_as_a_renewal(command: str, renews: bool) -> None:
    assert renewers.is_renewal(command) is renews


@pytest.mark.parametrize(
    ("when", "rare"),
    [
        ("0 5 * * *", False),
        ("0 5 * * 0", False),
        ("@weekly", False),
        ("@monthly", True),
        ("@reboot", True),
        ("0 5 1 1 *", True),
        ("0 5 30 2 *", True),
        ("0 5 1-7 * *", True),
    ],
)
def test_lines_that_are_started_less_often_than_every_week(when: str, rare: bool) -> None:
    host = FakeHost(files={"/etc/crontab": f"{when} root certbot renew\n".encode()})
    now = datetime(2026, 3, 2, 12, 0, tzinfo=timezone.utc)
    (found,), _ = renewers.of_cron(host, "u", running=True, systemd=True, now=now)
    assert found.rare is rare


@pytest.mark.parametrize(
    ("command", "only"),
    [
        ("certbot renew --cert-name a", ("a",)),
        ("certbot renew --cert-name=a && certbot renew --cert-name b", ("a", "b")),
        ("certbot renew --cert-name a; certbot renew", ()),
    ],
)
def test_lines_that_renew_one_lineage(command: str, only: tuple[str, ...]) -> None:
    host = FakeHost(files={"/etc/crontab": f"@daily root {command}\n".encode()})
    (found,), _ = renewers.of_cron(host, "u", running=True, systemd=True)
    assert found.only == only


@pytest.mark.parametrize(
    ("path", "text", "renews"),
    [
        ("/opt/renew.sh", "#!/bin/sh\n# why\ncertbot renew\n", True),
        ("/usr/local/bin/renew", "#!/usr/bin/env bash\ncertbot renew\n", True),
        ("/opt/renew.sh", "#!/bin/sh\n# certbot renew\n", False),
        ("/opt/renew.py", "#!/usr/bin/python3\ncertbot renew\n", False),
        ("/srv/renew.sh", "#!/bin/sh\ncertbot renew\n", False),
    ],
)
def test_a_script_of_the_administrators_that_renews(path: str, text: str, renews: bool) -> None:
    host = FakeHost(files={"/etc/crontab": f"@daily root {path} -q\n".encode()})
    host.files[path] = text.encode()
    found, _ = renewers.of_cron(host, "u", running=True, systemd=True)
    assert [item.command for item in found] == ([f"{path} -q"] if renews else [])
    services = {"x.service": {"ExecStart": f"{{ path={path} ; argv[]={path} -q ; }}"}}
    timer = Timer("x.timer", "enabled", True, "x.service")
    assert any(renewers.of_timers(host, [timer], services, "u")) is renews


def test_a_vendors_timer_that_starts_something_else_is_not_active() -> None:
    services = {"certbot.service": {"ExecStart": "{ path=/bin/true ; argv[]=/bin/true ; }"}}
    timer = Timer("certbot.timer", "enabled", True, "certbot.service")
    (found,) = renewers.of_timers(FakeHost(), [timer], services, "certtui-renew")
    assert (found.vendor, found.active) == (True, False)


@given(st.binary(max_size=300))
def test_no_crontab_makes_it_stumble(content: bytes) -> None:
    host = FakeHost(files={"/etc/crontab": content, "/var/spool/cron/root": content})
    found, hidden = renewers.of_cron(host, "u", running=True, systemd=True)
    assert hidden == ()
    assert all(item.command for item in found)
