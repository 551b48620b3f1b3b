"""The fire drill of the deploy on booted hosts: real hooks, real web servers, what they serve."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable

import pytest

from tests.host import server
from tests.host.machine import Machine
from tests.host.schedules import CRON, LOG, TIMER, applied, quiet
from tests.host.web import APACHE, NGINX, Web

Machines = Callable[..., Machine]
Keep = Callable[[subprocess.CompletedProcess[str], str], None]

PENDING = "/var/lib/certtui/pending-deploy"
WAITING = "/etc/letsencrypt/live/other.example.test"


def ready(new_host: Machines, web: Web = NGINX) -> Machine:
    schedule = TIMER if web is NGINX else CRON
    return applied(new_host(quiet(schedule), web=web), schedule, web=web)


def drill(host: Machine, keep: Keep, *options: str) -> subprocess.CompletedProcess[str]:
    done = host.certtui("drill", "--deploy", *options)
    keep(done, f"certtui drill --deploy {' '.join(options)}")
    return done


def waiting(host: Machine, *lines: str) -> tuple[str, float]:
    """Notes lineages as waiting for a day; gives the file's content and time."""
    host.write(PENDING, "".join(f"{line}\n" for line in lines), 0o600)
    host.run(["touch", "-d", "yesterday", PENDING])
    return noted(host)


def noted(host: Machine) -> tuple[str, float]:
    return host.read(PENDING), (host.root / PENDING.lstrip("/")).stat().st_mtime


def reloads(host: Machine, web: Web) -> int:
    """How often systemd has told the server, by its log."""
    said = host.run(["journalctl", "-b", "--no-pager", "-u", web.service, "-o", "cat"]).stdout
    return said.count("Reloaded ")


@pytest.mark.parametrize("web", [NGINX, APACHE], ids=lambda web: web.kind)
def test_the_hooks_make_the_server_serve_what_is_on_disk(
    new_host: Machines, web: Web, transcript: Keep
) -> None:
    host = ready(new_host, web)
    before = (host.listing(), reloads(host, web), web.main_process(host))
    done = drill(host, transcript)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in server.NAMES:
        assert re.search(rf"^ok   served: {name}: \S+:443 serves the cert", done.stdout, re.M)
    assert done.stdout.splitlines()[-1] == (
        f"proved: the hooks make {web.service} serve what is on disk (2 of 2)"
    )
    assert (host.listing(), reloads(host, web) - 1, web.main_process(host)) == before
    assert not host.exists(PENDING)
    assert not host.exists(LOG)
    assert server.mails_taken(host) == 0

    one = drill(host, transcript, "--only", server.DUE, "--json")
    assert one.returncode == 0
    assert [found["name"] for found in json.loads(one.stdout)["served"]] == [server.DUE]
    none = drill(host, transcript, "--only", "c.example.test")
    assert none.returncode == 1
    assert server.NAMES[0] in none.stderr


_AWAY_FOR_A_WHILE = """\
#!/bin/sh -e
sed -i 's/listen 443 /listen 4430 /' /etc/nginx/sites-enabled/*.test
nginx -s reload
systemd-run --collect sh -c 'sleep 4
    sed -i "s/listen 4430 /listen 443 /" /etc/nginx/sites-enabled/*.test
    nginx -s reload'
sleep 1
"""


def test_a_server_that_comes_back_a_moment_later_is_waited_for(
    new_host: Machines, transcript: Keep
) -> None:
    host = ready(new_host)
    host.write("/usr/local/sbin/slow-reload", _AWAY_FOR_A_WHILE, 0o755)
    drop_in = "[Service]\nExecReload=\nExecReload=/usr/local/sbin/slow-reload\n"
    host.write("/etc/systemd/system/nginx.service.d/x.conf", drop_in)
    host.run(["systemctl", "daemon-reload"])
    began = time.monotonic()
    done = drill(host, transcript)
    assert done.returncode == 0, done.stdout + done.stderr
    assert time.monotonic() - began > 4


def test_a_server_that_is_stopped_was_not_told(new_host: Machines, transcript: Keep) -> None:
    host = ready(new_host)
    host.run(["systemctl", "stop", "nginx"])
    done = drill(host, transcript)
    assert done.returncode == 1
    assert (
        "ok   post hook: nginx is stopped: it reads the certificate when it starts" in done.stdout
    )
    assert done.stdout.splitlines()[-1].startswith('not proved: it broke at "served": ')


BREAKS: dict[str, tuple[Web, list[str], str]] = {
    "nginx-test": (
        NGINX,
        ["echo nonsense >/etc/nginx/conf.d/x.conf"],
        'it broke at "configuration test of nginx"',
    ),
    "apache-test": (
        APACHE,
        ["echo Nonsense >/etc/apache2/conf-enabled/x.conf"],
        'it broke at "configuration test of apache2"',
    ),
    "reload": (
        NGINX,
        [
            "mkdir /etc/systemd/system/nginx.service.d",
            "printf '[Service]\\nExecReload=\\nExecReload=/bin/false\\n'"
            " >/etc/systemd/system/nginx.service.d/x.conf",
            "systemctl daemon-reload",
        ],
        'it broke at "post hook"',
    ),
    "served": (
        NGINX,
        [
            # Served from a copy that no renewal reaches: what many a guide tells to do.
            f"cp -L /etc/letsencrypt/live/{server.DUE}/*.pem /etc/nginx/",
            f"sed -i 's|/etc/letsencrypt/live/{server.DUE}/|/etc/nginx/|'"
            f" /etc/nginx/sites-enabled/{server.DUE}",
            "systemctl reload nginx",
            f"REQUESTS_CA_BUNDLE={server.TRUST} certbot renew -n --no-random-sleep-on-renew"
            f" --force-renewal --no-directory-hooks --cert-name {server.DUE}",
        ],
        f'it broke at "served: {server.DUE}"',
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_what_breaks_is_told_and_what_waited_waits_as_before(
    new_host: Machines, name: str, transcript: Keep
) -> None:
    web, commands, words = BREAKS[name]
    host = ready(new_host, web)
    for command in commands:
        transcript(host.run(["sh", "-ec", command]), command)
    before = waiting(host, WAITING, f"/etc/letsencrypt/live/{server.NAMES[0]}")
    done = drill(host, transcript)
    assert done.returncode == 1, done.stdout + done.stderr
    assert words in done.stdout.splitlines()[-1]
    assert "; mend: " in done.stdout.splitlines()[-1]
    transcript(host.run(["cat", PENDING]), f"cat {PENDING}")
    assert noted(host) == before
    assert not host.exists(f"{PENDING}.done")
    assert not host.exists("/var/lib/certtui/mail-state")
    assert server.mails_taken(host) == 0
