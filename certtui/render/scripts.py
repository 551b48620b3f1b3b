"""The renew script and the two hooks, which are the same for every backend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from certtui.host.facts import Facts
from certtui.plan.model import Plan
from certtui.render import places, shell, webserver
from certtui.render.artifact import Artifact
from certtui.render.places import Places
from certtui.render.webserver import Reload


def artifacts(plan: Plan, facts: Facts, where: Places) -> Iterator[Artifact]:
    """The renew script, and the hooks where a web server is to load the certificate."""
    loads = webserver.reload(plan, facts)
    yield Artifact(
        places.renew_script(plan),
        _renew(plan, facts, where, bool(loads)),
        0o700,
        "renews what is due, and tells when it cannot",
    )
    if loads is None:
        return
    yield Artifact(
        places.deploy_hook(plan),
        shell.script("deploy.sh", shell.assignments(_shared(plan, where))),
        0o700,
        "notes each renewed certificate, whichever scheduler ran certbot",
    )
    yield Artifact(
        places.post_hook(plan),
        _post(plan, loads, where),
        0o700,
        f"tests {loads.server}, then makes it load the renewed certificates, once a run",
    )


def _shared(plan: Plan, where: Places) -> dict[str, str]:
    return {"PATH": where.path, "STATE": where.state, "POST_HOOK": places.post_hook(plan)}


def _mail(plan: Plan) -> dict[str, str]:
    return {"MAIL_TO": plan.mail.to, "MAIL_ON": plan.mail.on, "MAIL_FROM": plan.mail.sender}


def _renew(plan: Plan, facts: Facts, where: Places, hooks: bool) -> bytes:
    found = facts.certbot(plan.certbot.command)
    chosen = plan.certbot.command != "auto"
    values = {
        **_shared(plan, where),
        **_mail(plan),
        "CERTBOT": plan.certbot.command if chosen else found.path if found else "certbot",
        "CERTBOT_FIXED": "1" if chosen else "",
        "TIMEOUT": str(plan.certbot.timeout),
        "LOCK_TRIES": str(places.LOCK_TRIES),
        "LOCK_WAIT": str(where.lock_wait),
        "LOG_FILE": places.log_file(plan),
        "HEARTBEAT_URL": plan.notify.heartbeat_url,
        # Elsewhere systemd starts the at script, which tells the renew script of its drill.
        "DRILL_BY_UNIT": "1" if plan.schedule.backend == "systemd-timer" else "",
    }
    if not hooks:
        values["POST_HOOK"] = ""
    return shell.script(
        "renew.sh",
        "\n".join(
            (
                shell.assignments(values),
                _environment(plan.certbot.env),
                "# certbot.extra_args",
                f"set -- {shell.words(plan.certbot.extra_args)}".rstrip(),
            )
        ),
    )


def _environment(variables: Mapping[str, str]) -> str:
    """The names are letters and _ only: the plan's validation sees to that."""
    exports = [f"export {name}={shell.quote(value)}" for name, value in sorted(variables.items())]
    return shell.function("plan_environment", "\n    ".join(exports or [":"]))


def _post(plan: Plan, loads: Reload, where: Places) -> bytes:
    values = {**_shared(plan, where), **_mail(plan), "SERVER": loads.server}
    functions = [_command("test_configuration", loads.test)]
    if loads.part == "reload-systemd.sh":
        values |= {"ACTION": loads.action, "UNIT": loads.unit}
    elif loads.part == "reload-service.sh":
        values |= {"ACTION": loads.action, "SERVICE": loads.service}
        functions.append(_command("signal_server", loads.signal))
    else:
        functions.append(_command("custom_command", loads.custom))
    return shell.script(
        "post.sh", "\n".join((shell.assignments(values), *functions)), {"@reload": loads.part}
    )


def _command(name: str, argv: tuple[str, ...]) -> str:
    return shell.function(name, f"limit 120 {shell.words(argv)}" if argv else ":")
