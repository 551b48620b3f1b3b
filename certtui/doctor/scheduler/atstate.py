"""What the at script remembers: the last slot that it took (``render/templates/at.sh``)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from certtui.change.store import HOME
from certtui.doctor.check import Context, Kind
from certtui.doctor.finding import Finding, Fix, Status
from certtui.plan.model import Plan
from certtui.render import places
from certtui.render.slots import slots

STATE = f"{HOME}/at-state"

_STATE = Kind(
    "at.state",
    Status.FAIL,
    "the at script's own record can be understood",
    "The script then does not know which slot it took last: it leaves out the slot that is due.",
)
_FUTURE = Kind(
    "at.state-future",
    Status.FAIL,
    "the last slot taken is not in the future",
    "No slot is taken twice, so that nothing renews until the clock has come that far.",
)

KINDS = (_STATE, _FUTURE)

_LINE = re.compile(r"(slot|day|runs|problem)=((?:0|[1-9][0-9]{0,10})?)")

#: The script takes a slot of up to three hours ahead for a clock that was set back, and waits.
_SET_BACK = timedelta(hours=3)


def findings(context: Context, plan: Plan) -> Iterator[Finding]:
    """What is wrong with the record of an at backend's script. Raises PermissionError."""
    text = _text(context)
    if text is None:
        yield _STATE.skip(STATE, "not there yet: the first start of the script writes it")
        return
    # Each start writes it anew; so does this one, which renews nothing.
    again = Fix((places.at_script(plan), "queue"), True)
    found = taken(context, plan)
    odd = [line for line in text.splitlines() if not _LINE.fullmatch(line)]
    if odd or found is None:
        message = "is damaged: which slot was taken last is not known"
        yield _STATE.found(STATE, message, text[:500], again)
    elif far(context, found):
        message = f"the last slot taken is {found:%Y-%m-%d %H:%M} UTC: the clock was wrong"
        yield _FUTURE.found(STATE, message, f"{STATE}: {text.splitlines()[0]}", again)
    else:
        yield _STATE.ok(STATE, f"the last slot taken is {found:%Y-%m-%d %H:%M} UTC")


def taken(context: Context, plan: Plan) -> datetime | None:
    """The last slot taken, aware UTC; None where that is not known. Raises PermissionError."""
    for line in (_text(context) or "").splitlines():
        match = _LINE.fullmatch(line)
        if match and match[1] == "slot" and match[2]:
            try:
                return slots(plan, context.facts).moment(int(match[2]))
            except OverflowError:
                return None
    return None


def far(context: Context, moment: datetime) -> bool:
    """Whether a slot lies so far ahead that the clock must have been wrong."""
    return moment - context.now > _SET_BACK


def _text(context: Context) -> str | None:
    """Raises PermissionError."""
    data = context.host.read(STATE)
    return None if data is None else data.decode("utf-8", "replace")
