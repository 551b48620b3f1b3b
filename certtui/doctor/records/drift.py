"""Are the files on the host what the plan says? The same comparison as ``certtui diff``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from certtui.change import preview, store
from certtui.change.files import Tree
from certtui.change.model import FileChange, Snapshot
from certtui.change.store import STATE, State
from certtui.doctor.check import Check, Context, Kind, no_plan
from certtui.doctor.finding import Finding, Fix, Status
from certtui.doctor.scheduler import cronfiles, timers
from certtui.errors import ApplyFailed, NeedsRoot, Refused
from certtui.plan.model import INSTALLED_PLAN

_SAME = Kind(
    "drift.same",
    Status.FAIL,
    "every file is what the plan says",
    "What was approved is what renews only as long as the files on the host are the plan's.",
)
_MISSING = Kind(
    "drift.missing",
    Status.FAIL,
    "every file of the plan is there",
    "Each is needed: without the unit or cron file nothing starts, without the hooks no server "
    "loads what is renewed.",
)
_CONTENT = Kind(
    "drift.content",
    Status.FAIL,
    "each file holds what the plan says",
    "A file that was edited does what its editor meant, or no longer what it must; apply leaves it "
    "as it is, and undo stops at it.",
)
_HOST = Kind(
    "drift.host-changed",
    Status.WARN,
    "an apply would write the same files again",
    "The files follow from the plan and from the host: which certbot and which server there is, "
    "and how it runs. What has changed since is not in them until the next apply.",
)
_MODE = Kind(
    "drift.mode",
    Status.FAIL,
    "each file has its mode and owner",
    "The scripts hold mail and heartbeat addresses and are for root alone; one that is not "
    "executable is not started.",
)
_UNSAFE = Kind(
    "drift.unsafe-path",
    Status.FAIL,
    "only root can change the files and their folders",
    "Whoever may write in a folder can replace what root starts from it.",
)
_LEFT = Kind(
    "drift.left-over",
    Status.WARN,
    "nothing is left of an earlier plan",
    "What an earlier plan brought may still renew, mail or reload in its own way.",
)
_STATE = Kind(
    "drift.state",
    Status.FAIL,
    "certtui's own record can be read",
    "Without it nobody knows which files are certtui's: nothing can be applied, undone or removed.",
)

_MEND = re.compile(r": (chown root|chmod go-w) (/.+)$")


def _drift(context: Context) -> Iterator[Finding]:
    if context.plan is None:
        yield _SAME.skip("", no_plan(context))
        return
    if context.rendered is None:
        yield _SAME.found("", f"the plan cannot be applied here: {context.problem}")
        return
    try:
        changes, since = _changes(context)
    except NeedsRoot as error:
        yield _SAME.skip("", f"could not look (needs root): {error}")
        return
    except Refused as error:
        if context.unusable and INSTALLED_PLAN in str(error):
            yield _SAME.skip("", f"not compared: {error}")  # plan.invalid says it
            return
        if cronfiles.has_links(context):
            yield _SAME.skip("", str(error))  # cron.hard-links says it
            return
        unit = timers.masked(context)
        if unit:
            yield _SAME.skip("", f"not compared: {unit} is masked")  # timer.masked says it
            return
        yield _UNSAFE.found("", str(error), fix=_mend(str(error)))
        return
    except ApplyFailed as error:
        yield _STATE.found("", str(error), fix=_aside(context, error))
        return
    problems = [
        finding for change in changes if change not in since for finding in _of(context, change)
    ]
    problems += _host_changed(context, since)
    yield from problems or [_SAME.ok("", _well(changes))]


def _well(changes: tuple[FileChange, ...]) -> str:
    other = [change.path for change in changes if change.before != change.after]
    but = f", but for {', '.join(other)}" if other else ""
    return f"all {len(changes)} files are what the plan says{but}"


def _changes(context: Context) -> tuple[tuple[FileChange, ...], tuple[FileChange, ...]]:
    """All, and of them those that are as applied from this very plan, but would not be now.

    Raises NeedsRoot, Refused, ApplyFailed.
    """
    assert context.rendered is not None
    draft = preview.draft(context.host, Tree(context.host.root), context.rendered, activate=False)
    # What is moved aside is another renewer, which has a check of its own; so has a broken plan.
    changes = tuple(
        change
        for change in draft.preview.files
        if change.kind != "moved" and not (context.unusable and change.path == INSTALLED_PLAN)
    )
    applied = draft.state.plan.encode()
    plans = (one.content for one in context.rendered.artifacts if one.path == INSTALLED_PLAN)
    if any(plan != applied for plan in plans):
        return changes, ()
    return changes, tuple(change for change in changes if _is_as_applied(change, draft.state))


def _is_as_applied(change: FileChange, state: State) -> bool:
    """Whether nobody has touched a file that an apply would write anew."""
    live, want = change.before, change.after
    if live is None or want is None or live.content == want.content:
        return False
    _, mark = state.files.get(change.path, ("", None))
    return mark is not None and mark == store.fingerprint(live)


def _host_changed(context: Context, since: Sequence[FileChange]) -> Iterator[Finding]:
    """One finding, however many files follow from what has changed."""
    told = [change for change in since if not _by_another_certbot(context, change)]
    if told and context.facts.certbots:  # without a certbot, certbot.found says it
        more = f" and {len(told) - 1} more" if len(told) > 1 else ""
        yield _HOST.found(
            f"{told[0].path}{more}",
            "the plan is as applied, but the host (or certtui itself) has changed since: "
            "apply would write it anew",
            "\n".join(change.diff() for change in told),
            # It may be so for a moment only: to be looked at before it is applied.
            context.apply(safe=False),
        )


def _of(context: Context, change: FileChange) -> Iterator[Finding]:
    live, want = change.before, change.after
    if want is None:
        yield _LEFT.found(change.path, change.reason, fix=context.apply())
    elif live is None:
        if not cronfiles.is_renamed(context, change.path):
            yield _MISSING.found(change.path, f"missing ({change.reason})", fix=context.apply())
    elif live.content != want.content:
        told = any(room.told(context, change.path, live.content) for room in (cronfiles, timers))
        if not told and not _by_another_certbot(context, change):
            yield _content(context, change)
    elif live != want and not _told_elsewhere(change.path, live):
        fix = Fix(("chmod", f"{want.mode:04o}", change.path), True)
        if (live.uid, live.gid) != (want.uid, want.gid):
            fix = context.apply()
        yield _MODE.found(
            change.path,
            f"mode {live.mode:04o} and owner {live.uid}:{live.gid}, "
            f"not {want.mode:04o} and {want.uid}:{want.gid}",
            _stat(change.path, live),
            fix,
        )


def _content(context: Context, change: FileChange) -> Finding:
    edited = change.state == "conflict"
    message = change.reason if edited else "not what the plan says now; it was not applied yet"
    # A forced apply keeps the edited file for undo; whoever edited it must still decide.
    fix = context.apply(force=edited, safe=False)
    return _CONTENT.found(change.path, message, change.diff(), fix)


def _by_another_certbot(context: Context, change: FileChange) -> bool:
    """Whether all that an apply would change is which certbot: of several, or of none here."""
    if change.state == "conflict" or len(context.facts.certbots) == 1:
        return False
    assert change.before is not None and change.after is not None
    live, want = (
        [line for line in one.content.splitlines() if not line.startswith(b"CERTBOT=")]
        for one in (change.before, change.after)
    )
    return live == want


def _told_elsewhere(path: str, live: Snapshot) -> bool:
    """What cron.* and hooks.* say with more knowledge of what follows from it."""
    if path.startswith("/etc/cron.d/"):
        return live.uid != 0 or bool(live.mode & 0o022)
    return "/renewal-hooks/" in path and not live.mode & 0o111


def _aside(context: Context, error: ApplyFailed) -> Fix | None:
    """Moves a damaged record away; files that are what the plan says count as ours then."""
    aside = f"{STATE}.damaged"
    if (
        "cannot be read" not in str(error)
        or context.host.info(STATE) is None
        or context.host.info(aside) is not None
    ):
        return None
    return Fix(("mv", STATE, aside))


def _stat(path: str, live: Snapshot) -> str:
    return f"{path}: {live.mode:04o} {live.uid}:{live.gid}"


def _mend(sentence: str) -> Fix | None:
    """The command at the end of a refusal, where it names one."""
    found = _MEND.search(sentence)
    return Fix((*found[1].split(), found[2])) if found else None


CHECKS = (Check((_SAME, _MISSING, _CONTENT, _HOST, _MODE, _UNSAFE, _LEFT, _STATE), _drift),)
