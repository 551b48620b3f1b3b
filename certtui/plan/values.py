"""What a single value of the plan may be. Each function gives a sentence, or "" if all is well.

The plan is data that ends up in files run by root: no control character, no NUL and no line break
is let through in any string, whatever the key.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any

Check = Callable[[Any], str]

#: Names for the environment of certbot that a plan may set (compared in upper case).
ENVIRONMENT = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "NO_PROXY")

#: Longest string anywhere in a plan; one argument may be 128 KiB on Linux (execve(2)).
MAX_LENGTH = 4096

_MAIL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_{|}~.-]{1,64}@[A-Za-z0-9.-]{1,255}")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_UNIT = re.compile(r"[A-Za-z0-9_-]{1,64}")
_URL = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~!$&'()*+,;=:@%/?#-]*)?")


def quoted(value: object) -> str:
    """A value within a sentence: in quotes, and cut where it would be longer than the sentence."""
    text = repr(value)
    return text if len(text) <= 60 else text[:56] + "..." + text[-1]


def text_problem(value: str) -> str:
    """Why a string may not stand in a plan at all."""
    for character in value:
        # Cf holds the right-to-left marks, which make a line read other than it runs.
        if unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp", "Cs"):
            return f"holds the control character U+{ord(character):04X}; remove it"
    if len(value) > MAX_LENGTH:
        return f"is {len(value)} characters long; at most {MAX_LENGTH} are allowed"
    return ""


def mail_address(value: str) -> str:
    """One bare address (RFC 5321, section 4.1.2 without quoted local parts), or empty for none."""
    if not value:
        return ""
    local, _, domain = value.rpartition("@")
    good = _MAIL.fullmatch(value) and local and not local.startswith(("-", ".", "|", "/"))
    labels = all(_LABEL.fullmatch(label) for label in domain.split("."))
    if good and labels and ".." not in local and not local.endswith("."):
        return ""
    example = "admin@example.com"
    return f'{quoted(value)} is not a mail address; write one such as {example}, or "" for none'


def local_recipient(value: str) -> str:
    """An address, or the name of a local user, which every MTA delivers to."""
    if re.fullmatch(r"[a-z_][a-z0-9_.-]{0,31}", value):
        return ""
    return mail_address(value)


def absolute_path(value: str) -> str:
    """A normalised absolute path: what ``openat`` can walk component by component."""
    if not value.startswith("/") or value.startswith("//"):
        return f"{quoted(value)} is not an absolute path; it must begin with one /"
    parts = value.split("/")[1:]
    if any(part in (".", "..") for part in parts) or "" in parts:
        return f"{quoted(value)} is not normalised; write it without '.', '..', '//' or a final /"
    if not re.fullmatch(r"[A-Za-z0-9._+@:/-]+", value):
        return f"{quoted(value)} may hold only letters, digits and . _ + @ : - /"
    return ""


#: Folders whose files something runs by itself, or that are gone after a reboot, with all below.
_NO_PLACE = re.compile(
    r"/|/etc|/(etc/(cron[^/]*|init\.d|systemd|letsencrypt)|(usr/)?lib/systemd|var/spool"
    r"|var/lib/certtui|boot|proc|sys|dev|run)(/.*)?"
)


def scripts_folder(value: str) -> str:
    """A folder whose files nobody runs but whom we tell to."""
    if _NO_PLACE.fullmatch(value):
        return f"{quoted(value)} is no place for scripts; choose one such as /usr/local/sbin"
    return absolute_path(value)


def command_path(value: str) -> str:
    """ "auto", or the absolute path of certbot."""
    problem = "" if value == "auto" else absolute_path(value)
    return f'{problem}, or "auto"' if problem else ""


def clock_times(value: tuple[str, ...]) -> str:
    """Fixed local times, each once."""
    for time in value:
        if not _TIME.fullmatch(time):
            return f'{quoted(time)} is not a time of day; write "HH:MM" from "00:00" to "23:59"'
    if len(set(value)) != len(value):
        return "names a time twice"
    if len(value) > 24:
        return f"has {len(value)} times; at most 24 are allowed"
    return ""


def unit_name(value: str) -> str:
    """A name for units and the cron file: cron ignores any with a dot (cron(8))."""
    if _UNIT.fullmatch(value) and not value.startswith("-"):
        return ""
    return f"{quoted(value)} is not a name for a unit; allowed are 1 to 64 letters, digits, - and _"


def at_queue(value: str) -> str:
    """A lower-case queue other than b, which is batch's (at(1))."""
    if re.fullmatch(r"[ac-z]", value):
        return ""
    return f"{quoted(value)} is not an at queue; allowed is one letter from a to z, but not b"


def heartbeat_url(value: str) -> str:
    """An https address, or empty for none."""
    if not value or _URL.fullmatch(value):
        return ""
    return f'{quoted(value)} is not an https:// address; write one, or "" for none'


def certbot_args(value: tuple[str, ...]) -> str:
    """Options for ``certbot renew`` that do not take away what certtui relies on."""
    for argument in value:
        name = argument.split("=")[0]
        if name in _RESERVED_ARGS:
            return f"{quoted(name)} is certtui's to set: {_RESERVED_ARGS[name]}"
    return ""


_RESERVED_ARGS = {
    "--dry-run": "a scheduled run would then never renew; use `certtui dry-run`",
    "--force-renewal": "every run would order a new certificate and soon meet the rate limit",
    "--force-renew": "every run would order a new certificate and soon meet the rate limit",
    "--renew-by-default": "every run would order a new certificate and soon meet the rate limit",
    "-q": "it is always given",
    "--quiet": "it is always given",
    "--no-directory-hooks": "the reload of the web server is such a hook",
    "--random-sleep-on-renew": "certtui spreads the runs itself",
    "--no-random-sleep-on-renew": "it is always given",
}


def environment(value: dict[str, str]) -> str:
    """The few variables that certbot may be given; everything else of the caller is dropped."""
    for name, content in value.items():
        if not (name.upper() in ENVIRONMENT or name.upper().endswith("_PROXY")) or not re.fullmatch(
            r"[A-Za-z_]+", name
        ):
            allowed = ", ".join(ENVIRONMENT)
            return f"{quoted(name)} may not be set; allowed are names ending _PROXY, {allowed}"
        problem = text_problem(content)
        if problem:
            return f"{name[:60]} {problem}"
    return ""
