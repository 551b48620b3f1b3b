"""The facts of a booted server, against what its own programs say."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

from tests.host import server
from tests.host.machine import Machine

_GATHER = """\
import dataclasses, json, time
from certtui.host.gather import gather
from certtui.host.interface import RealHost
begin = time.monotonic()
found = gather(RealHost())
seconds = time.monotonic() - begin
print(json.dumps({**dataclasses.asdict(found), "seconds": seconds}, default=str))
"""

_AS_NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


def facts(host: Machine, *before: str) -> dict[str, Any]:
    modules = {"PYTHONPATH": "/opt/certtui/src:/opt/certtui/site"}
    argv = [*before, "python3", "-W", "error", "-c", _GATHER]
    return dict(json.loads(host.run(argv, env=modules).stdout))


def hours_ahead(renewer: dict[str, Any]) -> int:
    """Hours until its next run, rounded: at's jobs start at a full minute."""
    ahead = datetime.fromisoformat(renewer["next_run"]) - datetime.now(timezone.utc)
    return round(ahead / timedelta(hours=1))


def test_the_facts_of_a_server(host: Machine) -> None:
    host.write("/var/spool/cron/crontabs/root", "5 4 * * * certbot renew -q\n", 0o600)
    host.run(["at", "-M", "now + 3 hours"], input="certbot renew -q\n")
    found = facts(host)
    about = found["system"]
    assert (about["init"], about["hostname"]) == ("systemd", "web1.example.test")
    assert f"systemd {about['systemd_version']} " in host.run(["systemctl", "--version"]).stdout
    (certbot,) = found["certbots"]
    assert (certbot["path"], certbot["kind"]) == ("/usr/bin/certbot", "deb")
    assert f"certbot {certbot['version']}" in host.run(["certbot", "--version"]).stdout
    assert [item["domains"] for item in found["lineages"]] == [[name] for name in server.NAMES]
    assert not any(item["error"] for item in found["lineages"])
    nginx = found["webservers"][0]
    assert (nginx["kind"], nginx["unit"], nginx["ports"]) == ("nginx", "nginx.service", [80, 443])
    stopped = [item for item in found["webservers"] if item["kind"] == "apache"]
    assert not any(item["running"] for item in stopped)
    for name, unit in (("cron", "cron.service"), ("atd", "atd.service")):
        assert found[name] == {
            "name": name,
            "installed": True,
            "unit": unit,
            "enabled": True,
            "running": True,
            "masked": "",
            "broken": "",
            "halted": False,
        }
    assert found["mailer"]["real"] == "/usr/sbin/exim4"
    by_place = {item["where"]: item for item in found["renewers"]}
    assert by_place["certbot.timer"]["active"]
    assert not by_place["/etc/cron.d/certbot:17"]["active"]
    assert by_place["/var/spool/cron/crontabs/root:1"]["active"]
    (job,) = [item for item in found["renewers"] if item["kind"] == "at"]
    assert hours_ahead(job) == 3
    assert found["unreadable"] == []
    assert found["seconds"] < 5


def test_times_are_in_utc_whatever_the_zone(host: Machine) -> None:
    host.run(["ln", "-sf", "/usr/share/zoneinfo/Asia/Kathmandu", "/etc/localtime"])
    host.run(["at", "-M", "now + 3 hours"], input="certbot renew -q\n")
    found = facts(host)
    (job,) = [item for item in found["renewers"] if item["kind"] == "at"]
    assert hours_ahead(job) == 3
    (timer,) = [item for item in found["timers"] if item["unit"] == "certbot.timer"]
    shown = host.run(["systemctl", "list-timers", "--output=json", "certbot.timer"]).stdout
    microseconds = json.loads(shown)[0]["next"]
    assert datetime.fromisoformat(timer["next_elapse"]).timestamp() == microseconds // 1_000_000


def test_a_normal_user_sees_less_and_is_told_so(host: Machine) -> None:
    found = facts(host, *_AS_NOBODY)
    assert not found["system"]["is_root"]
    assert found["certbots"][0]["version"]
    nginx = next(item for item in found["webservers"] if item["kind"] == "nginx")
    assert (nginx["running"], nginx["unit"]) == (True, "nginx.service")
    assert found["cron"]["running"]
    assert all("run as root" in item["error"] for item in found["lineages"])
    told = " ".join(found["unreadable"])
    assert "port 80" in told
    assert "/var/spool/cron/crontabs/root" in told


def test_a_stopped_web_server_is_still_known(host: Machine) -> None:
    host.run(["systemctl", "stop", "nginx"])
    nginx = next(item for item in facts(host)["webservers"] if item["kind"] == "nginx")
    assert (nginx["running"], nginx["unit"], nginx["ports"]) == (False, "nginx.service", [])
