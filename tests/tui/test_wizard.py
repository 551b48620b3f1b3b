"""The full-screen wizard as it is used, key by key, on a throw-away root."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from certtui import detached
from certtui.ask import answers as store
from certtui.change.files import Tree
from certtui.change.model import Step
from certtui.change.outcome import Ending, Recorder
from certtui.errors import NeedsRoot
from certtui.plan.fields import FIELDS, Field, Kind
from certtui.tui.screens.applying import Applying
from certtui.tui.screens.dry_run import DryRun
from certtui.tui.screens.question import Question
from certtui.tui.screens.review import Review
from certtui.tui.screens.text import Fault, Text
from certtui.tui.screens.welcome import Welcome
from tests.tui.driver import wizard
from tests.tui.support import facts, screen_text

SIZES = [(80, 24), (60, 16), (120, 36)]


def written(root: Path) -> list[str]:
    """What an apply would have written."""
    return [
        str(path)
        for path in root.rglob("*")
        if "certtui" in path.name or "renew-every" in path.name
    ]


async def test_welcome_shows_what_was_found(tmp_path: Path) -> None:
    async with wizard(tmp_path) as driver:
        await driver.until(lambda: driver.app.interview.facts is not None)
        for words in (
            "61 days left",
            "12 days left, overdue",
            "nginx 1.22, owns 80 and 443",
            "certbot.timer",
        ):
            assert words in driver.text


async def test_enter_waits_for_the_facts(tmp_path: Path) -> None:
    go = threading.Event()

    def slow(plan: object) -> Any:
        go.wait(20)
        return facts()

    async with wizard(tmp_path, facts=slow) as driver:
        await driver.press("enter", "enter")
        assert isinstance(driver.app.body, Welcome)
        assert "looking at this host..." in driver.text
        go.set()
        await driver.until(lambda: driver.app.interview.facts is not None)
        await driver.press("enter")
        assert isinstance(driver.app.body, Question)


async def test_facts_that_cannot_be_had_are_a_sentence_and_can_be_tried_again(
    tmp_path: Path,
) -> None:
    calls: list[int] = []

    def broken(plan: object) -> Any:
        calls.append(1)
        if len(calls) == 1:
            raise OSError("the disk is on fire")
        return facts()

    async with wizard(tmp_path, facts=broken) as driver:
        await driver.until(lambda: "the disk is on fire" in driver.text)
        assert "r look again" in driver.text
        await driver.press("r")
        await driver.until(lambda: driver.app.interview.facts is not None)
        assert "61 days left" in driver.text


async def test_every_question_of_the_declaration_is_asked_or_listed(tmp_path: Path) -> None:
    async with wizard(tmp_path, size=(120, 50)) as driver:
        await driver.until(lambda: driver.app.interview.facts is not None)
        await driver.press("equals_sign")
        values = driver.app.interview.values()
        for field in FIELDS:
            if field.applies(values):
                assert field.key in driver.text


async def test_a_new_field_needs_no_screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from certtui.plan import fields

    extra = Field("mail.retries", Kind.BOOLEAN, True, "Try again?", "said once", "mail")
    everything = (*FIELDS, extra)
    monkeypatch.setattr(fields, "FIELDS", everything)
    monkeypatch.setattr("certtui.ask.interview.FIELDS", everything)
    async with wizard(tmp_path) as driver:
        await driver.until(lambda: driver.app.interview.facts is not None)
        await driver.press("enter", "enter", "enter", "enter", "enter")
        assert "Try again?" in driver.text
        assert "> (*) yes" in driver.text


@pytest.mark.parametrize("size", SIZES)
async def test_the_whole_way_to_done(tmp_path: Path, size: tuple[int, int]) -> None:
    async with wizard(tmp_path, size) as driver:
        await driver.to_review()
        assert "nothing is written yet" in driver.text
        assert not written(tmp_path)
        await driver.press("a")
        await driver.until(lambda: isinstance(driver.app.body, DryRun))
        await driver.until(lambda: not getattr(driver.app.body, "running", True))
        assert "PROVED   2 of 2" in driver.text
        await driver.press("enter")
        assert "SET UP AND PROVED: dry run renewed 2 of 2" in driver.text
        await driver.press("enter")
    assert driver.app.return_value == 0
    assert (tmp_path / "usr/local/sbin/certbot-renew-everything").stat().st_mode & 0o777 == 0o700
    assert "SET UP AND PROVED: dry run renewed 2 of 2" in driver.app.farewell
    assert any("certtui undo" in line for line in driver.app.farewell)


async def test_a_dry_run_that_fails_is_told_and_ends_with_1(tmp_path: Path) -> None:
    async with wizard(tmp_path) as driver:
        (tmp_path / "broken-shop.example.org").touch()
        await driver.to_review()
        await driver.press("a")
        await driver.until(lambda: not getattr(driver.app.body, "running", True))
        assert "FAILED   1 of 2 failed" in driver.text
        assert "  failed    shop.example.org" in driver.text
        (tmp_path / "broken-shop.example.org").unlink()
        await driver.press("enter")
        assert "SET UP, NOT PROVED: dry run renewed 1 of 2" in driver.text
        await driver.press("enter")
    assert driver.app.return_value == 1


async def test_what_failed_can_be_tried_again(tmp_path: Path) -> None:
    async with wizard(tmp_path) as driver:
        (tmp_path / "broken-shop.example.org").touch()
        await driver.to_review()
        await driver.press("a")
        await driver.until(lambda: not getattr(driver.app.body, "running", True))
        (tmp_path / "broken-shop.example.org").unlink()
        await driver.press("r")
        await driver.until(lambda: "PROVED   2 of 2" in driver.text)
        await driver.press("enter", "enter")
    assert driver.app.return_value == 0


async def test_a_dry_run_can_be_cancelled(tmp_path: Path) -> None:
    async with wizard(tmp_path, pause="30") as driver:
        await driver.to_review()
        await driver.press("a")
        await driver.until(lambda: "running" in driver.text)
        assert "c cancel" in driver.text
        await driver.press("escape", "q", "enter")
        assert isinstance(driver.app.body, DryRun)
        await driver.press("c")
        await driver.until(lambda: not getattr(driver.app.body, "running", True))
        assert "CANCELLED" in driver.text
        await driver.press("q")
    assert driver.app.return_value == 130


async def test_enter_held_down_never_applies(tmp_path: Path) -> None:
    async with wizard(tmp_path) as driver:
        await driver.until(lambda: driver.app.interview.facts is not None)
        for _ in range(200):
            await driver.pilot.press("enter")
        await driver.pilot.pause(0.5)
        for _ in range(20):
            await driver.pilot.press("enter")
        await driver.pilot.pause()
        assert isinstance(driver.app.body, (Review, Text))
    assert not written(tmp_path)


async def test_answers_survive_going_back_and_forth(tmp_path: Path) -> None:
    async with wizard(tmp_path) as driver:
        await driver.until(lambda: driver.app.interview.facts is not None)
        await driver.press("enter", "enter", "down", "enter", "up", "up", "enter")
        await driver.press(*"admin@example.com")
        for _ in range(8):
            await driver.press("escape")
        assert isinstance(driver.app.body, Welcome)
        await driver.press("enter", "enter")
        assert "> (*) cron" in driver.text
        await driver.press("enter")
        assert "> 4" in driver.text
        await driver.press("enter")
        assert "> admin@example.com" in driver.text


async def test_the_draft_is_kept_and_taken_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    async with wizard(tmp_path, keeps_draft=True) as driver:
        await driver.until(lambda: driver.app.interview.facts is not None)
        await driver.press("enter", "enter", "down", "q")
    assert driver.app.return_value == 0
    assert json.loads(Path(store.draft_path()).read_text())["schedule.backend"] == "cron"
    async with wizard(tmp_path, keeps_draft=True) as driver:
        await driver.until(lambda: driver.app.interview.facts is not None)
        assert "taken up" in driver.text
        await driver.to_review()
        await driver.press("a")
        await driver.until(lambda: isinstance(driver.app.body, DryRun))
    assert not os.path.exists(store.draft_path())
    assert (tmp_path / "etc/cron.d/certtui-renew").exists()


async def test_a_wrong_answer_is_said_and_keeps_one_there(tmp_path: Path) -> None:
    async with wizard(tmp_path) as driver:
        await driver.until(lambda: driver.app.interview.facts is not None)
        await driver.press("enter", "enter", "enter", "9", "9", "enter")
        assert "whole number from 1 to 24" in driver.text
        await driver.press("backspace", "backspace", "3", "enter")
        await driver.press("n", "o", "@", "enter")
        assert "is not a mail address" in driver.text
        await driver.press("q", "equals_sign", "question_mark")
        assert "no@q=?" in driver.text, "letters are typed, not commands, while text is typed"
        await driver.press("f1")
        assert "In the plan: mail.to" in driver.text
        await driver.press("escape", "f2")
        assert "All answers" in driver.text


async def test_a_plan_that_cannot_be_applied_is_refused_on_review(tmp_path: Path) -> None:
    folder = tmp_path / "usr/local/sbin"
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    async with wizard(tmp_path) as driver:
        await driver.until(lambda: driver.app.interview.facts is not None)
        await driver.press("enter", "enter", "end")
        assert "> (*) at, random chain" in driver.text
        await driver.press("enter", "enter", "enter")
        body = driver.app.body
        assert isinstance(body, Review)
        await driver.until(lambda: bool(body.problem))
        assert "chmod go-w" in driver.text
        assert "nothing is written" in driver.text
        assert "a apply" not in driver.text
        await driver.press("a", "enter")
        assert isinstance(driver.app.body, Review)
    assert not any(folder.iterdir())


async def test_a_conflict_waits_for_a_decision(tmp_path: Path) -> None:
    target = tmp_path / "usr/local/sbin/certbot-renew-everything"
    target.parent.mkdir(parents=True)
    target.write_text("#!/bin/sh\n# mine\n")
    target.chmod(0o700)
    async with wizard(tmp_path) as driver:
        review = await driver.to_review()
        assert "1 conflict" in driver.text
        assert "k keep, r replace" in driver.text
        await driver.press("a")
        assert isinstance(driver.app.body, Review), "an open conflict is not applied"
        await driver.press("k")
        assert not review.undecided
        await driver.press("r")
        assert review.preview is not None
        consent = driver.app.decisions.consent(review.preview.conflicts)
        assert consent.replace and not consent.keep
        await driver.press("a")
        await driver.until(lambda: isinstance(driver.app.body, DryRun))
    assert "# mine" not in target.read_text()


async def test_the_diff_is_the_whole_diff(tmp_path: Path) -> None:
    async with wizard(tmp_path) as driver:
        await driver.to_review()
        await driver.press("enter")
        assert isinstance(driver.app.body, Text)
        first = driver.text
        await driver.press("pagedown")
        assert driver.text != first
        await driver.press("escape")
        assert "Review  6/9" in driver.text


async def test_a_normal_user_is_given_the_line_for_sudo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("certtui.ask.session.Session.may_apply", property(lambda self: False))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    async with wizard(tmp_path) as driver:
        await driver.to_review()
        await driver.press("a")
        await driver.until(lambda: "sudo certtui apply" in driver.text)
        await driver.press("enter")
    assert driver.app.return_value == 0
    path = driver.app.farewell[-1].removeprefix("sudo certtui apply ")
    assert 'kind = "nginx"' in Path(path).read_text()
    assert not (tmp_path / "usr").exists()


async def test_ctrl_c_asks_once(tmp_path: Path) -> None:
    async with wizard(tmp_path) as driver:
        await driver.press("ctrl+c")
        assert "Ctrl+C again leaves" in driver.text
        await driver.press("down")
        assert "Ctrl+C again leaves" not in driver.text
        await driver.press("ctrl+c", "ctrl+c")
    assert driver.app.return_value == 130


async def test_an_error_nobody_expected_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: object) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr("certtui.workflow.Job.draft", broken)
    async with wizard(tmp_path) as driver:
        await driver.until(lambda: driver.app.interview.facts is not None)
        await driver.press(*["enter"] * 5)
        await driver.until(lambda: isinstance(driver.app.body, Fault))
        assert "An error inside certtui (RuntimeError)" in driver.text
        report = re.search(r"report: (/\S+)", driver.text)
        assert report is not None and "a secret" in Path(report[1]).read_text()
        assert Path(report[1]).stat().st_mode & 0o777 == 0o600
        assert "a secret" not in driver.text and "Traceback" not in driver.text
        Path(report[1]).unlink()
        # The page below says it too, and every way is open.
        await driver.press("escape")
        assert "Review  6/9" in driver.text and "an error inside certtui" in driver.text
        await driver.press("escape")
        assert "Mail  5/9" in driver.text


async def test_the_way_back_can_be_focused(tmp_path: Path) -> None:
    async with wizard(tmp_path) as driver:
        await driver.until(lambda: driver.app.interview.facts is not None)
        assert "[Back]" not in driver.text
        await driver.press("enter", "enter")
        assert "Scheduler" in driver.text and " [Back]" in driver.text
        await driver.press("tab")
        assert ">[Back]" in driver.text
        await driver.press("enter")
        assert "Web server  2/9" in driver.text
        assert "[Back]" in driver.text and ">[Back]" not in driver.text


async def test_an_apply_nobody_saw_end_is_told_first(tmp_path: Path) -> None:
    (tmp_path / "var/lib/certtui").mkdir(parents=True)
    recorder = Recorder(Tree(str(tmp_path)))
    recorder.step(Step("made something", True))
    recorder.ended(Ending(True, True))
    async with wizard(tmp_path, unseen=True) as driver:
        await driver.until(lambda: isinstance(driver.app.body, Welcome))
        await driver.until(lambda: "finished: applied as reviewed" in driver.text)
        driver.app._ended(signal.SIGHUP)
    assert detached.is_unseen(str(tmp_path))  # the connection went once more
    async with wizard(tmp_path, unseen=True) as driver:
        await driver.until(lambda: isinstance(driver.app.body, Welcome))
        await driver.press("q")
    assert not detached.is_unseen(str(tmp_path))


async def test_an_apply_is_left_to_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = f"import time; time.sleep(3); {detached._CODE}"
    monkeypatch.setattr("certtui.detached._CODE", slow)
    async with wizard(tmp_path) as driver:
        await driver.to_review()
        await driver.press("a", "ctrl+c")
        body = driver.app.body
        assert isinstance(body, Applying)
        assert "Ctrl+C again leaves, the apply goes on" in driver.text
        await driver.press("ctrl+c")
    assert driver.app.return_value == 130
    assert "goes on by itself" in driver.app.farewell[0]
    assert not written(tmp_path)
    end = time.monotonic() + 20
    while not detached.is_unseen(str(tmp_path)) and time.monotonic() < end:
        time.sleep(0.05)
    told = detached.unseen(str(tmp_path), lambda step: None, threading.Event())
    assert "finished: applied as reviewed" in told
    assert written(tmp_path)


@pytest.mark.parametrize("size", [(80, 24), (60, 16)])
async def test_every_page_names_its_keys_and_shows_its_cursor_as_text(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with wizard(tmp_path, size) as driver:
        await driver.until(lambda: driver.app.interview.facts is not None)
        for _ in range(6):
            wanted = " ".join(f"{key} {what}".strip() for key, what in driver.app.body.works())
            bottom = " ".join(" ".join(screen_text(driver.app)[-2:]).split())
            assert wanted in bottom
            assert len(driver.text.splitlines()) <= size[1]
            assert driver.text.isascii()
            if isinstance(driver.app.body, Question):
                assert "\n> (*)" in driver.text or "\n  >" in driver.text
            await driver.press("enter")


async def test_without_colour_cursor_and_choice_are_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with wizard(tmp_path) as driver:
        await driver.until(lambda: driver.app.interview.facts is not None)
        await driver.press("enter", "enter", "down")
        assert "  ( ) systemd timer" in driver.text
        assert "> (*) cron" in driver.text
        for strip in driver.app.screen._compositor.render_strips():
            for segment in strip:
                style = segment.style
                assert style is None or style.color is None or style.color.is_default


async def test_half_an_address_is_not_an_answer(tmp_path: Path) -> None:
    async with wizard(tmp_path) as driver:
        await driver.until(lambda: driver.app.interview.facts is not None)
        await driver.press("enter", "enter", "enter", "enter", *"admin@", "escape")
        assert driver.app.interview.values()["mail.to"] == ""
        # It is not lost either.
        await driver.press("enter", *"example.com", "escape")
        assert driver.app.interview.values()["mail.to"] == "admin@example.com"


async def test_a_user_who_may_not_look_is_given_the_line_for_sudo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(self: object) -> None:
        raise NeedsRoot("/var/lib/certtui/state.json may not be read by this user: run as root")

    monkeypatch.setattr("certtui.ask.session.Session.may_apply", property(lambda self: False))
    monkeypatch.setattr("certtui.workflow.Job.draft", unreadable)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    async with wizard(tmp_path) as driver:
        await driver.until(lambda: driver.app.interview.facts is not None)
        await driver.press("enter", "enter", "enter", "enter", "enter")
        await driver.until(lambda: "Only root can see" in driver.text)
        await driver.press("enter", "a")
        await driver.until(lambda: "sudo certtui apply" in driver.text)


async def test_a_plan_edited_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    async with wizard(tmp_path, named=True) as driver:
        base = driver.app.session.base
        assert base is not None
        plan.write_bytes(base.content + b"# mine\n")
        await driver.to_review()
        await driver.press("a")
        await driver.until(lambda: "edited while the wizard was open" in driver.text)
        assert "Esc back to review" in driver.text
        await driver.press("escape")
        assert isinstance(driver.app.body, Review)
    assert plan.read_bytes().endswith(b"# mine\n")
    assert not (tmp_path / "usr").exists()


async def test_each_named_plan_has_a_draft_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    async with wizard(tmp_path, keeps_draft=True, named=True) as driver:
        await driver.until(lambda: driver.app.interview.facts is not None)
        await driver.press("enter", "enter", "down", "q")
    assert not os.path.exists(store.draft_path())
    async with wizard(tmp_path, keeps_draft=True) as driver:
        assert driver.app.interview.values()["schedule.backend"] == "systemd-timer"
    async with wizard(tmp_path, keeps_draft=True, named=True) as driver:
        assert driver.app.interview.values()["schedule.backend"] == "cron"
