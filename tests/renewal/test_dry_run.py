"""Dry runs by certbots of a few lines, each with one habit, and by one that will not end."""

from __future__ import annotations

import os
import signal
import stat
import sys
import threading
import time
import tracemalloc
from pathlib import Path

import pytest

from certtui.errors import CertbotMissing
from certtui.renewal import process
from certtui.renewal.dry_run import dry_run
from certtui.renewal.events import Done, Line, LineageResult, LineageStarted
from tests.renewal.support import (
    NAMES,
    OTHER,
    alive,
    done,
    facts,
    gone,
    lineage,
    plan,
    program,
    results,
    run,
    texts,
    wait_for,
)

DEMO, SHOP = NAMES

WORKS = f"processing {DEMO}; processing {SHOP}; success {DEMO} {SHOP}"


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Little patience with one that does not end."""
    monkeypatch.setattr(process, "PATIENCE", (0.4, 0.3))


def test_all_is_well(tmp_path: Path) -> None:
    events = run(program(tmp_path, WORKS))
    end = done(events)
    assert end.ok
    assert not end.cancelled and not end.locked
    assert end.reason == end.log == ""
    assert results(end) == {DEMO: "ok", SHOP: "ok"}
    assert [event.name for event in events if isinstance(event, LineageStarted)] == [DEMO, SHOP]
    assert [event.name for event in events if isinstance(event, LineageResult)] == [DEMO, SHOP]
    assert f"Processing /etc/letsencrypt/renewal/{DEMO}.conf" in texts(events)
    seconds = [event.seconds for event in events]
    assert seconds == sorted(seconds)


def test_what_certbot_is_started_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/evil")
    monkeypatch.setenv("COLUMNS", "20")
    before = os.umask(0)
    try:
        body = 'say "$@" --; env | sort; pwd; umask; stty size; tty; ps -o pid=,pgid=,sid= -p $$'
        said = texts(run(program(tmp_path, body), certbot_env={"NO_PROXY": "a; b"}))
    finally:
        os.umask(before)
    split = said.index("--")
    assert said[:split] == ["renew", "--dry-run", "-n", "--no-random-sleep-on-renew"]
    names = {line.split("=")[0] for line in said[split + 1 : -5]}
    assert names <= {"PATH", "LC_ALL", "HOME", "NO_PROXY", "PWD", "OLDPWD", "SHLVL", "_"}
    assert "NO_PROXY=a; b" in said
    folder, mask, size, terminal, ids = said[-5:]
    assert (folder, mask, size) == ("/", "0022", "50 4096")
    assert terminal.startswith("/dev/pts/")
    assert len(set(ids.split())) == 1  # a session and a group of its own


def test_lines_come_while_certbot_runs(tmp_path: Path) -> None:
    body = """
import time
for number in range(4):
    print(time.monotonic(), flush=True)
    time.sleep(0.3)
print("no end of line:", time.monotonic(), end="", flush=True)
"""
    delays = []
    found = facts(DEMO, certbot=program(tmp_path, body, sys.executable))
    for event in dry_run(plan(), found, cancel=threading.Event()):
        if isinstance(event, Line):
            delays.append(time.monotonic() - float(event.text.split()[-1]))
    assert len(delays) == 5
    assert sorted(delays)[2] < 0.2, delays  # the median: a busy machine delays one or the other


def test_another_authority_has_a_run_of_its_own(tmp_path: Path) -> None:
    body = (
        'for word; do [ "$last" = --cert-name ] && name=$word; last=$word; done\n'
        'say "server of $name: $last"; processing "$name"; success "$name"'
    )
    log = tmp_path / "log"
    found = (DEMO, lineage(SHOP, OTHER))
    events = run(program(tmp_path, body), *found, log_path=str(log))
    assert done(events).ok
    assert f"server of {DEMO}: {DEMO}" in texts(events)
    assert f"server of {SHOP}: {OTHER}" in texts(events)
    assert log.read_text().count("$ ") == 2  # each command heads its output


def test_only_one(tmp_path: Path) -> None:
    events = run(program(tmp_path, f"processing {SHOP}; success {SHOP}"), only=SHOP)
    assert results(done(events)) == {SHOP: "ok"}


def test_a_plan_that_leaves_one_out_does_not_prove_it(tmp_path: Path) -> None:
    certbot = program(tmp_path, f"processing {SHOP}; success {SHOP}")
    end = done(run(certbot, certbot_extra_args=("--cert-name", SHOP)))
    assert not end.ok
    assert results(end) == {SHOP: "ok", DEMO: "skipped"}
    assert end.lineages[1].reason.startswith("the plan does not renew it: certbot.extra_args")


def test_one_fails(tmp_path: Path) -> None:
    body = (
        f"processing {DEMO}; say 'Failed to renew certificate {DEMO} with error: boom';"
        f"success {SHOP}; say 'All simulated renewals failed. The following' "
        f"'  /etc/letsencrypt/live/{DEMO}/fullchain.pem (failure)'; exit 1"
    )
    end = done(run(program(tmp_path, body)))
    assert not end.ok
    assert end.lineages[0].result == "failed"
    assert end.lineages[0].reason == "boom"
    assert end.reason == "1 of 2 certificates not proved"


def test_success_with_a_bad_exit_status_is_none(tmp_path: Path) -> None:
    end = done(run(program(tmp_path, f"{WORKS}; exit 3")))
    assert not end.ok
    assert end.reason.startswith("certbot reports success but ended with exit status 3;")


def test_one_that_certbot_does_not_mention_has_failed(tmp_path: Path) -> None:
    end = done(run(program(tmp_path, f"processing {DEMO}; success {DEMO}")))
    assert results(end) == {DEMO: "ok", SHOP: "failed"}
    assert "did not say" in end.lineages[1].reason
    assert not end.ok


def test_the_lock_is_held_elsewhere(tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    body = f"echo x >>{marks}; echo 'Another instance of Certbot is already running.'; exit 1"
    end = done(run(program(tmp_path, body), DEMO, lineage(SHOP, OTHER)))
    assert end.locked and not end.ok
    assert end.reason.startswith("another certbot is at work and holds the lock; wait until")
    assert results(end) == {DEMO: "skipped", SHOP: "skipped"}
    assert marks.read_text() == "x\n"  # the second was not even tried


def test_no_certificate_is_no_failure_but_a_warning() -> None:
    (end,) = dry_run(plan(), facts(), cancel=threading.Event())
    assert isinstance(end, Done)
    assert end.ok
    assert end.lineages == ()
    assert end.reason == (
        "there is no certificate yet, so nothing was proved; get a first one with "
        "`certbot --nginx -d YOUR.DOMAIN`, then: certtui dry-run"
    )


def test_certificates_that_may_not_be_seen_are_no_success() -> None:
    said = "/etc/letsencrypt/renewal may not be read by this user: run as root"
    (end,) = dry_run(plan(), facts(unreadable=("x", said)), cancel=threading.Event())
    assert isinstance(end, Done)
    assert not end.ok
    assert end.reason == said


def test_certbot_is_missing_before_anything_is_told() -> None:
    with pytest.raises(CertbotMissing):
        dry_run(plan(), facts(DEMO, certbot=""), cancel=threading.Event())


@pytest.mark.parametrize("mode", [0o644, None])
def test_certbot_that_cannot_be_started(tmp_path: Path, mode: int | None) -> None:
    certbot = program(tmp_path, WORKS)
    if mode is None:
        certbot.unlink()
    else:
        certbot.chmod(mode)
    end = done(run(certbot))
    assert results(end) == {DEMO: "failed", SHOP: "failed"}
    why = "No such file or directory" if mode is None else "Permission denied"
    assert end.lineages[0].reason == f"{certbot} cannot be started: {why}"


def test_certbot_killed_from_outside(tmp_path: Path) -> None:
    end = done(run(program(tmp_path, f"processing {DEMO}; kill -9 $$")))
    assert "was ended by signal 9" in end.lineages[0].reason


# -- output that is a nuisance ---------------------------------------------------------------------


def test_a_flood_is_read_in_seconds_and_little_memory(tmp_path: Path) -> None:
    body = f"processing {DEMO}; seq 1 100000 | sed 's/$/ line of a flood, some 60 bytes long/'; "
    log = tmp_path / "log"
    certbot = program(tmp_path, body + f"processing {SHOP}; success {DEMO} {SHOP}")
    found = facts(*NAMES, certbot=certbot)
    count, end = 0, None
    tracemalloc.start()
    start = time.monotonic()
    for event in dry_run(plan(), found, cancel=threading.Event(), log_path=str(log)):
        count += isinstance(event, Line)
        end = event
    seconds = time.monotonic() - start
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(end, Done) and end.ok
    assert count > 100_000
    assert log.read_text().count("line of a flood") == 100_000
    assert seconds < 60, f"{seconds:.1f} s"
    assert peak < 4_000_000, f"{peak} bytes"


def test_one_line_without_an_end(tmp_path: Path) -> None:
    body = f"head -c 5000000 /dev/zero | tr '\\0' x; echo; {WORKS}"
    events = run(program(tmp_path, body))
    assert done(events).ok
    assert sum(text.count("x") for text in texts(events) if text.startswith("xxx")) == 5_000_000
    assert max(len(text) for text in texts(events)) <= 16_384


def test_a_long_line_cannot_hide_a_result(tmp_path: Path) -> None:
    """What does not begin a line is no heading and no row."""
    forged = (
        f"Congratulations, all renewals succeeded:\\n  /etc/letsencrypt/live/{DEMO}/x (success)"
    )
    body = f"head -c 16384 /dev/zero | tr '\\0' x; printf '{forged}\\n'"
    assert results(done(run(program(tmp_path, body), DEMO))) == {DEMO: "failed"}


def test_control_sequences_and_invalid_utf8(tmp_path: Path) -> None:
    log = tmp_path / "log"
    body = rf"printf '\033[31mred\033[0m\033]0;title\007 \377 \033[2J\n\000\001x\n'; {WORKS}"
    events = run(program(tmp_path, body), log_path=str(log))
    assert done(events).ok
    assert texts(events)[:2] == ["red \N{REPLACEMENT CHARACTER}", "x"]
    assert b"\x1b" not in log.read_bytes()


# -- one that does not end -------------------------------------------------------------------------

#: Writes its process id, then each signal that comes, and ends by those in ENDS.
STUBBORN = """
import os, signal, sys, time
with open({marks!r}, "a") as marks:
    print("pid", os.getpid(), file=marks)
def note(number, frame):
    with open({marks!r}, "a") as marks:
        print(signal.Signals(number).name, file=marks)
    if signal.Signals(number).name in {ends!r}:
        os.write(1, b"cleaning up\\n")  # print may not be entered again by a handler
        sys.exit(1)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, note)
os.write(1, b"Processing /etc/letsencrypt/renewal/demo.example.test.conf\\n")
while True:
    time.sleep(1)
"""


def _stubborn(folder: Path, *ends: str) -> tuple[Path, Path]:
    marks = folder / "marks"
    body = STUBBORN.format(marks=str(marks), ends=ends)
    return program(folder, body, sys.executable), marks


def _signals(marks: Path) -> tuple[int, list[str]]:
    first, *rest = marks.read_text().split("\n")[:-1]
    return int(first.removeprefix("pid ")), rest


@pytest.mark.parametrize(
    ("ends", "sent"),
    [
        (("SIGINT",), ["SIGINT"]),
        (("SIGTERM",), ["SIGINT", "SIGTERM"]),
        ((), ["SIGINT", "SIGTERM"]),  # then killed
    ],
)
def test_time_out(hasty: None, tmp_path: Path, ends: tuple[str, ...], sent: list[str]) -> None:
    certbot, marks = _stubborn(tmp_path, *ends)
    start = time.monotonic()
    events = run(certbot, DEMO, certbot_timeout=1)
    end = done(events)
    assert 1 <= time.monotonic() - start < 10
    pid, signals = _signals(marks)
    assert signals == sent
    assert not alive(pid)
    assert not end.ok and not end.cancelled
    assert end.lineages[0].reason.startswith(
        "certbot had not ended after 1 s (certbot.timeout) and was stopped; its last words: "
    )
    assert ("cleaning up" in texts(events)) == bool(ends)  # its last words are still told


def test_after_one_that_hangs_the_others_are_tried(hasty: None, tmp_path: Path) -> None:
    body = f'case "$*" in *{DEMO}*) exec sleep 600;; esac; processing {SHOP}; success {SHOP}'
    end = done(run(program(tmp_path, body), DEMO, lineage(SHOP, OTHER), certbot_timeout=1))
    assert results(end) == {DEMO: "failed", SHOP: "ok"}


def test_a_question_is_no_hang(hasty: None, tmp_path: Path) -> None:
    end = done(run(program(tmp_path, "printf 'Continue? '; read answer"), DEMO, certbot_timeout=1))
    assert end.lineages[0].reason.endswith("its last words: Continue?")


@pytest.mark.parametrize("ends", [("SIGINT",), ()])
def test_cancel(hasty: None, tmp_path: Path, ends: tuple[str, ...]) -> None:
    certbot, marks = _stubborn(tmp_path, *ends)
    cancel = threading.Event()
    found = facts(DEMO, lineage(SHOP, OTHER), certbot=certbot)
    events = []
    for event in dry_run(plan(), found, cancel=cancel):
        events.append(event)
        if isinstance(event, LineageStarted):
            cancel.set()
    end = done(events)
    assert end.cancelled and not end.ok
    assert end.reason.startswith("cancelled; ")
    assert results(end) == {DEMO: "skipped", SHOP: "skipped"}
    pid, signals = _signals(marks)
    assert signals == (["SIGINT"] if ends else ["SIGINT", "SIGTERM"])
    assert not alive(pid)


def test_cancelled_before_it_began(tmp_path: Path) -> None:
    cancel = threading.Event()
    cancel.set()
    events = run(program(tmp_path, f"touch {tmp_path}/started"), cancel=cancel)
    assert done(events).cancelled
    assert not (tmp_path / "started").exists()


def test_cancel_from_another_thread(hasty: None, tmp_path: Path) -> None:
    certbot, marks = _stubborn(tmp_path, "SIGINT")
    cancel = threading.Event()
    seen: list[bool] = []

    def work() -> None:
        seen.append(done(run(certbot, DEMO, cancel=cancel)).cancelled)

    thread = threading.Thread(target=work)
    thread.start()
    wait_for(marks)
    time.sleep(0.2)
    cancel.set()
    thread.join(20)
    assert seen == [True]


def test_a_closed_stream_ends_certbot(hasty: None, tmp_path: Path) -> None:
    certbot, marks = _stubborn(tmp_path, "SIGINT")
    stream = dry_run(plan(), facts(DEMO, certbot=certbot), cancel=threading.Event())
    next(stream)
    stream.close()
    pid, signals = _signals(marks)
    assert signals == ["SIGINT"]
    assert not alive(pid)


def test_an_interruption_while_certbot_is_waited_for_ends_it_at_once(tmp_path: Path) -> None:
    certbot, marks = _stubborn(tmp_path)
    stream = dry_run(plan(), facts(DEMO, certbot=certbot), cancel=threading.Event())
    next(stream)
    pid, _ = _signals(marks)

    def twice() -> None:
        while "SIGINT" not in marks.read_text():
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=twice)
    thread.start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        stream.close()
    thread.join()
    assert time.monotonic() - start < process.PATIENCE[0]
    assert not alive(pid)


def test_hooks_of_a_cancelled_run_end_too(hasty: None, tmp_path: Path) -> None:
    """A hook that ignores the interruption, and one that left certbot's own shell."""
    pids = tmp_path / "pids"
    body = (
        f"(trap '' INT TERM HUP; echo $$ >/dev/null; exec sleep 600) & echo $! >>{pids}; "
        f"processing {DEMO}; wait"
    )
    cancel = threading.Event()
    found = facts(DEMO, certbot=program(tmp_path, body))
    for event in dry_run(plan(), found, cancel=cancel):
        if isinstance(event, LineageStarted):
            cancel.set()
    assert gone(int(wait_for(pids)))


def test_a_daemon_that_a_hook_started_stays_and_holds_nobody_up(tmp_path: Path) -> None:
    """Such as a web server without systemd: it keeps the terminal open."""
    pids = tmp_path / "pids"
    body = f"sleep 60 & echo $! >{pids}; {WORKS}; echo last words"
    start = time.monotonic()
    events = run(program(tmp_path, body))
    pid = int(wait_for(pids))
    try:
        assert time.monotonic() - start < 10
        assert done(events).ok
        assert texts(events)[-1] == "last words"
        assert alive(pid)
    finally:
        os.kill(pid, signal.SIGKILL)


def test_a_daemon_that_goes_on_talking_holds_nobody_up(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    # It begins when certbot has said all: a word in the midst of a line of certbot's spoils that.
    body = f"{WORKS}; (while :; do echo noise; sleep 0.01; done) & echo $! >{pids}"
    start = time.monotonic()
    events = run(program(tmp_path, body))
    os.kill(int(wait_for(pids)), signal.SIGKILL)
    assert time.monotonic() - start < 15
    assert done(events).ok


def test_certbot_that_closes_its_outputs_is_still_waited_for(tmp_path: Path) -> None:
    body = f"{WORKS}; exec <&- >&- 2>&-; sleep 0.5; touch {tmp_path}/ended; exit 0"
    assert done(run(program(tmp_path, body))).ok
    assert (tmp_path / "ended").exists()


def test_nothing_stays_open(tmp_path: Path) -> None:
    certbot = program(tmp_path, WORKS)
    run(certbot, log_path=str(tmp_path / "log"))
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        run(certbot, log_path=str(tmp_path / "log"))
    certbot.unlink()
    run(certbot)
    assert len(os.listdir("/proc/self/fd")) == before


# -- the log ---------------------------------------------------------------------------------------


def test_the_whole_output_is_kept(tmp_path: Path) -> None:
    log = tmp_path / "log"
    events = run(program(tmp_path, WORKS), log_path=str(log))
    assert done(events).log == str(log)
    first, *rest = log.read_text().split("\n")
    assert first == f"$ {tmp_path}/certbot renew --dry-run -n --no-random-sleep-on-renew"
    assert rest[:-1] == texts(events)
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_a_log_that_cannot_be_kept_is_said(tmp_path: Path) -> None:
    log = tmp_path / "no" / "log"
    events = run(program(tmp_path, WORKS), log_path=str(log))
    assert done(events).ok
    assert done(events).log == ""
    assert texts(events)[-1] == (
        f"certtui: the full output is not kept in {log}: No such file or directory"
    )
