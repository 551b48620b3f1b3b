"""What starts our script must leave it the system: its folders, the network, root.

Guides to hardening put cron, atd or a service into a sandbox (``ProtectSystem=strict`` and the
like, systemd.exec(5)). Whatever they start is in it as well, so that certbot finds /etc read-only
or no network; for cron and atd nothing tells of that before the next renewal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from certtui.change.store import HOME
from certtui.doctor.check import Check, Context, Kind, no_plan, not_needed, started_by
from certtui.doctor.finding import Finding, Fix, Status
from certtui.doctor.scheduler import dropins
from certtui.host import mounts, units
from certtui.host.facts import Service
from certtui.plan.model import Plan
from certtui.render import places

_WHY = (
    "Everything that it starts is in the same sandbox, certbot and the hooks too: a renewal then "
    "fails where it writes below /etc/letsencrypt, asks the certificate authority or reloads the "
    "server (systemd.exec(5))."
)

_CRON = Kind(
    "cron.confined", Status.FAIL, "cron's service leaves jobs the system as root sees it", _WHY
)
_ATD = Kind(
    "atd.confined", Status.FAIL, "atd's service leaves jobs the system as root sees it", _WHY
)
_SERVICE = Kind(
    "timer.confined", Status.FAIL, "our service runs as root, with the system as root sees it", _WHY
)

_EVERYBODY = frozenset(("0.0.0.0/0", "::/0"))

#: Without these root is a user like others: files of others, other users' work (a mailer's).
_ROOTS = ("cap_chown", "cap_dac_override", "cap_fowner", "cap_setgid", "cap_setuid")

_ASKED = (
    "Id,LoadState,MainPID,FragmentPath,DropInPaths,User,DynamicUser,RootDirectory,RootImage,ProtectSystem,"
    "ReadWritePaths,ReadOnlyPaths,InaccessiblePaths,TemporaryFileSystem,NoExecPaths,"
    "PrivateNetwork,IPAddressDeny,IPAddressAllow,RestrictAddressFamilies,MemoryDenyWriteExecute,"
    "CapabilityBoundingSet"
)


def _daemon(kind: Kind, context: Context, service: Service) -> Iterator[Finding]:
    """cron or atd: how its unit is set up, and where that is well, how it runs."""
    plan = context.plan
    assert plan is not None
    if not service.unit:
        yield kind.skip(service.name, "no unit of systemd starts it here")
        return
    unit = _show(context, service.unit)
    found = list(_settings(unit, plan))
    if found:
        yield _confined(kind, service.unit, found, _revert(unit))
        return
    pid = unit.get("MainPID", "0")
    seen = list(_mounted(context, plan, f"/proc/{pid}/mounts")) if pid != "0" else []
    if seen:
        # The unit was mended, or what it is from now on; the daemon was started before.
        mend = Fix(("systemctl", "restart", service.unit))
        yield _confined(kind, service.unit, seen, mend)
    else:
        yield kind.ok(service.unit, "no sandbox around the jobs that it starts")


def _cron(context: Context) -> Iterator[Finding]:
    if context.plan is None or started_by(context) != "cron":
        yield _CRON.skip("cron", not_needed(context) if context.plan else no_plan(context))
    else:
        yield from _daemon(_CRON, context, context.facts.cron)


def _atd(context: Context) -> Iterator[Finding]:
    if context.plan is None or not places.at_script(context.plan):
        yield _ATD.skip("atd", not_needed(context) if context.plan else no_plan(context))
    else:
        yield from _daemon(_ATD, context, context.facts.atd)


def _service(context: Context) -> Iterator[Finding]:
    """Our own service: what a drop-in does to it; an edited unit file is for drift.content."""
    plan = context.plan
    if plan is None or started_by(context) != "systemd" or not context.facts.has_systemd:
        yield _SERVICE.skip("", not_needed(context) if plan else no_plan(context))
        return
    name = f"{plan.files.unit}.service"
    unit = _show(context, name)
    found = list(_settings(unit, plan)) if unit.get("DropInPaths") else []
    if found:
        yield _confined(_SERVICE, name, found, dropins.revert(unit))
    else:
        yield _SERVICE.ok(name, "no sandbox around the script")


def _revert(unit: Mapping[str, str]) -> Fix | None:
    """Back to the vendor's unit, from drop-ins or from a copy that stands in for it."""
    name = unit["Id"]
    copied = unit.get("FragmentPath") == f"/etc/systemd/system/{name}"
    return Fix(("systemctl", "revert", name)) if copied else dropins.revert(unit)


def _confined(kind: Kind, unit: str, seen: Sequence[str], mend: Fix | None) -> Finding:
    message = f"what it starts is confined: {seen[0]}"
    return kind.found(unit, message, "\n".join(f"{unit}: {line}" for line in seen), mend)


def _show(context: Context, unit: str) -> Mapping[str, str]:
    answer = context.host.run(["systemctl", "show", "-p", _ASKED, "--", unit])
    return next((found for found in units.blocks(answer.out) if found.get("Id") == unit), {})


def _settings(unit: Mapping[str, str], plan: Plan) -> Iterator[str]:
    """The settings of a unit that keep certbot from its work, as NAME=VALUE."""
    for name, well in (
        ("User", ("", "root", "0")),
        ("DynamicUser", ("", "no")),
        ("RootDirectory", ("", "/")),
        ("RootImage", ("",)),
        ("PrivateNetwork", ("", "no")),
        ("MemoryDenyWriteExecute", ("", "no")),  # breaks pyOpenSSL (certbot's dependency)
    ):
        if unit.get(name, "") not in well:
            yield f"{name}={unit[name]}"
    # Without a property nothing is known; an empty one takes all away.
    given = unit.get("CapabilityBoundingSet", " ".join(_ROOTS)).split()
    lacking = [name for name in _ROOTS if name not in given]
    if lacking:
        shown = unit["CapabilityBoundingSet"]
        yield f"CapabilityBoundingSet={shown} (it lacks {', '.join(lacking)})"
    families = unit.get("RestrictAddressFamilies", "").split()
    if families and not families[0].startswith("~") and "AF_INET" not in families:
        yield f"RestrictAddressFamilies={' '.join(families)}"
    denied, allowed = (set(unit.get(f"IPAddress{word}", "").split()) for word in ("Deny", "Allow"))
    if _EVERYBODY & denied - allowed:
        yield f"IPAddressDeny={unit['IPAddressDeny']}"
    yield from _paths(unit, plan)


def _paths(unit: Mapping[str, str], plan: Plan) -> Iterator[str]:
    written, system = _written(plan), unit.get("ProtectSystem", "no")
    roots = {"full": ("/etc", "/usr", "/boot"), "strict": ("/",)}.get(system, ())
    open_ones = _listed(unit, "ReadWritePaths")
    if any(_below(path, roots) and not _below(path, open_ones) for path in written):
        yield f"ProtectSystem={system}"
    for name in ("ReadOnlyPaths", "InaccessiblePaths", "TemporaryFileSystem"):
        closed = _listed(unit, name)
        if any(_below(path, closed) and not _below(path, open_ones) for path in written):
            yield f"{name}={unit[name]}"
    if _below(plan.files.scripts, _listed(unit, "NoExecPaths")):
        yield f"NoExecPaths={unit['NoExecPaths']}"


def _mounted(context: Context, plan: Plan, table: str) -> Iterator[str]:
    """What a running daemon sees read-only that we see writable."""
    for path in _written(plan):
        own, its = mounts.options(context.host, path), mounts.options(context.host, path, table)
        if own and its and "ro" in its[1] and "ro" not in own[1]:
            yield f"{path} is read-only for it ({table}: {its[0]})"


def _written(plan: Plan) -> tuple[str, ...]:
    """Folders that a run writes to."""
    logs = places.log_file(plan).rpartition("/")[0]
    return (places.config_dir(plan), HOME, logs)


def _listed(unit: Mapping[str, str], name: str) -> list[str]:
    """Paths of a setting: "-" and "+" before one, and options after a colon, are not part of it."""
    return [word.lstrip("-+").partition(":")[0] for word in unit.get(name, "").split()]


def _below(path: str, folders: Sequence[str]) -> bool:
    return any(path == one or path.startswith(f"{one.rstrip('/')}/") for one in folders)


CHECKS = (Check((_CRON,), _cron), Check((_ATD,), _atd), Check((_SERVICE,), _service))
