"""The at backends: scheduled means it will fire, and every break has its own name and mend."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from certtui.doctor.check import Context
from certtui.doctor.finding import Finding, Status
from certtui.doctor.registry import run_checks
from certtui.doctor.scheduler import atspool
from certtui.host.facts import Facts, Renewer, Service
from certtui.host.interface import Completed
from certtui.render import places, times
from certtui.render.slots import slots
from tests.doctor.support import CRON, LOG, NOW, Applied, context, exec_start, facts

FAIL, WARN, OK, SKIP = Status.FAIL, Status.WARN, Status.OK, Status.SKIP
STATE = "/var/lib/certtui/at-state"
BLOCK, RANDOM = "/usr/local/sbin/certbot-at-block", "/usr/local/sbin/certbot-at-random"

#: As at 3.2.5 (Debian 12) prints it.
JOB = """#!/bin/sh
# atrun uid=0 gid=0
# mail root 0
umask 22
PATH=/usr/sbin:/usr/bin; export PATH
TZ=UTC0; export TZ
CERTTUI_TRIGGER=at; export CERTTUI_TRIGGER
CERTTUI_SLOT={slot}; export CERTTUI_SLOT
cd / || {{
\t echo 'Execution directory inaccessible' >&2
\t exit 1
}}
exec {script} </dev/null

"""


def some_facts(init: str = "systemd", **changes: object) -> Facts:
    found = facts(renewers=(), **changes)
    return replace(found, system=replace(found.system, init=init))


class At(Applied):
    """A host with an at backend whose job is queued. ``jobs`` are number -> (when, script)."""

    def __init__(self, folder: Path, backend: str, init: str = "systemd") -> None:
        self.found = some_facts(init)
        super().__init__(folder, backend, self.found)
        self.script = places.at_script(self.plan)
        self.missing: set[str] = set()
        self.jobs: dict[str, tuple[datetime, str]] = {}
        self.now = self.moment_with_job()
        expected = times.expected_job(self.plan, self.found, self.now)
        assert expected is not None
        self.expected = expected
        self.jobs["7"] = (expected, self.script)
        drawn = slots(self.plan, self.found)
        taken = drawn.moment(drawn.time(next(drawn.after(self.now)) - 1))
        self.take(taken)
        ran = f"{taken + timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}"
        self.write(LOG, f"{ran} at ok 12 \n")
        self.timer["NextElapseUSecRealtime"] = f"{self.now + timedelta(minutes=31):%a %F %T} UTC"
        self.service["ExecStart"] = exec_start(self.script)
        self.answer()

    def moment_with_job(self) -> datetime:
        """A moment in the middle of a wait: a job has been queued for a while."""
        return next(
            moment
            for half in range(200)
            if (moment := NOW + timedelta(minutes=15 * half))
            and (job := times.expected_job(self.plan, self.found, moment))
            and job == times.expected_job(self.plan, self.found, moment - timedelta(minutes=5))
            and job > moment + timedelta(minutes=10)
        )

    def take(self, moment: datetime) -> None:
        minute = slots(self.plan, self.found).minute(moment)
        self.write(STATE, f"slot={minute}\nday=\nruns=0\nproblem=\n")

    def which(self, program: str) -> str | None:
        return None if program in self.missing else f"/usr/bin/{program}"

    def queue(self) -> None:
        """What atq and at -c answer."""
        lines = [f"{n}\t{when:%a %b %d %H:%M:%S %Y} c root" for n, (when, _) in self.jobs.items()]
        self.answers["atq",] = "".join(f"{line}\n" for line in lines)
        for number, (when, script) in self.jobs.items():
            slot = slots(self.plan, self.found).minute(when)
            self.answers["at", "-c", number] = JOB.format(slot=slot, script=script)

    def context(self, **changes: object) -> Context:
        if ("atq",) not in self.answers:
            self.queue()
        made = replace(context(self, self.found), now=self.now)
        return replace(made, **changes)  # type: ignore[arg-type]

    def bad(self, **changes: object) -> dict[str, Finding]:
        found = run_checks(self.context(**changes))
        return {item.id: item for item in found if item.status not in (OK, SKIP)}


@pytest.fixture(params=["at-block", "at-random"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["systemd", "other"])
def init(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def host(tmp_path: Path, backend: str, init: str) -> At:
    return At(tmp_path, backend, init)


def test_a_host_that_is_well_has_no_findings(host: At) -> None:
    assert host.bad() == {}
    said = {item.id: item for item in run_checks(host.context())}
    assert said["at.queued"].status is OK
    assert f"{host.expected:%Y-%m-%d %H:%M UTC}" in said["at.queued"].message
    assert said["at.state"].status is OK
    assert said["atd.daemon"].status is OK
    by_systemd = host.found.has_systemd
    assert said["timer.scheduled"].status is (OK if by_systemd else SKIP)
    assert said["cron.daemon"].status is (SKIP if by_systemd else OK)


def late(minutes: int) -> Callable[[At], None]:
    def change(host: At) -> None:
        host.jobs["7"] = (host.expected + timedelta(minutes=minutes), host.script)

    return change


def twice(host: At) -> None:
    host.jobs["8"] = host.jobs["7"]


def elsewhere_and_twice(host: At) -> None:
    late(5)(host)
    twice(host)


def overdue(host: At) -> None:
    host.jobs["7"] = (host.now - timedelta(minutes=42), host.script)


def of_a_script_that_is_gone(host: At) -> None:
    host.jobs["8"] = (host.expected, "/opt/old/certbot-at-random")


def of_another_backend(host: At) -> None:
    other = RANDOM if host.script == BLOCK else BLOCK
    host.write(other, "")
    host.jobs["8"] = (host.expected, other)


def without(program: str) -> Callable[[At], None]:
    return lambda host: host.missing.add(program)


def not_executable(host: At) -> None:
    host.missing.add("at")
    host.write("/usr/bin/at", "")
    host.path("/usr/bin/at").chmod(0o600)


QUEUE = ("SCRIPT", "queue")
BREAKS: list[tuple[str, Callable[[At], object], Status, tuple[str, ...]]] = [
    ("at.missing", lambda h: h.jobs.clear(), FAIL, QUEUE),
    ("at.wrong-minute", late(1), FAIL, QUEUE),
    ("at.wrong-minute", late(-1), FAIL, QUEUE),
    ("at.several", twice, WARN, QUEUE),
    ("at.several", elsewhere_and_twice, FAIL, QUEUE),
    ("at.script-gone", of_a_script_that_is_gone, WARN, ("atrm", "8")),
    ("at.left-over", of_another_backend, WARN, ("atrm", "8")),
    ("at.state", lambda h: h.write(STATE, "slot=\x00\n"), FAIL, QUEUE),
    ("at.state", lambda h: h.write(STATE, ""), FAIL, QUEUE),
    ("at.state", lambda h: h.write(STATE, "slot=99999999999\n"), FAIL, QUEUE),
    ("at.state", lambda h: h.write(STATE, h.path(STATE).read_text() + "junk\n"), FAIL, QUEUE),
    ("at.state-future", lambda h: h.take(h.now + timedelta(days=9)), FAIL, QUEUE),
    ("at.program-missing", without("flock"), FAIL, ("apt-get", "install")),
    ("at.program-missing", without("atq"), FAIL, ("apt-get", "install")),
    ("at.program-missing", not_executable, FAIL, ("chmod", "a+rx", "/usr/bin/at")),
    ("runs.late", lambda h: h.write(LOG, "2026-01-01T00:00:00Z at ok 3 \n"), FAIL, ("RENEW",)),
    ("drift.missing", lambda h: h.path(h.script).unlink(), FAIL, ("certtui", "apply")),
    ("drift.mode", lambda h: h.path(h.script).chmod(0o600), FAIL, ("chmod", "0700")),
]


@pytest.mark.parametrize(("id", "change", "status", "mend"), BREAKS)
def test_seed_21_each_break_has_one_name_and_a_mend(
    host: At, id: str, change: Callable[[At], object], status: Status, mend: tuple[str, ...]
) -> None:
    host.applied = timedelta(days=60)
    change(host)
    found = host.bad()
    assert set(found) == {id}
    assert found[id].status is status
    assert found[id].evidence or found[id].subject
    fix = found[id].fix
    assert fix is not None
    words = {"SCRIPT": host.script, "RENEW": places.renew_script(host.plan)}
    assert fix.argv[: len(mend)] == tuple(words.get(word, word) for word in mend)


def test_an_overdue_job_is_atds_fault_where_atd_does_not_run(host: At) -> None:
    overdue(host)
    found = host.bad()
    assert set(found) == {"at.overdue"}
    assert "42 minutes ago" in found["at.overdue"].message
    fix = found["at.overdue"].fix
    assert fix is not None
    assert fix.argv == ("systemctl", "restart", "atd.service")
    host.found = replace(host.found, atd=Service("atd", True, "atd.service", True, False))
    assert set(host.bad()) == {"atd.daemon"}
    said = {item.id: item.status for item in run_checks(host.context())}
    assert said["at.queued"] is SKIP


@pytest.mark.parametrize(
    "service",
    [
        Service("atd", False),
        Service("atd", True, "atd.service", True, False),
        Service("atd", True, "atd.service", False, True),
    ],
)
def test_seed_21_atd(host: At, service: Service) -> None:
    host.found = replace(host.found, atd=service)
    assert set(host.bad()) == {"atd.daemon"}


def test_the_queue_does_not_answer(host: At) -> None:
    host.answers["atq",] = Completed(("atq",), 1, "", "atq: cannot open lockfile")
    found = host.bad()
    assert set(found) == {"at.no-answer"}
    assert "cannot open lockfile" in found["at.no-answer"].evidence


def test_seed_18_others_jobs_are_not_ours(host: At) -> None:
    host.queue()
    host.answers["atq",] = (
        f"1\t{host.expected:%a %b %d %H:%M:%S %Y} a root\n"
        f"2\t{host.expected:%a %b %d %H:%M:%S %Y} c somebody\n"
        f"3\t{host.expected:%a %b %d %H:%M:%S %Y} = root\n"
    )
    host.answers["at", "-c", "1"] = "#!/bin/sh\n}\necho backup\n"
    ours = host.answers["at", "-c", "7"]
    host.answers["at", "-c", "2"] = host.answers["at", "-c", "3"] = ours
    assert set(host.bad()) == {"at.missing"}


def test_a_job_that_starts_between_the_clock_and_the_queue_is_not_missed(host: At) -> None:
    """The time is taken first, the queue is read a moment later: its job has begun by then."""
    host.now = host.expected - timedelta(seconds=1)
    host.jobs.clear()
    said = {item.id: item for item in run_checks(host.context(), ["at"])}
    assert said["at.queued"].status is SKIP
    assert "look again" in said["at.queued"].message
    (following,) = times.next_runs(host.plan, host.found, host.expected, 1)
    host.jobs["8"] = (following.earliest, host.script)
    assert not host.bad()


def test_while_a_run_begins_the_next_job_is_not_missed(host: At) -> None:
    """Its script queues it a moment after it was started."""
    host.jobs.clear()
    host.now = host.expected + timedelta(seconds=30)
    said = {item.id: item for item in run_checks(host.context(), ["at"])}
    if times.expected_job(host.plan, host.found, host.now) is None:
        assert said["at.queued"].status is OK
    else:
        assert said["at.queued"].status is SKIP
        assert "look again" in said["at.queued"].message
    # Or atd starts it in this minute.
    host.jobs["7"] = (host.expected, host.script)
    host.queue()
    assert {item.status for item in run_checks(host.context(), ["at"])} == {OK}


def test_a_block_whose_run_is_over_needs_no_job(tmp_path: Path) -> None:
    host = At(tmp_path, "at-block")
    host.jobs.clear()
    host.now = host.expected + timedelta(minutes=10)
    while times.expected_job(host.plan, host.found, host.now) is not None:
        host.now += timedelta(minutes=10)
    (said,) = [item for item in run_checks(host.context(), ["at"]) if item.id == "at.queued"]
    assert said.status is OK
    assert "this block's run is over" in said.message


def test_a_clock_that_was_set_back_takes_no_slot_twice(tmp_path: Path) -> None:
    """The script then queues the first slot after the last one taken."""
    host = At(tmp_path, "at-random")
    first, second = times.next_runs(host.plan, host.found, host.now, 2)
    host.now = first.earliest - timedelta(minutes=90)
    host.take(first.earliest)
    host.jobs["7"] = (second.earliest, host.script)
    host.write(LOG, f"{host.now - timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ} at ok 12 \n")
    host.timer["NextElapseUSecRealtime"] = f"{host.now + timedelta(minutes=31):%a %F %T} UTC"
    host.answer()
    assert host.bad() == {}


def test_only_root_sees_the_queue(host: At) -> None:
    host.jobs.clear()
    host.found = replace(host.found, system=replace(host.found.system, is_root=False))
    said = {item.id: item for item in run_checks(host.context(), ["at"])}
    assert said["at.queued"].status is SKIP
    assert "needs root" in said["at.queued"].message


def test_without_a_plan_a_job_of_ours_is_a_left_over(tmp_path: Path) -> None:
    host = At(tmp_path, "at-random")
    host.path(host.script).unlink()
    found = host.bad(plan=None, rendered=None)
    assert found["at.script-gone"].subject == "at job 7"


def test_another_backend_leaves_no_job(tmp_path: Path) -> None:
    host = At(tmp_path, "at-random")
    plan = replace(host.plan, schedule=replace(host.plan.schedule, backend="systemd-timer"))
    (found,) = [item for item in run_checks(host.context(plan=plan), ["at"]) if item.fix]
    assert (found.id, found.status) == ("at.left-over", WARN)


# ---- what starts the script ------------------------------------------------------------------


def test_the_timer_of_an_at_backend(tmp_path: Path, backend: str) -> None:
    host = At(tmp_path, backend)
    host.timer["ActiveState"] = "inactive"
    host.answer()
    assert set(host.bad()) == {"timer.not-active"}
    host.timer.update(ActiveState="active", UnitFileState="disabled")
    host.answer()
    assert set(host.bad()) == {"timer.not-enabled"}
    apart = 60 if backend == "at-random" else 12 * 60
    host.timer.update(
        UnitFileState="enabled",
        NextElapseUSecRealtime=f"{host.now + timedelta(minutes=apart + 5):%a %F %T} UTC",
    )
    host.answer()
    assert set(host.bad()) == {"timer.next-too-late"}


def test_a_timer_that_starts_the_renewal_itself(tmp_path: Path, backend: str) -> None:
    host = At(tmp_path, backend)
    renew = places.renew_script(host.plan)
    host.service.update(ExecStart=exec_start(renew), DropInPaths="/etc/x.conf")
    host.answer()
    found = host.bad()
    assert set(found) == {"timer.exec"}
    assert host.script in found["timer.exec"].message


def test_the_cron_file_of_an_at_backend(tmp_path: Path, backend: str) -> None:
    host = At(tmp_path, backend, "other")
    text = host.path(CRON).read_text()
    host.path(CRON).chmod(0o664)
    assert set(host.bad()) == {"cron.insecure-mode"}
    host.path(CRON).chmod(0o644)
    host.write(CRON, text[:-1])
    assert {"cron.no-final-newline"} <= set(host.bad())
    host.write(CRON, text)
    host.path(CRON).rename(host.path(f"{CRON}.sh"))
    fix = host.bad()["cron.ignored-name"].fix
    assert fix is not None
    assert fix.argv == ("mv", f"{CRON}.sh", CRON)


def test_cron_does_not_run_though_it_starts_the_script(tmp_path: Path, backend: str) -> None:
    host = At(tmp_path, backend, "other")
    host.found = replace(host.found, cron=Service("cron", True))
    assert set(host.bad()) == {"cron.daemon"}


def test_our_own_jobs_are_no_second_renewer(host: At) -> None:
    job = Renewer("at", "at job 7", f"exec {host.script} </dev/null", True, False, ours=True)
    host.found = replace(host.found, renewers=(job,))
    assert host.bad() == {}


# ---- what is stored with a job, and whose the queue is ---------------------------------------


def test_a_secret_that_is_stored_with_our_job_is_named_and_not_shown(host: At) -> None:
    host.queue()
    job = str(host.answers["at", "-c", "7"])
    stored = "API_TOKEN=geheim; export API_TOKEN\nLANG=C; export LANG\ncd / ||"
    host.answers["at", "-c", "7"] = job.replace("cd / ||", stored)
    found = host.bad()
    assert set(found) == {"at.environment"}
    finding = found["at.environment"]
    assert (finding.status, finding.subject) == (WARN, "at job 7")
    assert finding.evidence == "at -c 7: API_TOKEN, LANG"
    assert "geheim" not in str(finding)
    assert finding.fix is not None
    assert (finding.fix.argv, finding.fix.safe) == (("atrm", "7"), False)


def test_others_may_use_our_queue(host: At) -> None:
    host.queue()
    host.answers["atq",] = f"{host.answers['atq',]}9\tTue Nov 24 22:58:00 2026 c admin\n"
    host.answers["atq",] = f"{host.answers['atq',]}8\tTue Nov 24 22:58:00 2026 d root\n"
    assert host.bad() == {}
    (said,) = (one for one in run_checks(host.context(), ["at.foreign"]) if one.id == "at.foreign")
    assert (said.status, said.subject) == (OK, "queue c")
    assert said.message.startswith("1 other job in it")


def test_the_queue_is_asked_for_once(host: At) -> None:
    run_checks(host.context(), ["at"])
    assert host.ran.count(("atq",)) == 1


def test_a_spool_that_cannot_be_used_says_why_atq_does_not_answer(
    host: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ("atq",)
    host.answers[asked] = Completed(asked, 1, "", "Cannot change to /var/spool/cron/atjobs")
    assert "at.no-answer" in host.bad()
    wrong = Finding("at.spool", FAIL, "/var/spool/cron/atjobs", "is missing")
    monkeypatch.setattr(atspool, "findings", lambda context: [wrong])
    assert set(host.bad()) == {"at.spool"}


def test_a_job_that_its_file_keeps_from_starting_is_one_break(
    host: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    overdue(host)
    wrong = Finding("at.job-mode", FAIL, "/var/spool/cron/atjobs/c0001a01c8a336", "x")
    monkeypatch.setattr(atspool, "findings", lambda context: [wrong])
    assert set(host.bad()) == {"at.job-mode"}
