"""Runs a certbot that reads no configuration of this host: ``PYTHON FILE CERTBOT ARGUMENT...``.

certbot always reads ``/etc/letsencrypt/cli.ini`` and the one in the home folder, whatever
``--config-dir`` says (certbot/_internal/constants.py, ``config_files``). A ``pre-hook`` there that
stops a web server would stop it for a demo too. So this empties that list and then runs the real
program, with its own Python. It is a script, and works with any Python 3 that certbot works with.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import runpy
import sys


def main() -> None:
    """Becomes the certbot that ``sys.argv[1]`` names."""
    # The folder of this file is no place to import from: its modules have everyday names.
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != here]
    del sys.argv[0]
    # A certbot built otherwise is run as it is.
    with contextlib.suppress(ImportError, AttributeError):
        importlib.import_module("certbot._internal.constants").CLI_DEFAULTS["config_files"] = []
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
