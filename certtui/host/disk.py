"""The certificates that certbot has on disk, now and before, as the bytes that a server sends."""

from __future__ import annotations

import base64
import binascii
import posixpath
import re
from collections.abc import Iterator, Sequence

from certtui.host.facts import Lineage
from certtui.host.interface import Host

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)

#: certbot/_internal/storage.py: archive/NAME/cert1.pem, cert2.pem, ...
_EARLIER = re.compile(r"cert\d+\.pem")


class Disk:
    """Reads only what it is asked for, each file once: a host may have 10,000 lineages."""

    def __init__(self, host: Host, lineages: Sequence[Lineage]) -> None:
        self._host = host
        self._lineages = [one for one in lineages if one.not_after is not None]
        self._current: dict[str, bytes] = {}
        self._earlier: dict[str, frozenset[bytes]] = {}
        self._all: frozenset[bytes] | None = None

    def current(self, lineage: Lineage) -> bytes:
        """The DER of a lineage's own certificate. Raises OSError, ValueError."""
        if lineage.name not in self._current:
            self._current[lineage.name] = self._first(lineage.certificate)
        return self._current[lineage.name]

    def is_current(self, der: bytes) -> bool:
        """Whether it is the certificate of any lineage."""
        if self._all is None:
            self._all = frozenset(self._every())
        return der in self._all

    def _every(self) -> Iterator[bytes]:
        for lineage in self._lineages:
            try:
                yield self.current(lineage)
            except (OSError, ValueError):
                continue  # its own answer says so

    def was_current(self, der: bytes, lineage: Lineage) -> bool:
        """Whether a lineage had it before. Raises OSError."""
        if lineage.name not in self._earlier:
            self._earlier[lineage.name] = frozenset(self._archived(lineage))
        return der in self._earlier[lineage.name]

    def was_any(self, der: bytes, name: str) -> bool:
        """Whether any lineage with that name had it before. Raises OSError."""
        return any(
            self.was_current(der, lineage) for lineage in self._lineages if name in lineage.domains
        )

    def _archived(self, lineage: Lineage) -> Iterator[bytes]:
        """The certificates beside the one that the link in live/ leads to."""
        real = self._host.resolve(lineage.certificate)
        if real is None:
            return
        folder = posixpath.dirname(real)
        for name in self._host.names(folder):
            if _EARLIER.fullmatch(name):
                try:
                    yield self._first(f"{folder}/{name}")
                except ValueError:
                    continue  # a damaged old file says nothing about what is served

    def _first(self, path: str) -> bytes:
        found = _PEM.search(self._host.read(path) or b"")
        if found is None:
            raise ValueError(f"{path} holds no certificate")
        try:
            return base64.b64decode(b"".join(found[1].split()), validate=True)
        except binascii.Error:
            raise ValueError(f"{path} is not base64 between its marks") from None
