"""Lineages from renewal/*.conf as certbot writes them, and as they break."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certtui.host.facts import Lineage
from certtui.host.lineages import lineages
from tests.facts.support import FakeHost
from tests.facts.test_certificate import pem

CONF = """\
# renew_before_expiry = 30 days
version = 2.1.0
archive_dir = /etc/letsencrypt/archive/a.test
cert = /etc/letsencrypt/live/a.test/cert.pem
privkey = /etc/letsencrypt/live/a.test/privkey.pem
chain = /etc/letsencrypt/live/a.test/chain.pem
fullchain = /etc/letsencrypt/live/a.test/fullchain.pem

# Options used in the renewal process
[renewalparams]
account = 8d8f5d5d4f8d5c4e
authenticator = webroot
server = https://acme.example/dir
webroot_path = /srv/www, /srv/other
[[webroot_map]]
a.test = /srv/www
[acme_renewal_info]
ari_retry_after = 2026-03-02T04:17:00
"""
DAY = datetime(2026, 3, 1)


def host(conf: str = CONF, name: str = "a.test") -> FakeHost:
    return FakeHost(
        files={
            f"/etc/letsencrypt/renewal/{name}.conf": conf.encode(),
            "/etc/letsencrypt/archive/a.test/fullchain1.pem": pem(
                DAY, DAY + timedelta(days=90), ("a.test", "www.a.test")
            ),
        },
        links={"/etc/letsencrypt/live/a.test/fullchain.pem": "../../archive/a.test/fullchain1.pem"},
    )


def only(made: FakeHost) -> Lineage:
    (found,), unread = lineages(made, "/etc/letsencrypt")
    assert unread == ()
    return found


def test_nested_sections_are_read() -> None:
    found = only(host())
    assert (found.name, found.authenticator) == ("a.test", "webroot")
    assert found.server == "https://acme.example/dir"
    assert not found.is_lets_encrypt
    assert found.domains == ("a.test", "www.a.test")
    assert found.not_after is not None
    assert (found.not_after.year, found.not_after.month) == (2026, 5)
    assert (found.error, found.renew_before_expiry, found.autorenew) == ("", "", True)


def test_options_that_matter() -> None:
    text = CONF.replace("# renew_before", "renew_before").replace(
        "[renewalparams]", "[renewalparams]\nautorenew = False"
    )
    found = only(host(text))
    assert (found.renew_before_expiry, found.autorenew) == ("30 days", False)
    # certbot looks for it among the renewal parameters only.
    assert only(host("autorenew = False\n" + CONF)).autorenew
    plain = only(host(CONF.replace("server = https://acme.example/dir\n", "")))
    assert plain.is_lets_encrypt


@pytest.mark.parametrize(
    ("conf", "sentence"),
    [
        ("[renewalparams\n", "is not what certbot writes"),
        ("version\n", "is not what certbot writes"),
        ("a = 1\na = 2\n", "is not what certbot writes"),
        ("", "has no [renewalparams]"),
        ("renewalparams = 1\n", "has no [renewalparams]"),
        ("fullchain = /a\0b\n[renewalparams]\n", "is not an absolute path"),
        ("fullchain = live/x.pem\n[renewalparams]\n", "is not an absolute path"),
    ],
)
def test_a_broken_configuration_is_a_sentence_of_its_lineage(conf: str, sentence: str) -> None:
    made = host()
    made.files["/etc/letsencrypt/renewal/b.conf"] = conf.encode()
    (good, bad), _ = lineages(made, "/etc/letsencrypt")
    assert good.error == ""
    assert "/etc/letsencrypt/renewal/b.conf" in bad.error
    assert sentence in bad.error


def test_a_conf_that_is_not_text() -> None:
    made = host()
    made.files["/etc/letsencrypt/renewal/a.test.conf"] = b"\xff\xfe"
    assert only(made).error.endswith("is not UTF-8 text")


def test_a_missing_certificate() -> None:
    made = host()
    made.links.clear()
    found = only(made)
    assert "fullchain.pem is missing" in found.error
    assert found.not_after is None


def test_what_only_root_may_read() -> None:
    made = host()
    made.closed.add("/etc/letsencrypt/renewal")
    found, unread = lineages(made, "/etc/letsencrypt")
    assert found == ()
    assert unread[0].endswith("run as root to see certificates")
    made.closed = {"/etc/letsencrypt/renewal/a.test.conf"}
    assert only(made).error.endswith("may not be read by this user: run as root")
    made.closed = {"/etc/letsencrypt/archive/a.test/fullchain1.pem"}
    assert only(made).error.endswith("may not be read by this user: run as root")


def test_no_certbot_no_lineages() -> None:
    assert lineages(FakeHost(), "/etc/letsencrypt") == ((), ())


@given(st.text(max_size=300))
def test_no_configuration_makes_it_stumble(text: str) -> None:
    (found,), _ = lineages(host(CONF + text), "/etc/letsencrypt")
    assert found.name == "a.test"
