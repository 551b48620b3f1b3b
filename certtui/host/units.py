"""What systemd knows of units, by as few ``systemctl show`` as will do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone

from certtui.host.interface import Host

Properties = Mapping[str, str]

_ASKED = (
    "Id,Names,LoadState,UnitFileState,ActiveState,FragmentPath,Unit,"
    "NextElapseUSecRealtime,LastTriggerUSec,ExecStart"
)


def show(host: Host, patterns: Sequence[str]) -> dict[str, Properties]:
    """The properties of units by their names, also those of aliases; unknown ones are left out.

    A pattern such as ``*.timer`` finds loaded units only (systemctl(1)).
    """
    if not patterns:
        return {}
    # Times are printed in the zone of the one who asks, and --timestamp=unix came with 251 only.
    answer = host.run(["systemctl", "show", "-p", _ASKED, "--", *patterns], env={"TZ": "UTC"})
    found: dict[str, Properties] = {}
    for block in answer.out.split("\n\n"):
        unit = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if unit.get("LoadState", "not-found") != "not-found" and "Id" in unit:
            for name in {unit["Id"], *unit.get("Names", "").split()}:
                found[name] = unit
    return found


def moment(text: str) -> datetime | None:
    """A time as systemctl prints it in UTC ("Mon 2026-03-02 04:17:00 UTC"); None for "n/a"."""
    try:
        parsed = datetime.strptime(text, "%a %Y-%m-%d %H:%M:%S UTC")
    except ValueError:
        return None
    return parsed.replace(tzinfo=timezone.utc)


def is_active(unit: Properties) -> bool:
    """Whether a unit runs or is about to."""
    return unit.get("ActiveState") in ("active", "activating", "reloading")


def is_enabled(unit: Properties) -> bool:
    """Whether a unit comes back after a reboot."""
    return unit.get("UnitFileState") in ("enabled", "enabled-runtime", "alias", "static")
