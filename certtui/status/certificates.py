"""Fields of the certificates on disk, as ``cryptography`` reads them.

The only place that imports it, and only when it is called: no other command pays for it.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from certtui.host.facts import Lineage
from certtui.host.interface import Host

if TYPE_CHECKING:
    from cryptography import x509


@dataclass(frozen=True)
class Details:
    """What is read of one certificate; ``serial`` is hexadecimal, as CAs and browsers show it."""

    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    issuer: str
    key: str
    serial: str


def read(host: Host, lineages: Sequence[Lineage]) -> Iterator[tuple[Lineage, Details | None]]:
    """Each lineage with what its certificate says; None where it cannot be read.

    The lineage then has a sentence in ``error``. Nothing is read where it is :func:`missing`.
    """
    if missing():
        yield from ((lineage, None) for lineage in lineages)
        return
    with warnings.catch_warnings():
        # It warns of what it reads all the same, such as a serial number that is negative.
        warnings.simplefilter("ignore")
        for lineage in lineages:
            yield _read(host, lineage)


def missing() -> str:
    """Why fields cannot be read here: a sentence about an installation that is broken, or ""."""
    try:
        import cryptography.x509  # noqa: F401 - whether it can be loaded is the question
    except ImportError as error:
        return f"issuers and keys cannot be read: the package cryptography is broken here ({error})"
    return ""


def _read(host: Host, lineage: Lineage) -> tuple[Lineage, Details | None]:
    if lineage.not_after is None:
        return lineage, None  # its error says why
    try:
        data = host.read(lineage.certificate) if lineage.certificate else None
    except OSError as error:
        return replace(lineage, error=lineage.error or f"{lineage.certificate}: {error}"), None
    if data is None:
        return lineage, None  # of another machine: what was told of it is all that is known
    try:
        details = _details(data)
    except ValueError as error:
        said = lineage.error or f"{lineage.certificate} cannot be read: {error}"
        return replace(lineage, error=said), None
    same = (lineage.not_before, lineage.not_after) == (details.not_before, details.not_after)
    if same and lineage.domains == details.names:
        return lineage, details
    return (
        replace(
            lineage,
            domains=details.names,
            not_before=details.not_before,
            not_after=details.not_after,
        ),
        details,
    )


def _details(data: bytes) -> Details:
    """The first certificate of a PEM file. Raises ValueError."""
    from cryptography import x509

    found = x509.load_pem_x509_certificate(data)
    return Details(
        names=_names(found),
        not_before=found.not_valid_before_utc,
        not_after=found.not_valid_after_utc,
        issuer=_issuer(found),
        key=_key(found),
        serial=f"{found.serial_number:x}",
    )


def _names(found: x509.Certificate) -> tuple[str, ...]:
    from cryptography import x509

    try:
        extension = found.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    names = extension.value
    addresses = (str(one) for one in names.get_values_for_type(x509.IPAddress))
    return (*names.get_values_for_type(x509.DNSName), *addresses)


def _issuer(found: x509.Certificate) -> str:
    """Its organisation and common name, as a person knows a CA: "Let's Encrypt R11"."""
    from cryptography.x509.oid import NameOID

    said = (
        str(part.value)
        for oid in (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME)
        for part in found.issuer.get_attributes_for_oid(oid)[:1]
    )
    return " ".join(said)


def _key(found: x509.Certificate) -> str:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    try:
        key = found.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return ""
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"ECDSA {_CURVES.get(key.curve.name, key.curve.name)}"
    return type(key).__name__.lstrip("_").removesuffix("PublicKey")


#: SEC 2's names of the curves that certbot may ask for, as NIST calls them.
_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
