"""cron: its daemon, and each file in /etc/cron.d that renews, by the rules that cron drops one.

The rules are those of cron(8), "DEBIAN SPECIFIC", and of its database.c: cron says a word in the
log at most, and never mails. A file whose mode, owner or number of names is mended is read again
within a minute, as it looks at refused files each minute (seen with Debian's 3.0pl1-162).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from certtui.doctor import services
from certtui.doctor.check import (
    Check,
    Context,
    Kind,
    needs_root,
    no_plan,
    not_needed,
    started_by,
)
from certtui.doctor.crontab_lines import Line, lines
from certtui.doctor.finding import Finding, Fix, Status
from certtui.host.interface import SAFE_PATH, FileInfo
from certtui.host.renewers import is_ours

_FOLDER = "/etc/cron.d"

_DAEMON = Kind("cron.daemon", Status.FAIL, "the cron daemon is installed, starts at boot and runs")
_FILE = Kind("cron.file", Status.FAIL, "cron takes the file")
_NAME = Kind(
    "cron.ignored-name", Status.FAIL, "only letters, digits, _ and - in the name of the file"
)
_PLAIN = Kind("cron.not-a-file", Status.FAIL, "a plain file, or root's link to one")
_MODE = Kind("cron.insecure-mode", Status.FAIL, "nobody but root may write the file")
_OWNER = Kind("cron.wrong-owner", Status.FAIL, "the file belongs to root")
_LINKS = Kind("cron.hard-links", Status.FAIL, "the file has one name")
_NEWLINE = Kind("cron.no-final-newline", Status.FAIL, "the last line ends with a newline")
_LINE = Kind("cron.bad-line", Status.FAIL, "cron understands every line")
_USER = Kind("cron.unknown-user", Status.FAIL, "the users of the jobs exist")
_MAILTO = Kind("cron.mailto", Status.WARN, "a mailer, where cron is to mail what a job says")
_PATH = Kind("cron.path", Status.WARN, "a PATH with the sbin folders, which hooks need")

#: What dpkg leaves beside a file, what we rename one to, and hidden files: no cron reads these.
_LEFTOVER = re.compile(r"\..*|.*\.(dpkg-[a-z]+|ucf-[a-z]+|rpmsave|rpmnew|certtui-disabled)")
_RENEWS = re.compile(r"certbot|certtui|letsencrypt")


def _daemon(context: Context) -> Iterator[Finding]:
    service, plan = context.facts.cron, context.plan
    if started_by(context) == "cron":
        yield services.standing(_DAEMON, context, service)
        return
    waiting = [
        item.where
        for item in context.facts.renewers
        if item.kind in ("cron.d", "crontab") and not (item.vendor and context.facts.has_systemd)
    ]
    if waiting and plan is None:
        yield services.standing(_DAEMON, context, service)
    elif plan is None:
        yield _DAEMON.skip("cron", f"{no_plan(context)}, and nothing seen renews by cron")
    else:
        yield _DAEMON.skip("cron", not_needed(context))


@dataclass(frozen=True)
class _CronFile:
    """One file that renews. ``status`` is what a problem of it counts as, None for its usual."""

    path: str
    text: str
    ours: bool
    status: Status | None

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


def _files(context: Context) -> Iterator[Finding]:
    for name in context.host.names(_FOLDER):
        path = f"{_FOLDER}/{name}"
        if _LEFTOVER.fullmatch(name):
            continue
        try:
            content = context.host.read(path)
        except PermissionError:
            yield _FILE.skip(path, needs_root())
            continue
        text = (content or b"").decode("utf-8", "replace")
        ours = _is_our_file(context, path)
        if ours or _RENEWS.search(text) or _RENEWS.search(name):
            # Beside a plan of ours, somebody else's broken file is no failure to renew.
            status = None if ours or context.plan is None else Status.WARN
            found = list(_of_file(context, _CronFile(path, text, ours, status)))
            yield from found or [_FILE.ok(path, "cron takes it")]


def _is_our_file(context: Context, path: str) -> bool:
    return started_by(context) == "cron" and path == _our_file(context)


def _our_file(context: Context) -> str:
    return f"{_FOLDER}/{context.plan.files.unit}" if context.plan else ""


def _of_file(context: Context, file: _CronFile) -> Iterator[Finding]:
    if not re.fullmatch(r"[A-Za-z0-9_-]+", file.name):
        yield _NAME.found(
            file.path,
            "cron passes it over in silence for its name",
            fix=_rename(context, file),
            status=file.status,
        )
    link = context.host.info(file.path)
    real = context.host.resolve(file.path)
    found = context.host.info(real) if real else None
    foreign = link is not None and link.kind == "symlink" and link.uid != 0
    if found is None or found.kind != "file" or foreign:
        yield _PLAIN.found(file.path, "cron refuses what is no plain file", status=file.status)
        return
    yield from _attributes(context, file, found)
    yield from _content(context, file)


def _rename(context: Context, file: _CronFile) -> Fix:
    """Ours, where it was renamed, goes back to its name; another gets one that cron reads."""
    ours = _our_file(context)
    if ours and is_ours(file.text) and context.host.info(ours) is None:
        return Fix(("mv", file.path, ours))
    name = re.sub(r"[^A-Za-z0-9_-]", "-", file.name)
    return Fix(("mv", file.path, f"{_FOLDER}/{name}"))


def _attributes(context: Context, file: _CronFile, found: FileInfo) -> Iterator[Finding]:
    seen = f"{file.path}: mode {found.mode:04o}, owner {found.uid}, names {found.links}"
    if found.mode & 0o022:
        # Debian's cron looks at a refused file each minute, so chmod is enough there; a cron that
        # looks only when the mtime moves needs the new file that apply writes.
        chmod = Fix(("chmod", "go-w", file.path), True)
        yield _MODE.found(
            file.path,
            "others than root may write it: cron refuses it",
            seen,
            context.apply(safe=True) if file.ours else chmod,
            status=file.status,
        )
    if found.uid != 0:
        yield _OWNER.found(
            file.path,
            f"belongs to user {found.uid}: cron refuses it",
            seen,
            Fix(("chown", "root:root", file.path)),
            status=file.status,
        )
    if found.links != 1:
        yield _LINKS.found(
            file.path,
            f"has {found.links} names (hard links): cron refuses it",
            seen,
            # A copy takes its place, with one name.
            Fix(("sed", "-i", "", file.path)),
            status=file.status,
        )


def _content(context: Context, file: _CronFile) -> Iterator[Finding]:
    if file.text and not file.text.endswith("\n"):
        yield _NEWLINE.found(
            file.path,
            "the last line has no newline: cron drops the file",
            file.text.rpartition("\n")[2],
            Fix(("sed", "-i", "$a\\", file.path)),
            status=file.status,
        )
    read = list(lines(file.text))
    for line in read:
        if line.problem:
            yield _LINE.found(
                file.path,
                f"line {line.number} {line.problem}: cron drops the file",
                f"{file.path}:{line.number}: {line.text}",
                context.apply(force=True) if file.ours else None,
                status=file.status,
            )
    jobs = [line for line in read if line.command and not line.problem]
    yield from _users(context, file, jobs)
    if not file.ours:
        yield from _surroundings(context, file, read, jobs)


def _users(context: Context, file: _CronFile, jobs: list[Line]) -> Iterator[Finding]:
    for user in dict.fromkeys(job.user for job in jobs):
        if user != "root" and not context.host.run(["getent", "passwd", user]).ok:
            yield _USER.found(
                file.path,
                f"there is no user {user}: cron waits until there is",
                f"getent passwd {user} finds nothing",
                status=file.status,
            )


def _surroundings(
    context: Context, file: _CronFile, read: list[Line], jobs: list[Line]
) -> Iterator[Finding]:
    """What a job of somebody else's meets; our script sees to both itself."""
    settings = {line.name: line.value for line in read if line.name}
    if settings.get("MAILTO") and context.facts.mailer is None:
        yield _MAILTO.found(
            file.path,
            f"MAILTO is {settings['MAILTO']}, but nothing here can send mail: cron discards it",
            f"MAILTO={settings['MAILTO']}",
        )
    if any(not is_ours(job.command) for job in jobs) and "sbin" not in settings.get("PATH", ""):
        yield _PATH.found(
            file.path,
            "its PATH has no sbin folder: hooks do not find nginx or apachectl",
            f"PATH={settings.get('PATH', '/usr/bin:/bin (the default)')}",
            Fix(("sed", "-i", f"1i PATH={SAFE_PATH}", file.path)),
        )


CHECKS = (
    Check((_DAEMON,), _daemon),
    Check(
        (
            _FILE,
            _NAME,
            _PLAIN,
            _MODE,
            _OWNER,
            _LINKS,
            _NEWLINE,
            _LINE,
            _USER,
            _MAILTO,
            _PATH,
        ),
        _files,
    ),
)
