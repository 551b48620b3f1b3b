"""A wizard on a host whose names, files and certbot are not of ASCII: ``-m tests.tui.odd ROOT``.

Run by the tests in :mod:`tests.tui.test_looks_terminal`.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from certtui import cli, streams, wizard
from certtui.ask.session import Session
from certtui.errors import CerttuiError
from tests.tui.support import CERTBOT, facts, make_root, session

HOST = "bücher-日本.example"
LINEAGE = "münchen"
FILE_LINE = "# für Großmütter: ça va, 日本語"
CERTBOT_LINE = "Échec évité: тест 日本"


def odd_session(root: Path) -> Session:
    """A session on such a host."""
    certbot = make_root(root)
    conf = root / f"etc/letsencrypt/renewal/{LINEAGE}.conf"
    conf.write_text("version = 2.1.0\n")
    theirs = root / "usr/local/sbin/certbot-renew-everything"
    theirs.parent.mkdir(parents=True, exist_ok=True)
    theirs.write_text(f"#!/bin/sh\n{FILE_LINE}\n")
    plain = facts(str(certbot))
    lineage = replace(plain.lineages[0], name=LINEAGE, domains=("münchen.example",))
    found = replace(
        plain,
        system=replace(plain.system, hostname=HOST),
        lineages=(*plain.lineages, lineage),
    )
    made = session(root, found=found)
    certbot.write_text(
        CERTBOT.replace("@ROOT@", str(root))
        .replace("@PAUSE@", "0")
        .replace('echo "Account registered."', f'echo "{CERTBOT_LINE}"')
    )
    return made


def main(argv: list[str]) -> int:
    cli._end_politely()
    streams.open_all()
    flags = [word for word in argv[1:] if word.startswith("--")]
    try:
        return wizard.run_session(
            odd_session(Path(argv[0])), plain="--plain" in flags, mouse="--mouse" in flags
        )
    except CerttuiError as error:
        cli._complain(str(error))
        return int(error.exit_code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
