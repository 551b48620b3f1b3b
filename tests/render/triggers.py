"""What starts the script of an at backend on a simulated host beside atd: cron or a systemd timer.

Both are made from the rendered files and asked minute by minute. Minutes are UTC minutes since 1970
as the host's clock shows them.
"""

from __future__ import annotations

import bisect
import itertools
import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from certtui.render.artifact import Rendered

DAY = 24 * 60


@dataclass(frozen=True)
class Start:
    """One start of the script; ``by`` is anchor, boot, job or hand, ``job`` the file of atd's."""

    by: str
    argv: tuple[str, ...]
    environment: dict[str, str]
    second: int = 1
    job: Path | None = None


class Trigger(Protocol):
    """cron or a timer: what it starts as the host boots, and in each minute after that."""

    def boot(self, minute: int) -> list[Start]: ...

    def tick(self, minute: int) -> list[Start]: ...


@dataclass
class Zone:
    """How far local time is ahead of UTC, in minutes; clocks change on a quarter of an hour."""

    name: str
    known: dict[int, int] = field(default_factory=dict)

    def local(self, minute: int) -> int:
        quarter = minute // 15
        if quarter not in self.known:
            moment = datetime.fromtimestamp(quarter * 900, ZoneInfo(self.name))
            self.known[quarter] = (moment.utcoffset() or timedelta()) // timedelta(minutes=1)
        return minute + self.known[quarter]


class Cron:
    """Debian's cron: a file of /etc/cron.d, or root's crontab where the lines name no user."""

    def __init__(self, text: str, zone: Zone) -> None:
        self.zone = zone
        self.virtual = 0
        self.daily: dict[int, list[Start]] = defaultdict(list)
        self.hourly: dict[int, list[Start]] = defaultdict(list)
        self.at_boot: list[Start] = []
        environment = {"HOME": "/root", "LOGNAME": "root", "SHELL": "/bin/sh", "PATH": "/usr/bin"}
        for line in text.splitlines():
            if setting := re.fullmatch(r'([A-Z_]+)="?([^"]*)"?', line):
                environment[setting[1]] = setting[2]
            elif line and not line.startswith("#"):
                self._entry(line, environment)

    def _entry(self, line: str, environment: dict[str, str]) -> None:
        found = re.fullmatch(r"(@reboot|(\d+) (\*|\d+) \* \* \*) (?:root )?(/.*)", line)
        assert found, f"a line that this cron does not know: {line}"
        by = "boot" if found[1] == "@reboot" else "anchor"
        start = Start(by, (environment["SHELL"], "-c", found[4]), dict(environment))
        if by == "boot":
            self.at_boot.append(start)
        elif found[3] == "*":
            self.hourly[int(found[2])].append(start)
        else:
            self.daily[int(found[3]) * 60 + int(found[2])].append(start)

    def boot(self, minute: int) -> list[Start]:
        self.virtual = self.zone.local(minute)
        return self.at_boot

    def tick(self, minute: int) -> list[Start]:
        """By cron(8), "Notes": jumps of up to three hours are daylight saving, others are not.

        A jump ahead runs the daily jobs left out at once; after one back, daily jobs wait until the
        clock has caught up. Entries with "*" for the hour go by the clock alone.
        """
        now = self.zone.local(minute)
        ahead = now - self.virtual
        if -180 <= ahead <= 0:
            return self.hourly[now % 60]
        passed = range(self.virtual + 1, now + 1) if ahead <= 180 else range(now, now + 1)
        wild = passed if ahead <= 5 else range(now, now + 1)
        self.virtual = now
        daily = itertools.chain.from_iterable(self.daily.get(m % DAY, ()) for m in passed)
        return [*daily, *itertools.chain.from_iterable(self.hourly.get(m % 60, ()) for m in wild)]


class Timer:
    """A timer of systemd with calendar times in UTC, its stamp file and the service it starts."""

    def __init__(self, timer: str, service: str) -> None:
        assert "Persistent=true" in timer
        assert "RandomizedDelaySec" not in timer
        environment = {"PATH": "/usr/bin", "INVOCATION_ID": "0", "SYSTEMD_EXEC_PID": "1"}
        for name, value in re.findall(r"^Environment=(\w+)=(.*)$", service, re.M):
            environment[name] = value
        (program,) = re.findall(r"^ExecStart=(/.*)$", service, re.M)
        self.argv, self.environment = (program,), environment
        times = re.findall(r"^OnCalendar=\*-\*-\* (\*|\d\d):(\d\d):(\d\d) UTC$", timer, re.M)
        assert len(times) == timer.count("OnCalendar=")
        self.seconds = sorted(
            hour * 3600 + int(at[1]) * 60 + int(at[2])
            for at in times
            for hour in (range(24) if at[0] == "*" else (int(at[0]),))
        )
        (after,) = re.findall(r"^OnBootSec=(\d+)min$", timer, re.M)
        self.after_boot = int(after)
        self.boot_in = 0
        self.stamp: int | None = None
        self.next = 0

    def boot(self, minute: int) -> list[Start]:
        now = minute * 60
        # "Not using persistent file timestamp as it is in the future", and none on the first boot.
        self.stamp = min(now, self.stamp) if self.stamp is not None else now
        self.next = self._elapses()
        self.boot_in = self.after_boot
        return []

    def tick(self, minute: int) -> list[Start]:
        begin = minute * 60
        assert self.stamp is not None
        if self.stamp > begin:
            self.stamp = begin
            self.next = self._elapses()
        self.boot_in -= 1
        if self.boot_in and self.next >= begin + 60:
            return []
        by = "anchor" if self.next < begin + 60 else "boot"
        second = max(self.next - begin, 0) if by == "anchor" else 30
        self.stamp = begin + second
        self.next = self._elapses()
        return [Start(by, self.argv, self.environment, second)]

    def _elapses(self) -> int:
        assert self.stamp is not None
        day, second = divmod(self.stamp, 86400)
        place = bisect.bisect_right(self.seconds, second)
        if place < len(self.seconds):
            return day * 86400 + self.seconds[place]
        return (day + 1) * 86400 + self.seconds[0]


def made(rendered: Rendered, zone: Zone) -> Trigger:
    """The trigger that a rendered plan has."""
    text = {artifact.path: artifact.content.decode() for artifact in rendered.artifacts}
    units = [name for name in sorted(text) if name.startswith("/etc/systemd/system/")]
    if units:
        service, timer = units
        return Timer(text[timer], text[service])
    (table,) = (content for content in text.values() if "\n@reboot " in content)
    return Cron(table, zone)
