"""Will anybody hear of a failure?"""

from __future__ import annotations

from collections.abc import Iterator

from certtui.change.packages import install_argv
from certtui.doctor.check import Check, Context, Kind, no_plan
from certtui.doctor.finding import Finding, Fix, Status

_MAILER = Kind("mail.mailer", Status.FAIL, "a mailer is installed where the plan sends mail")
_NOBODY = Kind("mail.nobody", Status.WARN, "somebody is told of a failure: mail.to or a heartbeat")


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
        yield _MAILER.ok(plan.mail.to, f"mail goes by {mailer.path} ({mailer.real})")
    elif plan.notify.heartbeat_url:
        yield _NOBODY.ok("", "no mail, but a heartbeat")
    else:
        yield _NOBODY.found("", "mail.to and notify.heartbeat_url are empty: failures are silent")


CHECKS = (Check((_MAILER, _NOBODY), _mail),)
