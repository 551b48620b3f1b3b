"""The plan as frozen, typed data. ``fields.py`` declares the same keys; a test compares them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, cast

#: The plan format this program writes and the newest it reads.
VERSION = 1

#: Where apply installs the plan it applied.
INSTALLED_PLAN = "/etc/certtui/plan.toml"


@dataclass(frozen=True)
class WebServerPlan:
    """Which server has to load a renewed certificate, and how. ``test``, ``command`` are argv."""

    kind: str
    action: str
    test: tuple[str, ...]
    command: tuple[str, ...]


@dataclass(frozen=True)
class SchedulePlan:
    """What starts the renewal. ``times`` are local "HH:MM"; their count, if any, counts."""

    backend: str
    runs_per_day: int
    trigger: str
    times: tuple[str, ...]
    daily_cap: int
    at_queue: str
    install_packages: bool

    @property
    def runs(self) -> int:
        """Runs a day that really happen."""
        return len(self.times) or self.runs_per_day


@dataclass(frozen=True)
class MailPlan:
    """Who is told, and when. An empty ``to`` means no mail."""

    to: str
    on: str
    sender: str


@dataclass(frozen=True)
class CertbotPlan:
    """How certbot is run. ``timeout`` is in seconds."""

    command: str
    extra_args: tuple[str, ...]
    timeout: int
    other_schedulers: str
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class FilesPlan:
    """Where the scripts go and what the units and the cron file are called."""

    scripts: str
    unit: str


@dataclass(frozen=True)
class NotifyPlan:
    """What is requested after each run."""

    heartbeat_url: str


@dataclass(frozen=True)
class Plan:
    """A valid plan. Build it with :meth:`from_values`, which trusts validated values."""

    version: int
    webserver: WebServerPlan
    schedule: SchedulePlan
    mail: MailPlan
    certbot: CertbotPlan
    files: FilesPlan
    notify: NotifyPlan

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Plan:
        """A plan from flat dotted keys ("schedule.backend") that were validated before."""
        return cast(Plan, _build(cls, "", values))

    def values(self) -> dict[str, Any]:
        """The plan as flat dotted keys, lists as tuples: the inverse of :meth:`from_values`."""
        return dict(_flatten(self, ""))


_SECTIONS: Mapping[str, type] = {
    "webserver": WebServerPlan,
    "schedule": SchedulePlan,
    "mail": MailPlan,
    "certbot": CertbotPlan,
    "files": FilesPlan,
    "notify": NotifyPlan,
}

#: Attribute names that Python does not allow, or that would mislead, under their TOML spelling.
_SPELLING = {"sender": "from"}


def _build(kind: type, prefix: str, values: Mapping[str, Any]) -> object:
    made: dict[str, Any] = {}
    for item in fields(kind):
        if not prefix and item.name in _SECTIONS:
            made[item.name] = _build(_SECTIONS[item.name], f"{item.name}.", values)
            continue
        value = values[prefix + _SPELLING.get(item.name, item.name)]
        made[item.name] = tuple(value) if isinstance(value, list) else value
    return kind(**made)


def _flatten(part: object, prefix: str) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    assert is_dataclass(part)
    for item in fields(part):
        value = getattr(part, item.name)
        key = prefix + _SPELLING.get(item.name, item.name)
        found += _flatten(value, f"{key}.") if is_dataclass(value) else [(key, value)]
    return found
