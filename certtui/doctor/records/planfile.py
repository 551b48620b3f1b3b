"""The installed plan: can it be read, and is it a plan?"""

from __future__ import annotations

from collections.abc import Iterator

from certtui.doctor.check import Check, Context, Kind, no_plan
from certtui.doctor.finding import Finding, Fix, Status
from certtui.plan.model import INSTALLED_PLAN

_INVALID = Kind(
    "plan.invalid",
    Status.FAIL,
    "the installed plan can be read and is valid",
    "What was applied before goes on, but nothing can be changed or mended: every apply refuses "
    "until the plan is a plan again.",
)


def _plan(context: Context) -> Iterator[Finding]:
    if not context.unusable:
        file = context.plan_file or INSTALLED_PLAN
        yield (
            _INVALID.skip("", no_plan(context))
            if context.plan is None
            else _INVALID.ok(file, "a valid plan")
        )
        return
    first = context.unusable.splitlines()[0].removeprefix(f"{INSTALLED_PLAN}:").strip()
    instead = "no plan" if context.plan is None else "the plan last applied"
    yield _INVALID.found(
        INSTALLED_PLAN,
        f"{first}; {instead} was looked at instead",
        context.unusable,
        _aside(context),
    )


def _aside(context: Context) -> Fix | None:
    """Moves it away, so that the plan last applied counts; None where only an editor helps."""
    aside = f"{INSTALLED_PLAN}.invalid"
    if context.plan is None or context.host.info(aside) is not None:
        return None
    return Fix(("mv", INSTALLED_PLAN, aside))


CHECKS = (Check((_INVALID,), _plan),)
