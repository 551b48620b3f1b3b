"""Which jobs in at's queue are those of our at scripts."""

from __future__ import annotations

from datetime import datetime, timezone

from certtui.host import atjobs
from certtui.host.atjobs import Job
from tests.facts.support import FakeHost

#: As at(1) 3.2.5 of Debian stores it, but for most of the environment.
_STORED = """\
#!/bin/sh
# atrun uid=0 gid=0
# mail root -1
umask 77
PATH=/usr/sbin:/usr/bin; export PATH
TZ=UTC0; export TZ
CERTTUI_TRIGGER=at; export CERTTUI_TRIGGER
{slot}cd / || {{
\t echo 'Execution directory inaccessible' >&2
\t exit 1
}}
{line}

"""
_SLOT = "CERTTUI_SLOT=29765218; export CERTTUI_SLOT\n"
_OURS = "exec /usr/local/sbin/certbot-at-random </dev/null"


def _host(*lines: str, slot: str = _SLOT, listed: str = "") -> FakeHost:
    """Job 1, 2, ... is each of the lines."""
    host = FakeHost()
    host.program("/usr/bin/atq")
    host.answers[("atq",)] = listed or "".join(
        f"{number}\tTue Nov 24 22:58:00 2026 c root\n" for number in range(1, len(lines) + 1)
    )
    for number, line in enumerate(lines, 1):
        host.answers[("at", "-c", str(number))] = _STORED.format(slot=slot, line=line)
    return host


def test_a_job_of_ours() -> None:
    when = datetime(2026, 11, 24, 22, 58, tzinfo=timezone.utc)
    script = "/usr/local/sbin/certbot-at-random"
    stored = ("PATH", "TZ", "CERTTUI_TRIGGER", "CERTTUI_SLOT")
    assert atjobs.ours(_host(_OURS)) == (Job("1", when, script, 29765218, stored),)


def test_the_queue_is_not_asked_for_twice() -> None:
    host = _host(_OURS)
    listed = atjobs.asked(host).out
    (job,) = atjobs.ours(host, listed)
    assert (job.number, host.ran.count(("atq",))) == ("1", 1)
    assert atjobs.letters(listed) == (("1", "c", "root"),)


def test_fedoras_at_puts_the_command_into_a_here_document() -> None:
    line = f"${{SHELL:-/bin/sh}} << 'marcinDELIMITER5f3a'\n{_OURS}\nmarcinDELIMITER5f3a"
    assert [job.slot for job in atjobs.ours(_host(line))] == [29765218]


def test_a_day_of_one_digit_is_padded() -> None:
    (job,) = atjobs.ours(_host(_OURS, listed="1\tFri Dec  4 03:07:00 2026 c root\n"))
    assert job.when == datetime(2026, 12, 4, 3, 7, tzinfo=timezone.utc)


def test_what_only_looks_like_ours_is_left_out() -> None:
    foreign = (
        "exec /usr/local/sbin/certbot-renew-everything </dev/null",
        "/usr/local/sbin/certbot-at-random",
        f"echo {_OURS}",
        "exec certbot-at-random </dev/null",
    )
    assert atjobs.ours(_host(*foreign)) == ()
    assert atjobs.ours(_host(_OURS, slot="")) == ()
    assert atjobs.ours(_host(_OURS, slot="CERTTUI_SLOT=soon; export CERTTUI_SLOT\n")) == ()


def test_a_running_job_and_other_users_jobs_are_left_out() -> None:
    for rest in ("= root", "c alice"):
        host = _host(_OURS, listed=f"1\tTue Nov 24 22:58:00 2026 {rest}\n")
        assert atjobs.ours(host) == ()
        assert ("at", "-c", "1") not in host.ran


def test_without_at_or_root_there_is_nothing_to_see() -> None:
    host = _host(_OURS)
    host.root_user = False
    assert atjobs.ours(host) == ()
    assert atjobs.ours(FakeHost()) == ()
