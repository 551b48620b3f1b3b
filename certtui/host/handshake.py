"""One TLS handshake with this host, and where on it something listens on port 443."""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

from certtui.host import certificate
from certtui.host.interface import Host
from certtui.host.system import read_text

PORT = 443

#: Addresses that are asked: a host may have hundreds, with the same server behind all of them.
_MOST = 8

#: A server behind a balancer may want to be told first who asks (the PROXY protocol, version 1).
_PROXY = b"PROXY UNKNOWN\r\n"

Kind = Literal["certificate", "alert", "closed", "foreign", "hung", "refused"]


@dataclass(frozen=True)
class Answer:
    """How a handshake went; ``der`` is the certificate that came, ``words`` what went wrong.

    ``alert``: refused by a TLS server. ``closed``: the connection ended without an answer.
    ``foreign``: something else than TLS. ``hung``: no answer in time. ``refused``: no connection.
    """

    kind: Kind
    der: bytes = b""
    words: str = ""

    @property
    def is_tls(self) -> bool:
        return self.kind in ("certificate", "alert")


def handshake(address: str, name: str, seconds: float, *, port: int = PORT) -> Answer:
    """Asks for a name, with "" for none. Ends in ``seconds``; raises nothing."""
    deadline = time.monotonic() + seconds
    answer = _try(address, name, seconds, port, b"")
    left = deadline - time.monotonic()
    if answer.kind == "closed" and left > 0:
        again = _try(address, name, left, port, _PROXY)
        return again if again.is_tls else answer
    return answer


def _try(address: str, name: str, seconds: float, port: int, first: bytes) -> Answer:
    deadline = time.monotonic() + seconds
    try:
        with socket.create_connection((address, port), seconds) as connection:
            connection.sendall(first)
            connection.settimeout(max(deadline - time.monotonic(), 0.01))
            # Its time-out is one for the whole handshake, however slowly bytes come.
            with _context().wrap_socket(connection, server_hostname=name or None) as secure:
                return Answer("certificate", secure.getpeercert(binary_form=True) or b"")
    except TimeoutError:
        return Answer("hung")
    except ssl.SSLEOFError:
        return Answer("closed", words="it ends the connection")
    except ssl.SSLError as error:
        reason = (error.reason or "no TLS").replace("_", " ").lower()
        if "alert" in reason or "unrecognized name" in reason:
            return Answer("alert", words=reason)
        if reason in ("wrong version number", "http request"):
            reason = "it speaks something else, such as plain HTTP"
        return Answer("foreign", words=reason)
    except ConnectionResetError:
        return Answer("closed", words="it ends the connection")
    except (OSError, ValueError) as error:
        return Answer("refused", words=str(error))


@cache
def _context() -> ssl.SSLContext:
    """Takes whatever comes: which certificate it is matters here, not how good it is."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context


def covers(der: bytes, name: str) -> bool:
    """Whether a certificate is for a name (RFC 6125, section 6.4: one label for a star)."""
    found = _parsed(der)
    if found is None:
        return False
    star = f"*.{name.partition('.')[2]}"
    return any(own.lower() in (name.lower(), star.lower()) for own in found.names)


def valid_until(der: bytes) -> str:
    """The end of a sentence about a certificate; "" where it cannot be read."""
    found = _parsed(der)
    return f", valid until {found.not_after:%Y-%m-%d}" if found else ""


def _parsed(der: bytes) -> certificate.Certificate | None:
    try:
        return certificate.from_pem(ssl.DER_cert_to_PEM_cert(der).encode())
    except ValueError:
        return None


#: Every address of a family, and the one at which such a server is asked.
_EVERY, _EVERY6, _LOOPBACK, _LOOPBACK6 = str(ipaddress.IPv4Address(0)), "::", "127.0.0.1", "::1"


def addresses(host: Host) -> tuple[str, ...]:
    """Where something listens on port 443; a server on every address is asked at the loopback."""
    bound = (*_listening(host, "/proc/net/tcp"), *_listening(host, "/proc/net/tcp6"))
    # One socket may serve both families (ipv6(7), IPV6_V6ONLY): without IPv6 it does all the same.
    has_v6 = " lo\n" in read_text(host, "/proc/net/if_inet6")
    asked = {_EVERY: _LOOPBACK, _EVERY6: _LOOPBACK6 if has_v6 else _LOOPBACK}
    found = dict.fromkeys(asked.get(address, address) for address in bound)
    near = (_LOOPBACK, _LOOPBACK6)
    return tuple(sorted(found, key=lambda address: address not in near))[:_MOST]


#: proc_pid_net(5): "sl local_address rem_address st"; 0A is TCP_LISTEN, 01BB is 443.
_LISTEN = re.compile(r"^ *\d+: ([0-9A-F]{8}(?:[0-9A-F]{24})?):01BB \S+ 0A ", re.MULTILINE)


def _listening(host: Host, table: str) -> Iterator[str]:
    for written in _LISTEN.findall(read_text(host, table)):
        found = _address(written)
        if found is not None:
            yield found


def _address(written: str) -> str | None:
    """The kernel writes 32-bit words in the machine's own order of bytes."""
    words = [written[at : at + 8] for at in range(0, len(written), 8)]
    raw = b"".join(int(word, 16).to_bytes(4, sys.byteorder) for word in words)
    address = ipaddress.ip_address(raw)
    mapped = getattr(address, "ipv4_mapped", None)
    if address.is_link_local and address.version == 6:
        return None  # cannot be reached without the interface, which is not told here
    return str(mapped or address)
