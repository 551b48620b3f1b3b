"""The engine: crash is never a pass, what was not looked at is said, ids are checked."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from certtui.doctor import registry, report
from certtui.doctor.budget import Hurried
from certtui.doctor.check import Check, Context, Kind
from certtui.doctor.finding import Finding, Fix, Status
from certtui.errors import ExitCode, UsageError
from tests.doctor.support import LOG, Applied, context, facts
from tests.facts.support import FakeHost

DOCS = Path(__file__).parents[2] / "docs"
SCHEMA = json.loads((DOCS / "doctor.schema.json").read_text("utf-8"))
KIND = Kind("x.broken", Status.FAIL, "it holds")


@pytest.fixture
def made(tmp_path: Path) -> Context:
    return context(Applied(tmp_path, "cron", facts()))


def with_check(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def breaks(given: Context) -> Iterator[Finding]:
        yield KIND.ok("", "first")
        raise error

    monkeypatch.setattr(registry, "CHECKS", (Check((KIND,), breaks),))


def test_a_check_that_breaks_is_a_crash_and_no_pass(
    made: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_check(monkeypatch, KeyError("secret"))
    first, second = registry.run_checks(made)
    assert (first.status, second.status) == (Status.OK, Status.CRASH)
    assert "KeyError" in second.message
    assert report.exit_code((first, second)) is ExitCode.FAILED
    assert "CRASH" in report.text((first, second), colour=False)


def test_what_only_root_may_see_is_skipped(monkeypatch: pytest.MonkeyPatch, made: Context) -> None:
    with_check(monkeypatch, PermissionError(13, "Permission denied", "/x"))
    system = replace(made.facts.system, is_root=False)
    user = replace(made, facts=replace(made.facts, system=system))
    assert registry.run_checks(user)[-1].status is Status.SKIP
    assert "needs root" in registry.run_checks(user)[-1].message
    assert registry.run_checks(made)[-1].status is Status.CRASH


def test_only_and_skip_take_ids_and_groups(made: Context) -> None:
    groups = {item.id.partition(".")[0] for item in registry.run_checks(made, ["mail", "cron"])}
    assert groups == {"mail", "cron"}
    rest = {item.id.partition(".")[0] for item in registry.run_checks(made, (), ["cron"])}
    assert rest
    assert "cron" not in rest
    (one,) = registry.run_checks(made, ["cron.insecure-mode"])
    assert (one.id, one.status) == ("cron.insecure-mode", Status.OK)


def test_what_was_not_looked_at_is_not_called_ok(made: Context) -> None:
    (one,) = registry.run_checks(made, ["timer.not-active"])
    assert one.status is Status.SKIP
    assert one.message == "not needed: the plan uses cron"


def test_ids_may_have_commas_between(made: Context) -> None:
    found = registry.run_checks(made, ["cron, timer", "mail"], ["mail,cron.daemon"])
    groups = {finding.id.partition(".")[0] for finding in found}
    assert {"cron", "timer"} <= groups
    assert "mail" not in groups
    with pytest.raises(UsageError, match="crom: no such check"):
        registry.run_checks(made, ["timer,crom"])
    one = registry.run_checks(made, ["cron.daemon,timer"])
    assert "cron.daemon" in {finding.id for finding in one}


def test_where_nothing_was_looked_at_nothing_is_called_healthy() -> None:
    assert report.summary([]) == "nothing was looked at"
    skipped = KIND.skip("", "there is no plan")
    assert report.summary([skipped]) == "nothing was looked at: 1 skip"
    assert report.summary([skipped, KIND.ok("", "x")]).startswith("healthy: ")


def test_the_list_for_programs() -> None:
    (first, *rest) = report.listing_json()["checks"]
    assert set(first) == {"id", "severity", "expected", "why", "docs"}
    assert first["docs"].startswith("docs/checks.md#")
    assert [first["id"], *(one["id"] for one in rest)] == [one.id for one in registry.kinds()]


def test_an_unknown_id_names_the_nearest(made: Context) -> None:
    with pytest.raises(UsageError, match=r"mial: no such check; did you mean mail"):
        registry.run_checks(made, ["mial"])
    with pytest.raises(UsageError, match="certtui doctor --list"):
        registry.run_checks(made, (), ["zzzzzz"])


def test_ids_are_unique_and_listed() -> None:
    ids = [kind.id for kind in registry.kinds()]
    assert len(ids) == len(set(ids))
    assert [line.split()[0] for line in report.listing().splitlines()] == ids


def test_the_text_is_worst_first_and_escapes_what_a_terminal_would_obey() -> None:
    findings = (
        Finding("a.x", Status.OK, "", "fine"),
        Finding("b.x", Status.WARN, "s\x1b[2J", "odd", "seen\x07", "good", Fix(("chmod", "a b"))),
        Finding("c.x", Status.FAIL, "", "bad"),
    )
    text = report.text(findings, colour=False)
    assert text.index("FAIL") < text.index("warn") < text.index("ok")
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "mend: chmod 'a b'" in text
    assert text.endswith("not healthy: 1 FAIL, 1 warn, 1 ok\n")
    assert "\x1b[31m" in report.text(findings, colour=True)


def test_the_json_is_what_its_schema_says(made: Context) -> None:
    broken = replace(made, facts=replace(made.facts, mailer=None, lineages=()))
    findings = registry.run_checks(broken)
    data = json.loads(json.dumps({"schema_version": 1, **report.to_json(findings)}))
    jsonschema.validate(data, SCHEMA)
    assert data["counts"]["fail"] == sum(item["status"] == "fail" for item in data["findings"]) > 0
    assert any(item["fix"] for item in data["findings"])


def test_the_schema_takes_nothing_else(made: Context) -> None:
    data = {"schema_version": 1, **report.to_json(registry.run_checks(made))}
    data["findings"][0]["status"] = "fine"
    with pytest.raises(jsonschema.ValidationError, match="fine"):
        jsonschema.validate(data, SCHEMA)


def test_every_finding_leads_to_a_heading_of_the_docs() -> None:
    page = (DOCS / "checks.md").read_text("utf-8")
    # GitHub's anchors: lower case, punctuation but "-" and "_" left out, blanks as "-".
    headings = {
        re.sub(r"[^\w -]", "", line.removeprefix("### ")).replace(" ", "-")
        for line in page.splitlines()
        if line.startswith("### ")
    }
    links = [Finding(kind.id, Status.OK, "", "").docs for kind in registry.kinds()]
    assert {link.removeprefix("docs/checks.md#") for link in links} == headings


def test_a_check_that_hangs_is_left_behind(made: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def hangs(given: Context) -> Iterator[Finding]:
        assert over.wait(30)
        yield KIND.ok("", "at last")

    other = Kind("y.fine", Status.FAIL, "it holds")
    checks = (Check((KIND,), hangs), Check((other,), lambda given: [other.ok("", "fine")]))
    monkeypatch.setattr(registry, "CHECKS", checks)
    first, second = registry.run_checks(made, limit=0.2)
    over.set()
    assert (first.status, first.message) == (Status.CRASH, "did not end within 0.2 s")
    assert (second.status, second.message) == (Status.OK, "fine")


def test_a_program_that_hangs_has_what_is_left_of_the_time() -> None:
    host = Hurried(0.0)
    assert host.run(["sleep", "20"]).code == 124
    assert Hurried(20.0).run(["true"]).ok


def test_of_many_that_are_well_the_first_are_shown() -> None:
    findings = [Finding("a.x", Status.OK, f"number {at}", "fine") for at in range(25)]
    findings += [Finding("a.y", Status.FAIL, f"bad {at}", "no") for at in range(25)]
    text = report.text(findings, colour=False)
    assert text.count("number ") == 10
    assert "  ok     15 more (certtui doctor --only a.x --json)\n" in text
    assert text.count("FAIL   bad ") == 25  # none of these is left out


def test_what_a_plan_does_without_is_one_line(made: Context) -> None:
    text = report.text(registry.run_checks(made), colour=False)
    assert "not needed: the plan" not in text
    (line,) = [line for line in text.splitlines() if line.startswith("not needed with this plan: ")]
    assert {"timer", "atd", "at"} <= set(line.partition(": ")[2].split(", "))


def test_prose_is_broken_and_commands_are_not() -> None:
    kind = Kind("a.x", Status.FAIL, "word " * 30, why="because " * 20)
    finding = kind.found("", "message " * 20, "evidence " * 20, Fix(("mend", "it " * 40)))
    lines = report.text([finding], colour=False, width=80).splitlines()
    long = [line.split()[0] for line in lines if len(line) > 80]
    assert long == ["seen:", "mend:"]
    assert sum(line.startswith("         why:  because") for line in lines) == 1


def test_a_user_is_told_how_much_he_could_not_see(made: Context) -> None:
    system = replace(made.facts.system, is_root=False)
    host = FakeHost(closed={LOG, "/var/lib/certtui/pending-deploy"}, root_user=False)
    user = replace(made, host=host, facts=replace(made.facts, system=system), rendered=None)
    found = [item for item in registry.run_checks(user) if item.status is not Status.FAIL]
    hidden = sum("(needs root)" in item.message for item in found)
    assert hidden >= 2
    last = report.text(found, colour=False).splitlines()[-1]
    assert last.startswith("no failure seen: ")
    assert last.endswith(f"; {hidden} need root: sudo certtui doctor")
    assert "healthy" not in last
    # The same without anything hidden.
    seen = [item for item in found if "(needs root)" not in item.message]
    assert report.text(seen, colour=False).splitlines()[-1].startswith("healthy: ")
