"""The web server of a plan: its test, its unit, whether it runs; without a plan what is found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from certtui.doctor.certificates import webserver
from certtui.doctor.check import Context
from certtui.doctor.finding import Finding, Fix, Status
from certtui.doctor.registry import run_checks
from certtui.host.facts import WebServer
from certtui.host.interface import Completed
from tests.doctor.support import LOG, NGINX_UNIT, NOW, Applied, bad, context, facts
from tests.facts.support import FakeHost
from tests.render.support import NGINX, system
from tests.render.support import plan as some_plan

FAIL, WARN, OK, SKIP = Status.FAIL, Status.WARN, Status.OK, Status.SKIP

BROKEN = Completed(("nginx", "-t"), 1, "", 'nginx: [emerg] unknown directive "x" in /etc/x:1\n')
STOPPED = NGINX_UNIT.replace("active", "inactive", 1).replace("running", "dead")
GONE = "LoadState=not-found\nActiveState=inactive\nSubState=dead\nResult=success\n"

ASKED = ("systemctl", "show", "-p", webserver.ASKED)


def host(test: str | Completed = "", unit: str = NGINX_UNIT) -> FakeHost:
    return FakeHost(answers={("nginx", "-t"): test, ASKED: unit})


def said(made: FakeHost, plan: dict[str, Any] | None, **changes: Any) -> list[Finding]:
    planned = some_plan(**plan) if plan is not None else None
    return list(run_checks(Context(made, facts(**changes), planned, now=NOW), ["webserver"]))


def one(made: FakeHost, plan: dict[str, Any] | None, **changes: Any) -> Finding:
    (found,) = said(made, plan, **changes)
    return found


def stopped(**changes: Any) -> WebServer:
    return replace(NGINX, running=False, ports=(), **changes)


def test_a_configuration_that_passes() -> None:
    found = one(host(), {})
    assert (found.id, found.status) == ("webserver.configuration", OK)


def test_a_configuration_that_does_not_pass() -> None:
    found = one(host(BROKEN), {})
    assert (found.id, found.status, found.fix) == ("webserver.configuration", FAIL, None)
    assert found.evidence.startswith("nginx -t: exit code 1\nnginx: [emerg] unknown directive")


@pytest.mark.parametrize(("code", "status"), [(124, WARN), (126, FAIL), (127, FAIL)])
def test_a_test_that_does_not_end_or_cannot_be_run(code: int, status: Status) -> None:
    found = one(host(Completed(("nginx", "-t"), code, "", "nginx: no")), {})
    assert found.status is status
    assert ("does not end" if code == 124 else "cannot be run") in found.message


def test_a_stopped_server_is_a_warning_with_the_command_that_starts_it() -> None:
    found = said(host(unit=STOPPED), {}, webservers=(stopped(),))
    assert [item.id for item in found] == ["webserver.configuration", "webserver.stopped"]
    assert found[1].status is WARN
    assert found[1].fix == Fix(("systemctl", "start", "nginx.service"))
    failed = STOPPED.replace("success", "exit-code")
    assert "stopped (exit-code)" in said(host(unit=failed), {}, webservers=(stopped(),))[1].message


@pytest.mark.parametrize(("state", "sub"), [("activating", "auto-restart"), ("failed", "failed")])
def test_a_server_that_cannot_start_is_not_told_to(state: str, sub: str) -> None:
    unit = f"LoadState=loaded\nActiveState={state}\nSubState={sub}\nResult=exit-code\n"
    found = said(host(unit=unit), {}, webservers=(stopped(),))[1]
    assert (found.id, found.fix) == ("webserver.stopped", None)
    assert found.message == "is stopped (exit-code); systemctl status nginx.service says why"
    assert found.evidence.endswith("; journalctl -u nginx.service")


def test_who_has_taken_the_port_of_a_stopped_server_is_named() -> None:
    other = WebServer("other", "/usr/sbin/haproxy", "haproxy.service", True, (443,))
    found = said(host(unit=STOPPED), {}, webservers=(other, stopped()))[1]
    assert found.message == "is stopped; /usr/sbin/haproxy listens on port 443"


def test_what_keeps_a_server_from_starting_is_one_break() -> None:
    found = one(host(BROKEN, STOPPED.replace("success", "exit-code")), {}, webservers=(stopped(),))
    assert (found.id, found.status) == ("webserver.configuration", FAIL)
    assert found.message.endswith("; it is stopped (exit-code)")


def test_a_unit_that_is_masked() -> None:
    found = one(host(unit=NGINX_UNIT.replace("loaded", "masked")), {})
    assert (found.id, found.status) == ("webserver.unit", FAIL)
    assert found.fix == Fix(("systemctl", "unmask", "nginx.service"))


def test_a_server_that_is_not_here() -> None:
    found = one(host(unit=GONE), {}, webservers=())
    assert (found.id, found.status, found.fix) == ("webserver.unit", FAIL, None)
    elsewhere = system(init="other", systemd_version=0)
    found = one(host(), {}, webservers=(), system=elsewhere)
    assert (found.id, found.subject) == ("webserver.unit", "nginx")


def test_a_server_that_systemd_does_not_run_has_no_unit() -> None:
    own = replace(NGINX, program="/opt/nginx/sbin/nginx", unit="")
    made = FakeHost(answers={("/opt/nginx/sbin/nginx", "-t"): ""})
    assert one(made, {}, webservers=(own,)).status is OK
    assert made.ran == [("/opt/nginx/sbin/nginx", "-t")]


def test_a_server_of_the_administrators_own() -> None:
    command = {"webserver_kind": "custom", "webserver_command": ("/usr/bin/systemctl", "x")}
    assert one(FakeHost(), command).status is SKIP
    tested = {**command, "webserver_test": ("/usr/bin/own", "--test")}
    made = FakeHost(answers={("/usr/bin/own", "--test"): "well"})
    assert (one(made, tested).status, made.ran) == (OK, [("/usr/bin/own", "--test")])
    assert one(FakeHost(), tested).status is FAIL


def test_no_server_is_told() -> None:
    assert one(FakeHost(), {"webserver_kind": "none"}).status is SKIP


def test_only_root_may_test() -> None:
    user = system(is_root=False)
    made = host()
    found = one(made, {}, system=user)
    assert (found.status, found.message) == (SKIP, "could not look (needs root)")
    assert ("nginx", "-t") not in made.ran


def test_without_a_plan_what_is_found_is_tested() -> None:
    assert one(host(), None).status is OK
    found = one(host(BROKEN), None)
    assert (found.status, found.message[:14]) == (WARN, "nginx -t fails")
    # One that is installed and not used is nobody's fault.
    states = [item.status for item in said(host(unit=STOPPED), None, webservers=(stopped(),))]
    assert states == [OK, OK]
    assert one(FakeHost(), None, webservers=()).status is SKIP


def test_systemd_that_does_not_answer() -> None:
    made = FakeHost(answers={("nginx", "-t"): "", ASKED: Completed(ASKED, 1, "", "no bus")})
    assert one(made, {}).status is OK


def test_what_waits_to_be_loaded_is_said_by_what_is_in_its_way(tmp_path: Path) -> None:
    made = Applied(tmp_path, "cron", facts())
    made.write("/var/lib/certtui/pending-deploy", "/etc/letsencrypt/live/a.example.org\n")
    log = made.path(LOG).read_text()
    made.write(LOG, log.replace(" ok 12 ", " deploy-failed 12 renewed but not loaded: a"))
    assert set(bad(made)) == {"deploy.pending"}
    made.answers["nginx", "-t"] = BROKEN
    assert set(bad(made)) == {"webserver.configuration"}
    waits = [item for item in run_checks(context(made), ["deploy"]) if item.status is SKIP]
    assert waits[0].message.endswith("by the web server: 1; first see webserver.configuration")
