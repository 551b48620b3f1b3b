"""Review, the live dry run and Done: what is decided, what is said when it fails, what stays."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Static

from certtui.change.model import Action, FileChange, Preview, Snapshot
from certtui.errors import CertbotMissing, Locked
from certtui.renewal.events import Done, Event, Line, LineageResult, LineageStarted
from certtui.renewal.reasons import understand
from certtui.tui import preview as say
from certtui.tui.app import WizardApp
from certtui.tui.decisions import Decisions
from certtui.tui.lines import Lines, diff_style
from certtui.tui.progress import Progress
from certtui.tui.screens.done import Done as DonePage
from certtui.tui.screens.dry_run import DryRun
from certtui.tui.screens.review import Review
from certtui.tui.screens.text import WholeDiff
from certtui.workflow import Job
from tests.tui.driver import Driver, wizard
from tests.tui.support import NAMES, facts, session

SIZES = [(60, 16), (80, 24), (120, 36), (200, 50)]

EXAMPLE, SHOP = NAMES

SCRIPT = "usr/local/sbin/certbot-renew-everything"

REFUSED = (
    "Domain: shop.example.org Type: connection Detail: 192.0.2.1: Fetching "
    "http://shop.example.org/.well-known/acme-challenge/x: Connection refused"
)


def by_hand(root: Path, content: str = "#!/bin/sh\n# mine\n") -> Path:
    """A renew script that certtui did not write."""
    target = root / SCRIPT
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(content)
    target.chmod(0o700)
    return target


async def apply(driver: Driver) -> DryRun:
    """From the start to the dry run."""
    await driver.to_review()
    await driver.press("a")
    await driver.until(lambda: isinstance(driver.app.body, DryRun))
    body = driver.app.body
    assert isinstance(body, DryRun)
    return body


async def proved(driver: Driver) -> DryRun:
    """To the end of the dry run, however it ends."""
    body = await apply(driver)
    await driver.until(lambda: not body.running)
    return body


def on(driver: Driver) -> type:
    """The page in hand."""
    return type(driver.app.body)


def words(driver: Driver) -> str:
    """The screen as one line, so that folding does not matter."""
    return " ".join(driver.text.split())


def plays(monkeypatch: pytest.MonkeyPatch, *runs: Any) -> list[tuple[str, bool]]:
    """Dry runs that give these events or raise these errors; gives what they were asked for."""
    asked: list[tuple[str, bool]] = []
    left = list(runs)

    def dry_run(
        self: Job, cancel: threading.Event, only: str = "", *, again: bool = False
    ) -> Iterator[Event]:
        asked.append((only, again))
        run = left.pop(0)
        if isinstance(run, Exception):
            raise run
        yield from run(cancel) if callable(run) else run

    monkeypatch.setattr(Job, "dry_run", dry_run)
    return asked


def result(name: str, said: str = "") -> LineageResult:
    """A certificate that renewed, or what certbot said where it did not."""
    if not said:
        return LineageResult(name, "ok", "", 1.0)
    why = understand(said)
    return LineageResult(name, "failed", why.sentence, 1.0, why)


def ending(*results: LineageResult, **changes: Any) -> list[Event]:
    """All events of a run."""
    ok = all(row.result == "ok" for row in results)
    done = Done(ok, results, 2.0, **{"log": "/var/lib/certtui/dry-run.log", **changes})
    return [*(LineageStarted(row.name, 0.5) for row in results), *results, done]


# -- Review ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
async def test_review_shows_state_mode_owner_path_and_lines(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with wizard(tmp_path, size) as driver:
        await driver.to_review()
        assert "6 new; nothing is written yet" in driver.text
        row = next(line for line in driver.text.splitlines() if "certbot-renew-every" in line)
        assert row.split()[:3] == ["+", "new", "0700"]
        assert row.split()[-2].endswith("/certbot-renew-everything")
        assert re.fullmatch(r"\+[1-9]\d\d", row.split()[-1])
        assert ("root:root" in row) == (size[0] >= 120)
        await driver.press("down")
        assert "certbot-renew-everything  0700 root:root" in driver.text


async def test_a_conflict_comes_first_and_says_what_each_choice_leads_to(tmp_path: Path) -> None:
    by_hand(tmp_path)
    async with wizard(tmp_path) as driver:
        review = await driver.to_review()
        assert "1 conflict (1 to decide), 5 new; nothing is written yet" in driver.text
        assert "> ! conflict  0700" in driver.text
        said = words(driver).replace(" # ", " ")
        assert "certtui did not write it" in said
        assert "k keep: it stays and is what counts" in said
        assert "r replace: it is replaced as shown; its bytes are saved, `certtui undo`" in said
        assert "a apply" not in driver.text
        await driver.press("down", "a")
        assert "First decide about this file: k keeps it, r replaces it." in driver.text
        assert "> ! conflict" in driver.text, "the cursor goes to what is to be decided"
        await driver.press("k")
        assert "keep, decided" in driver.text
        assert "#>k" in driver.text
        assert "First decide" not in driver.text
        assert review.ready
        await driver.press("r")
        assert "replace, decided" in driver.text


async def test_what_was_kept_is_kept(tmp_path: Path) -> None:
    target = by_hand(tmp_path)
    async with wizard(tmp_path) as driver:
        await driver.to_review()
        await driver.press("k", "a")
        await driver.until(lambda: isinstance(driver.app.body, DryRun))
    assert target.read_text() == "#!/bin/sh\n# mine\n"
    assert (tmp_path / "etc/certtui/plan.toml").exists()


async def test_a_decision_holds_while_the_conflict_is_the_same(tmp_path: Path) -> None:
    target = by_hand(tmp_path)
    async with wizard(tmp_path) as driver:
        await driver.to_review()
        await driver.press("k", "escape", "escape", "down", "enter")
        again = await driver.to_review()
        assert "keep, decided" in driver.text
        assert again.ready
        await driver.press("escape")
        target.write_text("#!/bin/sh\n# mine, and other\n")
        await driver.press("enter")
        assert isinstance(driver.app.body, Review)
        await driver.until(lambda: "1 to decide" in driver.text)
        assert "a apply" not in driver.text


async def test_other_answers_are_another_review(tmp_path: Path) -> None:
    async with wizard(tmp_path) as driver:
        await driver.to_review()
        assert "certtui-renew.timer" in driver.text
        await driver.press("escape", "escape", "escape", "down", "enter", "enter", "enter")
        await driver.until(lambda: "nothing is written yet" in driver.text)
        assert "/etc/cron.d/certtui-renew" in driver.text
        assert "certtui-renew.timer" not in driver.text


async def test_a_host_changed_since_the_review_is_refused_and_looked_at_again(
    tmp_path: Path,
) -> None:
    async with wizard(tmp_path) as driver:
        await driver.to_review()
        by_hand(tmp_path)
        await driver.press("a")
        await driver.until(lambda: "was changed since the preview" in words(driver))
        assert f"/{SCRIPT}" in words(driver)
        assert not (tmp_path / "etc/certtui").exists()
        await driver.press("escape")
        await driver.until(lambda: "1 to decide" in driver.text)
        assert "> ! conflict" in driver.text


async def test_back_from_a_refused_apply_the_host_is_looked_at_anew(tmp_path: Path) -> None:
    looks: list[int] = []

    def gather(plan: object) -> Any:
        looks.append(1)
        return facts(str(tmp_path / "certbot"))

    async with wizard(tmp_path, facts=gather) as driver:
        await driver.to_review()
        assert len(looks) == 1
        by_hand(tmp_path)
        await driver.press("a")
        await driver.until(lambda: "was changed" in words(driver))
        await driver.press("escape")
        await driver.until(lambda: "1 to decide" in driver.text)
        assert len(looks) == 2


@pytest.mark.parametrize("size", SIZES)
async def test_why_apply_would_refuse_can_be_read_and_looked_at_again(
    tmp_path: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    why = [
        "schedule.backend needs atd: apt-get install -y --no-install-recommends at",
        "mail.to is admin@example.com, but nothing here can send mail: apt-get install -y "
        "exim4-daemon-light bsd-mailx; or empty mail.to",
    ]
    monkeypatch.setattr(Job, "refusals", property(lambda self: tuple(why)))
    async with wizard(tmp_path, size) as driver:
        await driver.to_review()
        assert "Apply would refuse this; nothing is written yet" in driver.text
        assert "> ! refused   2 reasons, and what mends each" in driver.text
        assert "a apply" not in driver.text
        said = words(driver)
        for _ in range(4):
            await driver.press("pagedown")
            said += words(driver)
        assert f"Apply would refuse: {why[0]}" in said
        assert "apt-get install -y exim4-daemon-light bsd-mailx" in said
        assert "r look again" in driver.text
        await driver.press("a", "down")
        assert isinstance(driver.app.body, Review)
        assert "plan.toml  0600" in driver.text
        why.clear()
        await driver.press("r")
        await driver.until(lambda: "a apply" in driver.text)
        assert "refused  " not in driver.text and "would refuse" not in driver.text
    assert not (tmp_path / "etc/certtui").exists()


@pytest.mark.parametrize("size", SIZES)
async def test_in_sync_is_said_and_can_still_be_proved(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with wizard(tmp_path) as driver:
        await proved(driver)
    async with wizard(tmp_path, size) as driver:
        await driver.to_review()
        assert "In sync: 6 files as wanted; nothing is written yet" in driver.text
        assert "apply tries every renewal" in words(driver)
        before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("certtui*")}
        await driver.press("a")
        await driver.until(lambda: "PROVED   2 of 2" in driver.text)
        assert before == {path: path.stat().st_mtime_ns for path in before}


async def test_the_whole_diff_says_where_apply_is(tmp_path: Path) -> None:
    by_hand(tmp_path)
    async with wizard(tmp_path) as driver:
        await driver.to_review()
        await driver.press("k", "enter")
        assert on(driver) is WholeDiff
        assert "Esc back to Review, where a applies" in driver.text
        await driver.press("a")
        assert on(driver) is WholeDiff
        assert "# conflict 0700 root:root" in driver.text
        await driver.press("escape")
        assert on(driver) is Review
    assert not (tmp_path / "etc/certtui").exists()


async def test_leaving_before_the_look_has_ended_does_no_harm(tmp_path: Path) -> None:
    go, began = threading.Event(), threading.Event()
    looks: list[int] = []

    def gather(plan: object) -> Any:
        looks.append(1)
        if len(looks) > 1:
            began.set()
            go.wait(20)
        return facts(str(tmp_path / "certbot"))

    async with wizard(tmp_path, facts=gather) as driver:
        await driver.until(lambda: driver.app.interview.facts is not None)
        driver.app.decisions.stale = True
        await driver.press("enter", "enter", "enter", "enter", "enter")
        await driver.until(began.is_set)
        assert "looking at this host..." in driver.text
        await driver.press("a", "k", "r", "enter", "escape")
        go.set()
        await driver.pilot.pause(0.3)
        assert not isinstance(driver.app.body, Review)
        await driver.press("enter")
        await driver.until(lambda: "nothing is written yet" in driver.text)


def change(path: str, state: str = "new", before: str = "", after: str = "a\n") -> FileChange:
    """One file."""
    one, two = (Snapshot(text.encode(), 0o644, 0, 0) if text else None for text in (before, after))
    return FileChange(path, state, one, two, "root:root", "why it is there")


def test_a_row_never_cuts_a_file_name() -> None:
    paths = ["/etc/letsencrypt/renewal-hooks/deploy/certtui-deploy", f"/{SCRIPT}"]
    files = [change(paths[0]), change(paths[1], "conflict", "b\n")]
    for width in (58, 78, 118, 198):
        for row, path in zip(say.rows(files, lambda c: "", width), paths, strict=True):
            assert len(row) <= width
            assert path.rpartition("/")[2] in row


def test_what_changes_stands_near_its_path_on_a_wide_screen() -> None:
    files = [change(f"/{SCRIPT}"), change("/etc/x", "changed", "b\n")]
    one, two = say.rows(files, lambda c: "", 198)
    assert one.endswith(f"/{SCRIPT}  +1")
    assert two.index("+1 -1") == one.index("+1")


def test_counts_of_lines_stand_under_each_other() -> None:
    gone = change("/c", "removed", "b\n")
    files = [
        change("/a", "changed", "b\n", "a\n" * 100),
        change("/b", "changed", "b\n"),
        replace(gone, after=None),
    ]
    rows = say.rows(files, lambda c: "", 80)
    assert [row.split("  ")[-1].strip() for row in rows] == ["+100 -1", "+1 -1", "-1"]
    assert len({row.rindex("-1") for row in rows}) == 1


def test_a_mode_alone_is_a_change_that_is_told() -> None:
    one = change("/x", "changed", "a\n", "a\n")
    two = replace(one, after=Snapshot(b"a\n", 0o600, 0, 0))
    assert say.rows([two], lambda c: "", 78)[0].endswith("mode or owner")


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_headline_fits(width: int) -> None:
    states = ["new"] * 12 + ["changed"] * 11 + ["removed"] * 10 + ["same"] * 10
    files = tuple(change(f"/{n}", state, "b\n") for n, state in enumerate(states))
    actions = tuple(Action(("true",), "") for _ in range(14))
    preview = Preview(files, actions)
    line = say.headline(preview, actions, 0, width)
    assert len(line) <= width and line.endswith("; nothing is written yet")
    more = Preview((*files, *(change(f"/c{n}", "conflict", "b\n") for n in range(10))), actions)
    line = say.headline(more, actions, 10, width)
    assert len(line) <= width and "10 conflicts (10 to decide)" in line


def test_signs_and_heads_of_a_diff_are_told_apart() -> None:
    for line, colour, bold in (
        ("--- /etc/x\t0644 root:root", None, True),
        ("+++ /dev/null", None, True),
        ("# certtui did not write it", None, True),
        ("$ systemctl daemon-reload", None, True),
        ("@@ -1 +1 @@", "magenta", None),
        ("---quiet", "red", None),
        ("+new", "green", None),
        (" # as before", None, None),
    ):
        style = diff_style(line)
        assert (style.color and style.color.name, style.bold) == (colour, bold), line


def test_a_decision_is_about_what_was_there() -> None:
    decisions, one = Decisions(), change("/x", "conflict", "b\n")
    decisions.decide(one, "replace")
    assert decisions.of(one) == "replace"
    assert decisions.of(replace(one, after=None)) == "replace"
    assert decisions.of(change("/x", "conflict", "c\n")) == ""
    assert decisions.of(change("/x", "changed", "b\n")) == ""
    consent = decisions.consent([one, change("/y", "conflict", "b\n")])
    assert (consent.replace, consent.keep) == (frozenset({"/x"}), frozenset())


# -- the dry run -----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
async def test_a_failure_is_cause_mend_and_key(
    tmp_path: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = plays(monkeypatch, ending(result(EXAMPLE), result(SHOP, REFUSED)), ending(result(SHOP)))
    async with wizard(tmp_path, size) as driver:
        body = await proved(driver)
        assert "FAILED   1 of 2 failed   0:0" in driver.text
        rows = " ".join(str(body.query_one("#lineages", Static).render()).split())
        assert rows == "failed shop.example.org port 80 refused: open it, then r ok example.com"
        assert "/var/lib/certtui/dry-run.log" in driver.text
        assert "r retry" in driver.text
        await driver.press("question_mark")
        assert "c cancel: certbot is asked to stop" in words(driver), "the keys come first"
        await driver.press("end")
        assert "the name's port 80 (or 443) refused the connection" in words(driver)
        assert "certbot: Domain: shop.example.org Type: connection" in words(driver)
        await driver.press("escape", "r")
        await driver.until(lambda: "PROVED   2 of 2" in driver.text)
        assert "refused" not in driver.text
    assert asked == [("", False), (SHOP, True)]


async def test_a_retry_adds_to_the_log(tmp_path: Path) -> None:
    async with wizard(tmp_path) as driver:
        for name in NAMES:
            (tmp_path / f"broken-{name}").touch()
        body = await proved(driver)
        log = Path(body.progress.log)
        await driver.press("r")
        await driver.until(lambda: log.read_text().count("$ ") == 3 and not body.running)
    text = log.read_text()
    assert [line.count("--cert-name") for line in text.splitlines() if line.startswith("$ ")] == [
        0,
        1,
        1,
    ]


async def test_what_every_run_says_is_kept_and_where_is_told_while_it_runs(
    tmp_path: Path,
) -> None:
    async with wizard(tmp_path, pause="30") as driver:
        body = await apply(driver)
        await driver.until(lambda: "running" in driver.text)
        await driver.press("question_mark")
        assert "The full log is in" in driver.text
        assert "var/lib/certtui/dry-run.log" in "".join(driver.text.split())
        assert "port 80 refused" in driver.text
        await driver.press("escape", "c")
        await driver.until(lambda: not body.running)
        assert "var/lib/certtui/dry-run.log" in "".join(driver.text.split())


async def test_cancel_is_said_at_once_and_once(tmp_path: Path) -> None:
    async with wizard(tmp_path, pause="30") as driver:
        body = await apply(driver)
        await driver.until(lambda: "running" in driver.text)
        await driver.press("c")
        assert "STOPPING   0 of 2" in driver.text or not body.running
        await driver.press("c", "c")
        await driver.until(lambda: not body.running)
        assert "CANCELLED   0 of 2" in driver.text
        assert "not tried example.com" in words(driver)
        assert "failed" not in driver.text
        await driver.press("enter")
        assert "SET UP, NOT PROVED: the dry run was cancelled after 0 of 2" in driver.text
        await driver.press("enter")
    assert driver.app.return_value == 130


async def test_a_run_that_was_cancelled_can_begin_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def until_cancelled(cancel: threading.Event) -> Iterator[Event]:
        yield LineageStarted(EXAMPLE, 0.1)
        yield result(EXAMPLE)
        yield LineageStarted(SHOP, 0.2)
        cancel.wait(20)
        rest = LineageResult(SHOP, "skipped", "cancelled", 1.0)
        yield from ending(result(EXAMPLE), rest, cancelled=True, reason="cancelled; it ended")[2:]

    asked = plays(monkeypatch, until_cancelled, ending(result(EXAMPLE), result(SHOP)))
    async with wizard(tmp_path) as driver:
        await apply(driver)
        await driver.until(lambda: "running   shop.example.org" in driver.text)
        assert "1 of 2" in driver.text
        await driver.press("c")
        await driver.until(lambda: "CANCELLED   1 of 2" in driver.text)
        await driver.press("enter")
        assert "the dry run was cancelled after 1 of 2" in driver.text
        await driver.press("r")
        await driver.until(lambda: "PROVED   2 of 2" in driver.text)
        await driver.press("enter", "enter")
    assert driver.app.return_value == 0
    assert asked == [("", False), ("", True)]


LOCKED = "another certbot is at work and holds the lock; wait until it has ended"


@pytest.mark.parametrize("size", [(60, 16), (120, 36)])
@pytest.mark.parametrize(
    ("run", "said", "code"),
    [
        (Locked("another certtui is at work (process 71)"), "Another certtui is at work", 75),
        (CertbotMissing("certbot was not found; install it with apt"), "Certbot was not found", 69),
        (
            ending(
                *(LineageResult(name, "skipped", "not tried", 1.0) for name in NAMES),
                locked=True,
                reason=f"{LOCKED} (x), then: certtui dry-run",
            ),
            "Another certbot is at work and holds the lock; wait until it has ended",
            75,
        ),
    ],
)
async def test_a_run_that_cannot_begin_is_a_sentence_and_a_key(
    tmp_path: Path,
    size: tuple[int, int],
    run: Any,
    said: str,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plays(monkeypatch, run, ending(result(EXAMPLE), result(SHOP)))
    async with wizard(tmp_path, size) as driver:
        await proved(driver)
        assert "NOT PROVED   0 of 2" in driver.text
        assert said in words(driver)
        assert "Once that is mended, r tries again." in words(driver)
        assert "certtui dry-run" not in driver.text
        assert "not tried example.com" in words(driver)
        assert driver.app.code == code
        await driver.press("r")
        await driver.until(lambda: "PROVED   2 of 2" in driver.text)
        assert said not in words(driver)
        assert driver.app.code == 0


async def test_success_without_a_good_end_is_not_proved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `certtui dry-run` sees it: the exit status does not fit the rows."""
    why = "certbot reports success but ended with exit status 3; look at the end of its output"
    events = ending(result(EXAMPLE), result(SHOP))
    end = events[-1]
    assert isinstance(end, Done)
    plays(monkeypatch, [*events[:-1], replace(end, ok=False, reason=why)])
    async with wizard(tmp_path) as driver:
        await proved(driver)
        assert "NOT PROVED   2 of 2" in driver.text
        assert "Certbot reports success but ended with exit status 3" in driver.text
        await driver.press("enter")
        assert "SET UP, NOT PROVED" in driver.text
        assert "exit status 3" in driver.text
        await driver.press("enter")
    assert driver.app.return_value == 1


def talk(count: int, go: threading.Event) -> Callable[[threading.Event], Iterator[Event]]:
    """A certbot that says much, then waits, then says more."""

    def run(cancel: threading.Event) -> Iterator[Event]:
        yield LineageStarted(EXAMPLE, 0.1)
        for number in range(count):
            yield Line(f"first {number}", 0.1)
        while not (go.wait(0.05) or cancel.is_set()):
            continue
        for number in range(count):
            yield Line(f"second {number}", 0.2)
        yield from ending(result(EXAMPLE), result(SHOP))

    return run


@pytest.mark.parametrize("key", ["pageup", "up", "home"])
async def test_reading_back_pauses_and_end_follows(
    tmp_path: Path, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()
    plays(monkeypatch, talk(60, go))
    async with wizard(tmp_path) as driver:
        body = await apply(driver)
        await driver.until(lambda: "first 59" in driver.text)
        assert "following --" in driver.text
        await driver.press(key)
        await driver.until(lambda: "paused  " in driver.text)
        first = body.query_one(Lines).scroll_offset.y
        assert "first 59" not in driver.text
        go.set()
        await driver.until(lambda: not body.running)
        assert body.query_one(Lines).scroll_offset.y == first, "what is read stays where it is"
        await driver.press("end")
        assert "second 59" in driver.text


@pytest.mark.parametrize("keys", [("end",), ("pagedown",), ("down",)])
async def test_following_goes_on_from_the_end(
    tmp_path: Path, keys: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()
    plays(monkeypatch, talk(60, go))
    async with wizard(tmp_path) as driver:
        body = await apply(driver)
        await driver.until(lambda: "first 59" in driver.text)
        await driver.press("up")
        await driver.until(lambda: "paused  " in driver.text)
        await driver.press(*keys)
        await driver.until(lambda: "following --" in driver.text)
        go.set()
        await driver.until(lambda: not body.running)
        assert "second 59" in driver.text


async def test_the_log_stands_beside_from_120_columns(tmp_path: Path) -> None:
    for size, beside in (((119, 30), False), ((120, 30), True)):
        async with wizard(tmp_path, size) as driver:
            body = await proved(driver)
            log, lineages = body.query_one("#log"), body.query_one("#lineages")
            assert (log.region.y == lineages.region.y) == beside
            assert (log.region.x >= lineages.region.right) == beside


async def test_only_what_changed_is_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock costs its own line and nothing else; afterwards nothing is drawn at all."""
    go = threading.Event()
    plays(monkeypatch, talk(3, go))
    async with wizard(tmp_path) as driver:
        body = await apply(driver)
        await driver.until(lambda: "first 2" in driver.text)
        drawn: list[str] = []
        update = Static.update

        def noted(self: Static, content: Any = "", *, layout: bool = True) -> None:
            drawn.append(f"{' '.join(self.classes) or self.id}{' layout' * layout}")
            update(self, content, layout=layout)

        monkeypatch.setattr(Static, "update", noted)
        await driver.pilot.pause(2.3)
        assert set(drawn) == {"status"}
        assert 2 <= len(drawn) <= 3
        go.set()
        await driver.until(lambda: not body.running)
        await driver.pilot.pause(0.3)
        drawn.clear()
        await driver.pilot.pause(1.5)
        assert drawn == []


def many(count: int) -> Progress:
    return Progress(tuple(f"host{number}.example.com" for number in range(count)))


@pytest.mark.parametrize("width", [47, 60, 80, 200])
@pytest.mark.parametrize("most", [2, 3, 5, 8, 30])
def test_rows_fit_and_count_every_certificate(width: int, most: int) -> None:
    progress = many(100)
    for number in (3, 7, 70):
        progress.take(result(f"host{number}.example.com", REFUSED))
    progress.take(LineageStarted("host9.example.com", 1.0))
    progress.take(result("host8.example.com"))
    rows = progress.rows(most, width)
    assert len(rows) <= most
    assert all(len(row) <= width for row in rows)
    counted = [word for word in rows[-1].replace(",", "").split() if word.isdigit()]
    listed = sum(row[2:11].strip() in ("failed", "running", "waiting") for row in rows)
    assert listed + sum(map(int, counted)) == 100
    assert len(progress.headline(4000, width, "NOT PROVED")) <= width


def test_one_runs_at_a_time_and_what_certbot_left_counts_as_tried() -> None:
    """certbot tells only at its end which of them renewed."""
    progress = many(4)
    for number in range(3):
        progress.take(LineageStarted(f"host{number}.example.com", 1.0))
    assert [row.split()[0] for row in progress.rows(8, 80)] == [
        "running",
        "waiting",
        "tried",
        "tried",
    ]
    assert progress.headline(9, 80).startswith("2 of 4   0:09   [##########..........]")
    assert not progress.proved
    rest = [LineageResult(name, "skipped", "cancelled", 2.0) for name in progress.names]
    for row in rest:
        progress.take(row)
    progress.take(Done(False, tuple(rest), 2.0, "cancelled", cancelled=True))
    progress.stopped()
    assert (progress.verdict, progress.tried, progress.count("not tried")) == ("CANCELLED", 2, 2)
    progress.take(result(progress.names[0], REFUSED))
    assert progress.verdict == "CANCELLED", "that is no failure, whatever failed before"
    progress.again(list(progress.names))
    assert (progress.tried, progress.count("waiting")) == (0, 4)


def test_failed_ones_are_listed_before_anything_else() -> None:
    progress = many(100)
    for number in range(4):
        progress.take(result(f"host{90 + number}.example.com", REFUSED))
    rows = progress.rows(5, 80)
    assert [row.split()[:2] for row in rows[:4]] == [
        ["failed", f"host{90 + number}.example.com"] for number in range(4)
    ]
    assert rows[4] == "  and 96 waiting"


def test_a_long_name_has_its_reason_below() -> None:
    name = "a-very-long-name-indeed.and-another-part.example.com"
    progress = Progress((name,))
    progress.take(result(name, REFUSED.replace("shop.example.org", name)))
    assert progress.rows(8, 60) == [
        "  failed    a-very-long-name-indee...nother-part.example.com",
        "            port 80 refused: open it, then r",
    ]
    assert name in " ".join(progress.explained(60))


@pytest.mark.parametrize(("width", "most"), [(47, 33), (60, 8), (80, 16)])
def test_a_reason_is_never_cut_however_many_failed(width: int, most: int) -> None:
    progress = many(60)
    for name in progress.names:
        progress.take(result(name, "Some challenges have failed."))
    rows = progress.rows(most, width)
    assert len(rows) <= most and all(len(row) <= width for row in rows)
    assert not any("..." in row for row in rows)
    assert "certbot gave no cause" in rows[0] or rows[1].strip() == "certbot gave no cause"
    shown = sum(row.startswith("  failed ") for row in rows)
    assert rows[-1] == f"  and {60 - shown} failed" and shown >= most // 2 - 1


@pytest.mark.parametrize(
    ("states", "head", "said"),
    [
        (("failed", "ok"), "", "2 of 2   1 failed   0:09"),
        (("failed", "ok"), "FAILED", "FAILED   1 of 2 failed   0:09"),
        (("failed", "failed"), "FAILED", "FAILED   2 of 2 failed   0:09"),
        (("failed", "skipped"), "FAILED", "FAILED   1 of 2 failed   1 skipped   0:09"),
        (("ok", "ok"), "PROVED", "PROVED   2 of 2   0:09"),
    ],
)
def test_the_headline_counts_what_its_word_says(
    states: tuple[str, str], head: str, said: str
) -> None:
    progress = many(2)
    for name, state in zip(progress.names, states, strict=True):
        progress.take(LineageResult(name, state, "", 1.0))
    assert progress.headline(9, 80, head).startswith(said)


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 36)])
@pytest.mark.parametrize("length", [20, 30, 38, 45, 55])
async def test_the_path_of_the_log_is_whole_wherever_a_row_has_room(
    tmp_path: Path, size: tuple[int, int], length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "/var/lib/".ljust(length, "x")
    text = [Line(f"line {number}", 0.1) for number in range(1500)]
    plays(monkeypatch, [*text, *ending(result(EXAMPLE), result(SHOP), log=path)])
    async with wizard(tmp_path, size) as driver:
        body = await proved(driver)
        for _ in range(3):
            whole = path in driver.text or path in words(driver).replace(" ", "")
            assert whole, driver.text
            assert f"of {body.query_one(Lines).virtual_size.height} --" in driver.text
            await driver.press("home")


#: The numbers of red and green, and of bright red and bright green (ECMA-48 8.3.117).
RED, GREEN = (1, 9), (2, 10)


def _colour(driver: Driver, words_: str) -> int | None:
    """The number of the colour in which the words stand on the screen."""
    for strip in driver.app.screen._compositor.render_strips():
        for segment in strip:
            if segment.text.startswith(words_) and segment.style and segment.style.color:
                return segment.style.color.number
    raise AssertionError(f"{words_} is nowhere:\n{driver.text}")


async def test_the_word_of_the_end_has_its_colour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plays(monkeypatch, ending(result(EXAMPLE), result(SHOP, REFUSED)), ending(result(SHOP)))
    async with wizard(tmp_path) as driver:
        await proved(driver)
        assert _colour(driver, "FAILED") in RED
        await driver.press("enter")
        assert _colour(driver, "SET UP, NOT PROVED") in RED
        await driver.press("r")
        await driver.until(lambda: "PROVED   2 of 2" in driver.text)
        assert _colour(driver, "PROVED") in GREEN
        await driver.press("enter")
        assert _colour(driver, "SET UP AND PROVED") in GREEN


# -- Done ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
async def test_done_says_what_failed_and_tries_again(
    tmp_path: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    plays(monkeypatch, ending(result(EXAMPLE), result(SHOP, REFUSED)), ending(result(SHOP)))
    async with wizard(tmp_path, size) as driver:
        await proved(driver)
        await driver.press("enter")
        text = words(driver)
        assert "SET UP, NOT PROVED: dry run renewed 1 of 2" in text
        assert "Failed shop.example.org: port 80 refused: open it" in text
        assert "then r " not in text
        assert "Full log /var/lib/certtui/dry-run.log" in text
        assert "drill" not in text
        assert "Enter leave" in text and "r retry" in text
        assert "shop.example.org: port 80 refused: open it" in "\n".join(driver.app.farewell)
        await driver.press("r")
        await driver.until(lambda: "PROVED   2 of 2" in driver.text)
        await driver.press("enter")
        assert "SET UP AND PROVED: dry run renewed 2 of 2" in driver.text
        assert "r retry" not in driver.text
        await driver.press("r", "enter")
    assert driver.app.return_value == 0
    assert driver.app.farewell[0] == "SET UP AND PROVED: dry run renewed 2 of 2"


@pytest.mark.parametrize("size", SIZES)
async def test_everything_of_done_is_seen(tmp_path: Path, size: tuple[int, int]) -> None:
    async with wizard(tmp_path, size, answers={"mail.to": "admin@example.com"}) as driver:
        await proved(driver)
        await driver.press("enter")
        assert isinstance(driver.app.body, DonePage)
        assert not driver.app.body.overflows()
        text = words(driver)
        for said in (
            "SET UP AND PROVED: dry run renewed 2 of 2",
            "Next runs",
            "UTC",
            "admin@example.com on failure; not proved yet",
            "Remember",
            "s status",
            "? help",
        ):
            assert said in text


async def test_a_folder_is_told_what_works_there(tmp_path: Path) -> None:
    async with wizard(tmp_path) as driver:
        await proved(driver)
        await driver.press("enter")
        farewell = "\n".join(driver.app.farewell)
        assert f"certtui diff --root {tmp_path}" in farewell
        assert f"certtui undo --root {tmp_path}" in farewell
        assert "certtui doctor" not in farewell
        assert "d doctor" not in driver.text
        await driver.press("d", "s")
        await driver.until(lambda: driver.app.body.step == "Status")
        await driver.press("escape")
        assert isinstance(driver.app.body, DonePage)
        assert "SET UP AND PROVED" in driver.text


async def test_the_demo_names_no_command_for_its_folder(tmp_path: Path) -> None:
    async with wizard(tmp_path, note="demo") as driver:
        await proved(driver)
        await driver.press("enter")
        assert "this folder is gone when the demo ends" in words(driver)
        assert "--root" not in driver.text


def test_a_machine_is_told_its_commands(tmp_path: Path) -> None:
    from certtui.ask.interview import Interview
    from certtui.tui.screens.done import summary

    made = Interview(replace(session(tmp_path), root="/"))
    made.learn(facts(str(tmp_path / "certbot")))
    text = "\n".join(summary(made, None))
    for command in ("certtui status", "certtui doctor", "certtui drill", "certtui undo"):
        assert command in text
    assert text.startswith("SET UP, NOT PROVED: certtui dry-run proves it")
    assert max(map(len, text.splitlines())) <= 80
    progress = Progress(NAMES)
    for event in ending(result(EXAMPLE), result(SHOP, REFUSED)):
        progress.take(event)
    text = "\n".join(summary(made, progress))
    assert "dry run renewed 1 of 2; mend it, then: certtui dry-run" in text


async def test_without_a_certificate_the_command_for_the_first_is_named(tmp_path: Path) -> None:
    found = facts(str(tmp_path / "certbot"), lineages=())
    async with wizard(tmp_path, found=found) as driver:
        await driver.to_review()
        await driver.press("a")
        await driver.until(lambda: isinstance(driver.app.body, DonePage))
        assert "SET UP, NOT PROVED: there is no certificate yet" in driver.text
        assert "--nginx -d YOUR.DOMAIN" in words(driver)
        await driver.press("enter")
    assert driver.app.return_value == 0


async def test_a_retry_is_not_offered_before_anything_was_tried(tmp_path: Path) -> None:
    app = WizardApp(session(tmp_path))
    async with app.run_test(size=(80, 24)) as pilot:
        driver = Driver(app, pilot)
        await driver.until(lambda: app.interview.facts is not None)
        await app.show(DonePage(None))
        await driver.press("r")
        assert isinstance(app.body, DonePage)
        assert "r retry" not in driver.text
