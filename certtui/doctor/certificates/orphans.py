"""Folders in ``live/`` that no renewal configuration knows: certbot never renews what is there."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from datetime import timedelta

from certtui.doctor.check import Context, Kind
from certtui.doctor.finding import Finding, Status
from certtui.host import certificate
from certtui.host.certificate import Certificate
from certtui.host.interface import Host
from certtui.host.lineages import MOST

ORPHAN = Kind(
    "lineage.no-configuration",
    Status.FAIL,
    "each folder in live/ has its file in renewal/",
    "certbot renews what renewal/*.conf names and nothing else (storage.py, renewal_conf_files): a "
    "web server that uses such a certificate serves it until it expires, and nobody is told.",
)

#: certbot's own default.
_DEFAULT = "/etc/letsencrypt"

#: What expired longer ago than this is served by nobody who would not have noticed.
_LONG_AGO = timedelta(days=30)


def look(context: Context) -> Iterator[Finding]:
    """One finding a folder; what this user may not look at is passed over."""
    if context.facts.unreadable:
        return  # nobody knows then what there is in renewal/
    folder = f"{_config_dir(context)}/live"
    try:
        names = context.host.names(folder)
    except OSError:
        return  # the lineages are hidden as well, and that is said
    known = {one.name for one in context.facts.lineages}
    unknown = [name for name in names if name not in known]
    if not unknown:
        return
    # A lineage may have its links under another name, after its configuration was renamed.
    linked = {posixpath.dirname(link) for one in context.facts.lineages for link in one.links}
    for name in unknown:
        found = None
        if f"{folder}/{name}" not in linked:
            found = _certificate(context.host, f"{folder}/{name}/fullchain.pem")
        if found is not None:
            yield _finding(context, folder, name, found)


def _config_dir(context: Context) -> str:
    if context.plan:
        from certtui.render.places import config_dir

        return config_dir(context.plan)
    for one in context.facts.lineages:
        return one.config.rpartition("/renewal/")[0]
    return _DEFAULT


def _certificate(host: Host, path: str) -> Certificate | None:
    """None for what no server could load either: the README is no folder, others are empty."""
    try:
        return certificate.from_pem(host.read(path, MOST) or b"")
    except (OSError, ValueError):
        return None


def _finding(context: Context, folder: str, name: str, found: Certificate) -> Finding:
    """A failure if certbot made it and it may be in use: others copy theirs in by themselves."""
    conf = f"{folder.removesuffix('/live')}/renewal/{name}.conf"
    made = context.host.link(f"{folder}/{name}/fullchain.pem") is not None
    stale = context.now - found.not_after > _LONG_AGO
    ends = "expired on" if found.not_after <= context.now else "valid until"
    return ORPHAN.found(
        name,
        f"{folder}/{name} has no {conf}, so certbot never renews it: bring that file back from a "
        "backup; else get a certificate under another name with certbot certonly, and have the "
        "web server use that",
        f"{folder}/{name}/fullchain.pem: {ends} {found.not_after:%Y-%m-%d %H:%M} UTC",
        status=None if made and not stale else Status.WARN,
    )
