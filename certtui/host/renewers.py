"""What renews certificates here already: timers, cron files, root's crontab."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timezone

from certtui.host import commandlines
from certtui.host.commandlines import Renewal
from certtui.host.crontimes import following, is_rare
from certtui.host.facts import Renewer, Timer
from certtui.host.interface import Host
from certtui.host.units import Properties, commands

#: Timers that come with certbot itself.
VENDOR_TIMERS = ("certbot.timer", "certbot-renew.timer", "snap.certbot.renew.timer")

_OUR_SCRIPTS = re.compile(r"/certbot-(renew-everything|at-block|at-random)\b")
_PERIODS = ("hourly", "daily", "weekly", "monthly")
#: Folders of scripts that cron starts by run-parts; those of Alpine come second.
_CRON_FOLDERS = (
    *(f"/etc/cron.{period}" for period in _PERIODS),
    *(f"/etc/periodic/{period}" for period in _PERIODS),
)
#: Where cron keeps root's crontab: Debian, Red Hat and Alpine, SUSE.
SPOOLS = ("/var/spool/cron/crontabs/root", "/var/spool/cron/root", "/var/spool/cron/tabs/root")

#: Where administrators have scripts of their own, and how one in shell begins.
_SCRIPTS = ("/usr/local/", "/opt/", "/root/", "/etc/")
_SHELL = re.compile(r"#! ?/\S*(?:/env )?\S*\b(?:ba|da|a|k|z)?sh\b")
_MOST_OF_SCRIPT = 1 << 16

#: Bytes of one file that are looked at; a crontab has a few hundred.
_MOST = 1 << 20


def is_renewal(command: str) -> bool:
    """Whether a command line starts something that renews certificates."""
    return commandlines.renewal(command) is not None


def is_ours(command: str) -> bool:
    """Whether a command line starts a script that certtui generated."""
    return bool(_OUR_SCRIPTS.search(command))


def of_timers(
    host: Host, timers: Iterable[Timer], services: Mapping[str, Properties], unit: str
) -> Iterator[Renewer]:
    """Timers whose service renews; ours is ``unit``.timer.

    A vendor's is always told of, but not active where its service was made to do something else.
    """
    for timer in timers:
        service = services.get(timer.activates, {})
        started, command = commands(service), service.get("ExecStart", "")
        found = [what for line in started if (what := _renewal(host, line)) is not None]
        vendor = timer.unit in VENDOR_TIMERS
        if not found and not vendor:
            continue
        yield Renewer(
            kind="snap" if timer.unit.startswith("snap.") else "timer",
            where=timer.unit,
            command=" ; ".join(started) or timer.activates,
            active=timer.active and bool(found or not started),
            vendor=vendor,
            ours=timer.unit == f"{unit}.timer" or is_ours(command),
            next_run=timer.next_elapse,
            only=_only(found),
        )


def _renewal(host: Host, command: str) -> Renewal | None:
    """What a command renews by itself, or by a script of the administrator's that it starts."""
    found = commandlines.renewal(command)
    if found is not None:
        return found
    for path in commandlines.programs(command):
        if path.startswith(_SCRIPTS):
            text = _start(host, path)
            if _SHELL.match(text) and any(_script(text)):
                return Renewal()
    return None


def _start(host: Host, path: str) -> str:
    """The beginning of a script; "" where it cannot be read."""
    try:
        data = host.read(path, _MOST_OF_SCRIPT)
    except OSError:
        return ""
    return (data or b"")[:_MOST_OF_SCRIPT].decode("utf-8", "replace")


def _only(found: Iterable[Renewal]) -> tuple[str, ...]:
    """The lineages that they renew, where none of them renews all."""
    names = [one.only for one in found]
    return tuple(sorted(frozenset().union(*names))) if all(names) else ()


def of_cron(
    host: Host, unit: str, *, running: bool, systemd: bool, now: datetime | None = None
) -> tuple[tuple[Renewer, ...], tuple[str, ...]]:
    """What cron would start, and sentences for what could not be looked at.

    ``running`` is whether the daemon runs: without it nothing is active. ``now`` is aware.
    """
    now = now or datetime.now(timezone.utc)
    found: list[Renewer] = []
    hidden: list[str] = []
    for path, kind in _cron_files(host, hidden):
        text = _text(host, path, hidden)
        script = kind == "script"
        ours = path == f"/etc/cron.d/{unit}"
        read = _script(text) if script else _lines(host, text, kind != "crontab")
        for number, command, when, what in read:
            active = running and _fires(host, path, command, systemd, script)
            found.append(
                Renewer(
                    kind="crontab" if kind == "crontab" else "cron.d",
                    where=f"{path}:{number}",
                    command=command,
                    active=active,
                    vendor=path == "/etc/cron.d/certbot",
                    ours=ours or is_ours(command),
                    next_run=following(when, now) if active else None,
                    only=_only([what]),
                    rare=is_rare(when, now) if when else path.startswith("/etc/cron.monthly/"),
                )
            )
    return tuple(found), tuple(hidden)


def _cron_files(host: Host, hidden: list[str]) -> Iterator[tuple[str, str]]:
    for folder, kind in (("/etc/cron.d", "cron.d"), *((name, "script") for name in _CRON_FOLDERS)):
        try:
            names = host.names(folder)
        except PermissionError:
            hidden.append(f"{folder} may not be read by this user: run as root")
            continue
        yield from ((f"{folder}/{name}", kind) for name in names if name != ".placeholder")
    yield "/etc/crontab", "cron.d"
    yield from ((path, "crontab") for path in SPOOLS)


def _text(host: Host, path: str, hidden: list[str]) -> str:
    try:
        data = host.read(path)
    except PermissionError:
        hidden.append(f"{path} may not be read by this user: run as root")
        return ""
    except OSError as error:
        hidden.append(f"{path} cannot be read: {error.strerror}")
        return ""
    return (data or b"")[:_MOST].decode("utf-8", "replace")


_Line = tuple[int, str, list[str], Renewal]


def _lines(host: Host, text: str, has_user: bool) -> Iterator[_Line]:
    """Number, command, times and what it renews of each crontab line that renews (crontab(5))."""
    for number, line in enumerate(text.split("\n"), 1):
        fields = line.split(None, (6 if has_user else 5))
        if not fields or line.lstrip().startswith("#"):
            continue
        if fields[0].startswith("@"):
            fields = line.split(None, 2 if has_user else 1)
            skip = 2 if has_user else 1
        else:
            skip = 6 if has_user else 5
        command = " ".join(fields[skip:])
        found = _renewal(host, command) if command else None
        if found is not None:
            yield number, command, fields[: skip - has_user], found


def _script(text: str) -> Iterator[_Line]:
    """The first line of a script that renews; when run-parts(8) starts it is not known here."""
    for number, line in enumerate(text.split("\n"), 1):
        found = None if line.lstrip().startswith("#") else commandlines.renewal(line)
        if found is not None:
            yield number, line.strip(), [], found
            return


def _fires(host: Host, path: str, command: str, systemd: bool, script: bool) -> bool:
    """Whether cron takes the file, and the command is not one that stands back under systemd."""
    if systemd and "/run/systemd/system" in command:
        return False  # Debian's /etc/cron.d/certbot
    folder, _, name = path.rpartition("/")
    if folder in ("/etc/cron.d", *_CRON_FOLDERS) and not _is_taken(host, name):
        return False
    found = host.info(path)
    # A link's own bits say nothing; what it leads to was read.
    return not script or bool(found and (found.kind == "symlink" or found.mode & 0o100))


def _is_taken(host: Host, name: str) -> bool:
    """Whether a file of that name is read: others are passed over in silence.

    Debian's cron(8) and run-parts(8) take names of letters, digits, "_" and "-" only. cronie (Red
    Hat, SUSE, Arch: ``not_a_crontab`` in its database.c) takes a dot inside a name.
    """
    if host.info("/var/lib/dpkg"):
        return re.fullmatch(r"[A-Za-z0-9_-]+", name) is not None
    return (
        re.fullmatch(r"(?![.#]).+(?<![~,])(?<!\.rpm(?:save|orig))(?<!\.rpmnew)", name) is not None
    )
