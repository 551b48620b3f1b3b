"""What is served on 443: one finding a break, and the mend that makes it go away."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from certtui.doctor.check import Context
from certtui.doctor.finding import Finding, Fix, Status
from certtui.doctor.registry import run_checks
from certtui.host import served
from certtui.host.facts import Facts, Lineage, WebServer
from certtui.host.handshake import handshake
from certtui.host.served import Served, State
from tests.doctor.support import NOW, Applied, facts
from tests.facts.support import FakeHost
from tests.facts.test_served import NEW, OLD, A
from tests.facts.test_served import host as tls_host
from tests.facts.test_served import lineage as on_disk
from tests.facts.tls import hanging, listening, serving
from tests.render.support import NGINX, system
from tests.render.support import plan as some_plan

FAIL, WARN, OK, SKIP = Status.FAIL, Status.WARN, Status.OK, Status.SKIP

HOOK = "/etc/letsencrypt/renewal-hooks/post/certtui-reload"
LIVE = "/etc/letsencrypt/live"


def lineages(count: int = 1) -> tuple[Lineage, ...]:
    return tuple(on_disk(f"n{number}.test") for number in range(count))


def with_state(state: State, hung: bool = False) -> Served:
    return Served(state, "", "127.0.0.1:443", f"127.0.0.1:443 is {state}", hung)


def findings(
    monkeypatch: pytest.MonkeyPatch,
    *states: Served,
    host: FakeHost | None = None,
    plan: dict[str, object] | None = None,
    **changes: object,
) -> list[Finding]:
    """What is said of lineages with these answers; ``plan`` None is no plan."""
    some = lineages(len(states))
    said = {one.name: state for one, state in zip(some, states, strict=True)}
    monkeypatch.setattr(served, "look", lambda host, lineages, seconds: said)
    found = facts(lineages=some, **changes)
    made = some_plan(**plan) if plan is not None else None
    return list(run_checks(Context(host or FakeHost(), found, made, now=NOW), ["served"]))


def one(monkeypatch: pytest.MonkeyPatch, *states: Served, **more: object) -> Finding:
    (found,) = findings(monkeypatch, *states, **more)  # type: ignore[arg-type]
    return found


SAME, ABSENT, NOBODY = with_state("same"), with_state("absent"), with_state("nobody")
EARLIER, OTHER = with_state("old"), with_state("other")


def test_all_is_served_as_it_is_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    found = one(monkeypatch, SAME, SAME, plan={})
    assert (found.id, found.status, found.message) == ("served.same", OK, "2 of 2 as on disk")


def test_what_is_not_served_here_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lineage may be a mail server's."""
    found = one(monkeypatch, SAME, ABSENT, with_state("unknown"), plan={})
    assert found.status is OK
    assert found.message == "1 of 3 as on disk, 1 not served here, 1 not known"
    assert one(monkeypatch, ABSENT, plan={}).status is OK
    found = one(monkeypatch, NOBODY, plan={})
    assert (found.status, found.message) == (SKIP, "nothing listens on port 443 here")
    assert one(monkeypatch, with_state("unknown"), plan={}).status is SKIP


def test_what_another_lineage_covers_is_counted_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    found = one(monkeypatch, SAME, with_state("covered"), SAME)
    assert (found.id, found.status) == ("served.same", OK)
    assert found.message == "2 of 3 as on disk, 1 covered by another certificate on disk"


def test_renewed_and_never_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    found = one(monkeypatch, SAME, EARLIER, plan={})
    assert (found.id, found.status, found.subject) == ("served.old", FAIL, "n1.test")
    assert found.message.endswith(
        "; if it stays after a reload, the server reads another file: "
        "nginx -T | grep ssl_certificate"
    )
    assert found.fix == Fix((HOOK, f"{LIVE}/n1.test"), True)


def test_one_reload_is_one_finding_however_many_certificates(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = one(monkeypatch, *[EARLIER] * 300, plan={})
    assert found.subject == "n0.test and 299 more"
    assert found.fix == Fix((HOOK, f"{LIVE}/n0.test"), True)
    assert found.evidence.endswith("\nand 200 more")


def test_a_restart_is_for_a_person_to_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    found = one(monkeypatch, EARLIER, plan={"webserver_action": "restart"})
    assert found.fix is not None and not found.fix.safe


def test_there_is_no_mend_of_ours_for_a_server_that_is_not_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = one(monkeypatch, EARLIER, plan={"webserver_kind": "none"})
    assert (found.status, found.fix) == (WARN, None)
    proxy = WebServer("other", "/usr/sbin/haproxy", "haproxy.service", True, (443,))
    found = one(monkeypatch, EARLIER, plan={}, webservers=(proxy,))
    assert (found.status, found.fix) == (FAIL, None)
    assert found.message.endswith("; on it: haproxy")


def test_without_a_plan_the_unit_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert one(monkeypatch, EARLIER).fix == Fix(("systemctl", "reload", "nginx.service"))


def test_what_is_pending_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    noted = FakeHost(files={"/var/lib/certtui/pending-deploy": f"{LIVE}/n0.test\n".encode()})
    assert one(monkeypatch, EARLIER, plan={}, host=noted).status is OK
    found = one(monkeypatch, EARLIER, EARLIER, plan={}, host=noted)
    assert (found.id, found.subject) == ("served.old", "n1.test")


def test_another_certificate_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    found = one(monkeypatch, OTHER, SAME, plan={})
    assert (found.id, found.status, found.fix) == ("served.other", WARN, None)


def test_two_breaks_are_two_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    found = findings(monkeypatch, OTHER, EARLIER, SAME, plan={})
    assert [item.id for item in found] == ["served.old", "served.other"]


def test_a_server_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    found = one(monkeypatch, with_state("silent", True), SAME, plan={})
    assert (found.id, found.status) == ("served.silent", FAIL)
    assert found.fix == Fix(("systemctl", "restart", "nginx.service"))
    assert found.message.endswith("; on it: nginx")


def test_what_does_not_speak_tls_may_have_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    assert one(monkeypatch, with_state("silent"), plan={}).status is WARN
    vpn = WebServer("other", "/usr/sbin/openvpn", "openvpn.service", True, (443,))
    found = one(monkeypatch, with_state("silent", True), plan={}, webservers=(vpn,))
    assert (found.status, found.fix) == (WARN, None)
    # Beside a web server, which of the two hangs is not known.
    found = one(monkeypatch, with_state("silent", True), plan={}, webservers=(NGINX, vpn))
    assert (found.status, found.fix) == (WARN, None)
    assert found.message.endswith("; on it: nginx and openvpn")
    own = {"webserver_kind": "custom", "webserver_command": ("/usr/bin/true",)}
    found = one(monkeypatch, with_state("silent", True), plan=own, webservers=(vpn,))
    assert found.status is FAIL


def test_what_has_taken_the_port_of_a_stopped_server_is_said_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = WebServer("other", "/usr/bin/python3", "", True, (443,))
    stopped = replace(NGINX, running=False, ports=())
    found = one(monkeypatch, with_state("silent", True), plan={}, webservers=(other, stopped))
    assert (found.id, found.status) == ("served.same", SKIP)


def test_nothing_to_compare_with() -> None:
    def said(found: Facts) -> tuple[str, Status, str]:
        (item,) = run_checks(Context(FakeHost(), found, now=NOW), ["served"])
        return item.id, item.status, item.message

    none = facts(lineages=())
    assert said(none) == ("served.same", SKIP, "there is no certificate on disk to compare with")
    hidden = Lineage(A, "x", error="x may not be read by this user: run as root")
    user = replace(facts(lineages=(hidden,)), system=system(is_root=False))
    assert said(user) == ("served.same", SKIP, "could not look (needs root)")


# -- with a real server ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "id", "status"),
    [("new", "served.same", OK), ("old", "served.old", FAIL), ("hangs", "served.silent", FAIL)],
)
def test_a_real_handshake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, id: str, status: Status
) -> None:
    behaviour = hanging if what == "hangs" else serving(tmp_path, NEW if what == "new" else OLD)
    made = tls_host(certificates={A: [OLD, NEW]})
    found = facts(lineages=(on_disk(A),))
    real = served.look
    with listening(behaviour) as port:
        ask = partial(handshake, port=port)
        monkeypatch.setattr(
            served, "look", lambda host, some, seconds: real(host, some, 1.0, ask=ask)
        )
        (said,) = run_checks(Context(made, found, some_plan(), now=NOW), ["served"])
    assert (said.id, said.status) == (id, status)


def test_a_healthy_host_says_nothing(tmp_path: Path) -> None:
    host = Applied(tmp_path, "cron", facts())
    (said,) = run_checks(Context(host, facts(), host.plan, host.rendered, now=NOW), ["served"])
    assert said.status is SKIP
