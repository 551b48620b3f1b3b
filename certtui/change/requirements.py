"""What a plan needs of the host: each lack is one sentence with the command that mends it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from certtui.host.facts import Facts, Service
from certtui.host.interface import Host
from certtui.plan.model import Plan

#: package manager -> argv that installs (apt-get(8), dnf(8), zypper(8), pacman(8), apk(8)).
INSTALL: dict[str, tuple[str, ...]] = {
    "apt": ("apt-get", "install", "-y"),
    "dnf": ("dnf", "install", "-y"),
    "zypper": ("zypper", "--non-interactive", "install"),
    "pacman": ("pacman", "-S", "--noconfirm"),
    "apk": ("apk", "add"),
}

#: what a daemon's package is called by each package manager; the first is the usual one.
_PACKAGES = {
    "cron": {"apt": "cron", "dnf": "cronie", "zypper": "cron", "pacman": "cronie", "apk": "cronie"},
    "atd": {"apt": "at", "dnf": "at", "zypper": "at", "pacman": "at", "apk": "at"},
    "certbot": dict.fromkeys(INSTALL, "certbot"),
    "mail": {
        "apt": "msmtp-mta",
        "dnf": "msmtp",
        "zypper": "msmtp",
        "pacman": "msmtp",
        "apk": "msmtp",
    },
}


@dataclass(frozen=True)
class Lack:
    """One thing missing. ``what`` is certbot, mailer, scheduler, webserver or unit."""

    what: str
    message: str


def install_argv(facts: Facts, need: str) -> tuple[str, ...]:
    """The command that installs "cron", "atd", "certbot" or "mail" here; empty if unknown."""
    manager = facts.system.package_manager
    if manager not in INSTALL:
        return ()
    return (*INSTALL[manager], _PACKAGES[need][manager])


def lacking(plan: Plan, facts: Facts, host: Host) -> list[Lack]:
    """Everything that keeps this plan from working here, in the order a person would mend it."""
    return [
        *_certbot(plan, facts),
        *_scheduler(plan, facts),
        *_webserver(plan, facts, host),
        *_mailer(plan, facts),
        *_unit(plan, facts, host),
    ]


def _certbot(plan: Plan, facts: Facts) -> Iterator[Lack]:
    if facts.certbot(plan.certbot.command) is None:
        if plan.certbot.command != "auto":
            yield Lack("certbot", f"certbot.command = {plan.certbot.command}: no certbot is there")
        else:
            yield Lack("certbot", f"certbot was not found{_install(facts, 'certbot')}")


def _scheduler(plan: Plan, facts: Facts) -> Iterator[Lack]:
    backend = plan.schedule.backend
    if backend == "systemd-timer":
        if not facts.has_systemd:
            yield Lack(
                "scheduler", 'backend "systemd-timer" needs systemd as process 1: use cron here'
            )
    elif backend == "cron":
        yield from _daemon(facts.cron, "cron", backend, facts)
    else:
        yield from _daemon(facts.atd, "atd", backend, facts)


def _daemon(service: Service, need: str, backend: str, facts: Facts) -> Iterator[Lack]:
    if not service.installed:
        yield Lack("scheduler", f'backend "{backend}" needs {need}{_install(facts, need)}')
    elif not service.running:
        mend = f"systemctl enable --now {service.unit}" if service.unit else f"start {need}"
        yield Lack("scheduler", f'backend "{backend}" needs {need}, which does not run: {mend}')


def _webserver(plan: Plan, facts: Facts, host: Host) -> Iterator[Lack]:
    kind = plan.webserver.kind
    if kind in ("nginx", "apache") and facts.webserver(kind) is None:
        yield Lack(
            "webserver",
            f'webserver.kind = "{kind}", but no {kind} was found on this host: '
            'choose another, or "none"',
        )
    for argv in (plan.webserver.test, plan.webserver.command):
        if kind == "custom" and argv:
            program = argv[0]
            found = host.info(program) if program.startswith("/") else host.which(program)
            if not found:
                yield Lack("webserver", f"{program} was not found, but webserver names it")


def _mailer(plan: Plan, facts: Facts) -> Iterator[Lack]:
    if plan.mail.to and facts.mailer is None:
        yield Lack(
            "mailer",
            f"mail.to is {plan.mail.to}, but nothing here can send mail{_install(facts, 'mail')}; "
            "or empty mail.to",
        )


def _unit(plan: Plan, facts: Facts, host: Host) -> Iterator[Lack]:
    """A vendor's unit of the same name would be shadowed by ours."""
    if not facts.has_systemd:
        return
    for folder in ("/usr/lib/systemd/system", "/lib/systemd/system", "/run/systemd/system"):
        for suffix in ("service", "timer"):
            path = f"{folder}/{plan.files.unit}.{suffix}"
            if host.info(path) is not None:
                yield Lack("unit", f"files.unit: {path} exists already: choose another name")
                return


def _install(facts: Facts, need: str) -> str:
    argv = install_argv(facts, need)
    return f": {' '.join(argv)}" if argv else ": install it with the system's package manager"
