"""After a drill, however it ended: what is taken away, what is left alone, what systemd is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from certtui import traces
from certtui.change import crontab
from certtui.change.lock import locked
from certtui.drill import backends, clean, trace, unit
from certtui.drill.trace import Trace
from certtui.errors import ApplyFailed
from certtui.host.interface import Completed
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
    assert clean.recover(there.host, there.tree).startswith("cleaned up")
    assert there.left() == []


def test_a_trace_is_read_as_it_was_written(there: Place) -> None:
    left = Trace(ID, "deploy", "u", True, "f", ("/a", "/b\udcff"), 77, (("/a", "x"),))
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
THEN = "Tue 2026-11-24 06:00:00 UTC"
SOON = "Tue 2026-11-24 12:00:50 UTC"
LATER = "Tue 2026-11-24 12:00:55 UTC"


@pytest.mark.parametrize(
    ("known", "before", "recorded", "told"),
    [
        # all is well
        ({"fired": THEN}, Trace(ID, "unit", SERVICE, False, THEN), True, []),
        # the drill's own failure is not left behind; one of before it is
        (
            {"ActiveState": "failed", "fired": THEN},
            Trace(ID, "unit", SERVICE, False, THEN),
            True,
            ["reset-failed"],
        ),
        (
            {"ActiveState": "failed", "fired": THEN},
            Trace(ID, "unit", SERVICE, True, THEN),
            True,
            [],
        ),
        # a drill at work is ended, a start that waits is taken back
        (
            {"ActiveState": "activating", "fired": THEN},
            Trace(ID, "unit", SERVICE, False, THEN),
            False,
            ["stop"],
        ),
        ({"Job": "99", "fired": THEN}, Trace(ID, "unit", SERVICE, False, THEN), False, ["stop"]),
        # the timer fired meanwhile: a run that began after that goes on, or its failure stays
        (
            {"ActiveState": "activating", "fired": SOON, "ExecMainStartTimestamp": LATER},
            Trace(ID, "unit", SERVICE, False, THEN),
            False,
            [],
        ),
        (
            {"ActiveState": "failed", "fired": SOON, "ExecMainStartTimestamp": LATER},
            Trace(ID, "unit", SERVICE, False, THEN),
            True,
            [],
        ),
        # ... and one that systemd merged with the drill's is made up for
        (
            {"fired": LATER, "ExecMainStartTimestamp": SOON},
            Trace(ID, "unit", SERVICE, False, THEN),
            True,
            ["start"],
        ),
    ],
)
def test_how_the_service_is_left(
    there: Place, known: dict[str, str], before: Trace, recorded: bool, told: list[str]
) -> None:
    there.host.answers.append(systemctl(**known))
    assert unit.leave(there.host, before, recorded) == []
    assert [argv[1] for argv in there.host.ran if argv[1] != "show"] == told
    assert all(argv[-1] == SERVICE for argv in there.host.ran if argv[1] != "show")


def test_a_service_that_cannot_be_told(there: Place) -> None:
    there.host.answers.append(lambda argv, stdin: Completed(argv, 1, "", "no bus"))
    there.host.answers.append(systemctl(ActiveState="failed", fired=THEN))
    problems = unit.leave(there.host, Trace(ID, "unit", SERVICE, False, THEN), True)
    assert problems == [f"systemctl reset-failed {SERVICE}: no bus"]
