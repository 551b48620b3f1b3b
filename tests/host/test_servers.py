"""What a run does to the web server: reload keeps its main process, restart does not."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from tests.host import server
from tests.host.machine import Machine
from tests.host.schedules import CRON, SCRIPT, applied
from tests.host.web import WEBS, Web

Keep = Callable[[subprocess.CompletedProcess[str], str], None]


@pytest.mark.parametrize("action", ["reload", "restart"])
@pytest.mark.parametrize("web", list(WEBS.values()), ids=list(WEBS))
def test_a_run_makes_the_server_load_the_certificate(
    new_host: Callable[..., Machine], web: Web, action: str, transcript: Keep
) -> None:
    host = applied(new_host(web=web), CRON, web=web, action=action)
    main, before = web.main_process(host), server.served(host, server.DUE)
    assert main
    assert before == server.on_disk(host, server.DUE)

    transcript(host.run([SCRIPT]), f"{SCRIPT}  # {web.kind}, {action}")
    fresh = server.on_disk(host, server.DUE)
    assert fresh != before
    host.wait_until(lambda: server.served(host, server.DUE) == fresh, 10, "the new certificate")
    now = web.main_process(host)
    said = f"main process before: {main}, after: {now}\nserved: {before}\nthen: {fresh}\n"
    transcript(subprocess.CompletedProcess([], 0, said, ""), web.service)
    assert now
    assert (now == main) == (action == "reload")
    assert not host.exists("/var/lib/certtui/pending-deploy")
    assert host.run(["systemctl", "is-active", web.service]).stdout == "active\n"


@pytest.mark.parametrize("action", ["reload", "restart"])
@pytest.mark.parametrize("web", list(WEBS.values()), ids=list(WEBS))
def test_a_stopped_server_stays_stopped(
    new_host: Callable[..., Machine], web: Web, action: str, transcript: Keep
) -> None:
    host = applied(new_host(web=web), CRON, web=web, action=action)
    before = server.on_disk(host, server.DUE)
    host.run(["systemctl", "stop", web.service])
    # Something else has to answer the ACME server while this one is down.
    other = ["python3", "-m", "http.server", "--directory", "/srv/www", "80"]
    host.run(["systemd-run", "--quiet", "--unit=other", *other])
    host.wait_until(
        lambda: not host.run(["curl", "-fsS", "http://127.0.0.1/"], check=False).returncode,
        10,
        "the other server",
    )

    transcript(host.run([SCRIPT]), f"{SCRIPT}  # {web.kind}, stopped, {action}")
    fresh = server.on_disk(host, server.DUE)
    assert fresh != before
    state = host.run(["systemctl", "is-active", web.service], check=False)
    transcript(state, f"systemctl is-active {web.service}")
    assert state.stdout == "inactive\n"
    assert web.main_process(host) == 0
    assert not host.exists("/var/lib/certtui/pending-deploy")

    host.run(["systemctl", "stop", "other"])
    host.run(["systemctl", "start", web.service])
    assert server.served(host, server.DUE) == fresh


@pytest.mark.parametrize("web", list(WEBS.values()), ids=list(WEBS))
def test_a_server_that_a_restart_ends_is_told_and_started(
    new_host: Callable[..., Machine], web: Web, transcript: Keep
) -> None:
    host = applied(new_host(web=web), CRON, web=web, action="restart")
    ended_and_started(host, web, transcript)
    assert host.run(["systemctl", "is-active", web.service]).stdout == "active\n"


def ended_and_started(host: Machine, web: Web, keep: Keep) -> None:
    """A restart that ends the server is a failure, and the server is not taken for stopped."""
    before = server.served(host, server.DUE)
    # No test of a configuration tells that an address is taken.
    path, content = web.more
    host.write(path, content.format(address=server.TAKEN))
    host.run(web.test)
    failed = host.run([SCRIPT], check=False)
    keep(failed, f"{SCRIPT}  # {web.service} is to listen on an address that is taken")
    assert failed.returncode == 1
    assert "renewed but not loaded" in failed.stdout
    assert host.read("/var/lib/certtui/pending-deploy").endswith(f"/{server.DUE}\n")
    assert web.main_process(host) == 0
    host.wait_until(lambda: host.mails(server.ADMIN), 20, "the mail")
    keep(host.run(["cat", f"/var/mail/{server.ADMIN}"]), f"cat /var/mail/{server.ADMIN}")
    assert server.mails_taken(host) == 1

    host.run(["rm", path])
    server.make_due(host, server.DUE, due=False)
    keep(host.run([SCRIPT]), f"{SCRIPT}  # mended, and nothing is due")
    assert not host.exists("/var/lib/certtui/pending-deploy")
    assert before != server.served(host, server.DUE) == server.on_disk(host, server.DUE)
