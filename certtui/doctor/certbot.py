"""Is there a certbot, does it answer, and is it the only one?"""

from __future__ import annotations

from collections.abc import Iterator

from certtui.change.packages import install_argv
from certtui.doctor.check import Check, Context, Kind
from certtui.doctor.finding import Finding, Fix, Status

_FOUND = Kind("certbot.found", Status.FAIL, "a certbot is installed and says its version")
_MUTE = Kind("certbot.no-version", Status.FAIL, "certbot --version answers")
_SEVERAL = Kind(
    "certbot.several",
    Status.WARN,
    "one certbot: two of different versions share their accounts and renew with different rules",
)


def _certbot(context: Context) -> Iterator[Finding]:
    command = context.plan.certbot.command if context.plan else "auto"
    used = context.facts.certbot(command)
    if used is None:
        argv = install_argv(context.facts, "certbot")
        where = "" if command == "auto" else f" at {command}, which the plan names"
        fix = Fix(argv) if argv and command == "auto" else None
        yield _FOUND.found("certbot", f"not found{where}", fix=fix)
        return
    if used.version:
        yield _FOUND.ok(used.path, f"certbot {used.version} ({used.kind})")
    else:
        yield _MUTE.found(used.path, "does not say its version", f"{used.path} --version")
    others = [install for install in context.facts.certbots if install.path != used.path]
    if others:
        listed = "\n".join(f"{one.path} {one.version} ({one.kind})" for one in (used, *others))
        yield _SEVERAL.found(
            used.path, f"is used, but there are {len(others) + 1} certbots", listed
        )


CHECKS = (Check((_FOUND, _MUTE, _SEVERAL), _certbot),)
