"""The quick reader of renewal configurations says what ConfigObj says, or leaves it to that."""

from __future__ import annotations

import io
import time
from typing import Any

import pytest
from configobj import ConfigObj, ConfigObjError
from hypothesis import example, given
from hypothesis import strategies as st

from certtui.host import renewal_conf

# Much of what means something to ConfigObj, and little else.
_PIECES = (
    *("a", "b", "a.test", "renewalparams", "None", "30 days", "/srv/www", "[", "]", "[[", "]]"),
    *(
        " ",
        "  ",
        "\t",
        " = ",
        "=",
        ",",
        "#",
        "# ",
        '"',
        "'",
        "'''",
        '"""',
        "%(a)s",
        "$a",
        ":",
        "\\",
    ),
    *("[renewalparams]", "[[webroot_map]]", "a = b", "[[[c]]]"),
    *("\n", "\n", "\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\x00", "\ufeff", "é"),
)
_SOUP = st.lists(st.sampled_from(_PIECES), max_size=40).map("".join)
_LINE = st.sampled_from(
    (
        "# c",
        "",
        "[s]",
        "[t]",
        "[[m]]",
        "[[n]]",
        "a = 1",
        "b = x y",
        "c.d = /e",
        "a = 'x'",
        "a =",
        " b = 1",
    )
)
_LINES = st.lists(_LINE, max_size=12).map("\n".join)


@given(st.one_of(_SOUP, _LINES, st.text(max_size=60)))
@example("a = b\x1cc = d")
@example("# comment\x0bb = c")
@example("a = = b")
@example("[s]\n[[s]]\ns = 1")
def test_the_quick_way_agrees_with_configobj(text: str) -> None:
    found = renewal_conf.plain(text)
    try:
        expected = dict(ConfigObj(text.splitlines(), interpolation=False, list_values=False))
    except ConfigObjError:
        assert found is None
        return
    assert found is None or found == expected


_KEY = st.from_regex(r"[a-z_][a-z0-9_.-]{0,15}", fullmatch=True)
_VALUE = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=30)
_OPTIONS = st.dictionaries(_KEY, _VALUE, max_size=8)


@given(_OPTIONS, _OPTIONS, _OPTIONS)
def test_what_certbot_writes_is_read_as_certbot_reads_it(
    above: dict[str, str], options: dict[str, str], webroots: dict[str, str]
) -> None:
    wanted: dict[str, Any] = dict(above)
    wanted["renewalparams"] = {**options, "webroot_map": webroots}
    written = io.BytesIO()
    made = ConfigObj(
        encoding="utf-8", default_encoding="utf-8"
    )  # storage.py, make_renewal_configobj
    made.update(wanted)
    made.write(outfile=written)
    found = renewal_conf.parse(written.getvalue())
    section = found["renewalparams"]
    for given_as, read in ((above, found), (options, section), (webroots, section["webroot_map"])):
        for key in given_as:
            if given_as[key].isalnum():
                assert renewal_conf.unquoted(read, key) == given_as[key]


CERTBOT = """\
# renew_before_expiry = 30 days
version = 2.1.0
archive_dir = /etc/letsencrypt/archive/a.test
cert = /etc/letsencrypt/live/a.test/cert.pem

# Options used in the renewal process
[renewalparams]
account = 8d8f5d5d4f8d5c4e
pref_challs = http-01,
installer = None
server = https://acme.example/dir
renew_hook = systemctl reload nginx; true && echo $RENEWED_LINEAGE
[[webroot_map]]
a.test = /srv/www
*.b.test = /srv/www
[acme_renewal_info]
ari_retry_after = 2026-03-02T04:17:00
"""


def test_what_certbot_writes_needs_no_configobj() -> None:
    found = renewal_conf.plain(CERTBOT)
    assert found is not None
    assert found == dict(ConfigObj(CERTBOT.splitlines(), interpolation=False, list_values=False))
    assert found["renewalparams"]["webroot_map"]["*.b.test"] == "/srv/www"


@pytest.mark.parametrize(
    ("line", "items"),
    [
        ("/a", ["/a"]),
        ("/a,", ["/a"]),
        ("/a, /b", ["/a", "/b"]),
        ('"/a, b", /c', ["/a, b", "/c"]),
        ("'/a'", ["/a"]),
        ('"/a', []),
    ],
)
def test_lists(line: str, items: list[str]) -> None:
    assert renewal_conf.listed({"x": line}, "x") == items
    assert renewal_conf.listed({"x": {}}, "x") == []
    assert renewal_conf.listed({}, "x") == []


@pytest.mark.parametrize(
    "line",
    [" " * 4000 + "x", "[ " * 2000, "[" + "]" * 4000 + "x", "a" + " " * 4000, "[x" + " ]" * 2000],
)
def test_no_line_takes_long(line: str) -> None:
    began = time.perf_counter()
    for text in (line, (line[:64] + "x") * 60):
        with pytest.raises(ValueError, match="not what certbot writes"):
            renewal_conf.parse("\n".join([text] * 12).encode())
    assert time.perf_counter() - began < 5
