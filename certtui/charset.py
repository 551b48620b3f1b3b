"""Which characters the terminal can show; for the commands, which start faster without the rest."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

#: Terminals of ASCII and the oldest escape sequences, whatever the locale says. The Linux console
#: has a font of 256 or 512 characters; what a VT100 shows for other bytes is anybody's guess.
_BASIC = ("linux", "vt", "dumb", "unknown")

#: Where Python puts LC_CTYPE by itself when the locale is C, is POSIX or is not there (PEP 538).
_COERCED = ("C.UTF-8", "C.utf8", "UTF-8")


def ascii_only() -> bool:
    """Whether the terminal must not be sent a character outside ASCII."""
    return is_basic(os.environ.get("TERM", "")) or not _utf8_locale()


def is_basic(name: str) -> bool:
    """Whether ``TERM`` names a terminal that may print a newer query instead of ignoring it."""
    return not name or name.startswith(_BASIC)


def _utf8_locale() -> bool:
    """Whether the user's locale has UTF-8.

    ``sys.stdout.encoding`` does not tell: Python writes UTF-8 in the locales C and POSIX too (PEP
    540). A name with an encoding is believed even where the host has no such locale: ssh brings
    the names of the user's own machine (SendEnv in ssh_config(5)), and so of the terminal.
    """
    environ = _started_with(os.environ)
    name = next((v for key in ("LC_ALL", "LC_CTYPE", "LANG") if (v := environ.get(key))), "C")
    if name in ("C", "POSIX"):
        return False
    encoding = name.rpartition(".")[2].partition("@")[0]
    if encoding.lower().replace("-", "") == "utf8":
        return True
    if "." in name or environ is not os.environ:
        return False
    import locale

    return locale.nl_langinfo(locale.CODESET).lower().replace("-", "") == "utf8"


def _started_with(environ: Mapping[str, str]) -> Mapping[str, str]:
    """The environment before Python changed the locale; the same one where it did not."""
    name = environ.get("LC_CTYPE", "")
    if name not in _COERCED or environ.get("LC_ALL") or not sys.flags.utf8_mode:
        return environ
    try:
        with open("/proc/self/environ", "rb") as file:
            entries = file.read().split(b"\0")
    except OSError:
        return environ
    # setenv(3) leaves the block that the kernel shows as it was.
    before = dict(os.fsdecode(entry).partition("=")[::2] for entry in entries)
    if before.get("LC_CTYPE", "") == name:
        return environ
    return {**environ, "LC_CTYPE": before.get("LC_CTYPE", "")}
