"""The parts of the wizard that are plain data: answers, explanations, progress, lines."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from certtui.ask import answers, explain, welcome
from certtui.ask import interview as talk
from certtui.ask.interview import Interview
from certtui.errors import PlanInvalid
from certtui.host.facts import Renewer, Service
from certtui.plan import fields
from certtui.plan.fields import BY_KEY
from certtui.renewal.events import Done, LineageResult, LineageStarted
from certtui.tui.frame import keys_line, rule, shorten, title_line
from certtui.tui.lines import visible
from certtui.tui.progress import Progress
from tests.tui.support import facts, session


def interview(root: Path, **changes: Any) -> Interview:
    made = Interview(session(root))
    made.learn(facts(str(root / "certbot"), **changes))
    return made


def test_pages_follow_the_answers() -> None:
    values = fields.defaults()
    plain = [field.key for field in talk.pages(values)]
    assert plain == ["webserver.kind", "schedule.backend", "schedule.runs_per_day", "mail.to"]
    values["webserver.kind"] = "custom"
    values["schedule.times"] = ("03:00",)
    assert [field.key for field in talk.pages(values)] == [
        "webserver.kind",
        "webserver.test",
        "webserver.command",
        "schedule.backend",
        "schedule.times",
        "mail.to",
    ]


def test_the_daily_cap_follows_the_runs_that_are_asked_for(tmp_path: Path) -> None:
    made = interview(tmp_path)
    made.give("schedule.backend", "at-random")
    assert made.give("schedule.runs_per_day", 24) == ""
    assert made.document().plan.schedule.daily_cap == 24
    made.give("schedule.runs_per_day", 3)
    assert made.document().plan.schedule.daily_cap == 10
    # One that somebody has named stays, and is refused where it is too small.
    made.give("schedule.daily_cap", 12)
    made.give("schedule.runs_per_day", 13)
    assert made.values()["schedule.daily_cap"] == 12
    with pytest.raises(PlanInvalid, match="make it at least 13"):
        made.document()


def test_init_takes_many_runs_without_a_cap() -> None:
    given = answers.from_settings(["schedule.backend=at-random", "schedule.runs_per_day=24"])
    assert given["schedule.daily_cap"] == 24


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("schedule.runs_per_day", " 4 ", 4),
        ("schedule.times", "03:00 15:00", ("03:00", "15:00")),
        ("webserver.command", "systemctl reload 'my server'", ("systemctl", "reload", "my server")),
        ("certbot.env", "https_proxy=http://proxy:3128", {"https_proxy": "http://proxy:3128"}),
        ("mail.to", "root", "root"),
    ],
)
def test_what_is_typed_is_what_is_shown(key: str, text: str, value: Any) -> None:
    field = BY_KEY[key]
    assert talk.from_text(field, text) == value
    assert talk.from_text(field, talk.as_text(field, value)) == value


@pytest.mark.parametrize(
    ("key", "text"), [("schedule.times", "'03:00"), ("certbot.env", "https_proxy")]
)
def test_what_cannot_be_read_is_a_sentence(key: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"quote|NAME=value"):
        talk.from_text(BY_KEY[key], text)


def test_an_answer_that_is_wrong_is_not_taken(tmp_path: Path) -> None:
    made = interview(tmp_path)
    assert "not a mail address" in made.give("mail.to", "no@@way")
    assert made.values()["mail.to"] == ""


def test_answers_of_the_host_give_way_to_given_ones(tmp_path: Path) -> None:
    made = Interview(replace(session(tmp_path), base=None))
    made.learn(facts(webservers=()))
    assert made.values()["webserver.kind"] == "none"
    made.give("webserver.kind", "apache")
    made.learn(facts(webservers=()))
    assert made.values()["webserver.kind"] == "apache"


def test_another_certbot_asks_for_new_facts(tmp_path: Path) -> None:
    made = interview(tmp_path)
    assert not made.stale
    made.give("certbot.command", "/opt/certbot/bin/certbot")
    assert made.stale


def test_choices_say_whether_they_work_here(tmp_path: Path) -> None:
    live = Interview(replace(session(tmp_path), root="/"))
    live.learn(facts(str(tmp_path / "certbot")))
    notes = explain.choices(live, BY_KEY["schedule.backend"])
    assert notes["systemd-timer"] == "works here; makes up missed runs"
    assert notes["at-block"] == "needs atd: apt-get install -y --no-install-recommends at"
    system = replace(facts().system, init="other", systemd_version=0)
    live.learn(facts(system=system))
    notes = explain.choices(live, BY_KEY["schedule.backend"])
    assert notes["systemd-timer"].startswith("needs systemd as process 1")
    servers = explain.choices(live, BY_KEY["webserver.kind"])
    assert servers["nginx"].startswith("found 1.22, owns 80 and 443")
    assert "no apache was found" in servers["apache"]


AT = {"at-block": "as each block begins", "at-random": "once an hour"}


@pytest.mark.parametrize("backend", AT)
def test_at_says_what_it_is_what_it_lacks_and_what_starts_it(tmp_path: Path, backend: str) -> None:
    made = Interview(replace(session(tmp_path), root="/"))
    made.give("schedule.backend", backend)

    def said(**changes: Any) -> tuple[str, list[str]]:
        host = facts(str(tmp_path / "certbot"), **{"renewers": (), **changes})
        made.learn(host)
        field = BY_KEY["schedule.backend"]
        below = explain.below(made, field)
        assert max(len(line) for line in below) <= 80
        assert "Next runs" in below[-5] and not below[-6]
        assert all(line.startswith(" ") for line in below[-4:])
        return explain.choices(made, field)[backend], below[:-6]

    meaning = {one.value: one.help for one in BY_KEY["schedule.backend"].choices}[backend]
    trigger = f"Trigger (automatic): a systemd timer, {AT[backend]} and at boot."
    note, below = said()
    assert note == "needs atd: apt-get install -y --no-install-recommends at"
    assert [line.lower() for line in below] == [f"{meaning.lower()}.", trigger.lower()]

    stopped = Service("atd", True, "atd.service", True, False)
    note, _ = said(atd=stopped)
    assert note == "needs atd, which does not run: systemctl enable --now atd.service"

    well = Service("atd", True, "atd.service", True, True)
    note, below = said(atd=well)
    assert note == f"works here; {meaning}"
    assert below == [trigger]

    other = replace(facts().system, init="other", systemd_version=0)
    _, below = said(system=other, cron=Service("cron", False))
    assert below[1:] == [
        "It also needs cron: apt-get install -y --no-install-recommends cron",
        f"Trigger (automatic): cron, {AT[backend]} and at boot.",
    ]

    made.give("schedule.install_packages", True)
    note, _ = said()
    assert note.startswith("apply runs: apt-get install -y --no-install-recommends at;")
    made.give("schedule.trigger", "cron")
    _, below = said(atd=well)
    assert below == [f"Trigger: cron, {AT[backend]} and at boot."]


def test_what_fires_is_named_before_what_does_not(tmp_path: Path) -> None:
    idle = [
        Renewer("cron.d", f"/etc/cron.d/certbot{n}:1", "certbot", False, True) for n in range(4)
    ]
    fires = Renewer("timer", "certbot.timer", "certbot -q renew", True, True)
    made = interview(tmp_path, renewers=(*idle, fires))
    found = [line for head, line in welcome.rows(made) if "active" in line]
    assert found[0] == "certbot.timer, active"
    assert "not active" in found[1]


def test_next_runs_are_local_and_utc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        lines = list(explain.next_runs(interview(tmp_path), 5))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert len(lines) == 5
    assert lines[0].startswith("Next runs ")
    assert all(" CET " in line and line.endswith(" UTC") for line in lines)


def test_a_timer_that_is_on_will_be_switched_off(tmp_path: Path) -> None:
    made = interview(tmp_path)
    assert "certbot.timer will be switched off" in "\n".join(
        explain.below(made, BY_KEY["schedule.backend"])
    )
    made.give("certbot.other_schedulers", "keep")
    assert "stays on as well" in "\n".join(explain.below(made, BY_KEY["schedule.backend"]))


def test_a_host_without_anything_is_told_what_to_do(tmp_path: Path) -> None:
    made = interview(tmp_path, certbots=(), lineages=(), mailer=None, renewers=(), webservers=())
    text = "\n".join(f"{head} {line}" for head, line in welcome.rows(made))
    assert "certbot not found: apt-get install -y certbot" in text
    assert "certbot certonly --standalone -d web1.example.com" in text
    assert "nothing here can send mail" in text
    assert "nothing: no renewal is scheduled" in text


def test_a_hundred_certificates_become_counts() -> None:
    progress = Progress(tuple(f"host{number}.example.com" for number in range(100)))
    progress.take(LineageStarted("host7.example.com", 1))
    progress.take(LineageResult("host9.example.com", "failed", "port 80 refused", 2))
    progress.take(LineageResult("host8.example.com", "ok", "", 3))
    rows = progress.rows(6)
    assert len(rows) == 6
    assert rows[0] == "  failed    host9.example.com   port 80 refused"
    assert rows[1].startswith("  running   host7.example.com")
    assert rows[-1] == "  and 94 waiting, 1 ok"
    assert progress.headline(73).startswith("2 of 100   1 failed   1:13   [")


def test_only_all_of_them_is_proved() -> None:
    progress = Progress(("a", "b"))
    progress.take(LineageResult("a", "ok", "", 1))
    progress.take(Done(True, (LineageResult("a", "ok", "", 1),), 2))
    half = progress.proved
    progress.take(LineageResult("b", "ok", "", 3))
    assert (half, progress.proved, Progress(()).proved) == (False, True, False)


@pytest.mark.parametrize("width", [60, 80, 200])
def test_frame_lines_fit(width: int) -> None:
    title = title_line(["certtui", "a" * 90, "note"], "Web server  2/9", width)
    assert len(title) <= width and title.endswith("Web server  2/9")
    keys = [(str(number), "does something long") for number in range(12)]
    assert all(len(line) <= width for line in keys_line(keys, width).splitlines())
    assert keys_line(keys, width).split() == " ".join(f"{k} {w}" for k, w in keys).split()
    assert len(rule("a/very/long/path" * 20, "1-2 of 3", width)) <= width


def test_a_path_keeps_its_file_name() -> None:
    path = "/etc/letsencrypt/renewal-hooks/deploy/certtui-deploy"
    for width in range(24, 60):
        assert shorten(path, width).endswith("/certtui-deploy")
        assert len(shorten(path, width)) <= width


def test_what_a_terminal_would_act_on_is_shown() -> None:
    assert visible("a\tb\x1b[31m\x07") == "a       b\\x1b[31m\\x07"


def test_a_missing_answer_is_no_lack_of_the_host(tmp_path: Path) -> None:
    made = interview(tmp_path)
    made.give("webserver.kind", "custom")
    notes = explain.choices(made, BY_KEY["schedule.backend"])
    assert notes["cron"].startswith("works here")
    below = explain.below(made, BY_KEY["schedule.backend"])
    assert below[0].startswith("webserver.command is empty but")


def test_answers_that_were_applied_are_not_those_of_last_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An apply that lost its terminal leaves the draft of a wizard that could not drop it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    start = session(tmp_path, keeps_draft=True)
    made = Interview(start)
    assert made.give("mail.to", "admin@example.com") == ""
    assert Interview(start).resumed
    made.learn(start.facts(made.document().plan))
    applied = replace(start, base=made.document())
    assert not Interview(applied).resumed
