"""What renews certificates here already: timers, cron files, root's crontab."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timezone

from certtui.host.crontimes import following
from certtui.host.facts import Renewer, Timer
from certtui.host.interface import Host
from certtui.host.units import Properties, commands

#: Programs that renew, as a word of a command or the end of a path in it: the folders of that name
#: that backups name ("/etc/letsencrypt", "/opt/certbot/") and other words do not count.
_PROGRAMS = re.compile(
    r"(?<![\w.-])(?<!/etc/)(?<!/lib/)(?<!/log/)"
    r"(certbot(?:-auto|\.renew|-renew-everything|-at-block|-at-random)?|letsencrypt(?:-auto)?"
    r"|acme\.sh|dehydrated|lego|getssl|uacme)(?![\w./-])"
)
#: Commands that name one of them without renewing.
_HARMLESS = re.compile(r"certbot\s+(certificates|--version|plugins)\b")

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

#: Bytes of one file that are looked at; a crontab has a few hundred.
_MOST = 1 << 20


def is_renewal(command: str) -> bool:
    """Whether a command line starts something that renews certificates."""
    return bool(_PROGRAMS.search(_HARMLESS.sub("", command)))


def is_ours(command: str) -> bool:
    """Whether a command line starts a script that certtui generated."""
    return bool(_OUR_SCRIPTS.search(command))


def of_timers(
    timers: Iterable[Timer], services: Mapping[str, Properties], unit: str
) -> Iterator[Renewer]:
    """Timers whose service renews; ours is ``unit``.timer."""
    for timer in timers:
        service = services.get(timer.activates, {})
        command = service.get("ExecStart", "")
        if not is_renewal(command) and timer.unit not in VENDOR_TIMERS:
            continue
        vendor = timer.unit in VENDOR_TIMERS
        yield Renewer(
            kind="snap" if timer.unit.startswith("snap.") else "timer",
            where=timer.unit,
            command=" ; ".join(commands(service)) or timer.activates,
            active=timer.active,
            vendor=vendor,
            ours=timer.unit == f"{unit}.timer" or is_ours(command),
            next_run=timer.next_elapse,
        )


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
        read = _script(text) if script else _lines(text, kind != "crontab")
        for number, command, when in read:
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


def _lines(text: str, has_user: bool) -> Iterator[tuple[int, str, list[str]]]:
    """Number, command and times of each crontab line that renews (crontab(5))."""
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
        if command and is_renewal(command):
            yield number, command, fields[: skip - has_user]


def _script(text: str) -> Iterator[tuple[int, str, list[str]]]:
    """The first line of a script that renews; when run-parts(8) starts it is not known here."""
    for number, line in enumerate(text.split("\n"), 1):
        if not line.lstrip().startswith("#") and is_renewal(line):
            yield number, line.strip(), []
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
