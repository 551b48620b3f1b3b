"""A host made into a server: an ACME server, a web server, two lineages issued through it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from certtui.demo.keys import write_self_signed
from tests.host.machine import Machine
from tests.host.web import NGINX, WEBS, Web

NAMES = ("a.example.test", "b.example.test")
#: Always due: its renewal configuration asks for renewal 100 days before the end of 90.
DUE = NAMES[1]
_ALWAYS_DUE = "renew_before_expiry = 100 days\n"
ACME = "https://127.0.0.1:14000/dir"
TRUST = "/etc/pebble/api.pem"
ADMIN = "admin"
#: An address that something else than the web server listens on.
TAKEN = "127.0.0.1:8055"

_PEBBLE = {
    "listenAddress": "127.0.0.1:14000",
    "managementListenAddress": "127.0.0.1:15000",
    "certificate": TRUST,
    "privateKey": "/etc/pebble/api.key",
    "httpPort": 80,
    "tlsPort": 443,
    "ocspResponderURL": "",
    "externalAccountBindingRequired": False,
    "certificateValidityPeriod": 90 * 86400,
    "retryAfter": {"authz": 1, "order": 1},
}

_NAMES_OPTIONS = (
    f"-dns01 127.0.0.1:8053 -management {TAKEN} "
    '-defaultIPv4 127.0.0.1 -defaultIPv6 "" -http01 "" -https01 "" -tlsalpn01 ""'
)
_ACME_VARIABLES = "PEBBLE_VA_NOSLEEP=1 PEBBLE_WFE_NONCEREJECT=0 PEBBLE_AUTHZREUSE=0"
_ACME_OPTIONS = "-config /etc/pebble/pebble.json -dnsserver 127.0.0.1:8053"

_NAMES_UNIT = f"""\
[Unit]
Description=Names for the test ACME server
[Service]
ExecStart=/usr/bin/pebble-challtestsrv {_NAMES_OPTIONS}
[Install]
WantedBy=multi-user.target
"""

_PEBBLE_UNIT = f"""\
[Unit]
Description=Test ACME server
After=pebble-names.service
[Service]
Environment={_ACME_VARIABLES}
ExecStart=/usr/bin/pebble {_ACME_OPTIONS}
[Install]
WantedBy=multi-user.target
"""

#: Each watches a folder by inotify(7), of which a kernel by default gives a user 128: some thirty
#: hosts at a time want them for what matters.
_UNWANTED = ("systemd-ask-password-console.path", "systemd-ask-password-wall.path")

#: Pebble keeps its accounts in memory: after a boot certbot's are unknown to it, unlike those of
#: a real CA. This makes a new one and writes it into the renewal configurations.
_NEW_ACCOUNT = """\
set -e
rm -rf /etc/letsencrypt/accounts
certbot register -n --agree-tos --register-unsafely-without-email --server {acme} >/dev/null 2>&1
id=$(basename /etc/letsencrypt/accounts/127.0.0.1:14000/dir/*)
sed -i "s/^account = .*/account = $id/" /etc/letsencrypt/renewal/*.conf
"""

LAUNCHER = """\
#!/bin/sh
exec /opt/certtui/bin/python -I -W error -m certtui "$@"
"""

#: An environment of certtui's own, as pipx makes them; its packages are bound to it from outside.
_ENVIRONMENT = """\
set -e
python3 -m venv --without-pip /opt/certtui
echo /opt/certtui/site >"$(echo /opt/certtui/lib/python3*/site-packages)/certtui.pth"
"""


def prepare(host: Machine, key: str, web: Web = NGINX) -> None:
    """Everything before the first boot; ``key`` is an OpenSSH public key that may log in."""
    others = [other.service for other in WEBS.values() if other is not web]
    for words in (("disable", *others), ("mask", *_UNWANTED)):
        argv = ["systemctl", "--quiet", f"--root={host.root}", *words]
        subprocess.run(argv, check=True, capture_output=True)
    pebble = host.root / "etc/pebble"
    pebble.mkdir()
    write_self_signed(pebble / "api.key", pebble / "api.pem", "test ACME server")
    host.write("/etc/pebble/pebble.json", json.dumps({"pebble": _PEBBLE}))
    host.write("/etc/systemd/system/pebble-names.service", _NAMES_UNIT)
    host.write("/etc/systemd/system/pebble.service", _PEBBLE_UNIT)
    host.write("/etc/hostname", "web1\n")
    host.write("/etc/mailname", "web1.example.test\n")  # else it names who built the image
    names = " ".join(NAMES)
    host.write("/etc/hosts", f"127.0.0.1 localhost\n127.0.1.1 web1.example.test web1 {names}\n")
    host.write("/etc/aliases", f"root: {ADMIN}\n")
    host.write(*web.plain)
    host.write("/srv/www/index.html", "hello\n")
    host.write("/opt/certtui/bin/certtui", LAUNCHER, 0o755)
    (host.root / "opt/certtui/site").mkdir()
    host.write("/root/.ssh/authorized_keys", key, 0o600)
    Path(host.root / "root/.ssh").chmod(0o700)


def issue(host: Machine, web: Web = NGINX) -> None:
    """The rest, once it is booted: users, ACME server, certificates, TLS."""
    host.run(["sh", "-c", _ENVIRONMENT])
    host.run(["useradd", "--create-home", ADMIN])
    host.run(["systemctl", "enable", "--now", "pebble-names", "pebble"])
    host.wait_until(lambda: acme_answers(host), 20, "pebble to answer")
    for name in NAMES:
        host.run(
            [
                *("certbot", "certonly", "-n", "--agree-tos", "--register-unsafely-without-email"),
                *("--server", ACME, "--webroot", "-w", "/srv/www", "-d", name),
            ],
            env={"REQUESTS_CA_BUNDLE": TRUST},
        )
        web.add_site(host, name)
    make_due(host, DUE)
    host.run(web.enable_tls)
    host.run(web.test)
    # Apache opens the port of a module that is new only as it starts.
    host.run(["systemctl", "restart", web.service])


#: What a Debian without systemd does as it boots; the ACME server has no init script.
_BY_HAND = """\
set -e
mkdir -p /run/lock
for service in cron atd exim4 {web}; do
    service "$service" start
done
start-stop-daemon --start --background --exec /usr/bin/pebble-challtestsrv -- {names}
env {variables} start-stop-daemon --start --background --exec /usr/bin/pebble -- {acme}
"""


def start_by_hand(host: Machine, web: Web) -> None:
    """Starts everything on a host without systemd, by Debian's own init scripts."""
    script = _BY_HAND.format(
        web=web.service, names=_NAMES_OPTIONS, variables=_ACME_VARIABLES, acme=_ACME_OPTIONS
    )
    host.run(["sh", "-c", script])


def make_fresh(host: Machine, web: Web) -> None:
    """Nothing that a wizard would have to be told: one lineage, and the host trusts its CA.

    Debian's python3-requests, and with it certbot, believes the host's own trust store. What is
    installed is on the PATH of a login.
    """
    gone = NAMES[1]
    (host.root / web.tls[0].format(name=gone).lstrip("/")).unlink()
    host.run([*web.test])
    host.run(["systemctl", "reload", web.service])
    host.run(["certbot", "delete", "-n", "--cert-name", gone])
    host.write("/usr/local/share/ca-certificates/pebble.crt", host.read(TRUST))
    host.run(["update-ca-certificates"])
    host.run(["ln", "-s", "/opt/certtui/bin/certtui", "/usr/local/bin/certtui"])


def make_due(host: Machine, name: str, due: bool = True) -> None:
    """certbot renews it at the next run, whatever its age (renew_before_expiry), or no more."""
    path = f"/etc/letsencrypt/renewal/{name}.conf"
    content = host.read(path).replace(_ALWAYS_DUE, "")
    host.write(path, (_ALWAYS_DUE if due else "") + content)


def acme_answers(host: Machine) -> bool:
    """Whether the ACME server is up."""
    return host.run(["curl", "-fsS", "--cacert", TRUST, ACME], check=False).returncode == 0


def new_account(host: Machine) -> None:
    """To be called after each boot: see :data:`_NEW_ACCOUNT`."""
    host.wait_until(lambda: acme_answers(host), 20, "pebble to answer")
    script = _NEW_ACCOUNT.format(acme=ACME)
    host.run(["sh", "-c", script], env={"REQUESTS_CA_BUNDLE": TRUST})


def mails_taken(host: Machine) -> int:
    """How many mails were handed to the host's mailer until now, delivered or not."""
    path = "/var/log/exim4/mainlog"
    return host.read(path).count(" <= ") if host.exists(path) else 0


def served(host: Machine, name: str) -> str:
    """SHA-256 fingerprint of the certificate served for a name on 127.0.0.1:443."""
    said = host.run(
        ["openssl", "s_client", "-connect", "127.0.0.1:443", "-servername", name], check=False
    )
    shown = host.run(["openssl", "x509", "-noout", "-fingerprint", "-sha256"], input=said.stdout)
    return shown.stdout.strip()


def on_disk(host: Machine, name: str) -> str:
    """SHA-256 fingerprint of the lineage's newest certificate."""
    path = f"/etc/letsencrypt/live/{name}/cert.pem"
    argv = ["openssl", "x509", "-noout", "-fingerprint", "-sha256", "-in", path]
    return host.run(argv).stdout.strip()


def plan(
    backend: str,
    *,
    web: Web = NGINX,
    action: str = "reload",
    trigger: str = "auto",
    times: tuple[str, ...] = (),
    mail: str = f"{ADMIN}@localhost",
) -> str:
    """A plan as an administrator of this host would write it."""
    quoted = ", ".join(f'"{time}"' for time in times)
    return f"""\
version = 1
[webserver]
kind = "{web.kind}"
action = "{action}"
[schedule]
backend = "{backend}"
trigger = "{trigger}"
times = [{quoted}]
[mail]
to = "{mail}"
[certbot.env]
REQUESTS_CA_BUNDLE = "{TRUST}"
"""
