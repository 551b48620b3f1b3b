"""What a plan's scheduler stands on, and how apply brings it where the plan consents to that.

Consent is ``schedule.install_packages``. Installing with apt is proved on a booted host; the
commands of the other package managers are those of their manuals.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from certtui.change import services
from certtui.change.model import Action
from certtui.change.packages import INSTALL, PACKAGES, install_argv
from certtui.host.facts import Facts, Service
from certtui.host.interface import Host
from certtui.plan.model import Plan
from certtui.render import places

#: what a daemon's service is called once its package is there.
_SERVICES = {
    "cron": {"apt": "cron", "dnf": "crond", "zypper": "cron", "pacman": "cronie", "apk": "cronie"},
    "atd": dict.fromkeys(INSTALL, "atd"),
}

_ENV = {"apt": (("DEBIAN_FRONTEND", "noninteractive"),)}
_SHOWN = "".join(f"; with {name}={value}" for name, value in _ENV["apt"])

#: Seconds a package manager may take.
INSTALL_TIMEOUT = 600.0


@dataclass(frozen=True)
class Need:
    """A program that must be there, or a daemon that must run. ``why`` begins a sentence on it."""

    name: str  # cron | atd | flock
    why: str
    installed: bool
    service: Service | None = None

    @property
    def runs(self) -> bool:
        """Whether it is there and, if it is a daemon, runs."""
        return self.installed and (self.service is None or self.service.running)

    @property
    def lasts(self) -> bool:
        """Whether it runs and will after a reboot; without a unit nobody can tell."""
        service = self.service
        return self.runs and (service is None or service.enabled or not service.unit)


@dataclass(frozen=True)
class Provision:
    """What apply does by consent before it writes anything; the journal notes units and services.

    ``packages`` stay when everything else is taken back.
    """

    actions: tuple[Action, ...] = ()
    units: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()


def needs(plan: Plan, facts: Facts, host: Host) -> list[Need]:
    """What the plan's scheduler stands on; systemd itself is not among it."""
    backend = plan.schedule.backend
    if backend == "cron":
        return [_daemon(facts.cron, f'backend "{backend}"')]
    if not places.at_script(plan):
        return []
    why = f'backend "{backend}"'
    found = [_daemon(facts.atd, why), Need("flock", why, host.which("flock") is not None)]
    if places.trigger(plan, facts) == "cron":
        found.append(_daemon(facts.cron, f'{why} with trigger "cron"'))
    return found


def _daemon(service: Service, why: str) -> Need:
    return Need(service.name, why, service.installed, service)


def start_argv(need: Need, facts: Facts, host: Host) -> list[tuple[str, ...]]:
    """The commands that start a daemon, also after a reboot where they can; none if unknown."""
    service = need.service
    if service is None:
        return []
    usual = _SERVICES[need.name].get(facts.system.package_manager, need.name)
    if not facts.has_systemd:
        return services.switch_on(host, services.script(host, need.name, usual))
    unit = service.unit if service.installed else f"{usual}.service"
    return [services.start(host, replace(service, unit=unit))] if unit else []


def unmask_argv(service: Service) -> tuple[str, ...]:
    """The command after which a masked daemon can be enabled (systemctl(1), "mask")."""
    runtime = ("--runtime",) if service.masked == "masked-runtime" else ()
    return ("systemctl", "unmask", *runtime, service.unit)


def provides(plan: Plan, need: Need, facts: Facts, host: Host) -> bool:
    """Whether the plan consents to bringing it, and it is known how.

    Never what is masked: somebody wanted it off, and systemctl would refuse to enable it.
    """
    if not plan.schedule.install_packages or (need.service and need.service.masked):
        return False
    if not need.installed and facts.system.package_manager not in INSTALL:
        return False
    return need.service is None or bool(start_argv(need, facts, host))


def provision(plan: Plan, facts: Facts, host: Host) -> Provision:
    """The commands that bring what is missing, by the plan's consent; none without."""
    wanted = [
        need
        for need in needs(plan, facts, host)
        if not need.lasts and provides(plan, need, facts, host)
    ]
    actions = [*_install(wanted, facts), *_start(wanted, facts, host)]
    daemons = [need for need in wanted if need.service is not None]
    names = [start_argv(need, facts, host)[-1] for need in daemons]
    manager = facts.system.package_manager
    return Provision(
        tuple(actions),
        units=tuple(argv[-1] for argv in names) if facts.has_systemd else (),
        services=() if facts.has_systemd else tuple(argv[1] for argv in names),
        packages=tuple(PACKAGES[need.name][manager] for need in wanted if not need.installed),
    )


def _install(wanted: list[Need], facts: Facts) -> Iterator[Action]:
    missing = [need.name for need in wanted if not need.installed]
    if missing:
        manager = facts.system.package_manager
        yield Action(
            install_argv(facts, *missing),
            f"schedule.install_packages allows it{_SHOWN if manager in _ENV else ''}",
            _ENV.get(manager, ()),
            INSTALL_TIMEOUT,
            interruptible=False,
        )


def _start(wanted: list[Need], facts: Facts, host: Host) -> Iterator[Action]:
    """After the installation, as not every one starts what it brings (policy-rc.d, for one)."""
    for need in wanted:
        for argv in start_argv(need, facts, host):
            # service(8) starts it now, and knows nothing of the next boot.
            boot = "" if argv[0] == "service" else ", also after a reboot"
            yield Action(argv, f"{need.why} needs {need.name}{boot}")


def foreseen(plan: Plan, facts: Facts, host: Host) -> Facts:
    """The facts as they will be once :func:`provision` is done: cron brings /etc/cron.d."""
    brings_cron = any(
        need.name == "cron" and not need.installed and provides(plan, need, facts, host)
        for need in needs(plan, facts, host)
    )
    return replace(facts, has_cron_d=True) if brings_cron else facts
