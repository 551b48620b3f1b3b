"""What is served on 443: real handshakes with servers that serve well, badly and not at all."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from certtui.host import served
from certtui.host.facts import Lineage
from certtui.host.handshake import PORT, Answer, addresses, handshake
from tests.facts import tls
from tests.facts.support import FakeHost
from tests.facts.tls import NOW, Behaviour, Pair, listening, pair, serving

LE = "/etc/letsencrypt"
TCP = "/proc/net/tcp"

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
REST = "00000000:00000000 00:00000000 00000000     0        0 2345 1 0000000000000000 100 0"


def table(*bound: str, state: str = "0A", port: str = "01BB") -> bytes:
    """A table as the kernel writes it (proc_pid_net(5)), of sockets bound to these."""
    rows = (
        f"   {at}: {address}:{port} {'0' * len(address)}:0000 {state} {REST}\n"
        for at, address in enumerate(bound)
    )
    return (HEAD + "".join(rows)).encode()


def host(*, certificates: dict[str, list[Pair]], tcp: bytes = table("00000000")) -> FakeHost:
    """A host with these lineages, each with its certificates from the first to the current one."""
    made = FakeHost(files={TCP: tcp})
    for name, versions in certificates.items():
        for number, version in enumerate(versions, 1):
            folder = f"{LE}/archive/{name}"
            made.files[f"{folder}/cert{number}.pem"] = version.certificate
            chain = version.certificate + pair("ca.test", serial=9).certificate
            made.files[f"{folder}/fullchain{number}.pem"] = chain
        target = f"../../archive/{name}/fullchain{len(versions)}.pem"
        made.links[f"{LE}/live/{name}/fullchain.pem"] = target
    return made


def lineage(name: str, *domains: str, days: int = 10) -> Lineage:
    return Lineage(
        name,
        f"{LE}/renewal/{name}.conf",
        certificate=f"{LE}/live/{name}/fullchain.pem",
        domains=domains or (name,),
        not_before=NOW - timedelta(days=days),
        not_after=NOW + timedelta(days=90 - days),
    )


def look(
    behaviour: Behaviour, made: FakeHost, *lineages: Lineage, seconds: float = 5.0
) -> dict[str, served.Served]:
    with listening(behaviour) as port:
        return served.look(made, lineages, seconds, ask=partial(handshake, port=port))


A, B = "a.test", "b.test"
NEW, OLD = pair(A, serial=2), pair(A, serial=1, days=5)


@pytest.fixture
def renewed() -> FakeHost:
    """A lineage whose second certificate is the current one."""
    return host(certificates={A: [OLD, NEW]})


def test_the_certificate_on_disk(renewed: FakeHost, tmp_path: Path) -> None:
    found = look(serving(tmp_path, NEW), renewed, lineage(A))
    assert found == {
        A: served.Served("same", A, "127.0.0.1:443", "127.0.0.1:443 serves the certificate on disk")
    }


def test_an_earlier_certificate_of_it(renewed: FakeHost, tmp_path: Path) -> None:
    found = look(serving(tmp_path, OLD), renewed, lineage(A))[A]
    assert (found.state, found.name) == ("old", A)
    assert "an earlier certificate of it, valid until 2026-03-07" in found.message


def test_a_certificate_that_is_not_certbots(renewed: FakeHost, tmp_path: Path) -> None:
    found = look(serving(tmp_path, pair(A, serial=77)), renewed, lineage(A))[A]
    assert found.state == "other"


def test_a_default_certificate_is_no_certificate_for_a_name(
    renewed: FakeHost, tmp_path: Path
) -> None:
    assert look(serving(tmp_path, pair("default.test")), renewed, lineage(A))[A].state == "absent"
    # One without names at all, as Debian's snakeoil once was.
    assert look(serving(tmp_path, pair()), renewed, lineage(A))[A].state == "absent"


def test_a_refused_name_is_absent(renewed: FakeHost, tmp_path: Path) -> None:
    found = look(serving(tmp_path, None, {B: pair(B)}), renewed, lineage(A))[A]
    assert found.state == "absent"
    assert "unrecognized name" in found.message


def test_each_name_is_asked_for_and_the_worst_counts(tmp_path: Path) -> None:
    both_old, both = pair(A, B, serial=1, days=5), pair(A, B, serial=2)
    made = host(certificates={"both": [both_old, both]})
    found = look(serving(tmp_path, None, {A: both, B: both_old}), made, lineage("both", A, B))
    assert (found["both"].state, found["both"].name) == ("old", B)
    half = look(serving(tmp_path, None, {A: both}), made, lineage("both", A, B))
    assert (half["both"].state, half["both"].name) == ("same", A)


def test_one_that_another_lineage_covers_is_not_said_to_be_served(tmp_path: Path) -> None:
    rsa, ecdsa = pair(A, serial=3), pair(A, serial=4)
    made = host(certificates={"rsa": [rsa], "ecdsa": [ecdsa]})
    two = (lineage("rsa", A), lineage("ecdsa", A))
    found = look(serving(tmp_path, rsa), made, *two)
    assert [found[one.name].state for one in two] == ["same", "covered"]
    assert "the certificate of another lineage" in found["ecdsa"].message
    # Of its names the one that is served with its own counts.
    both, a_only = pair(A, B, serial=5), pair(A, serial=6)
    made = host(certificates={"both": [both], "a": [a_only]})
    asked = serving(tmp_path, None, {A: a_only, B: both})
    assert look(asked, made, lineage("both", A, B), lineage("a", A))["both"].state == "same"


def test_the_earlier_one_of_the_other_of_two_is_old(tmp_path: Path) -> None:
    made = host(certificates={"rsa": [OLD, pair(A, serial=3)], "ecdsa": [pair(A, serial=4)]})
    both = look(serving(tmp_path, OLD), made, lineage("rsa", A), lineage("ecdsa", A))
    assert {one.state for one in both.values()} == {"old"}


def test_a_wildcard_is_asked_for_by_a_name_below_it(tmp_path: Path) -> None:
    star = pair("*.w.test", serial=5)
    made = host(certificates={"w": [star]})
    asked = serving(tmp_path, None, {"certtui.w.test": star})
    found = look(asked, made, lineage("w", "*.w.test"))["w"]
    assert (found.state, found.name) == ("same", "certtui.w.test")
    # Another wildcard on the host serves a name of its own lineage.
    made = host(certificates={"w": [star], "x": [pair("x.w.test", serial=6)]})
    both = look(serving(tmp_path, star), made, lineage("w", "*.w.test"), lineage("x", "x.w.test"))
    assert [both[name].state for name in "wx"] == ["same", "covered"]


def test_a_certificate_for_addresses_only_is_asked_for_without_a_name(tmp_path: Path) -> None:
    made = host(certificates={"ip": [pair(serial=7), pair(serial=8)]})
    addresses_only = Lineage(
        "ip", "x", f"{LE}/live/ip/fullchain.pem", not_before=NOW, not_after=NOW
    )
    assert look(serving(tmp_path, pair(serial=8)), made, addresses_only)["ip"].state == "same"
    assert look(serving(tmp_path, pair(serial=7)), made, addresses_only)["ip"].state == "old"
    assert look(serving(tmp_path, NEW), made, addresses_only)["ip"].state == "absent"


@pytest.mark.parametrize("name", ["a b.test", "a\n.test", "-a.test", f"{'x' * 64}.test", "a..test"])
def test_what_is_no_host_name_is_not_put_into_a_handshake(tmp_path: Path, name: str) -> None:
    asked = []

    def ask(address: str, sent: str, seconds: float) -> Answer:
        asked.append(sent)
        return Answer("alert", words="no")

    made = host(certificates={A: [NEW]})
    served.look(made, [lineage(A, name)], 1.0, ask=ask)
    assert asked == [""]


# -- what hangs, refuses or speaks something else --------------------------------------------------


@pytest.mark.parametrize(
    ("behaviour", "hung", "words"),
    [
        (tls.hanging, True, "takes a connection and does not answer"),
        (tls.dribbling, True, "takes a connection and does not answer"),
        (tls.plain_http, False, "does not answer by TLS"),
        (tls.closing, False, "it ends the connection"),
    ],
)
def test_a_server_that_does_not_answer_by_tls(
    renewed: FakeHost, behaviour: Behaviour, hung: bool, words: str
) -> None:
    began = time.monotonic()
    found = look(behaviour, renewed, lineage(A), seconds=0.6)[A]
    assert time.monotonic() - began < 2
    assert (found.state, found.hung) == ("silent", hung)
    assert words in found.message


def test_ten_thousand_names_of_a_server_that_hangs(renewed: FakeHost) -> None:
    many = [lineage(f"n{number}.test") for number in range(10_000)]
    began = time.monotonic()
    found = look(tls.hanging, renewed, *many, seconds=0.6)
    assert time.monotonic() - began < 3
    assert {(one.state, one.hung) for one in found.values()} == {("silent", True)}


def test_ten_thousand_names_end_in_the_time_given(renewed: FakeHost) -> None:
    """Those renewed last are asked for first; the rest is not known."""

    def ask(address: str, name: str, seconds: float) -> Answer:
        time.sleep(0.01)
        return Answer("alert", words="unrecognized name")

    many = [lineage(f"n{number}", "n.test", days=number % 90) for number in range(10_000)]
    began = time.monotonic()
    found = served.look(renewed, many, 0.4, ask=ask)
    assert time.monotonic() - began < 2
    known = {name for name, one in found.items() if one.state == "absent"}
    assert 16 <= len(known) < 2_000
    assert max(int(name[1:]) % 90 for name in known) < 20
    assert {one.message for one in found.values() if one.state == "unknown"} == {
        "was not asked for: the time was up"
    }


def test_a_server_that_is_cut_short_does_not_hang(renewed: FakeHost) -> None:
    """The time is up in the midst of handshakes that would have ended."""
    given = []

    def ask(address: str, name: str, seconds: float) -> Answer:
        given.append(seconds)
        time.sleep(min(seconds, 0.15))
        return Answer("hung") if seconds < 0.15 else Answer("alert", words="no")

    many = [lineage(f"n{number}.test") for number in range(200)]
    found = served.look(renewed, many, 0.4, ask=ask)
    assert min(given) < 0.15  # some were cut short
    assert {one.state for one in found.values()} == {"absent", "unknown"}


def test_one_name_that_hangs_does_not_hide_the_others(tmp_path: Path) -> None:
    made = host(certificates={A: [NEW], B: [pair(B)]})
    tls_for_a = serving(tmp_path, NEW)

    def ask(address: str, name: str, seconds: float, port: int) -> Answer:
        return Answer("hung") if name == B else handshake(address, name, seconds, port=port)

    with listening(tls_for_a) as port:
        found = served.look(made, [lineage(A), lineage(B)], ask=partial(ask, port=port))
    assert (found[A].state, found[B].state) == ("same", "silent")


def test_a_router_that_drops_names_it_does_not_know_serves_nothing_for_them() -> None:
    def ask(address: str, name: str, seconds: float) -> Answer:
        return Answer("closed", words="x") if name == A else Answer("alert", words="y")

    made = host(certificates={A: [NEW], B: [pair(B)]})
    found = served.look(made, [lineage(A), lineage(B)], ask=ask)
    assert found[A].state == "absent"


def test_something_else_on_another_address_is_nobodys_fault() -> None:
    """As a VPN has it that listens on port 443 of its own address."""
    made = host(certificates={A: [NEW]}, tcp=table("00000000", "010200C0"))
    answers = {"127.0.0.1": Answer("alert", words="x"), "192.0.2.1": Answer("closed", words="y")}
    found = served.look(made, [lineage(A)], ask=lambda address, *_: answers[address])
    assert found[A].state == "absent"


def test_a_server_behind_a_balancer_is_told_first_who_asks(
    renewed: FakeHost, tmp_path: Path
) -> None:
    secure = serving(tmp_path, NEW)

    def behave(connection: socket.socket) -> None:
        if connection.recv(15, socket.MSG_WAITALL) != b"PROXY UNKNOWN\r\n":
            return connection.close()
        return secure(connection)

    assert look(behave, renewed, lineage(A))[A].state == "same"


def test_nobody_listens(renewed: FakeHost) -> None:
    for other in (table(), table("00000000", state="01"), table("00000000", port="0050")):
        renewed.files[TCP] = other
        found = served.look(renewed, [lineage(A)])[A]
        assert (found.state, found.message) == ("nobody", "nothing listens on port 443")


def test_a_server_that_went_meanwhile_is_nobody(renewed: FakeHost) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    found = served.look(renewed, [lineage(A)], ask=partial(handshake, port=port))[A]
    assert found.state == "nobody"


# -- the disk --------------------------------------------------------------------------------------


def test_a_disk_that_only_root_may_read(renewed: FakeHost, tmp_path: Path) -> None:
    renewed.closed.add(f"{LE}/archive/{A}/fullchain2.pem")
    found = look(serving(tmp_path, NEW), renewed, lineage(A))[A]
    assert (found.state, found.message) == (
        "unknown",
        "its certificate on disk may be read by root only",
    )


def test_a_disk_that_fails(
    renewed: FakeHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = renewed.read

    def fails(path: str) -> bytes | None:
        if "/live/" in path:
            raise OSError(5, "Input/output error", path)
        return read(path)

    monkeypatch.setattr(renewed, "read", fails)
    found = look(serving(tmp_path, NEW), renewed, lineage(A))[A]
    assert (found.state, found.message) == (
        "unknown",
        "its certificate on disk cannot be read: Input/output error",
    )


@pytest.mark.parametrize(
    "content", [b"", b"-----BEGIN CERTIFICATE-----\n&&\n-----END CERTIFICATE-----"]
)
def test_a_certificate_on_disk_that_is_damaged(
    renewed: FakeHost, tmp_path: Path, content: bytes
) -> None:
    renewed.files[f"{LE}/archive/{A}/fullchain2.pem"] = content
    found = look(serving(tmp_path, NEW), renewed, lineage(A))[A]
    assert found.state == "unknown"
    assert f"{LE}/live/{A}/fullchain.pem" in found.message


def test_an_archive_that_is_damaged_is_passed_over(renewed: FakeHost, tmp_path: Path) -> None:
    renewed.files[f"{LE}/archive/{A}/cert3.pem"] = b"nothing"
    assert look(serving(tmp_path, OLD), renewed, lineage(A))[A].state == "old"


def test_a_lineage_without_a_certificate_is_not_asked_for(renewed: FakeHost) -> None:
    broken = Lineage(B, "x", error="x is not UTF-8 text")
    found = served.look(renewed, [broken], ask=lambda *_: Answer("hung"))[B]
    assert (found.state, found.message) == ("unknown", "x is not UTF-8 text")


# -- addresses -------------------------------------------------------------------------------------

LOOPBACK6 = b"00000000000000000000000000000001 01 80 10 80       lo\n"
ANY6, V6 = "0" * 32, "B80D0120000000000000000001000000"
MAPPED = "0000000000000000FFFF0000010200C0"
LINK = "000080FE00000000000000FF01000000"


@pytest.mark.parametrize(
    ("tcp", "tcp6", "lo", "asked"),
    [
        (["00000000"], [], b"", ("127.0.0.1",)),
        (["00000000"], [ANY6], LOOPBACK6, ("127.0.0.1", "::1")),
        ([], [ANY6], LOOPBACK6, ("::1",)),
        ([], [ANY6], b"", ("127.0.0.1",)),
        (["010200C0"], [V6], LOOPBACK6, ("192.0.2.1", "2001:db8::1")),
        (["010200C0", "00000000"], [], b"", ("127.0.0.1", "192.0.2.1")),
        ([], [MAPPED], LOOPBACK6, ("192.0.2.1",)),
        ([], [LINK], LOOPBACK6, ()),
        (["0100007F", "0100007F"], [], b"", ("127.0.0.1",)),
        ([f"{n:02X}0200C0" for n in range(1, 40)], [], b"", 8),
    ],
)
def test_a_server_is_asked_where_it_listens(
    tcp: list[str], tcp6: list[str], lo: bytes, asked: tuple[str, ...] | int
) -> None:
    files = {TCP: table(*tcp), "/proc/net/tcp6": table(*tcp6), "/proc/net/if_inet6": lo}
    found = addresses(FakeHost(files=files))
    assert (len(found) if isinstance(asked, int) else found) == asked


def test_a_table_that_is_damaged_names_nobody() -> None:
    for junk in (b"\xff\xfe", b"  0: 0000:01BB 0:0 0A ", b"\n\n", b"  0: 000000:01BB x 0A x\n"):
        assert addresses(FakeHost(files={TCP: junk})) == ()


def test_this_machines_own_table() -> None:
    """A real listener is seen, by the tables of the kernel that runs this."""
    from certtui.host import handshake as module
    from certtui.host.interface import RealHost

    with socket.create_server(("127.0.0.2", 0)) as server:
        port = f":{server.getsockname()[1]:04X} "
        text = (RealHost().read(TCP) or b"").decode().replace(port, f":{PORT:04X} ")
    assert "127.0.0.2" in module.addresses(FakeHost(files={TCP: text.encode()}))


def test_another_addresss_server_does_not_spoil_what_is_well(tmp_path: Path) -> None:
    made = host(certificates={A: [NEW]}, tcp=table("00000000", "010200C0"))
    behind: dict[str, Callable[[], Answer]] = {
        "127.0.0.1": lambda: Answer("certificate", _der(NEW)),
        "192.0.2.1": lambda: Answer("certificate", _der(pair(A, serial=70))),
    }
    found = served.look(made, [lineage(A)], ask=lambda address, *_: behind[address]())[A]
    assert (found.state, found.address) == ("same", "127.0.0.1:443")
    behind["192.0.2.1"] = lambda: Answer("hung")
    found = served.look(made, [lineage(A)], ask=lambda address, *_: behind[address]())[A]
    assert (found.state, found.address) == ("silent", "192.0.2.1:443")


def _der(made: Pair) -> bytes:
    return ssl.PEM_cert_to_DER_cert(made.certificate.decode())
