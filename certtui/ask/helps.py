"""What ``?`` says about a question beyond its declaration: short, and what a person would ask."""

from __future__ import annotations

from collections.abc import Mapping

_MORE: Mapping[str, tuple[str, ...]] = {
    "webserver.kind": (
        "A server goes on with the old certificate until it is told. After a run that renewed "
        "something its configuration is tested; only if that is well it is told, once a run.",
        "If it is not well, nothing is reloaded, you get a mail, and every later run tries again.",
    ),
    "webserver.test": (
        "Its exit status counts: 0 is well. Example: varnishd -C -f /etc/varnish/default.vcl",
    ),
    "webserver.command": ("Example: systemctl reload haproxy",),
    "schedule.backend": (
        "What cannot work here says what it needs. It can be chosen still; Review says whether "
        "apply would refuse.",
        "at, one a block: the day has as many blocks as runs; in each, at runs one job.",
        "at, random chain: each job queues the next one, at another minute of the day.",
        "The times are this host's own, derived from its machine id, so that many hosts do not "
        "ask Let's Encrypt at the same minute.",
    ),
    "schedule.runs_per_day": (
        "Most runs find nothing to do. What counts is how many are left once a renewal fails: "
        "each is one more chance before the certificate expires. Let's Encrypt advises two a "
        "day; short-lived certificates want more.",
    ),
    "schedule.times": ("Example: 03:10 15:10. In this host's time zone, no random delay.",),
    "mail.to": (
        "An address, or a user of this host. Let's Encrypt itself stopped sending mail about "
        "expiry in June 2025: without an address here nobody is told.",
    ),
    "certbot.extra_args": ("Example: --deploy-hook /usr/local/bin/copy-certificates",),
    "certbot.env": ("Example: HTTPS_PROXY=http://proxy.example.com:3128",),
    "certbot.other_schedulers": (
        "Where two things renew, the first one wins, without the hooks and mails of the other.",
    ),
}


def more(key: str) -> list[str]:
    """Lines about a question; empty where its declaration says it all."""
    lines = list(_MORE.get(key, ()))
    return [*lines, ""] if lines else []
