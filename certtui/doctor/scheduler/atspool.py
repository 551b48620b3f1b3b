"""at's spool: the folders that at queues jobs in and that atd starts them from.

at works as the owner of its program (``daemon`` in the Debian family, root elsewhere), and so does
atd but for the job itself. Each rule was seen with at 3.2.5 on Debian 12: without its sequence file
at queues nothing; a job whose output cannot be written leaves the queue and never begins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from certtui.doctor.check import Context, Kind
from certtui.doctor.finding import Finding, Fix, Status
from certtui.host.interface import FileInfo
from certtui.host.mounts import TABLE, options, remount
from certtui.host.renewers import is_ours

_SPOOL = Kind(
    "at.spool",
    Status.FAIL,
    "at and atd can use the folders of their spool",
    "atd ends as soon as it cannot look into the folder of jobs; where it cannot write a job's "
    "output it takes the job from the queue and never begins it, with a word in the log alone.",
)
_SEQUENCE = Kind(
    "at.spool-sequence",
    Status.FAIL,
    "at can write the file that numbers its jobs",
    'Without it at queues nothing ("Cannot open lockfile"): the job that waits is the last one.',
)
_READ_ONLY = Kind(
    "at.spool-read-only",
    Status.FAIL,
    "at's spool is not mounted read-only",
    "at queues nothing there, and atd can take no job out: none is started.",
)

_MODE = Kind(
    "at.job-mode",
    Status.FAIL,
    "the file of our job is executable",
    "atd starts only jobs whose file its owner may execute; another is listed by atq for ever, and "
    "nothing is said of it.",
)

KINDS = (_SPOOL, _SEQUENCE, _READ_ONLY, _MODE)

#: Folder of jobs and folder of their output: Debian, Red Hat, SUSE, Arch and Alpine.
_FOLDERS = (
    ("/var/spool/cron/atjobs", "/var/spool/cron/atspool"),
    ("/var/spool/at", "/var/spool/at/spool"),
    ("/var/spool/atjobs", "/var/spool/atspool"),
    ("/var/spool/atd", "/var/spool/atspool"),
)


#: A job's file: its queue, "=" while it runs; its number; its minute.
_JOB = re.compile(r"[A-Za-z=]([0-9a-f]{5})[0-9a-f]{8}")


#: Bytes of a job's file that are read: it holds the environment of who queued it.
_MOST = 1 << 18


@dataclass(frozen=True)
class _Spool:
    """``program`` is at's own, ``owner`` what the system says of it: whoever at works as."""

    jobs: str
    output: str
    program: str
    owner: FileInfo


def findings(context: Context) -> Iterator[Finding]:
    """What is wrong with the spool; nothing where it is well, or where nobody knows it."""
    spool = _spool(context)
    if spool is None:
        return
    yield from _mounted(context, spool)
    for folder in dict.fromkeys((spool.jobs, spool.output)):
        yield from _folder(context, spool, folder)
    yield from _sequence(context, spool)
    yield from _modes(context, spool)


def _spool(context: Context) -> _Spool | None:
    found = context.host.which("at")
    program = context.host.resolve(found) if found else None
    owner = context.host.info(program) if program else None
    known = [pair for pair in _FOLDERS if any(map(context.host.info, pair))]
    if program is None or owner is None or not known:
        return None
    return _Spool(*known[0], program, owner)


def _mounted(context: Context, spool: _Spool) -> Iterator[Finding]:
    for folder in (spool.jobs, spool.output):
        found = options(context.host, folder)
        if found is not None and "ro" in found[1]:
            where, seen = found
            evidence = f"{TABLE}: {where} {','.join(sorted(seen))}"
            message = f"lies on {where}, which is mounted read-only: at queues nothing"
            mend = Fix(remount(context.host, where, "rw"))
            yield _READ_ONLY.found(folder, message, evidence, mend)
            return


def _folder(context: Context, spool: _Spool, folder: str) -> Iterator[Finding]:
    found = context.host.info(folder)
    uid, gid = str(spool.owner.uid), str(spool.owner.gid)
    if found is None:
        mend = Fix(("install", "-d", "-m", "1770", "-o", uid, "-g", gid, folder), True)
        yield _SPOOL.found(folder, "is missing", f"{folder}: nothing is there", mend)
    elif found.kind == "directory" and not _may(spool.owner, found, 0o300):
        message = f"user {uid}, which at works as, may not write in it"
        seen = f"{folder}: mode {found.mode:04o}, owner {found.uid}:{found.gid}"
        own = found.uid == spool.owner.uid
        mend = Fix(("chmod", "u+rwx", folder) if own else _chown(spool, folder), True)
        yield _SPOOL.found(folder, message, seen, mend)


def _sequence(context: Context, spool: _Spool) -> Iterator[Finding]:
    path = f"{spool.jobs}/.SEQ"
    found = context.host.info(path)
    if found is None:
        if context.host.info(spool.jobs) is None:
            return  # at.spool says it
        mend = Fix(_numbered(context, spool, path), True)
        yield _SEQUENCE.found(path, "is missing: at queues nothing", "nothing is there", mend)
    elif not _may(spool.owner, found, 0o600):
        message = f"user {spool.owner.uid}, which at works as, may not write it: at queues nothing"
        seen = f"{path}: mode {found.mode:04o}, owner {found.uid}:{found.gid}"
        own = found.uid == spool.owner.uid
        mend = Fix(("chmod", "u+rw", path) if own else _chown(spool, path), True)
        yield _SEQUENCE.found(path, message, seen, mend)


def _modes(context: Context, spool: _Spool) -> Iterator[Finding]:
    """Files of our jobs that atd passes over. It takes the bit itself from a job that it starts."""
    names = context.host.names(spool.jobs)
    started = {name[1:] for name in names if name.startswith("=")}
    for name in names:
        path = f"{spool.jobs}/{name}"
        if not _JOB.fullmatch(name) or name.startswith("=") or name[1:] in started:
            continue
        found = context.host.info(path)
        if found is None or found.kind != "file" or found.mode & 0o100:
            continue
        if is_ours((context.host.read(path, _MOST) or b"").decode("utf-8", "replace")):
            message = "is not executable: atd never starts this job of ours"
            mend = Fix(("chmod", "0700", path), True)
            yield _MODE.found(path, message, f"{path}: mode {found.mode:04o}", mend)


def _numbered(context: Context, spool: _Spool, path: str) -> tuple[str, ...]:
    """Writes the last number given, as whoever at works as.

    at would begin at 1 again with an empty file, and of two jobs with one number at and atrm know
    the first one only.
    """
    found = map(_JOB.fullmatch, context.host.names(spool.jobs))
    last = max((int(job[1], 16) for job in found if job), default=0)
    awk = ("awk", f'BEGIN {{ printf "%05x", {last} > "{path}" }}')
    uid, gid = spool.owner.uid, spool.owner.gid
    return (
        *(("setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups") if uid else ()),
        *awk,
    )


def _chown(spool: _Spool, path: str) -> tuple[str, ...]:
    return ("chown", f"--reference={spool.program}", path)


def _may(who: FileInfo, what: FileInfo, bits: int) -> bool:
    """Whether the owner of a program may do with a file what the bits of its owner would say."""
    if who.uid == 0 or what.uid == who.uid:
        return who.uid == 0 or what.mode & bits == bits
    shift = 3 if what.gid == who.gid else 6
    return what.mode & (bits >> shift) == bits >> shift
