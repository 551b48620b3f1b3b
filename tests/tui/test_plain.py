"""The plain questions: what they say, what they ask, and what a host cannot make them do."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from certtui import wizard
from certtui.ask import farewell, preferences, welcome
from certtui.ask import interview as talk
from certtui.ask import session as starts
from certtui.ask.interview import Interview
from certtui.ask.session import Session
from certtui.errors import PlanMissing, Refused
from certtui.host.facts import Facts
from certtui.plain import wizard as plain
from certtui.plain.prompt import RanOut
from certtui.plan import fields, validate
from certtui.plan.fields import BY_KEY
from certtui.plan.model import Plan
from tests.tui.support import NOW, facts, session


class Said:
    """What was printed, prompts among it, and how it ended."""

    def __init__(self, text: str, code: int) -> None:
        self.text = text
        self.code = code


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a session on typed answers; where they end, Ctrl+D is typed."""

    def run(made: Session, *typed: str) -> Said:
        stream = io.StringIO()
        answers = iter(typed)

        def reply(prompt: str) -> str:
            text = next(answers, None)
            stream.write(f"{prompt}{text}\n")
            if text is None:
                raise EOFError
            return text

        with monkeypatch.context() as patch:
            patch.setattr("builtins.input", reply)
            patch.setattr(sys, "stdout", stream)
            try:
                code = plain.run(made)
            except RanOut as error:
                stream.write(str(error))
                code = int(error.exit_code)
        return Said(stream.getvalue(), code)

    return run


def drafting(root: Path, monkeypatch: pytest.MonkeyPatch, state: str = "state") -> Session:
    """A session that keeps its draft below a folder of the root."""
    monkeypatch.setenv("XDG_STATE_HOME", str(root / state))
    return session(root, keeps_draft=True)


# -- what is asked ---------------------------------------------------------------------------------


def test_every_answer_can_be_changed_behind_equals(tmp_path: Path, answer: Any) -> None:
    said = answer(session(tmp_path), "=", "certbot.timeout", "60", "files.unit", "renewal", "", "q")
    listed = re.findall(r"^ {3,4}\d+  ([a-z]+\.\S+)", said.text, re.MULTILINE)
    first = listed[: len(listed) // 3]
    wanted = [f for f in (*fields.FIELDS, *preferences.FIELDS) if f.applies(fields.defaults())]
    assert first == [field.key for field in wanted]
    assert "certbot.timeout: How many seconds may one run take?" in said.text
    assert re.search(r"^ +\d+  certbot.timeout +60$", said.text, re.MULTILINE)
    assert re.search(r"^ +\d+  files.unit +renewal$", said.text, re.MULTILINE)
    # Enter goes back to the question it was typed at.
    assert said.text.count("1. Web server") == 2


def test_a_number_of_the_list_is_asked_too_and_others_are_not(tmp_path: Path, answer: Any) -> None:
    said = answer(session(tmp_path), "=", "0", "99", "²", "9" * 5000, "no.key", "1", "b", "", "q")
    assert said.text.count("type a number from 1 to ") == 5
    assert said.text.count("1. Web server: Which server") == 3


def test_an_answer_of_the_list_can_take_the_question_in_hand_away(
    tmp_path: Path, answer: Any
) -> None:
    custom = ("3", "")
    said = answer(session(tmp_path), *custom, "=", "webserver.kind", "1", "", "q")
    assert said.text.rindex("2. Scheduler") > said.text.rindex("webserver.kind")
    assert "3. Runs" not in said.text


def test_answers_can_be_changed_on_the_last_page(tmp_path: Path, answer: Any) -> None:
    said = answer(session(tmp_path), "", "", "", "", "=", "files.unit", "renewal", "", "q")
    shown = said.text.split("Review of web1.example.com")
    assert len(shown) == 3
    assert "certtui-renew.timer" in shown[1] and "renewal.timer" in shown[2]


def test_what_the_interface_is_like_is_kept_here_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(["=", "interface.colours", "light", "", "q"])
    monkeypatch.setattr("builtins.input", lambda prompt: next(answers))
    assert wizard.run_session(session(tmp_path), plain=True) == 0
    assert preferences.load().colours == "light"


# -- what is said ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "none"), [("mail.to", ""), ("notify.heartbeat_url", "")])
def test_a_wrong_text_says_how_none_is_typed_here(
    tmp_path: Path, answer: Any, key: str, none: str
) -> None:
    said = answer(session(tmp_path), "=", key, "no way", "-", "", "q")
    assert "or - for none" in said.text and '""' not in said.text
    assert re.search(rf"^ +\d+  {key} +\(none\)$", said.text, re.MULTILINE)


@pytest.mark.parametrize("typed", ["two", '""', "--2", "30", "9" * 5000])
def test_what_is_no_number_is_told_what_is(tmp_path: Path, answer: Any, typed: str) -> None:
    said = answer(session(tmp_path), "", "", typed, "q")
    assert "\n   Type a whole number from 1 to 24\n" in said.text


def test_an_emptied_number_is_told_what_to_type(tmp_path: Path) -> None:
    made = Interview(session(tmp_path))
    field = BY_KEY["schedule.runs_per_day"]
    assert made.give(field.key, talk.from_text(field, "")) == "type a whole number from 1 to 24"


WRONG = {
    "mail.to": "x" * 300,
    "mail.from": "x" * 300,
    "certbot.command": "x" * 300,
    "certbot.extra_args": ("--quiet=" + "x" * 300, "--quiet" + "x" * 300),
    "certbot.env": {"x" * 300: "y"},
    "files.scripts": "/" + "ü" * 300,
    "files.unit": "x" * 300,
    "schedule.times": ("x" * 300,),
    "schedule.at_queue": "x" * 300,
    "schedule.runs_per_day": int("9" * 300),
    "schedule.backend": "x" * 300,
    "notify.heartbeat_url": "x" * 300,
    "webserver.command": ("-" + "x" * 300,),
}


@pytest.mark.parametrize("key", WRONG)
def test_a_long_wrong_value_is_cut_in_its_sentence(key: str) -> None:
    given = {"schedule.backend": "at-block"} if key == "schedule.at_queue" else {}
    found = [text for _, text in validate.problems({**given, key: WRONG[key]})]
    assert found
    assert max(len(text) for text in found) < 260


def test_the_host_is_named(tmp_path: Path, answer: Any) -> None:
    said = answer(session(tmp_path), "", "", "", "", "q")
    assert re.search(r"^  Host +web1\.example\.com$", said.text, re.MULTILINE)
    assert "Review of web1.example.com: everything" in said.text


def test_no_name_of_the_host_reaches_the_terminal_as_it_is(tmp_path: Path, answer: Any) -> None:
    evil = "evil\x1b[2J\x07"
    found = facts(str(tmp_path / "certbot"))
    found = replace(
        found,
        system=replace(found.system, hostname=f"host\x1b]0;{evil}"),
        lineages=(replace(found.lineages[0], name=evil), *found.lineages),
        renewers=(replace(found.renewers[0], where=f"/etc/cron.d/{evil}:1"),),
        webservers=(replace(found.webservers[0], version=evil),),
        unreadable=(f"/etc/{evil} cannot be read",),
    )
    made = session(tmp_path, found=found)
    certbot = tmp_path / "certbot"
    certbot.write_text(certbot.read_text().replace("Account registered", "\\033[2J\\007"))
    (tmp_path / f"etc/letsencrypt/renewal/{evil}.conf").write_text("version = 2.1.0\n")
    said = answer(made, "", "?", "", "", "", "apply")
    assert "dry run: " in said.text
    assert not re.search(r"[^\n\t -~]", said.text), ascii(said.text)
    assert said.text.count(r"evil\x1b[2J\x07") >= 5


# -- how it ends -----------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["q", None], ids=["q", "Ctrl+D"])
def test_leaving_says_that_answers_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Any, way: str | None
) -> None:
    said = answer(drafting(tmp_path, monkeypatch), "", "2", *([way] if way else []))
    assert "nothing was written" in said.text
    assert "Your answers are kept for the next time." in said.text
    assert said.code == (0 if way else 64)


@pytest.mark.parametrize("way", ["q", None], ids=["q", "Ctrl+D"])
def test_leaving_says_that_answers_could_not_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Any, way: str | None
) -> None:
    (tmp_path / "home").write_text("a file\n")
    said = answer(drafting(tmp_path, monkeypatch, "home"), "", "2", *([way] if way else []))
    reason = f"{tmp_path}/home/certtui: Not a directory"
    assert f"Your answers could not be kept: {reason}" in said.text
    assert "are kept" not in said.text


def test_a_home_that_is_a_file_harms_no_apply(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Any
) -> None:
    (tmp_path / "home").write_text("a file\n")
    said = answer(drafting(tmp_path, monkeypatch, "home"), "", "2", "", "me", "apply")
    assert said.code == 0
    assert "SET UP AND PROVED" in said.text and "could not be kept" not in said.text
    made = Interview(replace(drafting(tmp_path, monkeypatch, "home"), named=False))
    with pytest.raises(Refused, match=r"the plan could not be kept: .*home.*Not a directory"):
        made.keep_plan()


def test_what_to_remember_is_what_works_there(tmp_path: Path, answer: Any) -> None:
    said = answer(session(tmp_path), "", "", "", "", "apply")
    assert said.code == 0
    below = f"--root {tmp_path}"
    assert said.text.endswith(
        f"Remember:\n  certtui diff {below}   what differs from the plan\n"
        f"  certtui undo {below}   puts back what was there before\n"
    )
    live = Interview(replace(session(tmp_path), root="/"))
    commands = [command for command, _ in farewell.remember(live)]
    assert commands == ["certtui status", "certtui doctor", "certtui drill", "certtui undo"]


class Fails:
    """Facts that come only after so many times that something goes wrong."""

    def __init__(self, errors: Sequence[Exception], then: Facts) -> None:
        self._errors = iter(errors)
        self._then = then

    def __call__(self, plan: Plan) -> Facts:
        del plan
        error = next(self._errors, None)
        if error is not None:
            raise error
        return self._then


def test_an_error_while_looking_is_told_and_looking_goes_on(tmp_path: Path, answer: Any) -> None:
    errors = [KeyError("no such thing"), Refused("certbot does not answer")]
    made = session(tmp_path)
    made = replace(made, facts=Fails(errors, facts(str(tmp_path / "certbot"))))
    said = answer(made, "", "b", "", "q")
    report = re.search(r"an error inside certtui \(KeyError\); report: (\S+)", said.text)
    assert report is not None and "no such thing" in Path(report[1]).read_text()
    assert "This host could not be looked at: certbot does not answer" in said.text
    assert "1. Web server" in said.text and said.code == 0
    Path(report[1]).unlink()


def test_who_leaves_a_host_that_cannot_be_looked_at_was_not_served(
    tmp_path: Path, answer: Any
) -> None:
    made = session(tmp_path)
    made = replace(made, facts=Fails([Refused("no")] * 2, facts()))
    assert answer(made, "", "q").code == 1


def test_an_error_while_comparing_is_told_and_can_be_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Any
) -> None:
    from certtui.workflow import Job

    draft, failing = Job.draft, iter([True, False])

    def once(job: Job, *args: Any, **kwargs: Any) -> Any:
        if next(failing):
            raise ZeroDivisionError("by nothing")
        return draft(job, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(Job, "draft", once)
        said = answer(session(tmp_path), "", "", "", "", "", "q")
    report = re.search(r"an error inside certtui \(ZeroDivisionError\); report: (\S+)", said.text)
    assert report is not None
    assert "Enter looks again, b goes back" in said.text
    assert "Review of web1.example.com" in said.text and said.code == 0
    Path(report[1]).unlink()


@pytest.mark.parametrize("number", [15, 1])
def test_a_signal_while_looking_ends_it(tmp_path: Path, answer: Any, number: int) -> None:
    from certtui.errors import Ended

    made = replace(session(tmp_path), facts=Fails([Ended(number)], facts()))
    with pytest.raises(Ended):
        answer(made, "q")


# -- where it starts -------------------------------------------------------------------------------


def test_a_plan_in_a_folder_that_is_missing_is_refused_at_once(tmp_path: Path) -> None:
    path = str(tmp_path / "missing/plan.toml")
    with pytest.raises(PlanMissing, match=f"there is no folder {tmp_path}/missing") as caught:
        starts.for_host(path)
    assert caught.value.exit_code == 66
    assert "certtui init" not in str(caught.value)
    assert starts.for_host(str(tmp_path / "plan.toml")).named


MANY = {
    "some-expired": ([-5] * 40 + [50] * 60, "and 95 more, 35 expired"),
    "all-expired": ([-5] * 40, "and 35 more, all expired"),
    "none-expired": ([7] * 5 + [50] * 60, "and 60 more, 50 days left or more"),
}


@pytest.mark.parametrize("case", MANY)
def test_what_is_counted_is_true_of_all(tmp_path: Path, case: str) -> None:
    days, words = MANY[case]
    names = tuple((f"host{n}.example.com", left) for n, left in enumerate(days))
    made = Interview(session(tmp_path))
    made.learn(facts(str(tmp_path / "certbot"), certificates=names))
    assert words in [line for _, line in welcome.rows(made)]


def test_what_cannot_be_read_is_counted_too(tmp_path: Path) -> None:
    found = facts(str(tmp_path / "certbot"))
    one = found.lineages[0]
    broken = [replace(one, name=f"broken{n}", error="cannot be read") for n in range(7)]
    past = replace(one, name="past", not_after=NOW - timedelta(days=1))
    made = Interview(session(tmp_path))
    made.learn(replace(found, lineages=(*broken, past, one)))
    assert "and 4 more, 2 cannot be read and 1 expired" in [line for _, line in welcome.rows(made)]
