"""All facts of a host at once: slow questions side by side, systemd asked twice at most."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from certtui.host import (
    atjobs,
    certbots,
    daemons,
    lineages,
    mailers,
    renewers,
    system,
    units,
    webservers,
)
from certtui.host.facts import Facts, Renewer, Timer
from certtui.host.interface import Host
from certtui.host.units import Properties


def gather(
    host: Host,
    *,
    certbot_command: str = "auto",
    config_dir: str = "/etc/letsencrypt",
    unit: str = "certtui-renew",
) -> Facts:
    """The facts as they are now; what could not be looked at is in ``unreadable``.

    ``certbot_command`` and ``unit`` are the plan's. Takes about as long as its slowest question,
    which is certbot's version.
    """
    with ThreadPoolExecutor(max_workers=2) as pool:
        installs = pool.submit(certbots.certbots, host, certbot_command)
        listening = pool.submit(webservers.listeners)
        found = _without_certbot(host, config_dir, unit, *listening.result())
        return replace(found, certbots=installs.result())


def _without_certbot(
    host: Host,
    config_dir: str,
    unit: str,
    listening: tuple[webservers.Listener, ...],
    hidden: tuple[str, ...],
) -> Facts:
    about = system.system(host)
    systemd = about.init == "systemd"
    known, services, silence = _ask_systemd(host, unit) if systemd else (None, {}, ())
    cron = daemons.daemon(host, "cron", known)
    atd = daemons.daemon(host, "atd", known)
    timers = _timers(known or {})
    by_timers = tuple(renewers.of_timers(host, timers, services, unit))
    by_cron, unseen = renewers.of_cron(host, unit, running=cron.running, systemd=systemd)
    certificates, unread = lineages.lineages(host, config_dir)
    folder = host.info("/etc/cron.d")
    return Facts(
        system=about,
        lineages=certificates,
        webservers=webservers.webservers(host, listening, known),
        cron=cron,
        atd=atd,
        has_cron_d=folder is not None and folder.kind == "directory",
        timers=_that_matter(timers, by_timers, unit),
        mailer=mailers.mailer(host),
        renewers=(
            *by_timers,
            *by_cron,
            *atjobs.renewers(host, running=atd.running),
        ),
        unreadable=(*silence, *hidden, *unseen, *unread),
    )


def _ask_systemd(
    host: Host, unit: str
) -> tuple[Mapping[str, Properties] | None, Mapping[str, Properties], tuple[str, ...]]:
    """Units, the services that timers start, and a sentence where systemd cannot be asked."""
    named = (*daemons.UNITS, *webservers.UNITS, *renewers.VENDOR_TIMERS, f"{unit}.timer")
    try:
        known = units.show(host, ["*.timer", *named])
        started = {item.get("Unit", "") for name, item in known.items() if name.endswith(".timer")}
        return known, units.show(host, sorted(started - {""})), ()
    except ConnectionError as error:
        return None, {}, (f"systemd cannot be asked about its units: {error}",)


def _timers(known: Mapping[str, Properties]) -> tuple[Timer, ...]:
    """Every timer that is loaded or named."""
    return tuple(
        Timer(
            unit=name,
            state=found.get("UnitFileState", ""),
            active=units.is_waiting(found),
            activates=found.get("Unit", ""),
            next_elapse=units.moment(found.get("NextElapseUSecRealtime", "")),
            last_trigger=units.moment(found.get("LastTriggerUSec", "")),
            fragment=found.get("FragmentPath", ""),
        )
        for name, found in sorted(known.items())
        if name.endswith(".timer")
    )


def _that_matter(
    timers: tuple[Timer, ...], by_timers: tuple[Renewer, ...], unit: str
) -> tuple[Timer, ...]:
    """Timers that renew, and ours whatever it does."""
    renewing = {item.where for item in by_timers}
    return tuple(
        timer for timer in timers if timer.unit in renewing or timer.unit == f"{unit}.timer"
    )
