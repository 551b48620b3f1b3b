"""Can the web server be told to load a certificate: its configuration, its unit, does it run?"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from certtui.doctor.check import Check, Context, Kind, needs_root, no_plan
from certtui.doctor.finding import Finding, Fix, Status
from certtui.host import units
from certtui.host.facts import WebServer
from certtui.host.handshake import PORT
from certtui.host.interface import Completed
from certtui.plan.fields import defaults
from certtui.plan.model import Plan
from certtui.render import webserver
from certtui.render.webserver import Reload

_TEST = Kind(
    "webserver.configuration",
    Status.FAIL,
    "the web server's configuration passes its test",
    "The post hook tests before each reload, because a server with a broken configuration would "
    "not start again: until it is mended, no renewed certificate is loaded.",
)
_UNIT = Kind(
    "webserver.unit",
    Status.FAIL,
    "the web server that the plan names is here and can be told",
    "systemctl can reload only a unit that exists and is not masked (systemctl(1)): what is "
    "renewed would never be loaded.",
)
_STOPPED = Kind(
    "webserver.stopped",
    Status.WARN,
    "the web server runs",
    "A reload does not start a server (systemctl(1), try-reload-or-restart): it reads what was "
    "renewed when somebody starts it, and until then http-01 by its webroot fails.",
)

#: Seconds for each of the two questions.
_SECONDS = 10.0

#: What systemd is asked about its unit.
ASKED = "LoadState,ActiveState,SubState,Result"


@dataclass(frozen=True)
class _Server:
    """A web server as it is told; ``planned`` is whether the plan says to. ``state`` is its unit's.

    ``found`` is None where it is not seen on this host, or is the administrator's own.
    """

    how: Reload
    found: WebServer | None
    planned: bool
    state: Mapping[str, str]


def _webserver(context: Context) -> Iterator[Finding]:
    plan = context.plan
    if plan is not None and plan.webserver.kind == "none":
        yield _TEST.skip("", "not needed: the plan tells no web server")
        return
    servers = list(_servers(context))
    if not servers:
        yield _TEST.skip("", f"{no_plan(context)}, and no web server that is known")
    for server in servers:
        yield from _one(context, server)


def obstacle(context: Context) -> Finding | None:
    """What keeps the plan's web server from being told, as this module's checks find it."""
    found = [finding for server in _servers(context) for finding in _one(context, server)]
    return next((one for one in found if one.status is Status.FAIL), None)


def _servers(context: Context) -> Iterator[_Server]:
    """The plan's; without a plan those that were found."""
    facts = context.facts
    if context.plan is not None:
        plans = [context.plan]
    else:
        kinds = dict.fromkeys(one.kind for one in facts.webservers if one.kind != "other")
        plans = [Plan.from_values({**defaults(), "webserver.kind": kind}) for kind in kinds]
    for plan in plans:
        how = webserver.reload(plan, facts)
        if how is not None:
            found = facts.webserver(plan.webserver.kind)
            yield _Server(how, found, context.plan is not None, _state(context, how))


def _state(context: Context, how: Reload) -> Mapping[str, str]:
    """What systemd says of its unit; empty where it is not systemd that runs it."""
    if how.part != "reload-systemd.sh":
        return {}
    argv = ["systemctl", "show", "-p", ASKED, "--", how.unit]
    return units.blocks(context.host.run(argv, timeout=_SECONDS).out)[0]


def _one(context: Context, server: _Server) -> Iterator[Finding]:
    unit = _unit(context, server)
    if unit is not None:
        yield unit
        return
    stopped = _stopped(context, server)
    test = _test(context, server, stopped)
    yield test
    # A server that its broken configuration keeps from starting is one break.
    if stopped is not None and test.status in (Status.OK, Status.SKIP):
        yield stopped


def _unit(context: Context, server: _Server) -> Finding | None:
    """Why it cannot be told at all; None where it can."""
    how, load = server.how, server.state.get("LoadState", "")
    if not how.service or not server.planned:
        return None
    if load == "masked":
        fix = Fix(("systemctl", "unmask", how.unit))
        return _UNIT.found(how.unit, "is masked: nothing can reload it", _shown(server), fix)
    if load == "not-found" or (not load and server.found is None):
        kind = context.plan.webserver.kind if context.plan else how.server
        said = f"the plan tells {kind}, which is not here: install it, or change webserver.kind"
        return _UNIT.found(how.unit if load else how.server, said, _shown(server))
    return None


def _shown(server: _Server) -> str:
    said = ", ".join(f"{key}={value}" for key, value in server.state.items())
    return f"systemctl show {server.how.unit}: {said}" if said else ""


def _test(context: Context, server: _Server, stopped: Finding | None) -> Finding:
    how = server.how
    if not how.test:
        return _TEST.skip(how.server, "webserver.test is empty: nothing is tested before a reload")
    if not context.is_root:
        return _TEST.skip(how.server, needs_root())
    done = context.host.run(how.test, timeout=_SECONDS)
    shown = shlex.join(how.test)
    if done.ok:
        return _TEST.ok(how.server, f"{shown} passes")
    # Without a plan nothing of ours reloads it.
    mild = not server.planned or done.code == 124
    down = f"; it {stopped.message}" if stopped is not None else ""
    return _TEST.found(
        how.server,
        f"{shown} {_ended(done)}{down}",
        f"{shown}: exit code {done.code}\n{done.text}",
        status=Status.WARN if mild else None,
    )


def _ended(done: Completed) -> str:
    """How a test that did not pass went; 124, 126 and 127 are those of :class:`Completed`."""
    if done.code == 124:
        return f"does not end within {_SECONDS:g} s"
    if done.code in (126, 127):
        return "cannot be run, so nothing that is renewed is loaded"
    return "fails, so nothing that is renewed is loaded"


def _stopped(context: Context, server: _Server) -> Finding | None:
    """None where it runs, or where that is not known."""
    how, found = server.how, server.found
    if found is None or found.running:
        return None
    result = server.state.get("Result", "success")
    ended = f" ({result})" if result not in ("", "success") else ""
    other = next((one for one in context.facts.webservers if PORT in one.ports), None)
    holder = f"; {other.program} listens on port {PORT}" if other is not None else ""
    broken = units.cannot_start(server.state)
    hint = f"; systemctl status {how.unit} says why" if broken else ""
    message = f"is stopped{ended}{holder}{hint}"
    if not server.planned:
        return _STOPPED.ok(how.server, message)
    # Not safe: who stopped it may have a reason.
    fix = Fix(("systemctl", "start", how.unit)) if server.state and not broken else None
    seen = f"{_shown(server)}; journalctl -u {how.unit}" if broken else _shown(server)
    return _STOPPED.found(how.server, message, seen, fix)


CHECKS = (Check((_TEST, _UNIT, _STOPPED), _webserver),)
