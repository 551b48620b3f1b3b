"""Each cause is known by what certbot, requests and the authorities really write."""

from __future__ import annotations

import pytest

from certtui.renewal.causes import CAUSES
from certtui.renewal.reasons import Reason, explain, shorten, understand, usual


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (
            "Detail: 192.0.2.1: Fetching http://a/.well-known/acme-challenge/x: Connection refused",
            "the name's port 80 (or 443) refused",
        ),
        (
            "Type: connection Detail: Fetching http://a/: Timeout during connect (likely firewall "
            "problem)",
            "the name's port 80 (or 443) cannot be reached",
        ),
        (
            "Type: dns Detail: DNS problem: NXDOMAIN looking up A for a - check that a DNS record",
            "the name does not resolve",
        ),
        ("Detail: no valid A records found for a; no valid AAAA records found", "the name does"),
        ("Type: unauthorized Detail: Incorrect TXT record found", "the name does not resolve"),
        (
            'Type: unauthorized Detail: 192.0.2.1: Invalid response from http://a/: "<html>404',
            "the web server answered, but not with certbot's challenge",
        ),
        ("Detail: The key authorization file from the server did not match", "the web server ans"),
        (
            "urn:ietf:params:acme:error:rateLimited :: There were too many requests of a kind",
            "the certificate authority's rate limit",
        ),
        ("Error creating new order :: too many certificates (5) already issued", "the certificate"),
        ("too many failed authorizations recently", "the certificate authority's rate limit"),
        ("Type: caa Detail: CAA record for a prevents issuance", "a CAA record of the name"),
        ("Type: tls Detail: remote error: tls: internal error", "the TLS answer on the name's"),
        (
            "HTTPSConnectionPool(host='acme-v02.api.letsencrypt.org', port=443): Max retries "
            "exceeded with url: /directory (Caused by NewConnectionError('...: Failed to establish "
            "a new connection: [Errno 111] Connection refused'))",
            "the ACME server cannot be reached from this host",
        ),
        ("Requesting acme-v02.api.letsencrypt.org/directory: Connection refused", "the ACME serv"),
        (
            "Requesting acme-v02.api.letsencrypt.org/directory: Network is unreachable",
            "the ACME server cannot be reached",
        ),
        (
            "HTTPSConnectionPool(...) Failed to resolve 'acme-v02' ([Errno -3] Temporary failure "
            "in name resolution)",
            "this host cannot resolve",
        ),
        (
            "HTTPSConnectionPool(...): SSLError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate "
            "verify failed')",
            "this host does not trust",
        ),
        ("HTTPSConnectionPool(...): ProxyError('Cannot connect to proxy.')", "the proxy does not"),
        ("Problem binding to port 80: Could not bind to IPv4 or IPv6.", "another program"),
        (
            "The requested dns-cloudflare plugin does not appear to be installed",
            "a certbot plugin that this certificate needs",
        ),
        (
            "Error while running nginx -c /etc/nginx/nginx.conf -t.",
            "certbot could not use the web server",
        ),
        ("The nginx plugin is not working; there may be problems", "certbot could not use the web"),
        (
            "Missing command line flag or config entry for this setting: Input the webroot for a",
            "certbot cannot place the challenge",
        ),
        ("[Errno 28] No space left on device", "the disk is full"),
        ("[Errno 30] Read-only file system: '/etc/letsencrypt/x'", "certbot may not write"),
        ("[Errno 13] Permission denied: '/etc/letsencrypt'", "certbot lacks a permission"),
        ("Account at /etc/letsencrypt/accounts/x does not exist", "the ACME account"),
    ],
)
def test_causes(said: str, cause: str) -> None:
    found = explain(said)
    assert found.startswith(cause)
    assert found.endswith(f" (certbot: {' '.join(said.split())})")


def test_what_is_not_known_is_left_in_certbots_words() -> None:
    assert explain("Something\n  new") == "Something new"
    assert explain("  ") == "certbot gave no cause; read its log"


def test_where_certbot_gives_no_cause_its_log_is_next() -> None:
    found = understand("Some challenges have failed.")
    assert found.sentence == (
        "certbot gave no cause; read its log (certbot: Some challenges have failed.)"
    )
    assert found.brief("r") == "certbot gave no cause: read its log, then r"
    assert found.brief("") == "certbot gave no cause: read its log"
    assert understand("Something new").brief("r") == "Something new"


def test_long_words_are_cut() -> None:
    assert shorten("abcdef", 6) == "abcdef"
    assert shorten("abcdefg", 6) == "abc..."
    assert len(explain("x" * 10_000)) == 400


REFUSED = (
    "Domain: www.a.example Type: connection Detail: 192.0.2.1: Fetching "
    "http://www.a.example/.well-known/acme-challenge/x: Connection refused"
)


def test_a_reason_has_parts_and_one_line() -> None:
    reason = understand(REFUSED)
    assert reason.cause == "the name's port 80 (or 443) refused the connection"
    assert reason.mend.startswith("the web server must run")
    assert reason.said == REFUSED
    assert explain(REFUSED) == f"{reason.cause}; {reason.mend} (certbot: {REFUSED})"


@pytest.mark.parametrize(
    ("said", "brief"),
    [
        (REFUSED, "port 80 refused (www.a.example): open it, then r"),
        (REFUSED.replace("www.", ""), "port 80 refused: open it, then r"),
        (REFUSED.replace("http:", "https:"), "port 443 refused (www.a.example): open it, then r"),
        (
            f"{REFUSED} {REFUSED.replace('www', 'mail')} {REFUSED}",
            "port 80 refused (www.a.example and 1 more): open it, then r",
        ),
        (
            "urn:ietf:params:acme:error:rateLimited :: too many failed authorizations (5) for "
            '"a.example" in the last 1h0m0s, retry after 2026-03-01 13:05:09 UTC: see https://x',
            "rate limit reached: wait until 2026-03-01 13:05 UTC, then r",
        ),
        ("too many certificates (5) already issued", "rate limit reached: wait an hour or more"),
        ("Something new", "Something new"),
        ("", "certbot gave no cause: read its log, then r"),
    ],
)
def test_a_page_gets_the_least_that_helps(said: str, brief: str) -> None:
    assert understand(said).brief("r", "a.example").startswith(brief)


def test_a_cause_without_few_words_is_said_in_its_own() -> None:
    reason = Reason("certbot cannot use its configuration", "correct or remove it", "bad line")
    assert reason.brief("r") == "certbot cannot use its configuration: correct or remove it, then r"
    assert Reason("cancelled").brief("r") == "cancelled"


def test_every_cause_has_few_words() -> None:
    for cause in CAUSES:
        assert len(f"{cause.short}: {cause.remedy}, then r") <= 90
        assert cause.short and cause.remedy


def test_what_is_usual_is_known() -> None:
    assert len(usual()) == 6
    assert ("port 80 refused", "open it") in usual()
