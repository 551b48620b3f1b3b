"""The whole drill of the mail: each backend, each place where it can break, how long it takes."""

from __future__ import annotations

import errno
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import jsonschema
import pytest

from certtui.change.lock import locked
from certtui.doctor.check import Kind
from certtui.doctor.finding import Fix, Status
from certtui.doctor.records import history
from certtui.drill import backends, mail, ready, report, scheduled, trace
from certtui.drill.model import LONGEST, Outcome, Step
from certtui.errors import Locked, Refused
from certtui.host.facts import Mailer
from certtui.host.interface import Completed
from tests.drill.support import NOW, Place, place, systemctl

MAINLOG = "/var/log/exim4/mainlog"
QUEUE_ID = "1xVxnX-00006r-2k"


def exim_takes(
    there: Place, then: str = "=> admin <admin@localhost> R=local_user T=mail_spool"
) -> None:
    """Its two lines, with the id of the drill in the log of runs."""
    drill = history.read(there.host).runs[-1].detail.split()[0]
    taken = f"{QUEUE_ID} <= root@w P=local id=certtui-drill-{drill}@w"
    there.write(MAINLOG, f"2026-11-24 12:01:00 {taken}\n2026-11-24 12:01:00 {QUEUE_ID} {then}\n")


def arrives(there: Place) -> None:
    drill = history.read(there.host).runs[-1].detail.split()[0]
    there.write("/var/mail/admin", f"From x\nMessage-ID: <certtui-drill-{drill}@w>\n\nbody\n")


SCHEMA = json.loads((Path(__file__).parents[2] / "docs/drill.schema.json").read_text("utf-8"))


def run(there: Place) -> Outcome:
    outcome = mail.drill(there.scene)
    jsonschema.validate({"schema_version": 1, **report.to_json(outcome)}, SCHEMA)
    assert there.clock.now() - NOW < 150
    assert outcome.steps == there.steps
    assert trace.read(there.tree) is None
    return outcome


def works(there: Place, trigger: str = "cron", words: str = "mail accepted") -> None:
    def happens() -> None:
        there.records(trigger, words)
        exim_takes(there)
        arrives(there)

    there.clock.at(13, happens)


def test_cron(tmp_path: Path) -> None:
    there = place(tmp_path / "r")
    seen: list[str] = []
    path = there.path(backends.CRON_FILE)
    there.clock.at(5, lambda: seen.append(path.read_text() + oct(path.stat().st_mode)))
    works(there)
    outcome = run(there)
    assert outcome.ok
    assert there.waits[0] == "cron starts it at 12:01:00, in 12 s"
    assert [step.what for step in outcome.steps] == [
        *("scheduled", "started by cron", "noted in runs.log"),
        *("taken by the mailer", "delivered", "cleaned up"),
    ]
    assert outcome.mail.queue_id == QUEUE_ID
    assert outcome.mail.delivered == "/var/mail/admin"
    assert report.summary(outcome) == (
        "proved: cron starts the renew script, and its mail is in /var/mail/admin"
    )
    ours = there.path("/etc/cron.d/certtui-renew").read_text().splitlines()
    variables = [line for line in ours if re.match(r"[A-Z_]+=", line)]
    assert len(variables) == 4
    text, mode = seen[0][:-8], seen[0][-8:]
    assert mode == "0o100600"  # its id is nobody else's: whoever knows it could forge the proof
    assert text.splitlines()[1:] == [
        *variables,
        f"CERTTUI_DRILL={outcome.id}",
        "1 12 24 11 * root /usr/local/sbin/certbot-renew-everything",
        "2 12 24 11 * root /usr/local/sbin/certbot-renew-everything",
    ]
    assert there.left() == ["/var/log/exim4/mainlog", "/var/mail/admin"]


def test_cron_that_looked_too_early_has_a_second_minute(tmp_path: Path) -> None:
    there = place(tmp_path / "r")
    there.clock.at(73, lambda: works(there))
    assert run(there).ok
    assert "not yet; cron looks again at 12:02:00" in there.waits


@pytest.mark.parametrize("second", [56, 57, 59])
def test_what_is_put_there_just_before_a_minute_is_for_the_next(
    tmp_path: Path, second: int
) -> None:
    there = place(tmp_path / "r")
    there.clock.time = NOW - 48 + second
    works(there)
    run(there)
    minute = "12:01:00" if second < 57 else "12:02:00"
    assert there.waits[0].startswith(f"cron starts it at {minute}")


def test_cron_that_starts_nothing(tmp_path: Path) -> None:
    there = place(tmp_path / "r")
    outcome = run(there)
    assert not outcome.ok
    assert report.summary(outcome) == (
        'not proved: it broke at "started by cron": cron has not started the renew script by '
        "12:02:20; mend: certtui doctor"
    )
    assert there.left() == []


def test_a_script_that_ends_on_its_way(tmp_path: Path) -> None:
    there = place(tmp_path / "r")
    there.clock.at(13, there.takes_marker)
    outcome = run(there)
    assert outcome.broken is not None
    assert outcome.broken.what == "noted in runs.log"
    assert there.clock.now() - NOW <= LONGEST


def test_the_log_of_another_drill_proves_nothing(tmp_path: Path) -> None:
    there = place(tmp_path / "r")
    there.log("cron", "fedcba9876543210 mail accepted")
    there.clock.at(13, there.takes_marker)
    assert not run(there).ok


def test_at(tmp_path: Path) -> None:
    there = place(tmp_path / "r", schedule_backend="at-random", schedule_at_queue="x")
    given: list[str] = []

    def at(argv: tuple[str, ...], stdin: str) -> Completed | None:
        if "-t" not in argv:
            return None
        given.append(stdin)
        return Completed(argv, 0, "", "warning: /bin/sh\njob 7 at Tue Nov 24\n")

    there.host.answers.append(at)
    works(there, "at")
    outcome = run(there)
    assert outcome.ok
    (argv,) = there.host.calls("env", "-i")
    assert argv[3:] == (
        *("TZ=UTC0", "CERTTUI_TRIGGER=at", f"CERTTUI_DRILL={outcome.id}"),
        *("at", "-M", "-q", "x", "-t", "202611241201"),
    )
    assert given == ["exec /usr/local/sbin/certbot-at-random </dev/null\n"]


def test_at_that_takes_no_job(tmp_path: Path) -> None:
    there = place(tmp_path / "r", schedule_backend="at-block")
    there.host.answers.append(
        lambda argv, stdin: Completed(argv, 0, "", "at: no permission") if "-t" in argv else None
    )
    with pytest.raises(Refused, match="at did not take the job: at: no permission"):
        mail.drill(there.scene)
    assert there.left() == []


def timed(folder: Path) -> Place:
    there = place(folder, schedule_backend="systemd-timer")
    there.host.answers.append(systemctl())
    return there


def test_a_timers_service(tmp_path: Path) -> None:
    there = timed(tmp_path / "r")
    marks: list[str] = []
    there.clock.at(0, lambda: marks.append(there.path(trace.MARKER).read_text()))
    there.clock.at(1, lambda: works(there, "systemd-timer"))
    outcome = run(there)
    assert outcome.ok
    assert there.host.calls("systemctl", "start") == [
        ("systemctl", "start", "--no-block", "certtui-renew.service")
    ]
    assert there.host.calls("systemctl", "reset-failed") == []
    # A timer that fires in more than two minutes must find no marker.
    assert int(marks[0].split()[1]) - NOW <= 60


def test_a_service_that_cannot_start(tmp_path: Path) -> None:
    there = timed(tmp_path / "r")
    there.host.answers.append(systemctl(Job="7", InvocationID="a"))
    broken = systemctl(
        ActiveState="failed",
        InvocationID="b",
        Result="exit-code",
        ExecMainStatus="203",
        ExecMainStartTimestamp="Tue 2026-11-24 12:00:48 UTC",
    )
    there.clock.at(1, lambda: there.host.answers.append(broken))
    outcome = run(there)
    assert report.summary(outcome) == (
        'not proved: it broke at "started by systemd": certtui-renew.service failed: '
        "Result=exit-code, status 203; mend: journalctl -u certtui-renew.service"
    )
    assert there.host.calls("systemctl", "reset-failed")


def test_a_start_that_takes_too_long_is_taken_back(tmp_path: Path) -> None:
    """Nothing is waited for after the verdict: it would come without its marker, and renew."""
    there = timed(tmp_path / "r")
    there.host.answers.append(systemctl(Job="7", InvocationID="a"))
    slow = systemctl(ActiveState="activating", Job="7", InvocationID="b")

    def starts(argv: tuple[str, ...], stdin: str) -> str | None:
        if argv[:2] == ("systemctl", "start"):
            there.host.answers.append(slow)
        if argv[:2] == ("systemctl", "stop"):
            assert there.clock.now() < NOW + 21
            assert not there.path(trace.MARKER).exists()
            there.host.answers.append(systemctl(InvocationID="b"))
        return None

    there.host.answers.append(starts)
    outcome = run(there)
    assert outcome.broken is not None
    assert outcome.broken.what == "started by systemd"
    assert there.host.calls("systemctl", "stop")


def test_no_mail_is_planned(tmp_path: Path) -> None:
    there = place(tmp_path / "r", mail_to="")
    there.clock.at(13, lambda: there.records("cron", "no mail is planned"))
    outcome = run(there)
    assert outcome.ok
    assert "nobody is told" in report.summary(outcome)


@pytest.mark.parametrize(
    ("said", "mend"),
    [
        ("mail not sent: neither sendmail nor mail was found", "apt-get install -y msmtp-mta"),
        ("mail not sent: sendmail failed: x", "echo test | sendmail -v admin@localhost"),
        ("ended by a signal", "certtui drill"),
    ],
)
def test_a_mail_that_was_not_taken(tmp_path: Path, said: str, mend: str) -> None:
    there = place(tmp_path / "r")
    there.clock.at(13, lambda: there.records("cron", said))
    outcome = run(there)
    assert outcome.broken is not None
    assert (outcome.broken.what, outcome.broken.message) == ("taken by the mailer", said)
    assert outcome.broken.mend == mend


def follow(there: Place, then: Callable[[], None]) -> Outcome:
    """A drill whose mail a mailer has taken; ``then`` happens to it."""

    def happens() -> None:
        there.records("cron", "mail accepted")
        then()

    there.clock.at(13, happens)
    return run(there)


@pytest.mark.parametrize(
    ("then", "words"),
    [
        ("** a@b: Unrouteable address", "could not deliver it: ** a@b: Unrouteable"),
        ("== a@b R=x T=y defer (-6): full", "could not deliver it yet: == a@b"),
        ("=> /dev/null <a@b> R=x T=**bypassed**", "has thrown it away"),
        ("=> :blackhole: <a@b> R=system_aliases", "has thrown it away"),
        ("frozen", "has it in its queue still"),
    ],
)
def test_a_mail_that_does_not_arrive(tmp_path: Path, then: str, words: str) -> None:
    there = place(tmp_path / "r")
    outcome = follow(there, lambda: exim_takes(there, then))
    assert [step.ok for step in outcome.steps] == [True, True, True, True, False, True]
    assert outcome.broken is not None
    assert words in outcome.broken.message


def test_a_forged_mail_in_the_mailbox_of_another_is_no_proof(tmp_path: Path) -> None:
    there = place(tmp_path / "r")

    def happens() -> None:
        arrives(there)
        there.path("/var/mail/admin").rename(there.path("/var/mail/eve"))
        exim_takes(there, "=> /dev/null <admin@localhost> R=x T=**bypassed**")

    outcome = follow(there, happens)
    assert outcome.broken is not None
    assert "has thrown it away" in outcome.broken.message


_HERE = "=> admin <admin@localhost> R=local_user T=mail_spool"


@pytest.mark.parametrize("later", [0.0, 1.2])
@pytest.mark.parametrize(
    ("then", "words"),
    [
        ("** nosuchuser@w <ops@w>: Unrouteable address", "deliver it to nosuchuser@w: ** nosuch"),
        ("== bob@w R=x T=y defer (-6): full", "could not deliver it to bob@w yet: == bob@w"),
    ],
)
def test_an_alias_of_which_one_gets_nothing(
    tmp_path: Path, then: str, words: str, later: float
) -> None:
    there = place(tmp_path / "r")

    def happens() -> None:
        both = f"{_HERE}\n2026-11-24 12:01:00 {QUEUE_ID} {then}"
        exim_takes(there, _HERE if later else both)
        arrives(there)
        there.clock.at(later, lambda: exim_takes(there, both))

    outcome = follow(there, happens)
    assert outcome.broken is not None
    assert outcome.broken.what == "delivered"
    assert "it is in /var/mail/admin, but exim could not" in outcome.broken.message
    assert words in outcome.broken.message
    assert outcome.broken.mend


def test_an_alias_of_which_one_gets_it_at_the_second_try(tmp_path: Path) -> None:
    there = place(tmp_path / "r")

    def happens() -> None:
        again = f"2026-11-24 12:01:00 {QUEUE_ID}"
        first = f"== bob@w R=x defer (-6)\n{again} => bob@w R=x T=y H=mx"
        exim_takes(there, f"{_HERE}\n{again} {first}")
        arrives(there)

    assert follow(there, happens).ok


def test_a_mail_that_leaves_the_host(tmp_path: Path) -> None:
    there = place(tmp_path / "r", mail_to="a@b.example")
    sent = '=> a@b.example R=dnslookup T=remote_smtp H=mx [192.0.2.1] C="250 OK"'
    outcome = follow(there, lambda: exim_takes(there, sent))
    assert outcome.ok
    assert "H=mx [192.0.2.1]" in outcome.mail.delivered
    assert report.summary(outcome).endswith("and exim has sent its mail on")


def test_a_mail_of_which_nothing_is_known(tmp_path: Path) -> None:
    there = place(tmp_path / "r")
    outcome = follow(there, lambda: None)
    assert outcome.broken is not None
    assert "no log tells of the mail" in outcome.broken.message


def mailer(name: str) -> Mailer:
    return Mailer("sendmail", "/usr/sbin/sendmail", f"/usr/bin/{name}")


def test_a_mailer_without_a_queue(tmp_path: Path) -> None:
    there = place(tmp_path / "r", mailer=mailer("msmtp"))
    outcome = follow(there, lambda: None)
    assert outcome.ok
    assert outcome.steps[3].message == "msmtp; this mailer tells no queue id"
    assert "look for it in the mailbox of admin@localhost" in outcome.steps[4].message
    assert there.clock.now() - NOW < 30


def test_an_mta_that_was_stopped(tmp_path: Path) -> None:
    there = place(tmp_path / "r", mailer=Mailer("sendmail", "/usr/sbin/sendmail", "/x/postfix"))
    there.write("/proc/1/comm", "systemd\n")
    there.host.answers.append(
        lambda argv, stdin: (
            "Id=postfix.service\nLoadState=loaded\nActiveState=inactive\nSubState=dead\n"
            if argv[:2] == ("systemctl", "show")
            else None
        )
    )
    outcome = follow(there, lambda: None)
    assert outcome.broken is not None
    assert outcome.broken.message == "postfix does not run: the mail waits in its queue"
    assert outcome.broken.mend == "systemctl start postfix.service"


def test_a_queue_that_is_a_folder(tmp_path: Path) -> None:
    there = place(tmp_path / "r", mailer=mailer("dma"))

    def waits() -> None:
        drill = history.read(there.host).runs[-1].detail.split()[0]
        there.write("/var/spool/dma/Mabc", f"Message-ID: <certtui-drill-{drill}@w>\n")

    outcome = follow(there, waits)
    assert outcome.broken is not None
    assert "dma has it in its queue still: /var/spool/dma/Mabc" in outcome.broken.message
    assert follow(place(tmp_path / "s", mailer=mailer("dma")), lambda: None).ok


def test_mail1_alone_is_followed_to_the_mailbox(tmp_path: Path) -> None:
    there = place(tmp_path / "r", mailer=Mailer("mail", "/usr/bin/mail", "/usr/bin/bsd-mailx"))
    outcome = follow(there, lambda: arrives(there))
    assert outcome.ok
    assert outcome.mail.delivered == "/var/mail/admin"
    assert outcome.mail.queue_id == ""


# ---- it begins only where it can --------------------------------------------------------------


def test_nothing_applied(tmp_path: Path) -> None:
    there = place(tmp_path / "r")
    there.path("/var/lib/certtui/state.json").unlink()
    with pytest.raises(Refused, match=r"nothing was applied yet.*certtui apply"):
        mail.drill(there.scene)


@pytest.mark.parametrize(
    "path", ["/etc/cron.d/certtui-renew", "/usr/local/sbin/certbot-renew-everything"]
)
def test_files_that_are_not_the_plans(tmp_path: Path, path: str) -> None:
    there = place(tmp_path / "r")
    with there.path(path).open("a") as file:
        file.write("# edited\n")
    with pytest.raises(Refused, match=f"{path} is not what the plan says: certtui apply"):
        mail.drill(there.scene)
    there.path(path).unlink()
    with pytest.raises(Refused, match=f"{path} is missing"):
        mail.drill(there.scene)


def test_a_file_that_cron_refuses_for_its_mode(tmp_path: Path) -> None:
    there = place(tmp_path / "r")
    there.path("/etc/cron.d/certtui-renew").chmod(0o664)
    with pytest.raises(Refused, match=r"has mode 0664, not 0644: chmod 0644 /etc/cron\.d/certtui-"):
        mail.drill(there.scene)
    assert there.left() == []


def test_a_file_of_somebody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = place(tmp_path / "r")
    monkeypatch.setattr(there.tree, "uid", there.tree.uid + 7)
    with pytest.raises(Refused, match=r"certtui-renew has owner .*: chown "):
        ready.check(there.scene, ["/etc/cron.d/certtui-renew"])


def test_a_file_with_a_second_name(tmp_path: Path) -> None:
    there = place(tmp_path / "r")
    path = there.path("/etc/cron.d/certtui-renew")
    (tmp_path / "second").hardlink_to(path)
    with pytest.raises(Refused, match="certtui-renew"):
        mail.drill(there.scene)


def test_what_doctor_fails_of_the_scheduler_is_not_proved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = place(tmp_path / "r", schedule_backend="cron")
    kind = Kind("at.missing", Status.FAIL, "a job is queued")
    fix = Fix(("/usr/local/sbin/certbot-at-block",))
    found = (kind.found("queue c", "no job is queued", fix=fix), kind.found("x", "y"))
    monkeypatch.setattr(scheduled, "look", lambda scene: found)
    works(there)
    outcome = run(there)
    # The rest is told all the same.
    assert [step.ok for step in outcome.steps] == [False, True, True, True, True, True]
    assert report.summary(outcome) == (
        'not proved: it broke at "scheduled": queue c: no job is queued (at.missing), and 1 more; '
        "mend: /usr/local/sbin/certbot-at-block"
    )


def test_a_check_of_the_scheduler_that_did_not_end_proves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = place(tmp_path / "r")
    crashed = Kind("cron.file", Status.FAIL, "x").crash("did not end within 11 s", "")
    monkeypatch.setattr(scheduled, "look", lambda scene: (crashed,))
    assert scheduled.step(there.scene) == Step(
        "scheduled", False, "did not end within 11 s (cron.file)", "certtui doctor"
    )


def test_a_hook_that_was_edited_is_no_matter_here(tmp_path: Path) -> None:
    there = place(tmp_path / "r")
    there.write("/etc/letsencrypt/renewal-hooks/post/certtui-reload", "edited")
    works(there)
    assert run(there).ok


def test_the_lock(tmp_path: Path) -> None:
    there = place(tmp_path / "r")
    with locked(there.tree), pytest.raises(Locked, match="another certtui is at work"):
        mail.drill(there.scene)
    assert there.left() == []


def test_a_renewal_at_work(tmp_path: Path) -> None:
    there = place(tmp_path / "r")
    there.write("/proc/77/cmdline", "/bin/sh\0/usr/local/sbin/certbot-renew-everything\0")
    with pytest.raises(Locked, match=r"a renewal is at work .*process 77"):
        mail.drill(there.scene)
    there.write("/proc/77/cmdline", "vi\0/usr/local/sbin/certbot-renew-everything\0")
    works(there)
    assert run(there).ok


def test_a_renewal_in_a_container_of_this_host_is_not_ours(tmp_path: Path) -> None:
    there = place(tmp_path / "r")
    there.write("/proc/77/cmdline", "/bin/sh\0/usr/local/sbin/certbot-renew-everything\0")
    for process, namespace in (("77", "pid:[2]"), ("self", "pid:[1]")):
        link = there.path(f"/proc/{process}/ns/pid")
        link.parent.mkdir(parents=True)
        link.symlink_to(namespace)
    works(there)
    assert run(there).ok


def test_what_an_earlier_drill_has_left_goes_first(tmp_path: Path) -> None:
    there = place(tmp_path / "r")
    trace.write(there.tree, trace.Trace("f" * 16, "cron.d"))
    path = there.write(backends.CRON_FILE, "A=b\nCERTTUI_DRILL=ffffffffffffffff\n")
    works(there)
    assert run(there).ok
    assert not path.exists()
    trace.write(there.tree, trace.Trace("f" * 16, "cron.d"))
    path.symlink_to("/etc/passwd")
    with pytest.raises(Refused, match="an earlier drill could not be cleaned up"):
        mail.drill(there.scene)


def test_a_service_that_systemd_does_not_start(tmp_path: Path) -> None:
    there = timed(tmp_path / "r")
    there.host.answers.append(
        lambda argv, stdin: Completed(argv, 1, "", "masked") if argv[1] == "start" else None
    )
    with pytest.raises(Refused, match=r"systemctl start --no-block certtui-renew\.service: masked"):
        mail.drill(there.scene)
    assert there.left() == []


def test_a_service_at_work(tmp_path: Path) -> None:
    there = timed(tmp_path / "r")
    there.host.answers.append(systemctl(ActiveState="activating"))
    with pytest.raises(Locked, match=r"certtui-renew.service is at work"):
        mail.drill(there.scene)
    assert there.left() == []


def test_a_foreign_file_in_the_place_of_ours_stays(tmp_path: Path) -> None:
    there = place(tmp_path / "r")
    path = there.write(backends.CRON_FILE, "* * * * * root true\n")
    with pytest.raises(Refused, match="remove it"):
        mail.drill(there.scene)
    assert path.read_text() == "* * * * * root true\n"


def test_a_plan_whose_file_has_the_name_of_ours(tmp_path: Path) -> None:
    there = place(tmp_path / "r", files_unit="certtui-drill")
    with pytest.raises(Refused, match=r"files\.unit names /etc/cron.d/certtui-drill"):
        mail.drill(there.scene)
    assert there.path("/etc/cron.d/certtui-drill").exists()


@pytest.mark.parametrize("seconds", [1, 30, 119])
def test_a_timer_about_to_fire(tmp_path: Path, seconds: int) -> None:
    there = timed(tmp_path / "r")
    when = datetime.fromtimestamp(NOW + seconds, timezone.utc)
    timers = (replace(there.scene.facts.timers[0], next_elapse=when),)
    scene = replace(there.scene, facts=replace(there.scene.facts, timers=timers))
    with pytest.raises(Locked, match=rf"certtui-renew.timer fires in {seconds} s"):
        mail.drill(scene)
    assert there.left() == []


@pytest.mark.parametrize(
    ("backend", "daemon", "mend"),
    [
        ("cron", "cron", "cron does not run.*systemctl enable --now cron.service"),
        ("at-block", "atd", "atd does not run.*systemctl enable --now atd.service"),
        ("systemd-timer", "timer", "not active: systemctl enable --now certtui-renew.timer"),
    ],
)
def test_a_daemon_that_does_not_run(tmp_path: Path, backend: str, daemon: str, mend: str) -> None:
    there = place(tmp_path / "r", schedule_backend=backend)
    facts = there.scene.facts
    if daemon == "timer":
        off = replace(facts, timers=(replace(facts.timers[0], active=False),))
    else:
        off = replace(facts, **{daemon: replace(getattr(facts, daemon), running=False)})
    with pytest.raises(Refused, match=mend):
        mail.drill(replace(there.scene, facts=off))


# ---- whatever ends it --------------------------------------------------------------------------


@pytest.mark.parametrize("ends", [KeyboardInterrupt, SystemExit, OSError])
@pytest.mark.parametrize("seconds", [0, 5, 14])
def test_ended_it_leaves_nothing(tmp_path: Path, ends: type[BaseException], seconds: int) -> None:
    there = place(tmp_path / "r")

    def end() -> None:
        raise ends

    there.clock.at(13, lambda: there.records("cron", "mail accepted"))
    there.clock.at(seconds, end)
    with pytest.raises(ends):
        mail.drill(there.scene)
    assert there.left() == []


def test_what_cannot_be_cleaned_up_is_told_and_kept_in_mind(tmp_path: Path) -> None:
    there = place(tmp_path / "r", schedule_backend="at-block")
    job = "CERTTUI_DRILL=%s; export CERTTUI_DRILL\n"

    def at(argv: tuple[str, ...], stdin: str) -> Completed | str | None:
        if "-t" in argv:
            return Completed(argv, 0, "", "job 7 at x\n")
        if argv == ("atq",):
            return "7\tTue Nov 24 12:01:00 2026 c root\n"
        if argv[:2] == ("at", "-c"):
            left = there.trace()
            return job % (left.id if left else "")
        return Completed(argv, 1, "", "atrm: no") if argv[0] == "atrm" else None

    there.host.answers.append(at)
    works(there, "at")
    outcome = mail.drill(there.scene)
    assert not outcome.ok
    assert outcome.broken is not None
    assert (outcome.broken.what, outcome.broken.message) == ("cleaned up", "atrm 7: atrm: no")
    assert there.trace() is not None


def test_a_disk_that_takes_nothing_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = place(tmp_path / "r")

    def full(self: object, path: str, new: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(type(there.tree), "write", full)
    with pytest.raises(Refused, match=r"drill-at-work cannot be written: No space left on device"):
        mail.drill(there.scene)
    assert there.left() == []
