"""The small reader of certificates, against cryptography, which writes them here."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta, timezone

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from certtui.host import certificate

_KEY = ec.generate_private_key(ec.SECP256R1())


def pem(start: datetime, end: datetime, names: tuple[str, ...] = ()) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x" * 60)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(_KEY.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )
    if names:
        alternative = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(alternative, critical=False)
    made = builder.sign(_KEY, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM)


@given(
    st.datetimes(datetime(1951, 1, 1), datetime(2200, 1, 1)).map(
        lambda t: t.replace(microsecond=0)
    ),
    st.integers(1, 400),
    st.lists(st.from_regex(r"[a-z0-9-]{1,20}\.example\.test", fullmatch=True), max_size=40),
)
def test_dates_and_names_are_those_that_were_written(
    start: datetime, days: int, names: list[str]
) -> None:
    end = start + timedelta(days=days)
    found = certificate.from_pem(b"chain:\n" + pem(start, end, tuple(names)) + b"more\n")
    assert found.not_before == start.replace(tzinfo=timezone.utc)
    assert found.not_after == end.replace(tzinfo=timezone.utc)
    assert found.names == tuple(names)


def test_the_first_of_a_chain_counts() -> None:
    day = datetime(2026, 3, 1)
    chain = pem(day, day + timedelta(days=90), ("a.test",)) + pem(day, day + timedelta(days=9))
    assert certificate.from_pem(chain).names == ("a.test",)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "holds no certificate"),
        (b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n", "is not base64"),
        (b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", "is not a certificate"),
        (b"-----BEGIN CERTIFICATE-----\nMIQ=\n-----END CERTIFICATE-----\n", "is cut off"),
    ],
)
def test_what_is_no_certificate_is_a_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        certificate.from_pem(data)


_DAY = datetime(2026, 3, 1)
_DER = x509.load_pem_x509_certificate(
    pem(_DAY, _DAY + timedelta(days=90), ("a.test",))
).public_bytes(serialization.Encoding.DER)


@given(st.data())
def test_a_damaged_certificate_is_read_or_refused(data: st.DataObject) -> None:
    content = bytearray(_DER)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    text = base64.encodebytes(bytes(content[: data.draw(st.integers(1, len(content)))]))
    try:
        certificate.from_pem(
            b"-----BEGIN CERTIFICATE-----\n" + text + b"-----END CERTIFICATE-----\n"
        )
    except ValueError as error:
        assert str(error) in ("holds no certificate", "is not a certificate", "is cut off")


_PRIVATE = _KEY.private_bytes(
    serialization.Encoding.DER,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
)


def _armoured(content: bytes) -> bytes:
    text = base64.encodebytes(content)
    return b"-----BEGIN PRIVATE KEY-----\n" + text + b"-----END PRIVATE KEY-----\n"


def test_a_key_repeats_what_its_certificate_says_of_it() -> None:
    found = certificate.public_key(_DER)
    assert found.key == _KEY.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    assert certificate.holds(_armoured(_PRIVATE), found.key)
    assert not certificate.holds(_armoured(_PRIVATE), found.key[:-1] + bytes([found.key[-1] ^ 1]))
    assert not certificate.holds(_armoured(_PRIVATE), found.key[:8])
    assert not certificate.holds(_armoured(_PRIVATE + b"\0\0"), found.key)
    assert not certificate.holds(_armoured(_PRIVATE[:-1]), found.key)
    assert not certificate.holds(b"", found.key)


@given(st.data())
def test_a_damaged_key_is_compared_or_refused(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from((_DER, _PRIVATE))))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        certificate.public_key(damaged)
    except ValueError as error:
        assert str(error) == "is not a certificate"
    assert certificate.holds(_armoured(damaged), b"x" * 64) is False
