"""Doctor and what is served where systemd is not process 1, and the mends it runs by itself."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

import pytest

from tests.host import server
from tests.host.machine import Machine
from tests.host.mutations import Seen, look
from tests.host.schedules import CRON, TIMER, applied
from tests.host.test_status import RENEW
from tests.host.test_without_systemd import boot
from tests.host.web import APACHE, NGINX, Web

Keep = Callable[[subprocess.CompletedProcess[str], str], None]

WELL = (0, frozenset[tuple[str, str]]())
A = server.NAMES[0]


def said(seen: Seen) -> tuple[int, frozenset[tuple[str, str]]]:
    return seen.code, seen.findings


def renew_without_hooks(host: Machine) -> None:
    host.run(RENEW, env={"REQUESTS_CA_BUNDLE": server.TRUST})
    assert server.served(host, A) != server.on_disk(host, A)


@pytest.mark.parametrize("web", [NGINX, APACHE], ids=lambda web: web.kind)
def test_without_systemd(machine: Callable[..., Machine], web: Web, transcript: Keep) -> None:
    host = machine(web=web)
    try:
        boot(host, web)
        server.make_due(host, server.DUE, due=False)
        applied(host, CRON, web=web)
        well = look(host, transcript)
        assert said(well) == WELL, well.text

        renew_without_hooks(host)
        ill = look(host, transcript)
        assert said(ill) == (1, frozenset({("served.old", "FAIL")})), ill.text
        transcript(host.run(["sh", "-ec", ill.mends["served.old"]]), ill.mends["served.old"])
        assert said(look(host, transcript)) == WELL
        assert server.served(host, A) == server.on_disk(host, A)

        host.run(["service", web.service, "stop"])
        stopped = look(host, transcript)
        assert said(stopped) == (0, frozenset({("webserver.stopped", "warn")})), stopped.text
    finally:
        host.close()


@pytest.mark.parametrize("web", [NGINX, APACHE], ids=lambda web: web.kind)
def test_doctor_loads_it_by_itself(
    new_host: Callable[..., Machine], web: Web, transcript: Keep
) -> None:
    host = new_host(web=web)
    server.make_due(host, server.DUE, due=False)
    applied(host, TIMER, web=web)
    main = web.main_process(host)
    renew_without_hooks(host)
    fixed = host.certtui("doctor", "--fix")
    transcript(fixed, "certtui doctor --fix")
    assert fixed.returncode == 0, fixed.stdout + fixed.stderr
    assert server.served(host, A) == server.on_disk(host, A)
    assert web.main_process(host) == main  # by a reload
    told = json.loads(host.certtui("status", "--json").stdout)
    assert [item["served"] for item in told["certificates"]] == [True, True]


def test_a_restart_is_not_done_unasked(new_host: Callable[..., Machine], transcript: Keep) -> None:
    host = new_host()
    server.make_due(host, server.DUE, due=False)
    applied(host, TIMER, action="restart")
    renew_without_hooks(host)
    fixed = host.certtui("doctor", "--fix")
    transcript(fixed, "certtui doctor --fix")
    assert fixed.returncode == 1
    assert server.served(host, A) != server.on_disk(host, A)
    seen = look(host, transcript)
    transcript(host.run(["sh", "-ec", seen.mends["served.old"]]), seen.mends["served.old"])
    assert said(look(host, transcript)) == WELL
