"""Certificates, and servers on 127.0.0.1 that serve them well or not at all."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, both PEM."""

    certificate: bytes
    key: bytes


@cache
def pair(*names: str, serial: int = 1, days: int = 80) -> Pair:
    """A self-signed certificate for names; another ``serial`` is another certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(NOW - timedelta(days=90 - days))
        .not_valid_after(NOW + timedelta(days=days))
    )
    if names:
        alternative = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(alternative, critical=False)
    made = builder.sign(key, hashes.SHA256())
    return Pair(
        made.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )


Behaviour = Callable[[socket.socket], None]


@contextmanager
def listening(behaviour: Behaviour) -> Iterator[int]:
    """A server that treats each connection as told; gives its port."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        ended = threading.Event()
        kept: list[socket.socket] = []

        def treat(connection: socket.socket) -> None:
            try:
                behaviour(connection)
            except OSError:
                connection.close()  # the other side has seen enough

        def accept() -> None:
            while not ended.is_set():
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                kept.append(connection)
                threading.Thread(target=treat, args=(connection,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            ended.set()
            server.shutdown(socket.SHUT_RDWR)
            thread.join(5)
            for connection in kept:
                connection.close()


def serving(
    folder: Path, default: Pair | None, sites: Mapping[str, Pair] | None = None
) -> Behaviour:
    """TLS by SNI; without a default any other name is refused as ``ssl_reject_handshake`` does."""
    known = {name: _context(folder, made) for name, made in (sites or {}).items()}
    base = _context(folder, default or pair())

    def choose(secure: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
        if name in known:
            secure.context = known[name]
        elif default is None:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        return None

    base.sni_callback = choose

    def behave(connection: socket.socket) -> None:
        with base.wrap_socket(connection, server_side=True) as secure:
            secure.recv(1)

    return behave


def _context(folder: Path, made: Pair) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    file = folder / "pair.pem"
    file.write_bytes(made.certificate + made.key)
    context.load_cert_chain(file)
    return context


def hanging(connection: socket.socket) -> None:
    """Takes everything and says nothing."""
    while connection.recv(4096):
        pass


def plain_http(connection: socket.socket) -> None:
    """What a web server says of TLS on a port without it."""
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
    connection.close()


def closing(connection: socket.socket) -> None:
    """Ends each connection at once."""
    connection.recv(4096)
    connection.close()


def dribbling(connection: socket.socket) -> None:
    """A byte of a TLS record at a time, for ever."""
    ended = threading.Event()
    connection.sendall(b"\x16\x03\x03\x3f\xff")
    while not ended.wait(0.05):
        connection.sendall(b"\x02")
