"""What a drop-in asks of a start of our service that is not there: then no run begins.

systemd.exec(5) and systemd.unit(5): a folder, a file or a unit that is named and missing fails the
start before our script can note or mail anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from certtui.doctor.check import Context, Kind
from certtui.doctor.finding import Finding, Status
from certtui.doctor.scheduler import dropins
from certtui.host import units

CANNOT = Kind(
    "timer.cannot-start",
    Status.FAIL,
    "what the drop-ins of our service ask for is there, and no run stops another unit",
    "systemd fails a start whose folder, file or required unit is missing before our script can "
    "note or mail anything (systemd.exec(5), systemd.unit(5)); a unit in Conflicts= is stopped by "
    "each run.",
)

_SETTING = re.compile(r"^[ \t]*(\w+)[ \t]*=[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_DEPENDENCIES = ("Requires", "Requisite", "BindsTo", "Conflicts")
#: Of these the last one counts.
_SINGLE = ("WorkingDirectory", "StandardOutput", "StandardError")
#: A path that is there as it stands: no "-" before it, no specifiers, no patterns.
_PATH = re.compile(r"/[^%*?\[\]]*")
_OUTPUT = re.compile(r"(?:file|append|truncate):(/[^%]*)/[^/%]+")


def findings(context: Context, unit: Mapping[str, str]) -> Iterator[Finding]:
    """What the drop-ins of our service ask for in vain; one finding a setting."""
    for path, name, value in _settings(context, unit):
        for problem, status in _problems(context, name, value):
            message, mend = f"{name}={value}: {problem}", dropins.revert(unit)
            yield CANNOT.found(unit["Id"], message, f"drop-in: {path}", mend, status=status)


def _settings(context: Context, unit: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Drop-in, name and value of what counts in the end: a later one may take one back."""
    found: list[tuple[str, str, str]] = []
    for path in unit.get("DropInPaths", "").split():
        text = (context.host.read(path) or b"").decode("utf-8", "replace")
        for name, value in _SETTING.findall(text):
            # systemd.unit(5): dependencies alone cannot be taken back by an empty value.
            if name in _SINGLE or (not value and name not in _DEPENDENCIES):
                found = [one for one in found if one[1] != name]
            found.append((path, name, value))
    return found


def _problems(context: Context, name: str, value: str) -> Iterator[tuple[str, Status]]:
    for path in _paths(name, value):
        if context.host.resolve(path) is None:
            yield f"{path} is missing, so no run starts", Status.FAIL
    if name in _DEPENDENCIES:
        for other in _shown(context, value.split()):
            known = other.get("LoadState") not in ("not-found", "masked", None)
            if name == "Conflicts":
                if known and other["Id"] != "shutdown.target":
                    yield f"each run stops {other['Id']}", Status.WARN
            elif not known:
                yield f"{other['Id']} is {other['LoadState']}, so no run starts", Status.FAIL
            elif name == "Requisite" and not units.is_active(other):
                yield f"{other['Id']} is not active, so no run starts", Status.FAIL


def _paths(name: str, value: str) -> Iterator[str]:
    """What has to be there for a setting."""
    if name in ("WorkingDirectory", "EnvironmentFile") and _PATH.fullmatch(value):
        yield value
    elif name in ("LoadCredential", "LoadCredentialEncrypted"):
        path = value.partition(":")[2]
        if _PATH.fullmatch(path):
            yield path
    elif name in ("StandardOutput", "StandardError"):
        match = _OUTPUT.fullmatch(value)
        if match:
            yield match[1]


def _shown(context: Context, names: list[str]) -> list[dict[str, str]]:
    plain = [name for name in names if "%" not in name]
    if not plain:
        return []
    asked = ["systemctl", "show", "-p", "Id,LoadState,ActiveState,SubState", "--", *plain]
    return [unit for unit in units.blocks(context.host.run(asked).out) if "LoadState" in unit]
