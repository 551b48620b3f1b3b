"""Is there a certbot, does it answer, is it the only one, and is it new enough?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from certtui.change.packages import install_argv
from certtui.doctor.check import Check, Context, Kind
from certtui.doctor.finding import Finding, Fix, Status
from certtui.host.facts import CertbotInstall
from certtui.host.programs import not_executable, on_path
from certtui.render import places

_FOUND = Kind(
    "certbot.found",
    Status.FAIL,
    "a certbot is installed and says its version",
    "Without it nothing is renewed, and a schedule that starts nothing looks like one that works.",
)
_NOT_EXECUTABLE = Kind(
    "certbot.not-executable",
    Status.FAIL,
    "certbot may be executed",
    "Nobody may start a program without a bit of execution, root neither (execve(2)); to install "
    "its package again changes nothing where it is installed.",
)
_MUTE = Kind(
    "certbot.no-version",
    Status.FAIL,
    "certbot --version answers",
    "A certbot that cannot say its version renews nothing either: an upgrade of Python, or of one "
    "of its modules, may leave it in pieces.",
)
_SEVERAL = Kind(
    "certbot.several",
    Status.WARN,
    "one certbot: two of different versions share their accounts and renew with different rules",
    "Each brings its own timer and plugins. The certbot project asks to remove the distribution's "
    "package before its snap is installed.",
)
_OLD = Kind(
    "certbot.too-old",
    Status.FAIL,
    "certbot 0.30 or newer: the renew script passes --no-random-sleep-on-renew",
    "An older one takes the option for a mistake and renews nothing; before 0.19 it has no folders "
    "of hooks.",
)

#: The first release that knows every option of the renew script.
_LEAST = (0, 30)

#: Seconds for a second look at a certbot that did not answer.
_TIMEOUT = 8.0


def _certbot(context: Context) -> Iterator[Finding]:
    command = context.plan.certbot.command if context.plan else "auto"
    used = context.facts.certbot(command)
    if used is None:
        paths = on_path("certbot") if command == "auto" else [command]
        closed = not_executable(context.host, paths)
        if closed is not None:
            path, mode = closed
            mend = Fix(("chmod", "0755", path))
            yield _NOT_EXECUTABLE.found(path, "is not executable", f"{path}: mode {mode:04o}", mend)
            return
        argv = install_argv(context.facts, "certbot")
        where = "" if command == "auto" else f" at {command}, which the plan names"
        fix = Fix(argv) if argv and command == "auto" else None
        yield _FOUND.found("certbot", f"not found{where}", fix=fix)
        return
    yield _answering(context, used)
    installs = context.facts.certbots
    if len(installs) > 1:
        listed = "\n".join(f"{one.path} {one.version} ({one.kind})" for one in installs)
        message = f"is used, but there are {len(installs)} certbots: remove those you do not want"
        yield _SEVERAL.found(_started(context) or used.path, message, listed)


def _started(context: Context) -> str:
    """The one that the renew script on the host starts, whichever an apply would choose now."""
    try:
        script = context.plan and context.host.read(places.renew_script(context.plan))
    except PermissionError:
        return ""
    found = re.search(rb"^CERTBOT='?([^'\n]+)'?$", script or b"", re.MULTILINE)
    return found[1].decode("utf-8", "replace") if found else ""


def _answering(context: Context, used: CertbotInstall) -> Finding:
    if not used.version:
        return _mute(context, used)
    if used.version_tuple < _LEAST:
        message = f"certbot {used.version} does not know what the renew script asks of it"
        return _OLD.found(used.path, message, f"{used.path} --version: certbot {used.version}")
    return _FOUND.ok(used.path, f"certbot {used.version} ({used.kind})")


def _mute(context: Context, used: CertbotInstall) -> Finding:
    """Asked once more: the facts have its version alone, and the last line says what is broken."""
    said = context.host.run([used.path, "--version"], timeout=_TIMEOUT)
    lines = said.text.splitlines()
    evidence = "\n".join([f"{used.path} --version (exit {said.code})", *lines[-5:]])
    reason = f": {lines[-1].strip()[:200]}" if lines else ""
    reinstall = ("apt-get", "install", "-y", "--reinstall", "certbot")
    fix = Fix(reinstall) if used.kind == "deb" else None
    return _MUTE.found(used.path, f"does not say its version{reason}", evidence, fix)


CHECKS = (Check((_FOUND, _NOT_EXECUTABLE, _MUTE, _SEVERAL, _OLD), _certbot),)
