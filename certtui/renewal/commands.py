"""Which certbot commands prove a plan's renewals, and what they are started with. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from certtui.change.packages import install_argv
from certtui.errors import CertbotMissing, UsageError
from certtui.host.facts import Facts, Lineage
from certtui.host.interface import SAFE_PATH
from certtui.plan.model import Plan
from certtui.render import places

#: What certbot gets of the caller besides HOME: the demo finds what belongs to it by this variable
#: (certtui.demo.guard.MARK), also the hooks that certbot starts.
KEPT = ("CERTTUI_DEMO_SANDBOX",)

# -n: a question is an error, not a wait. The sleep of up to 8 minutes is off in a pty anyway
# (certbot/_internal/renewal.py, ``apply_random_sleep``), but that is not ours to rely on.
_RENEW = ("renew", "--dry-run", "-n", "--no-random-sleep-on-renew")


@dataclass(frozen=True)
class DryRun:
    """One certbot command; its result rows have to be exactly ``lineages``."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    lineages: tuple[Lineage, ...]


def environment(plan: Plan, facts: Facts, caller: Mapping[str, str]) -> dict[str, str]:
    """All that certbot and its hooks are started with; ``caller`` is this process's own."""
    # snap refuses to run with another user's home, which `sudo` may have left behind.
    home = "/root" if facts.system.is_root else caller.get("HOME", "/")
    kept = {name: caller[name] for name in KEPT if name in caller}
    return {
        "PATH": SAFE_PATH,
        "LC_ALL": "C.UTF-8",
        "HOME": home,
        **kept,
        **plan.certbot.env,
    }


def dry_runs(
    plan: Plan, facts: Facts, only: str = "", caller: Mapping[str, str] | None = None
) -> tuple[DryRun, ...]:
    """The commands that together try every renewal once, or that of the lineage ``only``.

    A dry run takes Let's Encrypt's staging server and not the lineage's own, unless ``--server``
    names one that is not Let's Encrypt's (certbot/_internal/cli, ``set_test_server_options``). So
    where every lineage is Let's Encrypt's, one command tries them all; else each has its own, for
    a bare one would drag the others to the wrong server.

    Raises :class:`CertbotMissing`, and :class:`UsageError` where there is no lineage ``only``.
    """
    argv = (_program(plan, facts), *_RENEW, *plan.certbot.extra_args)
    env = environment(plan, facts, caller or {})
    lineages = covered(plan, facts)
    if only:
        return (DryRun(_for_one(argv, plan, _named(facts, only)), env, (_named(facts, only),)),)
    if not lineages:
        return ()
    if _one_server(plan) or all(lineage.is_lets_encrypt for lineage in lineages):
        return (DryRun(argv, env, lineages),)
    return tuple(DryRun(_for_one(argv, plan, each), env, (each,)) for each in lineages)


def covered(plan: Plan, facts: Facts) -> tuple[Lineage, ...]:
    """The lineages that the plan's scheduled runs renew: all, unless its arguments name one."""
    name = places.option(plan, "--cert-name")
    return tuple(each for each in facts.lineages if name in ("", each.name))


def first_certificate(plan: Plan, facts: Facts) -> str:
    """The command that gets a first certificate, for a person to complete."""
    install = facts.certbot(plan.certbot.command)
    program = "certbot" if install is None or plan.certbot.command == "auto" else install.path
    how = {"nginx": "--nginx", "apache": "--apache"}.get(
        plan.webserver.kind, "certonly --standalone"
    )
    return f"{program} {how} -d YOUR.DOMAIN"


def _program(plan: Plan, facts: Facts) -> str:
    install = facts.certbot(plan.certbot.command)
    if install is not None:
        return install.path
    if plan.certbot.command != "auto":
        raise CertbotMissing(
            f"certbot.command = {plan.certbot.command}: no certbot is there; "
            'correct the path, or write "auto"'
        )
    argv = install_argv(facts, "certbot")
    raise CertbotMissing(
        "certbot was not found; install it with "
        + (" ".join(argv) if argv else "the system's package manager")
    )


def _named(facts: Facts, name: str) -> Lineage:
    for lineage in facts.lineages:
        if lineage.name == name:
            return lineage
    known = ", ".join(lineage.name for lineage in facts.lineages) or "none"
    raise UsageError(f"{name}: no such certificate on this host; there are: {known}")


def _for_one(argv: tuple[str, ...], plan: Plan, lineage: Lineage) -> tuple[str, ...]:
    """Only this lineage, at its own server; the last of an option given twice counts."""
    argv += _option("--cert-name", lineage.name)
    if lineage.is_lets_encrypt or _one_server(plan):
        return argv
    return argv + _option("--server", lineage.server)


def _option(name: str, value: str) -> tuple[str, ...]:
    # A value that looks like an option has to be tied to its own.
    return (f"{name}={value}",) if value.startswith("-") else (name, value)


def _one_server(plan: Plan) -> bool:
    """Whether the plan sends every renewal to a server of its own, whatever the lineage says."""
    return bool(places.option(plan, "--server"))
