"""A host made of facts, a throw-away root, and a certbot of a few lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from certtui.ask.session import Session
from certtui.host.facts import (
    CertbotInstall,
    Facts,
    Lineage,
    Mailer,
    Renewer,
    Service,
    System,
    WebServer,
)
from certtui.plan import document
from certtui.plan.model import Plan

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc)

NAMES = ("example.com", "shop.example.org")

#: Certificates and the days that are left to them.
Certificates = Sequence[tuple[str, int]]

_TWO: Certificates = tuple(zip(NAMES, (61, 12), strict=True))


def facts(
    certbot: str = "/usr/bin/certbot", *, certificates: Certificates = _TWO, **changes: Any
) -> Facts:
    """A Debian with systemd, nginx and, unless others are given, two certificates."""
    made = Facts(
        system=System(
            "debian",
            (),
            "Debian GNU/Linux 12",
            "web1.example.com",
            "0123456789abcdef0123456789abcdef",
            "systemd",
            252,
            "apt",
            True,
        ),
        certbots=(CertbotInstall(certbot, "deb", "2.1.0"),),
        lineages=tuple(
            Lineage(
                name,
                f"/etc/letsencrypt/renewal/{name}.conf",
                certificate=f"/etc/letsencrypt/live/{name}/cert.pem",
                authenticator="nginx",
                domains=(name,),
                not_before=NOW - timedelta(days=90 - days),
                not_after=NOW + timedelta(days=days, hours=1),
            )
            for name, days in certificates
        ),
        webservers=(
            WebServer("nginx", "/usr/sbin/nginx", "nginx.service", True, (80, 443), "1.22"),
        ),
        cron=Service("cron", True, "cron.service", True, True),
        atd=Service("atd", False),
        has_cron_d=True,
        mailer=Mailer("sendmail", "/usr/sbin/sendmail", "/usr/sbin/exim4"),
        renewers=(Renewer("timer", "certbot.timer", "certbot -q renew", True, True),),
    )
    return replace(made, **changes)


#: Answers to a dry run as certbot gives them; a name with "bad" in it fails.
CERTBOT = r"""#!/bin/sh
case "$*" in *--version*) echo "certbot 2.1.0"; exit 0;; esac
only=""
while [ $# -gt 0 ]; do case "$1" in
  --cert-name) only=$2; shift;; --cert-name=*) only=${1#--cert-name=};; esac; shift; done
failed=""
ok=""
echo "Saving debug log to /tmp/letsencrypt.log"
for conf in "@ROOT@"/etc/letsencrypt/renewal/*.conf; do
  name=$(basename "$conf" .conf)
  [ -z "$only" ] || [ "$only" = "$name" ] || continue
  echo
  echo "- - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - -"
  echo "Processing $conf"
  echo "- - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - -"
  echo "Account registered."
  echo "Simulating renewal of an existing certificate for $name"
  sleep @PAUSE@
  if [ -e "@ROOT@/broken-$name" ]; then
    echo "Failed to renew certificate $name with error: Some challenges have failed."
    failed="$failed $name"
  else
    ok="$ok $name"
  fi
done
echo
echo "- - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - -"
live="@ROOT@/etc/letsencrypt/live"
if [ -n "$ok" ] && [ -z "$failed" ]; then
  echo "Congratulations, all simulated renewals succeeded: "
  for name in $ok; do echo "  $live/$name/fullchain.pem (success)"; done
elif [ -n "$ok" ]; then
  echo "The following simulated renewals succeeded:"
  for name in $ok; do echo "  $live/$name/fullchain.pem (success)"; done
  echo
fi
if [ -n "$failed" ]; then
  [ -n "$ok" ] ||
    echo "All simulated renewals failed. The following certificates could not be renewed:"
  [ -z "$ok" ] || echo "The following simulated renewals failed:"
  for name in $failed; do echo "  $live/$name/fullchain.pem (failure)"; done
fi
echo "- - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - -"
[ -z "$failed" ] || { echo "1 renew failure(s), 0 parse failure(s)"; exit 1; }
"""


def make_root(root: Path, pause: str = "0") -> Path:
    """A root with two lineages and a certbot; gives the certbot's path."""
    for folder in ("renewal", "live", "archive"):
        (root / "etc/letsencrypt" / folder).mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        conf = root / f"etc/letsencrypt/renewal/{name}.conf"
        conf.write_text(f"version = 2.1.0\ncert = {root}/etc/letsencrypt/live/{name}/cert.pem\n")
    certbot = root / "certbot"
    certbot.write_text(CERTBOT.replace("@ROOT@", str(root)).replace("@PAUSE@", pause))
    certbot.chmod(0o755)
    return certbot


def session(root: Path, *, pause: str = "0", found: Facts | None = None, **changes: Any) -> Session:
    """A wizard for that root."""
    certbot = make_root(root, pause)
    plan = document.new(
        {
            "certbot.command": str(certbot),
            "certbot.extra_args": ("--config-dir", str(root / "etc/letsencrypt")),
        },
        str(root / "plan.toml"),
    )

    def gather(plan: Plan) -> Facts:
        del plan
        return found or facts(str(certbot))

    given: dict[str, Any] = {
        "facts": gather,
        "path": str(root / "plan.toml"),
        "base": plan,
        "root": str(root),
        "keeps_draft": False,
        "clock": lambda: NOW,
    }
    return Session(**{**given, **changes})


def screen_text(app: Any) -> list[str]:
    """The screen as a person reads it, without trailing spaces."""
    return [
        "".join(s.text for s in strip).rstrip() for strip in app.screen._compositor.render_strips()
    ]


def lines_of(iterator: Iterator[str]) -> str:
    """For assertions on a whole page."""
    return "\n".join(iterator)
