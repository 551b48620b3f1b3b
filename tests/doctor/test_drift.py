"""What an apply would write anew though the plan is as applied."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from certtui.doctor.check import Context
from certtui.doctor.finding import Finding, Status
from certtui.doctor.registry import run_checks
from certtui.host.facts import Facts
from certtui.render.build import render
from tests.doctor.support import SCRIPT, Applied, context, facts

HOOK = "/etc/letsencrypt/renewal-hooks/post/certtui-reload"


@pytest.fixture
def host(tmp_path: Path) -> Applied:
    return Applied(tmp_path, "cron", facts())


def now(host: Applied, found: Facts, text: bytes = b"version = 1\n") -> Context:
    """The host as it was applied, looked at with facts of another moment."""
    made = render(host.plan, found, plan_text=text)
    return replace(context(host, found), rendered=made)


def outside() -> Facts:
    """nginx runs, and systemd did not start it."""
    servers = tuple(replace(one, unit="") for one in facts().webservers)
    return facts(webservers=servers)


def drift(given: Context) -> list[Finding]:
    return [one for one in run_checks(given, ["drift"]) if one.status is not Status.OK]


def test_a_server_outside_systemd_for_a_moment_is_no_edited_plan(host: Applied) -> None:
    (said,) = drift(now(host, outside()))
    assert (said.id, said.status) == ("drift.host-changed", Status.WARN)
    assert said.subject == HOOK
    assert "has changed since: apply would write it anew" in said.message
    assert said.fix is not None
    assert (said.fix.argv, said.fix.safe) == (("certtui", "apply", "--no-dry-run"), False)


def test_a_plan_that_was_edited_as_well_is_not_applied_yet(host: Applied) -> None:
    found = drift(now(host, outside(), b"version = 1\n# edited\n"))
    assert {one.id for one in found} == {"drift.content"}


def test_a_file_that_was_edited_as_well_is_an_edited_file(host: Applied) -> None:
    host.write(HOOK, "#!/bin/sh\n")
    host.path(HOOK).chmod(0o755)
    (said,) = drift(now(host, outside()))
    assert (said.id, said.subject) == ("drift.content", HOOK)


def test_without_a_certbot_another_check_says_it(host: Applied) -> None:
    found = replace(outside(), certbots=())
    assert render(host.plan, found, plan_text=b"version = 1\n") != host.rendered
    assert drift(now(host, found)) == []
    host.write(SCRIPT, "#!/bin/sh\n")
    assert [one.subject for one in drift(now(host, found))] == [SCRIPT]
