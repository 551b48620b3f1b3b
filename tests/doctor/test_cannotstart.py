"""Drop-ins of our service that ask for what is not there: no run starts, and nobody hears of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from certtui.doctor.finding import Status
from tests.doctor.support import Applied, bad, facts

OVERRIDE = "/etc/systemd/system/certtui-renew.service.d/override.conf"
SHOW = ("systemctl", "show", "-p", "Id,LoadState,ActiveState,SubState", "--")


@pytest.fixture
def host(tmp_path: Path) -> Applied:
    made = Applied(tmp_path, "systemd-timer", facts())
    made.service["DropInPaths"] = OVERRIDE
    made.answer()
    made.answers.update(
        {
            (*SHOW, "gone.service"): "Id=gone.service\nLoadState=not-found\n",
            (*SHOW, "off.service"): "Id=off.service\nLoadState=loaded\nActiveState=inactive\n",
            (*SHOW, "on.service"): "Id=on.service\nLoadState=loaded\nActiveState=active\n",
        }
    )
    return made


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("WorkingDirectory=/srv/gone", Status.FAIL),
        ("EnvironmentFile=/etc/default/gone", Status.FAIL),
        ("LoadCredential=key:/etc/gone", Status.FAIL),
        ("StandardOutput=append:/srv/gone/log", Status.FAIL),
        ("Requires=gone.service", Status.FAIL),
        ("Requisite=off.service", Status.FAIL),
        ("Conflicts=off.service", Status.WARN),
    ],
)
def test_what_is_asked_for_in_vain(host: Applied, line: str, status: Status) -> None:
    host.write(OVERRIDE, f"[Unit]\n{line}\n")
    found = bad(host)
    assert set(found) == {"timer.cannot-start"}
    one = found["timer.cannot-start"]
    assert one.status is status
    assert one.message.startswith(f"{line}: ")
    assert one.evidence == f"drop-in: {OVERRIDE}"
    assert one.fix is not None
    assert one.fix.argv == ("systemctl", "revert", "certtui-renew.service")


@pytest.mark.parametrize(
    "line",
    [
        "WorkingDirectory=/etc",
        "WorkingDirectory=-/srv/gone",
        "WorkingDirectory=~",
        "EnvironmentFile=-/etc/default/gone",
        "EnvironmentFile=/etc/default/%n",
        "EnvironmentFile=/etc/default/*.env",
        "LoadCredential=key",
        "StandardOutput=file:/etc/log",
        "StandardOutput=journal",
        "Requires=on.service",
        "Requires=off.service",
        "Requisite=on.service",
        "Conflicts=gone.service",
        "Conflicts=",
    ],
)
def test_what_is_there_or_may_be_missing(host: Applied, line: str) -> None:
    host.write(OVERRIDE, f"[Unit]\n{line}\n")
    assert bad(host) == {}


def test_a_later_drop_in_may_take_it_back(host: Applied) -> None:
    host.write(OVERRIDE, "[Service]\nEnvironmentFile=/gone\nWorkingDirectory=/gone\n")
    later = OVERRIDE.replace("override", "zz")
    host.write(later, "[Service]\nEnvironmentFile=\nWorkingDirectory=/etc\n")
    host.service["DropInPaths"] = f"{OVERRIDE} {later}"
    host.answer()
    assert bad(host) == {}
