"""What the links of a lineage lead to: do the files belong together, and who may read the key?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from certtui.doctor.certificates.links import Files
from certtui.doctor.check import Kind
from certtui.doctor.finding import Finding, Fix, Status
from certtui.host import certificate
from certtui.host.facts import KINDS, Lineage
from certtui.host.interface import Host
from certtui.host.lineages import MOST

if TYPE_CHECKING:
    import ssl

DAMAGED = Kind(
    "lineage.damaged",
    Status.FAIL,
    "cert.pem, chain.pem and fullchain.pem hold certificates, and privkey.pem their key",
    "certbot reads names and expiry from cert.pem and stops at one that it cannot read "
    "(storage.py, sans); a web server does not start with such a file.",
)
DIFFERENT = Kind(
    "lineage.cert-differs",
    Status.FAIL,
    "fullchain.pem begins with the certificate of cert.pem",
    "certbot judges cert.pem, the web server serves fullchain.pem: where they differ, the one that "
    "is served may expire unnoticed.",
)
MISMATCH = Kind(
    "lineage.key-mismatch",
    Status.FAIL,
    "the private key belongs to the certificate",
    "A web server that is started or reloaded refuses a certificate with another one's key "
    "(OpenSSL, X509_check_private_key): every site on it is down then.",
)
CHAINLESS = Kind(
    "lineage.chain-missing",
    Status.WARN,
    "fullchain.pem holds the CA's intermediate certificate, too",
    "RFC 8446, 4.4.2: a server sends the certificates that lead up to the root. Browsers may know "
    "a missing one from elsewhere; curl, mail servers and programs refuse the connection.",
)
READABLE = Kind(
    "lineage.key-mode",
    Status.FAIL,
    "only root may read the private key",
    "certbot makes keys 0600 (storage.py, BASE_PRIVKEY_MODE) and keeps what the group was given at "
    "each renewal; who has the key can be the server.",
)

ALL = (DAMAGED, DIFFERENT, MISMATCH, CHAINLESS, READABLE)

#: What OpenSSL says of a key that is another certificate's, of the same kind or of another kind.
_ANOTHERS = ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED")

#: Gives the command that gets a new certificate and key for the lineage.
Renew = Callable[[], Fix]

_CERT, _KEY, _CHAIN, _FULL = range(len(KINDS))


_BEGIN = b"-----BEGIN CERTIFICATE-----"


class OpenSSL:
    """What judges a key that does not tell its public part.

    Its context takes long to make and is kept; it also keeps what it took before, so that each
    algorithm has one of its own, in which no other lineage's certificate can answer for a key.
    """

    def __init__(self, root: str) -> None:
        self._below = root.rstrip("/")
        self._contexts: dict[bytes, ssl.SSLContext] = {}

    def refusal(self, algorithm: bytes, certificates: str, key: str) -> str:
        """Why OpenSSL does not take the two files together; "" if it does."""
        import ssl

        if algorithm not in self._contexts:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.set_ciphers("ALL:@SECLEVEL=0")  # a short key belongs to its certificate, too
            self._contexts[algorithm] = context
        files = (self._below + certificates, self._below + key)
        problem = ""
        for _ in range(_TRIES):
            try:
                self._contexts[algorithm].load_cert_chain(*files, password=_no_password)
            except ssl.SSLError as error:
                return error.reason or "no PEM of a key"
            except (OSError, ValueError) as error:
                problem = str(error)
            else:
                return ""
        return problem


#: Python takes an errno that something before has left for the answer of OpenSSL (``_ssl.c``,
#: ``load_cert_chain``), now and then.
_TRIES = 3


def _no_password() -> str:
    """Never asks on the terminal: a web server that starts by itself could not either."""
    return ""


def look(
    host: Host, lineage: Lineage, files: Files, openssl: OpenSSL, renew: Renew
) -> list[Finding]:
    """What is wrong with the files. Raises PermissionError."""
    found = _together(host, lineage, files, openssl, renew)
    mode = _mode(host, lineage, files)
    return [finding for finding in (found, mode) if finding is not None]


def _together(
    host: Host, lineage: Lineage, files: Files, openssl: OpenSSL, renew: Renew
) -> Finding | None:
    for number, info in enumerate(files.infos):
        if not 0 < info.size <= MOST:
            what = "is empty" if info.size == 0 else "is far too large for what it should be"
            return _damaged(lineage, files, number, what, renew)
    cert, key, full = (host.read(files.paths[at], MOST) or b"" for at in (_CERT, _KEY, _FULL))
    try:
        one = certificate.der(cert)
        public = certificate.public_key(one)
    except ValueError as error:
        return _damaged(lineage, files, _CERT, str(error), renew)
    if not full.startswith(cert):
        try:
            served = certificate.der(full)
            theirs = certificate.public_key(served)
        except ValueError as error:
            return _damaged(lineage, files, _FULL, str(error), renew)
        if served != one:
            mend: Fix | None = None  # the key tells which of the two is the right one
            if certificate.holds(key, theirs.key):
                mend = _from_chain(files)
            elif certificate.holds(key, public.key):
                mend = renew()
            return DIFFERENT.found(
                lineage.name,
                "cert.pem and fullchain.pem hold different certificates",
                f"{files.paths[_CERT]}\n{files.paths[_FULL]}",
                mend,
            )
    if not certificate.holds(key, public.key):
        problem = openssl.refusal(public.algorithm, files.paths[_CERT], files.paths[_KEY])
        if problem:
            return _refused(lineage, files, problem, renew)
    return _chainless(host, lineage, files, one) if full.count(_BEGIN) < 2 else None


def _chainless(host: Host, lineage: Lineage, files: Files, one: bytes) -> Finding | None:
    """``one`` is the certificate. A chain without one, or of itself, is nothing to send."""
    try:
        if certificate.der(host.read(files.paths[_CHAIN], MOST) or b"") == one:
            return None
    except ValueError:
        return None
    chain, full = files.paths[_CHAIN], files.paths[_FULL]
    return CHAINLESS.found(
        lineage.name,
        f"{full} holds the certificate alone, without the chain that is in {chain}: have the web "
        "server load it anew when that is mended",
        f"{full}: 1 certificate",
        Fix(("sed", "-i", f"$r {chain}", full)) if "\n" not in chain else None,
    )


def _from_chain(files: Files) -> Fix:
    """cert.pem anew, from the first certificate of fullchain.pem, which is the same."""
    return Fix(("openssl", "x509", "-in", files.paths[_FULL], "-out", files.paths[_CERT]))


def _refused(lineage: Lineage, files: Files, problem: str, renew: Renew) -> Finding:
    if problem in _ANOTHERS:
        return MISMATCH.found(
            lineage.name,
            "the private key is another certificate's",
            f"{files.paths[_CERT]}\n{files.paths[_KEY]}: {problem}",
            renew(),
        )
    return _damaged(lineage, files, _KEY, f"is not a key that OpenSSL reads ({problem})", renew)


def _damaged(lineage: Lineage, files: Files, number: int, what: str, renew: Renew) -> Finding:
    """The file with this number of KINDS cannot be used."""
    path = files.paths[number]
    mend: Fix | None = None
    if number != _CERT:
        mend = renew()
    elif lineage.not_after is not None:
        mend = _from_chain(files)  # certbot reads cert.pem before it renews
    return DAMAGED.found(lineage.name, f"{path} {what}", f"{path}: {what}", mend)


def _mode(host: Host, lineage: Lineage, files: Files) -> Finding | None:
    """Every key in archive/, also of older numbers: their certificates may be valid still."""
    current = files.paths[_KEY]
    open_to = dict(_open_keys(host, files))
    if not open_to:
        return None
    public = any(mode & 0o007 or mode & 0o020 for mode in open_to.values())
    shut = _shut(host, files.archive.folder)
    whom = "everybody" if any(mode & 0o007 for mode in open_to.values()) else "its group"
    first = current if current in open_to else next(iter(open_to))
    more = f" (and {len(open_to) - 1} more keys)" if len(open_to) > 1 else ""
    return READABLE.found(
        lineage.name,
        f"{first} is open to {whom}{more}" + (f"; only {shut} keeps others out" if shut else ""),
        "\n".join(f"{path}: mode {mode:04o}" for path, mode in open_to.items()),
        Fix(("chmod", "0600", *open_to)),
        status=None if public and not shut else Status.WARN,
    )


def _open_keys(host: Host, files: Files) -> Iterator[tuple[str, int]]:
    for name in files.archive.names:
        if not name.startswith("privkey"):
            continue
        path = f"{files.archive.folder}/{name}"
        info = files.infos[_KEY] if path == files.paths[_KEY] else host.info(path)
        if info is not None and info.kind == "file" and info.mode & 0o077:
            yield path, info.mode


def _shut(host: Host, folder: str) -> str:
    """The folder, of the archive's and the one above, that lets nobody else in; "" for none."""
    for path in (folder, folder.rpartition("/")[0]):
        info = host.info(path)
        if info is not None and info.kind == "directory" and not info.mode & 0o011:
            return path
    return ""
