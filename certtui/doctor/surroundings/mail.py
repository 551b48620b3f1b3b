"""Will anybody hear of a failure? The mailer, and what has to run behind it."""

from __future__ import annotations

from collections.abc import Iterator

from certtui.change.packages import install_argv
from certtui.doctor.check import Check, Context, Kind, no_plan
from certtui.doctor.finding import Finding, Fix, Status
from certtui.doctor.surroundings import delivery
from certtui.host import mta
from certtui.host.mta import Daemon, Mta

_MAILER = Kind(
    "mail.mailer",
    Status.FAIL,
    "a mailer is installed where the plan sends mail",
    "Without sendmail or mail on the renew script's PATH its report of a failure goes nowhere; "
    "cron, too, discards what a job prints (cron(8)).",
)
_NOBODY = Kind(
    "mail.nobody",
    Status.WARN,
    "somebody is told of a failure: mail.to or a heartbeat",
    "Let's Encrypt sends no expiry mails since June 2025: a renewal that fails and tells nobody is "
    "first noticed when the certificate has run out.",
)
_DAEMON = Kind(
    "mail.daemon",
    Status.FAIL,
    "the daemon that sends what sendmail took runs",
    "The sendmail of postfix, opensmtpd, nullmailer and sendmail itself only queues a message and "
    "exits 0: with the daemon stopped every mail waits for ever and nothing says so. exim tries "
    "once at once; its daemon is what tries again.",
)

#: UnitFileState of what does not come back after a reboot (systemctl(1), is-enabled).
_GONE = ("disabled", "enabled-runtime", "linked-runtime")


def _mail(context: Context) -> Iterator[Finding]:
    plan, mailer = context.plan, context.facts.mailer
    if plan is None:
        found = f"{mailer.path} ({mailer.real})" if mailer else "nothing here can send mail"
        yield _MAILER.skip("", f"{no_plan(context)}; {found}")
    elif plan.mail.to and mailer is None:
        argv = install_argv(context.facts, "mail")
        yield _MAILER.found(
            plan.mail.to,
            "mail.to names it, but nothing here can send mail",
            "neither sendmail nor mail was found",
            Fix(argv) if argv else None,
        )
    elif plan.mail.to and mailer is not None:
        agent = mta.identify(context.host, mailer)
        yield _MAILER.ok(plan.mail.to, f"mail goes by {mailer.path} ({_named(agent, mailer.real)})")
        yield from _sent(context, agent)
    elif plan.notify.heartbeat_url:
        yield _NOBODY.ok("", "no mail, but a heartbeat")
    else:
        yield _NOBODY.found("", "mail.to and notify.heartbeat_url are empty: failures are silent")


def _named(agent: Mta | None, real: str) -> str:
    return f"{agent.name}, {real}" if agent else real


def _sent(context: Context, agent: Mta | None) -> Iterator[Finding]:
    """What comes after the mailer took a message. Of what one cause explains one thing is said."""
    works = True
    if agent is not None and agent.processes:
        systemd, is_root = context.facts.has_systemd, context.is_root
        daemon = mta.daemon(context.host, agent, systemd=systemd, is_root=is_root)
        yield _standing(context, agent, daemon)
        works = daemon.running is not False or not agent.queues_only
    yield from delivery.findings(context, agent, works=works)


def _standing(context: Context, agent: Mta, daemon: Daemon) -> Finding:
    name = daemon.unit or agent.name
    if daemon.running is None:
        return _DAEMON.skip(name, "the processes of this host cannot be seen")
    seen = f"{name}: {'running' if daemon.running else 'not running'}"
    seen += f", {daemon.state}" if daemon.state else ""
    if not daemon.running:
        only = "what it could not deliver at once is never tried again"
        what = "every mail waits in its queue" if agent.queues_only else only
        return _DAEMON.found(
            name,
            f"does not run: {what}",
            seen,
            _start(context, agent, daemon),
            status=None if agent.queues_only else Status.WARN,
        )
    if daemon.state in _GONE:
        message, fix = "runs, but does not start at boot", _start(context, agent, daemon)
        return _DAEMON.found(name, message, seen, fix, status=Status.WARN)
    return _DAEMON.ok(name, "runs")


def _start(context: Context, agent: Mta, daemon: Daemon) -> Fix:
    if daemon.state.startswith("masked"):
        return Fix(("systemctl", "unmask", daemon.unit))
    if daemon.state == "generated":
        # An init script's: `systemctl enable --now` enables it and starts nothing (systemd 252).
        return Fix(("systemctl", "start", daemon.unit.removesuffix(".service")))
    if daemon.unit:
        return Fix(("systemctl", "enable", "--now", daemon.unit.removesuffix(".service")))
    name = next((one for one in agent.processes if context.host.info(f"/etc/init.d/{one}")), "")
    name = name or agent.name
    if context.host.which("rc-service"):
        return Fix(("rc-service", name, "start"))
    return Fix(("service", name, "start"))


CHECKS = (Check((_MAILER, _NOBODY, _DAEMON, *delivery.KINDS), _mail),)
