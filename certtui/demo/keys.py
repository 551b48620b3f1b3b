"""Keys and self-signed certificates for the servers of the demo."""

from __future__ import annotations

import datetime
import ipaddress
import os
from pathlib import Path

#: The demo lives for minutes; its CA only has to outlive the 90 days of what it issues.
_DAYS = 400


def write_self_signed(key: Path, certificate: Path, common_name: str) -> None:
    """Makes an EC key and a certificate that is at once a CA and a server's on 127.0.0.1.

    Both are written as PEM, the key with mode 0600. Raises ``FileExistsError`` where a key is.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    private = ec.generate_private_key(ec.SECP256R1())
    public = private.public_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    # A clock that steps back a little must not make the demo fail.
    start = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    local = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .add_extension(x509.SubjectAlternativeName([local]), critical=False)
        .sign(private, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    form = serialization.PrivateFormat.PKCS8
    with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(private.private_bytes(pem, form, serialization.NoEncryption()))
    certificate.write_bytes(signed.public_bytes(pem))
