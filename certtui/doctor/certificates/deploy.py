"""Certificates that were renewed, but that the web server does not serve yet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from certtui.doctor.certificates import webserver
from certtui.doctor.check import Check, Context, Kind, needs_root
from certtui.doctor.finding import Finding, Fix, Status
from certtui.doctor.records import history
from certtui.plan.model import Plan
from certtui.render.places import post_hook

_PENDING = Kind(
    "deploy.pending",
    Status.FAIL,
    "the web server is told of each renewal",
    "certbot exits 0 when a hook fails (certbot #8528) and does not run it again: the earlier "
    "certificate is served until it expires. certtui's hooks note what is not loaded yet, and "
    "every later run tries again.",
)

#: A run may be between its deploy hook and its post hook.
_AT_WORK = timedelta(minutes=15)


def _pending(context: Context) -> Iterator[Finding]:
    try:
        waiting = history.pending(context.host)
    except PermissionError:
        yield _PENDING.skip("", needs_root(history.PENDING))
        return
    if not waiting:
        yield _PENDING.ok("", "nothing renewed waits to be loaded")
        return
    noted = context.host.info(history.PENDING)
    written = datetime.fromtimestamp(noted.mtime, context.now.tzinfo) if noted else None
    fresh = written is not None and context.now - written < _AT_WORK
    plan = context.plan
    message = f"noted as renewed and not loaded by the web server: {len(waiting)}"
    first = webserver.obstacle(context) if plan else None
    if first is not None:
        # One break: what is to be mended first says that nothing is loaded meanwhile.
        yield _PENDING.skip("", f"{message}; first see {first.id}")
        return
    yield _PENDING.found(
        "",
        message,
        "\n".join((history.PENDING, *waiting)),
        load(plan) if plan and plan.webserver.kind != "none" else None,
        status=Status.WARN if fresh else None,
    )


def load(plan: Plan, *lineages: str) -> Fix:
    """The post hook: it tests the configuration, then makes the server load its certificates.

    ``lineages`` are folders below live/ that are not noted as pending. A restart ends connections:
    that is for a person to decide.
    """
    return Fix((post_hook(plan), *lineages), plan.webserver.action != "restart")


CHECKS = (Check((_PENDING,), _pending),)
