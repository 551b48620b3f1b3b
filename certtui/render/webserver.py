"""How the web server of a plan tests its configuration and loads a certificate."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass

from certtui.host.facts import Facts, WebServer
from certtui.host.interface import SAFE_PATH
from certtui.plan.model import Plan

#: Families (os-release(5) ID, ID_LIKE) that call Apache's unit and program httpd.
_HTTPD = {"fedora", "rhel", "centos", "amzn", "ol", "arch"}


@dataclass(frozen=True)
class Reload:
    """``test``, ``signal`` and ``custom`` are argv; ``service`` is unit, script and process name.

    ``part`` is the template that loads the certificate.
    """

    server: str
    test: tuple[str, ...]
    part: str
    action: str = "reload"
    service: str = ""
    signal: tuple[str, ...] = ()
    custom: tuple[str, ...] = ()

    @property
    def unit(self) -> str:
        return f"{self.service}.service"


def reload(plan: Plan, facts: Facts) -> Reload | None:
    """None where no server is to be told. Says nothing that changes when a server stops."""
    kind = plan.webserver.kind
    if kind == "none":
        return None
    if kind == "custom":
        command = plan.webserver.command
        return Reload("the web server", plan.webserver.test, "reload-custom.sh", custom=command)
    found = facts.webserver(kind)
    service = _service(kind, found, facts)
    systemd = facts.has_systemd and (found is None or bool(found.unit))
    tested, signal = _nginx(found) if kind == "nginx" else _apache(service, plan.webserver.action)
    return Reload(
        service,
        tested,
        "reload-systemd.sh" if systemd else "reload-service.sh",
        plan.webserver.action,
        service,
        signal,
    )


def _service(kind: str, found: WebServer | None, facts: Facts) -> str:
    if found is not None and found.unit:
        return found.unit.removesuffix(".service")
    if kind == "nginx":
        return "nginx"
    if found is not None and found.program:
        return "httpd" if posixpath.basename(found.program).startswith("httpd") else "apache2"
    family = {facts.system.os_id, *facts.system.os_like}
    return "httpd" if family & _HTTPD else "apache2"


def _nginx(found: WebServer | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    program = _program(found.program) if found is not None else "nginx"
    return (program, "-t"), (program, "-s", "reload")


def _apache(service: str, action: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Debian's apache2 binary lacks its environment unless apachectl starts it.

    httpd(8): ``-k restart`` ends the requests in progress but not the parent process.
    """
    program = "httpd" if service == "httpd" else "apachectl"
    return (program, "-t"), (program, "-k", "restart" if action == "restart" else "graceful")


def _program(found: str) -> str:
    """A path only where the scripts' PATH does not lead there: a name outlives an upgrade."""
    folder, name = posixpath.split(found)
    odd = not re.fullmatch(r"/[A-Za-z0-9._+@:/-]+", found)
    return "nginx" if odd or (folder in SAFE_PATH.split(":") and name == "nginx") else found
