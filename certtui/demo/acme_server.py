"""The demo's own ACME server: ``python -m certtui.demo.acme_server FOLDER``.

acme2certifier's WSGI application under wsgiref, with a CA of its own made in FOLDER (which must
exist). Standard input is the listening socket, as inetd(8) hands it over: the port is known before
this process has imported anything, and a client that comes early waits in the queue.

acme2certifier validates http-01 on port 80 only, which takes root; so validation is switched off
here and whoever shows the demo must say so. The server can be reached from this machine alone.
"""

from __future__ import annotations

import importlib
import os
import socket
import sys
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, cast
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication  # wsgiref.types came with Python 3.11

# Relative paths are taken from ACME2CERTIFIER_BASE_DIR. The handler insists on a CRL file and on a
# folder to save certificates in, both of which may be empty; certbot registers without an e-mail
# address unless told otherwise, hence contact_check_disable.
_CONFIG = """\
[DEFAULT]
debug: False
[CAhandler]
handler_module: acme2certifier.cahandlers.openssl_ca_handler
issuing_ca_key: ca.key
issuing_ca_cert: ca.pem
issuing_ca_crl: ca.crl
cert_save_path: issued
cert_validity_days: 90
[DBhandler]
handler: wsgi
dbfile: acme.db
[Account]
contact_check_disable: True
[Challenge]
challenge_validation_disable: True
[Order]
tnauthlist_support: False
"""


class _Server(ThreadingMixIn, WSGIServer):
    """wsgiref's server on a socket that is listening already."""

    daemon_threads = True

    def __init__(self, listening: socket.socket) -> None:
        host, port = listening.getsockname()
        super().__init__((host, port), WSGIRequestHandler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        # Not HTTPServer.server_bind: it asks the resolver for the address's name, for seconds where
        # DNS is broken.
        self.server_name, self.server_port = host, port
        self.setup_environ()


def main(arguments: list[str]) -> int:
    """Serves until it is killed. ``arguments`` is ``[FOLDER]``; 64 for anything else."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m certtui.demo.acme_server FOLDER < listening socket\n")
        return 64
    folder = Path(arguments[0]).resolve()
    listening = socket.socket(fileno=sys.stdin.fileno())
    _write_authority(folder)
    with _Server(listening) as server:
        server.set_app(_application(folder))
        server.serve_forever()
    return 0


def _write_authority(folder: Path) -> None:
    from certtui.demo.keys import write_self_signed

    write_self_signed(folder / "ca.key", folder / "ca.pem", "certtui demo CA")
    (folder / "ca.crl").touch()
    (folder / "issued").mkdir()
    (folder / "acme_srv.cfg").write_text(_CONFIG)


def _application(folder: Path) -> WSGIApplication:
    """acme2certifier's application; it reads its configuration while it is imported."""
    os.environ["ACME_SRV_CONFIGFILE"] = str(folder / "acme_srv.cfg")
    os.environ["ACME2CERTIFIER_BASE_DIR"] = str(folder)
    os.environ["ACME2CERTIFIER_I_KNOW_THE_RISK"] = "1"  # without it validation stays on
    module = importlib.import_module("acme2certifier.share.acme2certifier_wsgi")
    return cast("WSGIApplication", module.application)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
