"""certbot's configuration folder as it leaves it, with as many healthy lineages as wanted."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import NameOID

_CONF = """\
# renew_before_expiry = 30 days
version = 4.0.0
archive_dir = {folder}/archive/{name}
cert = {folder}/live/{name}/cert.pem
privkey = {folder}/live/{name}/privkey.pem
chain = {folder}/live/{name}/chain.pem
fullchain = {folder}/live/{name}/fullchain.pem

# Options used in the renewal process
[renewalparams]
account = {account}
authenticator = webroot
webroot_path = {folder}/www,
server = https://acme-v02.api.letsencrypt.org/directory
key_type = ecdsa
[[webroot_map]]
"""
_CERTBOT = """\
#!/bin/sh
case $1 in
plugins) printf '* standalone\\nDescription: ...\\n\\n* webroot\\n' ;;
*) echo certbot 4.0.0 ;;
esac
"""
_ACCOUNT = "8d8f5d5d4f8d5c4e8d8f5d5d4f8d5c4e"
_KEYS = (ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey, ed25519.Ed25519PrivateKey)
_ACCOUNTS = f"accounts/acme-v02.api.letsencrypt.org/directory/{_ACCOUNT}"


def make(folder: Path, count: int) -> Path:
    """A folder with ``count`` lineages, and the plan that names it, whose path is returned.

    They have certificates of their own and one key.
    """
    for name in ("archive", "live", "renewal", "www", "bin", _ACCOUNTS):
        (folder / name).mkdir(parents=True)
    for number in range(count):
        lineage(folder, f"site{number}.example.test")
    certbot = folder / "bin/certbot"
    certbot.write_text(_CERTBOT, "utf-8")
    certbot.chmod(0o755)
    plan = folder / "plan.toml"
    plan.write_text(
        f'version = 1\n[webserver]\nkind = "none"\n[schedule]\nbackend = "cron"\n'
        f'[certbot]\ncommand = "{certbot}"\nextra_args = ["--config-dir", "{folder}"]\n',
        "utf-8",
    )
    return plan


def lineage(folder: Path, name: str, *, names: tuple[str, ...] = ()) -> None:
    """One more lineage in a folder, for ``names`` or for its own."""
    names = names or (name,)
    archive, live = folder / "archive" / name, folder / "live" / name
    archive.mkdir()
    live.mkdir()
    for path in (archive.parent, live.parent):
        path.chmod(0o700)  # certbot, storage.py, new_lineage
    private = _key()
    made = certificate(names[0], private, *names[1:])
    chain = _authority()
    contents = {"cert": made, "chain": chain, "fullchain": made + chain, "privkey": private}
    for kind, content in contents.items():
        (archive / f"{kind}1.pem").write_bytes(content)
        (live / f"{kind}.pem").symlink_to(f"../../archive/{name}/{kind}1.pem")
    (archive / "privkey1.pem").chmod(0o600)
    conf = _CONF.format(folder=folder, name=name, account=_ACCOUNT)
    conf += "".join(f"{each} = {folder}/www\n" for each in names)
    (folder / "renewal" / f"{name}.conf").write_text(conf, "utf-8")


@lru_cache
def _key() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


@lru_cache
def _authority() -> bytes:
    return certificate("test-ca.example.test", _key())


def certificate(name: str, private: bytes, *more: str) -> bytes:
    """A certificate for names, of yesterday and for 90 days, signed with its own key."""
    key = load_pem_private_key(private, None)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    today = datetime.now(timezone.utc)
    names = [x509.DNSName(each) for each in (name, *more)]
    assert isinstance(key, _KEYS)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=89))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)
