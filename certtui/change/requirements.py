"""What a plan needs of the host: each lack is one sentence with the command that mends it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from certtui.change import provision
from certtui.change.packages import install_argv
from certtui.change.provision import Need
from certtui.host.facts import Facts
from certtui.host.interface import Host
from certtui.host.mounts import options
from certtui.plan.model import Plan
from certtui.render import places


@dataclass(frozen=True)
class Lack:
    """One thing missing. ``what`` is certbot, mailer, mount, scheduler, webserver or unit."""

    what: str
    message: str


def lacking(plan: Plan, facts: Facts, host: Host) -> list[Lack]:
    """Everything that keeps this plan from working here, in the order a person would mend it."""
    return [
        *_certbot(plan, facts),
        *_scheduler(plan, facts, host),
        *_webserver(plan, facts, host),
        *_mailer(plan, facts),
        *_unit(plan, facts, host),
        *_mount(plan, host),
    ]


def _certbot(plan: Plan, facts: Facts) -> Iterator[Lack]:
    if facts.certbot(plan.certbot.command) is None:
        if plan.certbot.command != "auto":
            yield Lack("certbot", f"certbot.command = {plan.certbot.command}: no certbot is there")
        else:
            yield Lack("certbot", f"certbot was not found{_install(facts, 'certbot')}")


def _scheduler(plan: Plan, facts: Facts, host: Host) -> Iterator[Lack]:
    backend = plan.schedule.backend
    if backend == "systemd-timer" and not facts.has_systemd:
        yield Lack("scheduler", 'backend "systemd-timer" needs systemd as process 1: use cron here')
    by_systemd = places.at_script(plan) and places.trigger(plan, facts) == "systemd"
    if by_systemd and not facts.has_systemd:
        yield Lack(
            "scheduler",
            f'backend "{backend}" with trigger "systemd" needs systemd as process 1: '
            'set schedule.trigger = "cron"',
        )
    for need in provision.needs(plan, facts, host):
        if not need.lasts and not provision.provides(plan, need, facts, host):
            yield Lack("scheduler", _needs(need, facts, host))


def _needs(need: Need, facts: Facts, host: Host) -> str:
    if not need.installed:
        return f"{need.why} needs {need.name}{_install(facts, need.name)}"
    commands = provision.start_argv(need, facts, host)
    state = "runs, but does not start at boot" if need.runs else "does not run"
    if need.service is not None and need.service.masked:
        commands = [provision.unmask_argv(need.service), *commands]
        state = "is masked"
    mend = " && ".join(" ".join(argv) for argv in commands) or f"start {need.name}"
    return f"{need.why} needs {need.name}, which {state}: {mend}"


def _webserver(plan: Plan, facts: Facts, host: Host) -> Iterator[Lack]:
    kind = plan.webserver.kind
    if kind in ("nginx", "apache") and facts.webserver(kind) is None:
        yield Lack(
            "webserver",
            f'webserver.kind = "{kind}", but no {kind} was found: '
            'choose what serves here, or "none"',
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


def _mount(plan: Plan, host: Host) -> Iterator[Lack]:
    found = options(host, plan.files.scripts)
    if found is not None and "noexec" in found[1]:
        yield Lack(
            "mount",
            f"files.scripts: {plan.files.scripts} lies on {found[0]}, which is mounted noexec: "
            "no script in it can be started; choose another folder",
        )


def _install(facts: Facts, need: str) -> str:
    argv = install_argv(facts, need)
    return f": {' '.join(argv)}" if argv else ": install it with the system's package manager"
