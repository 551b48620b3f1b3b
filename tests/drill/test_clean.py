"""After a drill, however it ended: what is taken away, what is left alone, what systemd is told."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from certtui import traces
from certtui.change import crontab
from certtui.change.lock import locked
from certtui.drill import backends, clean, ready, trace, unit
from certtui.drill.trace import Trace
from certtui.errors import ApplyFailed, Locked
from certtui.host.interface import Completed, RealHost, apart
from tests.drill.support import ID, NOW, Place, place, systemctl


@pytest.fixture
def there(tmp_path: Path) -> Place:
    return place(tmp_path / "r")


DRILL_FILE = f"PATH=/bin\nCERTTUI_DRILL={ID}\n1 2 3 4 * root /x\n"


def killed(there: Place, how: str, **more: str) -> Trace:
    """Everything that a drill puts there, and nobody to take it away."""
    left = Trace(ID, how, **more)  # type: ignore[arg-type]
    trace.write(there.tree, left)
    trace.mark(there.tree, left, NOW)
    return left


def test_nothing_to_recover(there: Place) -> None:
    assert clean.recover(there.host, there.tree) == ""
    assert there.host.ran == []


@pytest.mark.parametrize("how", ["cron.d", ""])
def test_a_killed_drill_of_cron(there: Place, how: str) -> None:
    killed(there, how)
    there.write(backends.CRON_FILE, DRILL_FILE)
    there.write("/etc/cron.d/.certtui-drill.certtui-new~", "half")
    there.write("/var/lib/certtui/.drill.certtui-new~", "half")
    assert traces.drilled(str(there.folder))
    said = "cleaned up after a fire drill that was ended on its way"
    assert clean.recover(there.host, there.tree) == said
    assert there.left() == []
    assert not traces.drilled(str(there.folder))
    assert clean.recover(there.host, there.tree) == ""


def test_a_drill_at_work_is_left_alone(there: Place) -> None:
    killed(there, "cron.d")
    there.write(backends.CRON_FILE, DRILL_FILE)
    with locked(there.tree):
        assert clean.recover(there.host, there.tree) == ""
    assert there.path(backends.CRON_FILE).exists()
    assert there.path(trace.MARKER).exists()


def test_a_file_that_no_drill_wrote_stays(there: Place) -> None:
    killed(there, "cron.d")
    there.write(backends.CRON_FILE, "* * * * * root true\n")
    assert clean.recover(there.host, there.tree).startswith("cleaned up")
    assert there.left() == [backends.CRON_FILE]


def test_a_damaged_trace(there: Place) -> None:
    there.write(trace.TRACE, '{"id": 1')
    there.write(trace.MARKER, "x")
    there.write(backends.CRON_FILE, DRILL_FILE)
    said = clean.recover(there.host, there.tree)
    assert said.startswith("cleaned up")
    assert f"{trace.TRACE} was damaged" in said
    assert there.left() == []


def test_a_trace_is_read_as_it_was_written(there: Place) -> None:
    left = Trace(ID, "deploy", "u", True, "f", ("/a", "/b\udcff"), 77, (("/a", "x"),), "9", "i")
    trace.write(there.tree, left)
    assert trace.read(there.tree) == left


@pytest.mark.parametrize("drill", [ID, ""])
def test_jobs_of_a_drill_and_of_nobody_else(there: Place, drill: str) -> None:
    texts = {
        "3": "CERTTUI_SLOT=7; export CERTTUI_SLOT\nexec /usr/local/sbin/certbot-at-block",
        "4": f"PATH=/bin; export PATH\nCERTTUI_DRILL={ID}; export CERTTUI_DRILL\nexec x",
        "5": f"echo CERTTUI_DRILL={ID}; true",
        "6": f"CERTTUI_DRILL={ID}; export CERTTUI_DRILL",
    }

    def at(argv: tuple[str, ...], stdin: str) -> str | None:
        if argv == ("atq",):
            rows = [(number, "=" if number == "6" else "c") for number in texts]
            return "".join(f"{n}\tTue Nov 24 12:01:00 2026 {q} root\n" for n, q in rows)
        return texts[argv[2]] if argv[:2] == ("at", "-c") else None

    there.host.answers.append(at)
    trace.write(there.tree, Trace(drill, "at"))
    assert clean.recover(there.host, there.tree).startswith("cleaned up")
    assert there.host.calls("atrm") == [("atrm", "4")]


def test_what_could_not_be_cleaned_is_tried_again(there: Place) -> None:
    killed(there, "cron.d")
    link = there.path(backends.CRON_FILE)
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to("/etc/passwd")
    said = clean.recover(there.host, there.tree)
    assert said.startswith("a fire drill was ended on its way, and is not all cleaned up: ")
    assert "symbolic link" in said
    assert not there.path(trace.MARKER).exists()
    assert there.trace() is not None
    link.unlink()
    assert clean.recover(there.host, there.tree).startswith("cleaned up")


# ---- root's crontab ----------------------------------------------------------------------------


class Crontab:
    """Root's crontab in memory."""

    def __init__(self, whole: bytes) -> None:
        self.whole = whole

    def write(self, whole: bytes) -> None:
        self.whole = whole


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Crontab:
    made = Crontab(b"")
    monkeypatch.setattr(crontab, "read", lambda: made.whole)
    monkeypatch.setattr(crontab, "write", made.write)
    monkeypatch.setattr(crontab, "is_installed", lambda: True)
    return made


OURS = crontab.BEGIN + b"1 2 * * * /usr/bin/env CERTTUI_TRIGGER=cron /x\n" + crontab.END


@pytest.mark.parametrize("before", [b"", b"# a\xff\n", b"A=b\n1 2 3 4 * x"[:-2] + b"\n"])
@pytest.mark.parametrize("after", [b"", b"* * * * * true\n", b"* * * * * no newline"])
def test_every_other_byte_of_the_crontab_stays(
    there: Place, table: Crontab, before: bytes, after: bytes
) -> None:
    whole = table.whole = before + OURS + after
    minutes = backends._arm_crontab(there.scene, ID)
    assert minutes == (NOW + 12, NOW + 72)
    assert table.whole.startswith(before + backends.BEGIN)
    assert table.whole.endswith(backends.END + OURS + after)
    assert (
        f"\n1 12 24 11 * /usr/bin/env CERTTUI_TRIGGER=cron CERTTUI_DRILL={ID} "
        "/usr/local/sbin/certbot-renew-everything\n"
    ).encode() in table.whole
    assert crontab.split(table.whole)[1] == OURS[len(crontab.BEGIN) : -len(crontab.END)]
    assert backends.clean_crontab() == []
    assert table.whole == whole
    assert backends.clean_crontab() == []


def test_a_block_without_its_end_is_left_to_a_person(table: Crontab) -> None:
    table.whole = backends.BEGIN + b"x\n" + OURS
    assert "crontab -e" in backends.clean_crontab()[0]
    assert table.whole == backends.BEGIN + b"x\n" + OURS


def test_a_crontab_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch, table: Crontab) -> None:
    def fails() -> bytes:
        raise ApplyFailed("crontab -l failed")

    monkeypatch.setattr(crontab, "read", fails)
    assert backends.clean_crontab() == ["crontab -l failed"]


# ---- the service of a timer --------------------------------------------------------------------

SERVICE = "certtui-renew.service"
SCRIPT = "/usr/local/sbin/certbot-renew-everything"
THEN = "Tue 2026-11-24 06:00:00 UTC"
SOON = "Tue 2026-11-24 12:00:50 UTC"
LATER = "Tue 2026-11-24 12:00:55 UTC"


def of_unit(failed: bool = False, job: str = "", invocation: str = "d") -> Trace:
    return Trace(ID, "unit", SERVICE, failed, THEN, job=job, invocation=invocation)


OURS_AT_WORK = {"ActiveState": "activating", "Job": "9", "InvocationID": "d", "fired": THEN}


@pytest.mark.parametrize(
    ("known", "before", "recorded", "told"),
    [
        # all is well
        ({"InvocationID": "d", "fired": THEN}, of_unit(), True, []),
        # the drill's own failure is not left behind; one of before it is
        (
            {"ActiveState": "failed", "InvocationID": "d", "fired": THEN},
            of_unit(),
            True,
            ["reset-failed"],
        ),
        ({"ActiveState": "failed", "InvocationID": "d", "fired": THEN}, of_unit(True), True, []),
        # a start that waits is taken back where it is known to be the drill's
        ({"Job": "99", "fired": THEN}, of_unit(job="99", invocation=""), False, ["stop"]),
        ({"Job": "98", "fired": THEN}, of_unit(job="99", invocation=""), False, []),
        ({"Job": "99", "fired": SOON}, of_unit(job="99", invocation=""), False, []),
        ({"Job": "99", "fired": THEN}, of_unit(invocation=""), False, []),
        # a run since, by whoever started it, goes on, and its failure stays
        ({**OURS_AT_WORK, "InvocationID": "r"}, of_unit(), False, []),
        ({**OURS_AT_WORK, "InvocationID": "r"}, of_unit(invocation=""), False, []),
        ({**OURS_AT_WORK, "InvocationID": ""}, of_unit(invocation=""), False, []),
        ({"ActiveState": "failed", "InvocationID": "r", "fired": THEN}, of_unit(), False, []),
        (
            {
                "ActiveState": "failed",
                "InvocationID": "r",
                "fired": SOON,
                "ExecMainStartTimestamp": LATER,
            },
            of_unit(),
            True,
            [],
        ),
        # the timer fired meanwhile: what systemd merged with the drill's is made up for
        (
            {"InvocationID": "d", "fired": LATER, "ExecMainStartTimestamp": SOON},
            of_unit(),
            True,
            ["start"],
        ),
    ],
)
def test_how_the_service_is_left(
    there: Place, known: dict[str, str], before: Trace, recorded: bool, told: list[str]
) -> None:
    there.host.answers.append(systemctl(**known))
    assert unit.leave(there.host, before, recorded, there.clock) == []
    assert [argv[1] for argv in there.host.ran if argv[1] != "show"] == told
    assert all(argv[-1] == SERVICE for argv in there.host.ran if argv[1] != "show")


def test_a_drill_at_work_is_ended(there: Place) -> None:
    there.host.answers.append(systemctl(**OURS_AT_WORK))
    failed = systemctl(ActiveState="failed", InvocationID="d", fired=THEN)
    there.clock.at(2, lambda: there.host.answers.append(failed))
    assert unit.leave(there.host, of_unit(), False, there.clock) == []
    told = [argv[1:-1] for argv in there.host.ran if argv[1] != "show"]
    assert told == [("stop", "--no-block"), ("reset-failed",)]


def process(there: Place, pid: int, parent: int, *environment: str, words: str = "") -> None:
    there.write(f"/proc/{pid}/stat", f"{pid} (a) b) S {parent}{' 0' * 17} {pid}7 0 0")
    there.write(f"/proc/{pid}/environ", "".join(f"{word}\0" for word in environment))
    there.write(f"/proc/{pid}/cmdline", words.replace(" ", "\0") + "\0")


@pytest.fixture
def sent(there: Place, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Signals, each to whom; KILL ends a process."""
    noted: list[tuple[int, int]] = []

    def kill(pid: int, number: int) -> None:
        noted.append((pid, number))
        if number == signal.SIGKILL:
            shutil.rmtree(there.path(f"/proc/{pid}"))

    monkeypatch.setattr(os, "kill", kill)
    return noted


def test_a_drill_whose_mailer_is_deaf_is_killed_and_nothing_else(
    there: Place, sent: list[tuple[int, int]]
) -> None:
    there.host.answers.append(systemctl(**OURS_AT_WORK, MainPID="700"))
    for pid, parent in ((700, 1), (701, 700), (702, 701), (800, 1)):
        process(there, pid, parent)
    failed = systemctl(ActiveState="failed", InvocationID="d", fired=THEN)
    there.clock.at(11, lambda: there.host.answers.append(failed))
    assert unit.leave(there.host, of_unit(), False, there.clock) == []
    assert sorted(sent) == [(pid, signal.SIGKILL) for pid in (700, 701, 702)]
    assert there.host.calls("systemctl", "reset-failed")


def test_a_drill_that_cannot_be_ended_is_told(there: Place, sent: list[tuple[int, int]]) -> None:
    there.host.answers.append(systemctl(**OURS_AT_WORK))
    problems = unit.leave(there.host, of_unit(), False, there.clock)
    assert problems == [
        f"{SERVICE} is still at work for the drill: systemctl stop {SERVICE}",
    ]
    assert sent == []


def test_a_service_that_cannot_be_told(there: Place) -> None:
    there.host.answers.append(lambda argv, stdin: Completed(argv, 1, "", "no bus"))
    there.host.answers.append(systemctl(ActiveState="failed", InvocationID="d", fired=THEN))
    problems = unit.leave(there.host, of_unit(), True, there.clock)
    assert problems == [f"systemctl reset-failed {SERVICE}: no bus"]


def test_an_answer_that_was_cut_is_not_nothing_to_do(there: Place) -> None:
    """As by a second Ctrl+C."""
    there.host.answers.append(lambda argv, stdin: Completed(argv, -2, "", ""))
    trace.write(there.tree, of_unit())
    assert "did not say how it stands" in clean.recover(there.host, there.tree)
    assert there.trace() is not None
    trace.write(there.tree, Trace(ID, "at"))
    assert "atq: ended by signal 2" in clean.recover(there.host, there.tree)
    assert there.trace() is not None


def test_what_cleans_up_is_no_part_of_the_terminals_group() -> None:
    session = ["python3", "-c", "import os; print(os.getsid(0) == os.getpid())"]
    with apart():
        assert RealHost().run(session).out == "True\n"
    assert RealHost().run(session).out == "False\n"


# ---- the script that cron or at started --------------------------------------------------------


@pytest.mark.parametrize("how", ["cron.d", "crontab", "at"])
@pytest.mark.parametrize("deaf", [False, True])
def test_the_drills_own_script_is_ended(
    there: Place, sent: list[tuple[int, int]], how: str, deaf: bool, table: Crontab
) -> None:
    process(there, 700, 699, "PATH=/bin", f"CERTTUI_DRILL={ID}", words=f"/bin/sh {SCRIPT}")
    process(there, 699, 1, f"CERTTUI_DRILL={ID}", words=f"/bin/sh -c {SCRIPT}")
    process(there, 702, 700, f"CERTTUI_DRILL={ID}", words=f"/bin/sh {SCRIPT}")  # a subshell
    process(there, 701, 702, "HOME=/root")
    process(there, 800, 1, "PATH=/bin", words=f"/bin/sh {SCRIPT}")
    process(there, 801, 1, "CERTTUI_DRILL=fedcba9876543210", words=f"/bin/sh {SCRIPT}")
    killed(there, how)
    # The script ends at once, what it has started is then nobody's child.
    for pid in (700, 702) if deaf else (700, 701, 702):
        there.clock.at(2, lambda pid=pid: shutil.rmtree(there.path(f"/proc/{pid}")))  # type: ignore[misc]
    left = trace.read(there.tree)
    assert left is not None
    assert clean.clean(there.host, there.tree, left, clock=there.clock) == []
    assert sent[0] == (700, signal.SIGTERM)
    assert sorted(sent[1:]) == ([(701, signal.SIGKILL)] if deaf else [])


def test_a_script_that_has_ended_by_the_log_is_let_be(
    there: Place, sent: list[tuple[int, int]]
) -> None:
    process(there, 700, 1, f"CERTTUI_DRILL={ID}", words=f"/bin/sh {SCRIPT}")
    left = killed(there, "cron.d")
    there.records("cron", "mail accepted")
    assert clean.clean(there.host, there.tree, left, clock=there.clock) == []
    assert sent == []


@pytest.mark.parametrize(
    ("environment", "words"),
    [((f"CERTTUI_DRILL={ID}",), "the script of a fire drill"), (("A=b",), "a renewal")],
)
def test_a_drills_script_is_no_renewal(
    there: Place, environment: tuple[str, ...], words: str
) -> None:
    process(there, 700, 1, *environment, words=f"/bin/sh {SCRIPT}")
    with pytest.raises(Locked, match=rf"^{words} is at work \({SCRIPT}, process 700\)"):
        ready.check(there.scene, [])
