"""A file that cron reads, and what its mode, owner and names must be (cron(8), database.c)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from certtui.doctor.check import Context
from certtui.doctor.finding import Finding, Fix, Status
from certtui.doctor.scheduler.cronkinds import LINKS, MODE, OWNER
from certtui.host.interface import FileInfo


@dataclass(frozen=True)
class CronFile:
    """One file that renews. ``status`` is what a problem of it counts as, None for its usual.

    ``personal`` is root's crontab, whose lines name no user.
    """

    path: str
    text: str
    ours: bool
    status: Status | None
    personal: bool = False

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


def attributes(context: Context, file: CronFile) -> Iterator[Finding]:
    real = context.host.resolve(file.path)
    found = context.host.info(real) if real else None
    if found is None:
        return
    seen = f"{file.path}: mode {found.mode:04o}, owner {found.uid}, names {found.links}"
    if _is_insecure(file, found):
        what = "others than root may write it" if found.mode & 0o022 else "its mode is not 0600"
        mend = _chmod(context, file)
        yield MODE.found(file.path, f"{what}: cron refuses it", seen, mend, status=file.status)
    if found.uid != 0:
        yield OWNER.found(
            file.path,
            f"belongs to user {found.uid}: cron refuses it",
            seen,
            Fix(("chown", "root:root", file.path)),
            status=file.status,
        )
    if found.links != 1:
        yield LINKS.found(
            file.path,
            f"has {found.links} names (hard links): cron refuses it",
            seen,
            # A copy takes its place, with one name.
            Fix(("sed", "-i", "", file.path)),
            status=file.status,
        )


def _is_insecure(file: CronFile, found: FileInfo) -> bool:
    """Debian's cron wants exactly 0600 for a crontab, cronie no write for others either."""
    if file.personal:
        return found.mode != 0o600 if "/crontabs/" in file.path else bool(found.mode & 0o7133)
    return bool(found.mode & 0o022)


def _chmod(context: Context, file: CronFile) -> Fix:
    if file.personal:
        return Fix(("chmod", "0600", file.path), True)
    # Debian's cron looks at a refused file each minute, so chmod is enough there; a cron that
    # looks only when the mtime moves needs the new file that apply writes.
    chmod = Fix(("chmod", "go-w", file.path), True)
    return context.apply(safe=True) if file.ours else chmod
