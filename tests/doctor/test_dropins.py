"""Drop-ins of our units: what changes when or whether a run happens is told, the rest is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from certtui.doctor.finding import Finding, Status
from certtui.host.interface import Completed
from tests.doctor.support import Applied, bad, facts

WARN, FAIL = Status.WARN, Status.FAIL
OVERRIDE = "/etc/systemd/system/certtui-renew.{}.d/override.conf"


@pytest.fixture
def host(tmp_path: Path) -> Applied:
    return Applied(tmp_path, "systemd-timer", facts())


def calendar(*times: str) -> str:
    """As systemd 252 prints it; the key comes again for each."""
    return "\nTimersCalendar=".join(
        f"{{ OnCalendar={time} ; next_elapse=Mon 2026-03-02 15:00:00 UTC }}" for time in times
    )


def planned(host: Applied) -> list[str]:
    text = host.path("/etc/systemd/system/certtui-renew.timer").read_text()
    return [line[11:] for line in text.splitlines() if line.startswith("OnCalendar=")]


def said(
    host: Applied, kind: str = "timer", text: str = "[Unit]\n", **shown: str
) -> dict[str, Finding]:
    """What is found where a drop-in makes systemd show these properties."""
    path = OVERRIDE.format(kind)
    host.write(path, text)
    unit = host.timer if kind == "timer" else host.service
    unit.update({"DropInPaths": path, **shown})
    host.answer()
    return bad(host)


@pytest.mark.parametrize(
    ("shown", "id", "words"),
    [
        ({"RandomizedDelayUSec": "12h"}, "timer.random-delay", "up to 12h at random, not 3600 s"),
        ({"RandomizedDelayUSec": "1h 1s"}, "timer.random-delay", "1h 1s"),
        ({"Persistent": "no"}, "timer.not-persistent", "Persistent=no"),
        ({"TimersCalendar": calendar("*-*-* 04:00:00")}, "timer.other-times", "2 of the plan's 2"),
    ],
)
def test_a_drop_in_of_the_timer(host: Applied, shown: dict[str, str], id: str, words: str) -> None:
    found = said(host, **shown)
    assert set(found) == {id}
    assert found[id].status is WARN
    assert words in found[id].message
    fix = found[id].fix
    assert fix is not None
    assert (fix.argv, fix.safe) == (("systemctl", "revert", "certtui-renew.timer"), False)


@pytest.mark.parametrize("delay", ["0", "30min", "1h", "infinity?"])
def test_a_delay_that_is_no_longer_than_ours(host: Applied, delay: str) -> None:
    assert said(host, RandomizedDelayUSec=delay) == {}


def test_more_times_than_ours(host: Applied) -> None:
    times = [*planned(host), "*-*-* 04:00:00 UTC"]
    assert said(host, TimersCalendar=calendar(*times)) == {}


def test_one_of_our_times_is_missing(host: Applied) -> None:
    kept, lost = planned(host)
    found = said(host, TimersCalendar=calendar(kept))["timer.other-times"]
    assert "1 of the plan's 2 times" in found.message
    assert f"lacks: {lost}" in found.evidence


def test_what_follows_from_other_times_is_told_instead(host: Applied) -> None:
    shown = {"TimersCalendar": calendar("*-01-01 00:00:00")}
    late = {"NextElapseUSecRealtime": "Fri 2027-01-01 00:00:00 UTC"}
    assert set(said(host, **shown, **late)) == {"timer.next-too-late"}
    assert set(said(host, **shown, NextElapseUSecRealtime="")) == {"timer.no-next"}


def test_a_delay_explains_that_the_next_run_is_late(host: Applied) -> None:
    late = {"NextElapseUSecRealtime": "Wed 2026-03-04 00:00:00 UTC"}
    assert set(said(host, RandomizedDelayUSec="2d", **late)) == {"timer.random-delay"}


def test_without_a_drop_in_nothing_is_read_from_it(host: Applied) -> None:
    host.timer["RandomizedDelayUSec"] = "12h"
    host.answer()
    assert bad(host) == {}


def command(argv: str, ignored: str = "no") -> str:
    return f"{{ path={argv} ; argv[]={argv} ; ignore_errors={ignored} ; status=0/0 }}"


@pytest.mark.parametrize(
    ("shown", "id", "words"),
    [
        ({"TimeoutStartUSec": "30s"}, "timer.time-limit", "ended after 30s"),
        ({"ExecCondition": command("/bin/false")}, "timer.exec-before", "/bin/false"),
        ({"ExecStartPre": command("/bin/mount")}, "timer.exec-before", "ExecStartPre="),
    ],
)
def test_a_drop_in_of_the_service(
    host: Applied, shown: dict[str, str], id: str, words: str
) -> None:
    found = said(host, "service", **shown)
    assert set(found) == {id}
    assert (found[id].status, words in found[id].message) == (WARN, True)


@pytest.mark.parametrize(
    "shown",
    [
        {"TimeoutStartUSec": "infinity"},
        {"TimeoutStartUSec": "1h"},
        {"ExecStartPre": command("/bin/logger", "yes")},
        {"Environment": "A=b", "Nice": "5"},
    ],
)
def test_a_drop_in_that_harms_nothing(host: Applied, shown: dict[str, str]) -> None:
    assert said(host, "service", **shown) == {}


@pytest.mark.parametrize("kind", ["timer", "service"])
def test_a_condition_that_does_not_hold(host: Applied, kind: str) -> None:
    name = f"certtui-renew.{kind}"
    asked = ("systemd-analyze", "condition", f"--unit={name}")
    words = f"{name}: ConditionPathExists=/srv/mounted failed.\nConditions failed.\n"
    host.answers[asked] = Completed(asked, 1, "", words)
    text = "[Unit]\nConditionPathExists=/srv/mounted\n"
    found = said(host, kind, text)
    assert set(found) == {"timer.condition"}
    assert found["timer.condition"].status is FAIL
    assert "ConditionPathExists=/srv/mounted does not hold" in found["timer.condition"].message


def test_a_condition_that_holds_and_one_that_nobody_can_evaluate(host: Applied) -> None:
    asked = ("systemd-analyze", "condition", "--unit=certtui-renew.service")
    host.answers[asked] = "Conditions succeeded.\n"
    assert said(host, "service", "[Unit]\nConditionPathExists=/etc\n") == {}
    host.answers[asked] = Completed(asked, 1, "", "Unknown operation condition.\n")  # before 250
    assert bad(host) == {}


def test_conditions_are_not_asked_for_without_any(host: Applied) -> None:
    assert said(host, "service", "[Service]\nNice=5\n") == {}
    assert not [argv for argv in host.ran if argv[0] == "systemd-analyze"]
