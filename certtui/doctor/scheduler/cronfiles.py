"""Each file in /etc/cron.d that renews, and root's crontab, by the rules that cron drops one.

The rules are those of cron(8), "DEBIAN SPECIFIC", and of its database.c: cron says a word in the
log at most, and never mails. A file whose mode, owner or number of names is mended is read again
within a minute, as it looks at refused files each minute (seen with Debian's 3.0pl1-162).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from certtui.change import crontab
from certtui.doctor.check import Check, Context, needs_root, started_by
from certtui.doctor.finding import Finding, Fix, Status
from certtui.doctor.scheduler import reread
from certtui.doctor.scheduler.cronfile import CronFile, attributes
from certtui.doctor.scheduler.cronkinds import (
    FILE,
    KINDS,
    LINE,
    MAILTO,
    NAME,
    NEWLINE,
    PATH,
    PLAIN,
    UNREAD,
    USER,
    USER_OF_OURS,
)
from certtui.doctor.scheduler.crontab_lines import Line, lines
from certtui.host.interface import SAFE_PATH
from certtui.host.renewers import SPOOLS, is_ours, is_renewal

_FOLDER = "/etc/cron.d"

#: What dpkg leaves beside a file, what we rename one to, and hidden files: no cron reads these.
_LEFTOVER = re.compile(r"\..*|.*\.(dpkg-[a-z]+|ucf-[a-z]+|rpmsave|rpmnew|certtui-disabled)")
_NAMES = re.compile(r"[A-Za-z0-9_-]+")
_RENEWS = re.compile(r"certbot|certtui|letsencrypt")


def _all(context: Context) -> Iterator[Finding]:
    yield from _files(context)
    yield from _crontab(context)


def _files(context: Context) -> Iterator[Finding]:
    for name in context.host.names(_FOLDER):
        path = f"{_FOLDER}/{name}"
        if _LEFTOVER.fullmatch(name):
            continue
        try:
            content = context.host.read(path)
        except PermissionError:
            yield FILE.skip(path, needs_root())
            continue
        text = _text(content)
        ours = _is_our_file(context, path)
        if ours or _RENEWS.search(text) or _RENEWS.search(name):
            # Beside a plan of ours, somebody else's broken file is no failure to renew.
            astray = is_ours(text) and is_renamed(context, _our_file(context))
            status = None if ours or astray or context.plan is None else Status.WARN
            found = list(_of_file(context, CronFile(path, text, ours, status)))
            yield from found or [FILE.ok(path, "cron takes it")]


def _crontab(context: Context) -> Iterator[Finding]:
    """Root's crontab where our block is in it, or where nothing else can be known to renew."""
    ours = started_by(context) == "cron" and not context.facts.has_cron_d
    if not ours and context.plan is not None:
        return
    for path in SPOOLS:
        try:
            content = context.host.read(path)
        except PermissionError:
            yield FILE.skip("root's crontab", needs_root())
            return
        text = _text(content)
        has_block = crontab.BEGIN.decode() in text
        if has_block if ours else any(is_renewal(line.command) for line in lines(text, False)):
            file = CronFile(path, text, ours, None, personal=True)
            found = [*attributes(context, file), *_content(context, file)]
            yield from found or [FILE.ok(path, "cron takes it")]


def told(context: Context, path: str, live: bytes) -> bool:
    """Whether the findings of this module tell why a file of ours must not be as it is."""
    if not _is_our_file(context, path):
        return False
    file = CronFile(path, live.decode("utf-8", "replace"), True, None)
    return any(True for _ in _content(context, file)) or reread.is_unread(context, path, live)


def is_renamed(context: Context, path: str) -> bool:
    """Whether a file of ours that is missing has a name that cron passes over, which is told."""
    if not _is_our_file(context, path) or context.host.info(path) is not None:
        return False
    return any(
        is_ours(_read(context, f"{_FOLDER}/{name}"))
        for name in context.host.names(_FOLDER)
        if not _LEFTOVER.fullmatch(name) and not _NAMES.fullmatch(name)
    )


def has_links(context: Context) -> bool:
    """Whether our file has a second name, for which nothing can be compared or applied."""
    path = _our_file(context)
    found = context.host.info(path) if _is_our_file(context, path) else None
    return found is not None and found.kind == "file" and found.links != 1


def _read(context: Context, path: str) -> str:
    """Raises PermissionError."""
    return _text(context.host.read(path))


def _text(content: bytes | None) -> str:
    return (content or b"").decode("utf-8", "replace")


def _is_our_file(context: Context, path: str) -> bool:
    return started_by(context) == "cron" and path == _our_file(context)


def _our_file(context: Context) -> str:
    return f"{_FOLDER}/{context.plan.files.unit}" if context.plan else ""


def _of_file(context: Context, file: CronFile) -> Iterator[Finding]:
    if not _NAMES.fullmatch(file.name):
        yield NAME.found(
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
        yield PLAIN.found(file.path, "cron refuses what is no plain file", status=file.status)
        return
    yield from attributes(context, file)
    content = list(_content(context, file))
    yield from content
    if file.ours and not content and reread.is_unread(context, file.path, file.text.encode()):
        message = "edited, but with the time of change it had before: cron does not read it again"
        mend = context.apply(force=True)
        yield UNREAD.found(file.path, message, reread.seen(context, file.path), mend)


def _rename(context: Context, file: CronFile) -> Fix:
    """Ours, where it was renamed, goes back to its name; another gets one that cron reads."""
    ours = _our_file(context)
    if ours and is_ours(file.text) and context.host.info(ours) is None:
        return Fix(("mv", file.path, ours))
    name = re.sub(r"[^A-Za-z0-9_-]", "-", file.name)
    return Fix(("mv", file.path, f"{_FOLDER}/{name}"))


def _content(context: Context, file: CronFile) -> Iterator[Finding]:
    if file.text and not file.text.endswith("\n"):
        yield NEWLINE.found(
            file.path,
            "the last line has no newline: cron drops the file",
            file.text.rpartition("\n")[2],
            Fix(("sed", "-i", "$a\\", file.path)),
            status=file.status,
        )
    read = list(lines(file.text, not file.personal))
    for line in read:
        if line.problem:
            yield LINE.found(
                file.path,
                f"line {line.number} {line.problem}: cron drops the file",
                f"{file.path}:{line.number}: {line.text}",
                context.apply(force=True) if file.ours and not file.personal else None,
                status=file.status,
            )
    jobs = [line for line in read if line.command and not line.problem]
    if not file.personal:
        yield from _users(context, file, jobs)
    if not file.ours and not _is_second(context, file):
        yield from _surroundings(context, file, read, jobs)


def _is_second(context: Context, file: CronFile) -> bool:
    """Whether it is told of as another renewer beside the plan."""
    return context.plan is not None and any(
        item.active and not item.ours and item.where.startswith(f"{file.path}:")
        for item in context.facts.renewers
    )


def _users(context: Context, file: CronFile, jobs: list[Line]) -> Iterator[Finding]:
    for user in dict.fromkeys(job.user for job in jobs):
        if user == "root":
            continue
        mend = context.apply(force=True) if file.ours else None
        if not context.host.run(["getent", "passwd", user]).ok:
            yield USER.found(
                file.path,
                f"there is no user {user}: cron waits until there is",
                f"getent passwd {user} finds nothing",
                mend,
                status=file.status,
            )
        elif file.ours:
            seen = "\n".join(f"{file.path}:{job.number}: {job.text}" for job in jobs)
            message = f"cron starts our script as {user}, who may not read it"
            yield USER_OF_OURS.found(file.path, message, seen, mend)


def _surroundings(
    context: Context, file: CronFile, read: list[Line], jobs: list[Line]
) -> Iterator[Finding]:
    """What a job of somebody else's meets; our script sees to both itself."""
    settings = {line.name: line.value for line in read if line.name}
    needy = [job for job in jobs if is_renewal(job.command) and not is_ours(job.command)]
    if not needy:
        return
    if settings.get("MAILTO") and context.facts.mailer is None:
        yield MAILTO.found(
            file.path,
            f"MAILTO is {settings['MAILTO']}, but nothing here can send mail: cron discards it",
            f"MAILTO={settings['MAILTO']}",
        )
    yield from _paths(file, read, needy)


def _paths(file: CronFile, read: list[Line], needy: list[Line]) -> Iterator[Finding]:
    """A job has the last PATH above it; the first one that is no good is told."""
    for job in needy:
        above = [line for line in read if line.name == "PATH" and line.number < job.number]
        if above and "sbin" in above[-1].value:
            continue
        change = f"{above[-1].number}c" if above else "1i"
        yield PATH.found(
            file.path,
            "its PATH has no sbin folder: hooks do not find nginx or apachectl",
            f"PATH={above[-1].value if above else '/usr/bin:/bin (the default)'}",
            # A crontab is changed by crontab(1) alone, which a person has to do.
            None if file.personal else Fix(("sed", "-i", f"{change} PATH={SAFE_PATH}", file.path)),
        )
        return


CHECKS = (Check(KINDS, _all),)
