"""What a plan needs of a host: each lack with the command that mends it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from certtui.change import provision
from certtui.change.packages import INSTALL, install_argv
from certtui.change.requirements import lacking
from certtui.host.facts import CertbotInstall, Facts, Mailer, Service, System, WebServer
from certtui.host.interface import FileInfo, RealHost
from certtui.plan import fields
from certtui.plan.model import Plan

FACTS = Facts(
    System("debian", (), "Debian", "web1", "0" * 32, "systemd", 252, "apt", True),
    certbots=(CertbotInstall("/usr/bin/certbot", "deb", "2.1.0"),),
    webservers=(WebServer("nginx", "/usr/sbin/nginx", "nginx.service", True, (80, 443)),),
    cron=Service("cron", True, "cron.service", True, True),
    atd=Service("atd", True, "atd.service", True, True),
    mailer=Mailer("sendmail", "/usr/sbin/sendmail", "/usr/sbin/exim4"),
)
#: Another init; cron is there and stopped, atd runs.
OTHER_INIT = replace(
    FACTS,
    system=replace(FACTS.system, init="other", systemd_version=0),
    cron=Service("cron", True),
    atd=Service("atd", True, running=True),
)


class Files(RealHost):
    """A host on which only the named paths are there."""

    def __init__(self, *paths: str) -> None:
        super().__init__()
        self.paths = paths

    def info(self, path: str) -> FileInfo | None:
        return FileInfo("file", 0o755, 0, 0, 1, 0, 0.0) if path in self.paths else None

    def which(self, program: str) -> str | None:
        return next((path for path in self.paths if path.endswith(f"/{program}")), None)


def plan(**answers: Any) -> Plan:
    given = {key.replace("__", "."): value for key, value in answers.items()}
    return Plan.from_values({**fields.defaults(), **given})


def lacks(made: Plan, facts: Facts = FACTS, host: RealHost | None = None) -> list[tuple[str, str]]:
    host = host or Files("/usr/bin/flock")
    return [(lack.what, lack.message) for lack in lacking(made, facts, host)]


@pytest.mark.parametrize("backend", ["cron", "systemd-timer", "at-block", "at-random"])
def test_a_whole_host_lacks_nothing(backend: str) -> None:
    assert lacks(plan(schedule__backend=backend, mail__to="root")) == []


@pytest.mark.parametrize("manager", sorted(INSTALL))
def test_certbot_and_at_have_the_command_of_each_package_manager(manager: str) -> None:
    system = replace(FACTS.system, package_manager=manager)
    facts = replace(FACTS, system=system, certbots=(), atd=Service("atd", False))
    (certbot, at) = lacks(plan(schedule__backend="at-block"), facts)
    assert certbot == (
        "certbot", f"certbot was not found: {' '.join(install_argv(facts, 'certbot'))}"
    )  # fmt: skip
    assert at == (
        "scheduler", f'backend "at-block" needs atd: {" ".join(install_argv(facts, "atd"))}'
    )  # fmt: skip


def test_an_unknown_package_manager_gets_no_invented_command() -> None:
    facts = replace(FACTS, system=replace(FACTS.system, package_manager=""), mailer=None)
    assert install_argv(facts, "mail") == ()
    ((what, message),) = lacks(plan(mail__to="a@example.com"), facts)
    assert what == "mailer"
    assert "with the system's package manager; or empty mail.to" in message


def test_a_certbot_that_is_not_at_the_plans_path() -> None:
    ((what, message),) = lacks(plan(certbot__command="/opt/certbot/bin/certbot"))
    assert (what, message) == (
        "certbot",
        "certbot.command = /opt/certbot/bin/certbot: no certbot is there",
    )


def test_a_daemon_that_does_not_run() -> None:
    facts = replace(FACTS, cron=Service("cron", True, "cron.service", True, False))
    ((what, message),) = lacks(plan(schedule__backend="cron"), facts)
    assert what == "scheduler"
    assert message.endswith("does not run: systemctl enable --now cron.service")
    facts = replace(FACTS, cron=Service("cron", True))
    ((_, message),) = lacks(plan(schedule__backend="cron"), facts)
    assert message.endswith("does not run: start cron")
    (message,) = (text for _, text in lacks(plan(schedule__backend="cron"), OTHER_INIT))
    assert message.endswith("does not run: service cron start")
    openrc = Files("/sbin/rc-service", "/etc/init.d/crond")
    (message,) = (text for _, text in lacks(plan(schedule__backend="cron"), OTHER_INIT, openrc))
    assert message.endswith("rc-update add crond default && rc-service crond start")


def test_a_daemon_that_is_gone_after_the_next_reboot() -> None:
    disabled = replace(FACTS, atd=Service("atd", True, "atd.service", False, True))
    ((_, message),) = lacks(plan(schedule__backend="at-random"), disabled)
    assert message.endswith(
        "which runs, but does not start at boot: systemctl enable --now atd.service"
    )
    # Without systemd nobody can tell; and another backend does not care.
    other = replace(OTHER_INIT, atd=Service("atd", True, running=True))
    assert not any("boot" in text for _, text in lacks(plan(schedule__backend="at-block"), other))
    assert lacks(plan(schedule__backend="systemd-timer"), disabled) == []


@pytest.mark.parametrize(("state", "option"), [("masked", ""), ("masked-runtime", "--runtime ")])
@pytest.mark.parametrize(("running", "consent"), [(False, False), (False, True), (True, True)])
def test_a_masked_daemon_is_left_to_a_person(
    state: str, option: str, running: bool, consent: bool
) -> None:
    masked = replace(FACTS, atd=Service("atd", True, "atd.service", False, running, state))
    made = plan(schedule__backend="at-random", schedule__install_packages=consent)
    ((_, message),) = lacks(made, masked)
    assert message.endswith(
        f"which is masked: systemctl unmask {option}atd.service"
        " && systemctl enable --now atd.service"
    )
    assert provision.provision(made, masked, Files("/usr/bin/flock")).actions == ()


@pytest.mark.parametrize("backend", ["at-block", "at-random"])
def test_what_starts_an_at_script_must_run(backend: str) -> None:
    """Each lack is one sentence with the command that mends it."""
    stopped = replace(FACTS, atd=Service("atd", True, "atd.service", True, False))
    assert lacks(plan(schedule__backend=backend), stopped) == [
        (
            "scheduler",
            f'backend "{backend}" needs atd, which does not run: '
            "systemctl enable --now atd.service",
        )
    ]
    assert lacks(plan(schedule__backend=backend), host=Files("/bin/x")) == [
        (
            "scheduler",
            f'backend "{backend}" needs flock: '
            "apt-get install -y --no-install-recommends util-linux",
        )
    ]
    without_cron = replace(FACTS, cron=Service("cron", False))
    assert lacks(plan(schedule__backend=backend), without_cron) == []
    by_cron = plan(schedule__backend=backend, schedule__trigger="cron")
    assert lacks(by_cron, without_cron) == [
        (
            "scheduler",
            f'backend "{backend}" with trigger "cron" needs cron: '
            "apt-get install -y --no-install-recommends cron",
        )
    ]
    assert [what for what, _ in lacks(by_cron, OTHER_INIT)] == ["scheduler"]
    by_systemd = plan(schedule__backend=backend, schedule__trigger="systemd")
    assert lacks(by_systemd, OTHER_INIT) == [
        (
            "scheduler",
            f'backend "{backend}" with trigger "systemd" needs systemd as process 1: '
            'set schedule.trigger = "cron"',
        )
    ]


def test_without_systemd_the_trigger_is_cron() -> None:
    (found,) = lacks(plan(schedule__backend="at-random"), OTHER_INIT)
    assert 'trigger "cron" needs cron, which does not run' in found[1]


def test_a_timer_needs_systemd() -> None:
    facts = replace(FACTS, system=replace(FACTS.system, init="other"))
    ((what, message),) = lacks(plan(), facts)
    assert (what, "use cron here" in message) == ("scheduler", True)


def test_the_web_server_must_be_there() -> None:
    ((what, message),) = lacks(plan(webserver__kind="apache"))
    assert (what, "no apache was found" in message) == ("webserver", True)
    custom = plan(
        webserver__kind="custom", webserver__test=("/opt/x", "-t"), webserver__command=("y",)
    )
    assert [message.split()[0] for _, message in lacks(custom)] == ["/opt/x", "y"]
    assert lacks(custom, host=Files("/opt/x", "/usr/bin/y")) == []


@pytest.mark.parametrize("suffix", ["service", "timer"])
def test_a_vendors_unit_of_the_same_name_is_not_shadowed(suffix: str) -> None:
    there = f"/lib/systemd/system/certtui-renew.{suffix}"
    ((what, message),) = lacks(plan(), host=Files(there))
    assert (what, message) == (
        "unit",
        f"files.unit: {there} exists already: choose another name",
    )
    without = replace(FACTS, system=replace(FACTS.system, init="other"))
    assert lacks(plan(schedule__backend="cron"), without, Files(there)) == []
