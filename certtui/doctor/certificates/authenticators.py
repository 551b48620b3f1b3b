"""Whether the authenticator of a lineage can work where no person is."""

from __future__ import annotations

from collections.abc import Iterator

from certtui.doctor.check import Context, Kind
from certtui.doctor.finding import Finding, Status
from certtui.host.facts import Lineage

MANUAL = Kind(
    "lineage.manual",
    Status.FAIL,
    "certbot can answer the CA without a person",
    "certbot renew refuses a lineage of the manual plugin that has no --manual-auth-hook (issues "
    "#7489 and #7227): the certificate was made by hand, and no run ever renews it.",
)

ALL = (MANUAL,)

_HOOK = "manual-auth-hook"

#: Bytes of cli.ini: a few lines, whatever their comments.
_MOST = 1 << 16


def look(context: Context, lineage: Lineage) -> Iterator[Finding]:
    """Raises PermissionError."""
    if lineage.authenticator != "manual" or _HOOK.replace("-", "_") in lineage.options:
        return
    if context.plan and any(
        word.startswith(f"--{_HOOK}") for word in context.plan.certbot.extra_args
    ):
        return
    base = lineage.config.rpartition("/renewal/")[0]
    general = (context.host.read(f"{base}/cli.ini", _MOST) or b"").decode("utf-8", "replace")
    if _HOOK in general.replace("_", "-"):
        return
    yield MANUAL.found(
        lineage.name,
        "was made by hand (authenticator = manual) and has no manual_auth_hook: no run can renew "
        "it. Get it anew with certbot certonly --cert-name and another authenticator, or with "
        "--manual-auth-hook",
        f"{lineage.config}: authenticator = manual",
    )
