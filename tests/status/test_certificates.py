"""Certificate fields as cryptography reads them, from files that certbot has written or not."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from certtui.host.facts import Lineage
from certtui.status import certificates
from tests.doctor.support import NOW
from tests.facts.support import FakeHost

PATH = "/etc/letsencrypt/live/a/fullchain.pem"
START, END = NOW - timedelta(days=10), NOW + timedelta(days=80)

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


def pem(key: Key, *, serial: int = 0xABC, names: bool = True) -> bytes:
    issuer = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "US"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Let's Encrypt"),
            x509.NameAttribute(NameOID.COMMON_NAME, "R11"),
        ]
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(START)
        .not_valid_after(END)
    )
    if names:
        some = [x509.DNSName("a.test"), x509.DNSName("*.a.test")]
        other = [x509.IPAddress(ip_address("192.0.2.1"))]
        builder = builder.add_extension(x509.SubjectAlternativeName([*some, *other]), False)
    signed = builder.sign(
        key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    )
    return signed.public_bytes(serialization.Encoding.PEM)


EC = ec.generate_private_key(ec.SECP256R1())


def read(
    data: bytes | None, host: FakeHost | None = None, **changes: object
) -> tuple[Lineage, certificates.Details | None]:
    base = Lineage("a", "a.conf", certificate=PATH, not_before=START, not_after=END)
    lineage = replace(base, **changes)  # type: ignore[arg-type]
    made = host or FakeHost(files={PATH: data} if data is not None else {})
    (found,) = certificates.read(made, [lineage])
    return found


def test_what_is_read() -> None:
    lineage, details = read(pem(EC) + pem(EC, serial=5))
    assert details == certificates.Details(
        names=("a.test", "*.a.test", "192.0.2.1"),
        not_before=START,
        not_after=END,
        issuer="Let's Encrypt R11",
        key="ECDSA P-256",
        serial="abc",
    )
    assert (lineage.domains, lineage.error) == (details.names, "")


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (rsa.generate_private_key(65537, 2048), "RSA 2048"),
        (ec.generate_private_key(ec.SECP384R1()), "ECDSA P-384"),
        (ed25519.Ed25519PrivateKey.generate(), "Ed25519"),
    ],
)
def test_keys(key: Key, words: str) -> None:
    _, details = read(pem(key))
    assert details is not None and details.key == words


def test_the_file_counts_where_it_was_renewed_since_the_facts() -> None:
    lineage, _ = read(pem(EC), not_after=NOW)
    assert lineage.not_after == END


def test_a_certificate_without_names() -> None:
    _, details = read(pem(EC, names=False))
    assert details is not None and details.names == ()


@pytest.mark.parametrize(
    "data", [b"", b"junk", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_what_cannot_be_read_is_a_sentence(data: bytes) -> None:
    lineage, details = read(data)
    assert details is None
    assert lineage.error.startswith(f"{PATH} cannot be read: ")
    assert lineage.not_after == END  # what the facts know is kept


def test_a_fault_that_is_known_already_is_kept() -> None:
    assert read(b"junk", error="its link is broken")[0].error == "its link is broken"


def test_a_file_that_is_not_there_or_closed() -> None:
    lineage, details = read(None)
    assert (details, lineage.error) == (None, "")
    lineage, details = read(None, FakeHost(files={PATH: b""}, closed={PATH}))
    assert details is None and "Permission denied" in lineage.error
    assert read(pem(EC), not_after=None)[1] is None


def test_odd_certificates_make_no_noise(recwarn: pytest.WarningsRecorder) -> None:
    """cryptography warns of serial numbers that RFC 5280 forbids; OpenSSL makes such a one."""
    made = subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-subj", "/CN=x", "-set_serial", "-5", "-keyout", "/dev/null"),
        ],
        capture_output=True,
        check=True,
    )
    _, details = read(made.stdout)
    assert details is not None
    assert not recwarn.list


def test_without_cryptography_the_rest_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    data = pem(EC)
    monkeypatch.setitem(sys.modules, "cryptography.x509", None)
    lineage, details = read(data)
    assert (details, lineage.not_after) == (None, END)
    assert "the package cryptography is broken here" in certificates.missing()


def test_times_are_aware() -> None:
    _, details = read(pem(EC))
    assert details is not None and details.not_after.tzinfo is timezone.utc
    assert isinstance(details.not_before, datetime)
