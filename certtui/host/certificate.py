"""Validity, names and key of an X.509 certificate, by the standard library alone.

certtui needs few facts of a certificate, and cryptography costs a compiled dependency and 0.1 s
of import. DER is read as X.690 and RFC 5280, section 4.1 define it; anything else is refused.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)

_KEY = re.compile(
    rb"-----BEGIN (?:RSA |EC )?PRIVATE KEY-----(.+?)-----END (?:RSA |EC )?PRIVATE KEY-----",
    re.DOTALL,
)

_SEQUENCE, _SET_OF_EXTENSIONS, _OID, _OCTETS = 0x30, 0xA3, 0x06, 0x04
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18
_VERSION = 0xA0
_SUBJECT_ALT_NAME = bytes.fromhex("551d11")  # 2.5.29.17
_DNS_NAME = 0x82

#: Bytes: shorter ones might be found in a key by chance.
_SHORTEST = 32


@dataclass(frozen=True)
class Certificate:
    """``not_before`` and ``not_after`` in UTC; ``names`` are the DNS names of subjectAltName."""

    not_before: datetime
    not_after: datetime
    names: tuple[str, ...]


def from_pem(data: bytes) -> Certificate:
    """The first certificate of a PEM file. Raises :class:`ValueError` with a sentence."""
    try:
        return _certificate(der(data))
    except (IndexError, StopIteration, UnicodeDecodeError):
        raise ValueError("is not a certificate") from None


def der(data: bytes) -> bytes:
    """The bytes of the first certificate of a PEM file. Raises :class:`ValueError`."""
    found = _PEM.search(data)
    if found is None:
        raise ValueError("holds no certificate")
    try:
        return base64.b64decode(b"".join(found[1].split()), validate=True)
    except binascii.Error:
        raise ValueError("is not base64 between its marks") from None


@dataclass(frozen=True)
class PublicKey:
    """``algorithm`` is its OID; ``key`` the point of an EC key, modulus and exponent of RSA."""

    algorithm: bytes
    key: bytes


def public_key(certificate: bytes) -> PublicKey:
    """The key of a certificate's bytes. Raises :class:`ValueError`.

    A private key that belongs to it repeats these very bytes (RFC 8017, A.1.2; RFC 5915, 3).
    """
    try:
        parts = list(_items(_expect(_expect(certificate, _SEQUENCE), _SEQUENCE)))
        algorithm, bits = list(_items(parts[5 + (parts[0][0] == _VERSION)][1]))
        key = bits[1][1:]  # the count of unused bits comes first
        if key[0] == _SEQUENCE:
            key = _expect(key, _SEQUENCE)
        return PublicKey(_expect(algorithm[1], _OID), key)
    except (IndexError, StopIteration, ValueError):
        raise ValueError("is not a certificate") from None


def holds(private: bytes, key: bytes) -> bool:
    """Whether the private key of a PEM file says that ``key`` is its public one.

    False also where it does not say: a key may be encrypted, or leave its public part out.
    """
    found = _KEY.search(private)
    if found is None or len(key) < _SHORTEST:
        return False
    try:
        content = base64.b64decode(b"".join(found[1].split()), validate=True)
        whole = len(list(_items(content))) == 1
    except (binascii.Error, ValueError, IndexError):
        return False
    return whole and key in content


def _certificate(der: bytes) -> Certificate:
    body = _expect(_expect(der, _SEQUENCE), _SEQUENCE)
    parts = list(_items(body))
    if parts[0][0] == _VERSION:
        del parts[0]
    # serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo, then the optional
    validity = parts[3]
    if validity[0] != _SEQUENCE:
        raise ValueError("is not a certificate")
    times = list(_items(validity[1]))
    names: tuple[str, ...] = ()
    for tag, content in parts[6:]:
        if tag == _SET_OF_EXTENSIONS:
            names = _alternative_names(_expect(content, _SEQUENCE))
    return Certificate(_time(*times[0]), _time(*times[1]), names)


def _alternative_names(extensions: bytes) -> tuple[str, ...]:
    for _, extension in _items(extensions):
        fields = list(_items(extension))
        if fields[0] == (_OID, _SUBJECT_ALT_NAME) and fields[-1][0] == _OCTETS:
            names = _expect(fields[-1][1], _SEQUENCE)
            return tuple(text.decode("ascii") for tag, text in _items(names) if tag == _DNS_NAME)
    return ()


def _time(tag: int, content: bytes) -> datetime:
    """RFC 5280, 4.1.2.5: always with seconds and Z; years of two digits from 1950."""
    text = content.decode("ascii")
    if tag == _UTC_TIME:
        text = ("19" if text[:2] >= "50" else "20") + text
    elif tag != _GENERALIZED_TIME:
        raise ValueError("is not a certificate")
    digits = text[:14]
    if text[14:] != "Z" or not digits.isdigit():
        raise ValueError("is not a certificate")
    try:
        month, day, hour, minute, second = (int(digits[at : at + 2]) for at in (4, 6, 8, 10, 12))
        return datetime(int(digits[:4]), month, day, hour, minute, second, tzinfo=timezone.utc)
    except ValueError:
        raise ValueError("is not a certificate") from None


def _expect(data: bytes, tag: int) -> bytes:
    found, content = next(_items(data))
    if found != tag:
        raise ValueError("is not a certificate")
    return content


def _items(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each element; only the definite lengths that DER allows."""
    at = 0
    while at < len(data):
        tag, length = data[at], data[at + 1]
        at += 2
        if length & 0x80:
            count = length & 0x7F
            if not 1 <= count <= 4:
                raise ValueError("is not a certificate")
            length = int.from_bytes(data[at : at + count], "big")
            at += count
        if at + length > len(data):
            raise ValueError("is cut off")
        yield tag, data[at : at + length]
        at += length
