"""What certbot's own configuration file does to every renewal, whatever the plan says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from certtui.doctor.check import Check, Context, Kind, needs_root
from certtui.doctor.finding import Finding, Fix, Status
from certtui.render import places

_FINE = Kind(
    "certbot.ini",
    Status.WARN,
    "certbot's cli.ini changes nothing of what a renewal does",
    "certbot puts what its configuration file says before the options that it is started with "
    "(ConfigArgParse): such a line counts for all certificates and is easily forgotten.",
)
_NO_HOOKS = Kind(
    "certbot.ini-no-hooks",
    Status.FAIL,
    "certbot runs the hooks of its folders",
    "With no-directory-hooks a renewed certificate is loaded by no server, and certbot calls it a "
    "success.",
)
_TEST = Kind(
    "certbot.ini-test",
    Status.FAIL,
    "certbot renews for good and from the CA that the certificate came from",
    "With dry-run every run ends well and renews nothing; with staging or test-cert certbot asks a "
    "CA that no browser trusts.",
)
_REFUSED = Kind(
    "certbot.ini-refused",
    Status.FAIL,
    "certbot understands every line of its cli.ini",
    "certbot takes a name that it does not know for an unknown option and ends with 2 every time. "
    "The names are those of its options, with hyphens; there is no directory-hooks.",
)

#: certbot/_internal/constants.py, ``config_files``: both are read, and HOME is root's.
_FILES = ("/etc/letsencrypt/cli.ini", "/root/.config/letsencrypt/cli.ini")

#: configargparse.py, ``DefaultConfigFileParser``: "key = value", "key: value", "key value", "key".
_LINE = re.compile(r"(?:--)?([^:=;#\s]+)\s*(?:[:=\s]\s*(.*?))?\s*(?:\s[;#].*)?")

_NOT_WANTED = {
    "force-renewal": "renews every certificate at every run, which the CA limits",
    "renew-by-default": "renews every certificate at every run, which the CA limits",
    "server": "has every certificate renewed by one CA, whichever it came from",
    "cert-name": "renews one certificate alone",
    "config-dir": "has certbot look for certificates in another folder than certtui",
    "logs-dir": "has certbot keep its log in another folder than certtui reads it from",
}
_TESTS = ("dry-run", "staging", "test-cert")


@dataclass(frozen=True)
class Setting:
    """One line that says something; ``key`` is the option's name without its hyphens in front."""

    path: str
    number: int
    key: str
    value: str
    text: str

    @property
    def is_on(self) -> bool:
        """By ``convert_item_to_command_line_arg`` of configargparse.py; a name alone is true."""
        return self.value.strip("'\"").lower() in ("", "true", "yes", "1")


def parse(path: str, text: str) -> Iterator[Setting]:
    """The settings of one file; comments, sections and separators say nothing."""
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line[0] in "#;[" or line.startswith("---"):
            continue
        found = _LINE.fullmatch(line)
        key, value = (found[1], found[2] or "") if found else ("", "")
        yield Setting(path, number, key, value, line)


def _ini(context: Context) -> Iterator[Finding]:
    known: list[str] = []
    problems: list[Finding] = []
    for path in _files(context):
        try:
            content = context.host.read(path)
        except PermissionError:
            yield _FINE.skip(path, needs_root())
            continue
        if content is None:
            continue
        known.append(path)
        # The last line with a name counts.
        settings = {one.key: one for one in parse(path, content.decode("utf-8", "replace"))}
        problems += [found for one in settings.values() for found in _judged(one)]
    if problems:
        yield from problems
    elif known:
        yield _FINE.ok(known[0], "changes no renewal")
    else:
        yield _FINE.ok(_FILES[0], "there is none: certbot does what it does by default")


def _files(context: Context) -> tuple[str, ...]:
    plan = context.plan
    named = places.option(plan, "--config") or places.option(plan, "-c") if plan else ""
    return (*_FILES, named) if named else _FILES


def _judged(one: Setting) -> Iterator[Finding]:
    where, evidence = f"{one.path}:{one.number}", f"{one.path}:{one.number}: {one.text}"
    if not one.key or "_" in one.key or one.key == "directory-hooks":
        message = f"certbot does not know {(one.key or one.text)[:80]}: every run ends with 2"
        yield _REFUSED.found(where, message, evidence, _without(one))
    elif one.key == "no-directory-hooks" and one.is_on:
        message = "turns off every hook of the folders: no server loads what is renewed"
        yield _NO_HOOKS.found(where, message, evidence, _without(one))
    elif one.key in _TESTS and one.is_on:
        yield _TEST.found(where, f"{one.key}: no renewal is for good", evidence, _without(one))
    elif one.key in _NOT_WANTED and (one.value or one.is_on):
        off = one.key in ("force-renewal", "renew-by-default") and not one.is_on
        if not off:
            message = f"{one.key} {_NOT_WANTED[one.key]}"
            yield _FINE.found(where, message, evidence, _without(one))


def _without(one: Setting) -> Fix | None:
    """Takes the line out, by its name: the number would be another line's after the next edit."""
    if not re.fullmatch(r"[\w-]+", one.key):
        return None
    return Fix(("sed", "-i", "-E", f"/^[[:space:]]*(--)?{one.key}([[:space:]:=]|$)/d", one.path))


CHECKS = (Check((_FINE, _NO_HOOKS, _TEST, _REFUSED), _ini),)
