"""Paths in ``renewal/NAME.conf`` that are another lineage's: its links are well, and stay."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from certtui.doctor.check import Kind
from certtui.doctor.finding import Finding, Fix, Status
from certtui.host.facts import KINDS, Lineage
from certtui.host.interface import Host

ANOTHERS = Kind(
    "lineage.path-of-another",
    Status.FAIL,
    "the renewal configuration names the lineage's own folder in live/",
    "certbot takes number and certificate from the paths in renewal/NAME.conf: one that was copied "
    "from another lineage's has this one renewed by that one's files.",
)

#: A path that may stand in a command of sed.
_PLAIN = re.compile(r"[\w./@+-]+", re.ASCII)


def look(host: Host, lineage: Lineage, wrong: Sequence[str]) -> Finding | None:
    """The mistake, if what is ``wrong`` (of KINDS) with the links is that they are another's."""
    base = lineage.config.rpartition("/renewal/")[0]
    odd = {
        file: link
        for file, link in zip(KINDS, lineage.links, strict=True)
        if file in wrong and _is_anothers(host, lineage, base, link)
    }
    if not odd:
        return None
    first, link = next(iter(odd.items()))
    more = f" (and {len(odd) - 1} more of the four)" if len(odd) > 1 else ""
    return ANOTHERS.found(
        lineage.name,
        f"{lineage.config} says {first} = {link}, which is another lineage's{more}",
        "\n".join(f"{lineage.config}: {file} = {path}" for file, path in odd.items()),
        _own_paths(host, lineage, f"{base}/live/{lineage.name}", tuple(odd)),
    )


def _is_anothers(host: Host, lineage: Lineage, base: str, link: str) -> bool:
    """A folder that no configuration is called after may be this lineage's, under an old name."""
    folder, _, other = posixpath.dirname(link).rpartition("/")
    if folder != f"{base}/live" or other == lineage.name:
        return False
    return host.info(f"{base}/renewal/{other}.conf") is not None


def _own_paths(host: Host, lineage: Lineage, own: str, files: tuple[str, ...]) -> Fix | None:
    """Names the lineage's own links; None where one of them is not there."""
    if not _PLAIN.fullmatch(own) or any(host.link(f"{own}/{file}.pem") is None for file in files):
        return None
    lines = [rf"s,^\s*{file}\s*=.*,{file} = {own}/{file}.pem," for file in files]
    return Fix(("sed", "-i", ";".join(lines), lineage.config))
