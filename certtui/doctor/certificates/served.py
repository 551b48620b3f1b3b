"""Does this host serve the certificates that it has on disk?

A certificate that was renewed and never loaded looks well on disk until the day visitors see that
the old one has expired.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence

from certtui.doctor.certificates.deploy import load
from certtui.doctor.check import Check, Context, Kind, needs_root
from certtui.doctor.finding import Finding, Fix, Status
from certtui.doctor.records import history
from certtui.host import served
from certtui.host.facts import Lineage, WebServer
from certtui.host.handshake import PORT
from certtui.host.served import Served

_SAME = Kind(
    "served.same",
    Status.FAIL,
    "what this host serves on port 443 is what certbot has on disk",
    "Visitors see the certificate that the server has loaded, not the one on disk: only a "
    "handshake with each name in SNI (RFC 6066, section 3) tells them apart.",
)
_OLD = Kind(
    "served.old",
    Status.FAIL,
    "the web server has loaded what was renewed",
    "A server reads its certificates when it starts or is reloaded. One that is never told serves "
    "the earlier one until that expires, while certbot finds nothing to do; a deploy hook that "
    "fails leaves certbot's exit code 0 (certbot #8528).",
)
_OTHER = Kind(
    "served.other",
    Status.WARN,
    "names of certbot's certificates are served with certbot's certificates",
    "The server is configured with a certificate from elsewhere, which no run of certbot renews; "
    "the one on disk may be renewed for nobody.",
)
_SILENT = Kind(
    "served.silent",
    Status.FAIL,
    "what listens on port 443 answers by TLS",
    "A server that takes connections and never answers is up for systemd and for a look at its "
    "port, and down for every visitor.",
)

#: Seconds for all handshakes.
_SECONDS = 5.0

#: Lineages that the evidence lists.
_LISTED = 100


def _served(context: Context) -> Iterator[Finding]:
    lineages = [one for one in context.facts.lineages if one.not_after is not None]
    if not lineages:
        yield _SAME.skip("", _nothing_to_compare(context))
        return
    found = served.look(context.host, lineages, _SECONDS)
    by_state: dict[str, list[str]] = {}
    for name, one in found.items():
        by_state.setdefault(one.state, []).append(name)
    problems = [
        *_old(context, found, _not_pending(context, lineages, by_state.get("old", []))),
        *_other(found, by_state.get("other", [])),
        *_silent(context, found, by_state.get("silent", [])),
    ]
    yield from problems
    if not problems:
        yield _well(found, by_state)


def _nothing_to_compare(context: Context) -> str:
    hidden = not context.is_root and (context.facts.unreadable or context.facts.lineages)
    return needs_root() if hidden else "there is no certificate on disk to compare with"


def _not_pending(
    context: Context, lineages: Iterable[Lineage], names: Sequence[str]
) -> Sequence[str]:
    """Those that ``deploy.pending`` does not name already."""
    if not names:
        return names
    waiting = set(history.pending(context.host))
    folders = {one.name: posixpath.dirname(one.certificate) for one in lineages}
    return [name for name in names if folders[name] not in waiting]


def _old(context: Context, found: Mapping[str, Served], names: Sequence[str]) -> Iterator[Finding]:
    if names:
        message = (
            found[names[0]].message
            if len(names) == 1
            else f"{len(names)} were renewed, but the server has earlier ones loaded"
        )
        # Where the plan tells no server, loading certificates is somebody else's work.
        ours = context.plan is None or context.plan.webserver.kind != "none"
        fix = _reload(context, names[0])
        yield _OLD.found(
            _subject(names),
            message + (_if_it_stays(context) if fix else _by_whom(context)),
            _seen(found, names),
            fix,
            status=None if ours else Status.WARN,
        )


#: How to see which files a server reads.
_READS = {
    "nginx": ": nginx -T | grep ssl_certificate",
    "apache": ": grep -r SSLCertificateFile /etc/apache2",
}


def _if_it_stays(context: Context) -> str:
    """What to look at where a reload does not help, as it may have been tried by the hook."""
    kinds = {one.kind for one in _owners(context)}
    if context.plan is not None:
        kinds.add(context.plan.webserver.kind)
    reads = [_READS[kind] for kind in sorted(kinds) if kind in _READS]
    command = reads[0] if len(reads) == 1 else ""
    return f"; if it stays after a reload, the server reads another file{command}"


def _by_whom(context: Context) -> str:
    """What listens there, which is not what the plan tells."""
    programs = " and ".join(posixpath.basename(one.program) for one in _owners(context))
    return f"; on it: {programs}" if programs else ""


def _reload(context: Context, name: str) -> Fix | None:
    """The post hook, as for a lineage that is pending: it tests the configuration first.

    None where what listens is not the server that the plan tells.
    """
    plan, owners = context.plan, _owners(context)
    if plan is None:
        known = [one.unit for one in owners if one.kind != "other" and one.unit]
        return Fix(("systemctl", "reload", known[0])) if known else None
    kind = plan.webserver.kind
    told = kind == "custom" or not owners or any(one.kind == kind for one in owners)
    if kind == "none" or not told:
        return None
    folder = next(
        posixpath.dirname(one.certificate) for one in context.facts.lineages if one.name == name
    )
    return load(plan, folder)


def _owners(context: Context) -> list[WebServer]:
    """What listens on port 443, where that could be seen."""
    return [one for one in context.facts.webservers if PORT in one.ports]


def _is_strange(context: Context) -> bool:
    """Whether something listens there that is no web server, as far as is known."""
    custom = context.plan is not None and context.plan.webserver.kind == "custom"
    return not custom and any(one.kind == "other" for one in _owners(context))


def _other(found: Mapping[str, Served], names: Sequence[str]) -> Iterator[Finding]:
    if names:
        message = (
            found[names[0]].message
            if len(names) == 1
            else f"{len(names)} are not served: the server has other certificates for their names"
        )
        yield _OTHER.found(_subject(names), message, _seen(found, names))


def _silent(
    context: Context, found: Mapping[str, Served], names: Sequence[str]
) -> Iterator[Finding]:
    if not names:
        return
    strange, owners = _is_strange(context), _owners(context)
    if strange and _is_stopped(context):
        return  # webserver.stopped names what has taken the port
    hung = next((name for name in names if found[name].hung), "")
    programs = " and ".join(posixpath.basename(one.program) for one in owners)
    fix = None
    if hung and not strange and len(owners) == 1 and owners[0].unit:
        fix = Fix(("systemctl", "restart", owners[0].unit))
    yield _SILENT.found(
        _subject(names),
        found[hung or names[0]].message + (f"; on it: {programs}" if programs else ""),
        _seen(found, names),
        fix,
        # What is no web server may have a reason not to speak TLS.
        status=None if hung and not strange else Status.WARN,
    )


def _is_stopped(context: Context) -> bool:
    """Whether the plan's server is here and does not run."""
    told = context.facts.webserver(context.plan.webserver.kind) if context.plan else None
    return told is not None and not told.running


def _well(found: Mapping[str, Served], by_state: Mapping[str, Sequence[str]]) -> Finding:
    count = {state: len(names) for state, names in by_state.items()}
    same, unknown = count.get("same", 0), count.get("unknown", 0)
    nobody, rest = count.get("nobody", 0), count.get("absent", 0) + count.get("old", 0)
    if nobody == len(found):
        return _SAME.skip("", f"nothing listens on port {PORT} here")
    if count.get("silent"):
        return _SAME.skip("", f"nothing answers by TLS on port {PORT}")
    if unknown == len(found):
        first = next(iter(found.values()))
        return _SAME.skip("", f"could not be compared: it {first.message}")
    parts = [f"{same} of {len(found)} as on disk"]
    if count.get("covered"):
        parts.append(f"{count['covered']} covered by another certificate on disk")
    if rest:
        parts.append(f"{rest} not served here" if not count.get("old") else f"{rest} wait")
    if unknown:
        parts.append(f"{unknown} not known")
    return _SAME.ok(f"port {PORT}", ", ".join(parts), _seen(found, [*found][:_LISTED]))


def _subject(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _seen(found: Mapping[str, Served], names: Sequence[str]) -> str:
    """A line a lineage: what it was asked for, and what came."""
    lines = [_line(name, found[name]) for name in names[:_LISTED]]
    if len(names) > _LISTED:
        lines.append(f"and {len(names) - _LISTED} more")
    return "\n".join(lines)


def _line(name: str, one: Served) -> str:
    asked = f" (asked for {one.name})" if one.name not in ("", name) else ""
    return f"{name}{asked}: {one.message}"


CHECKS = (Check((_SAME, _OLD, _OTHER, _SILENT), _served),)
