"""Each lineage on real files as certbot leaves them: a break is named, and mended as shown."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path
from string import Template
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from certtui.doctor.certificates import lineages as checks
from certtui.doctor.check import Context
from certtui.doctor.finding import Finding, Status
from certtui.host.facts import KINDS, CertbotInstall
from certtui.host.interface import Completed, FileInfo, RealHost
from certtui.host.lineages import lineages
from tests import trees
from tests.render.support import facts, plan, system

NAME = "site0.example.test"
A = f"archive/{NAME}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    trees.make(tmp_path / "le", 1)
    return tmp_path / "le"


def context(folder: Path, *, version: str = "4.0.0", **changes: Any) -> Context:
    found, unreadable = lineages(RealHost(), str(folder))
    certbots = (CertbotInstall(f"{folder}/bin/certbot", "pip", version),)
    known = facts(lineages=found, unreadable=unreadable, certbots=certbots)
    return Context(RealHost(), known, **{"now": datetime.now(timezone.utc), **changes})


def look(folder: Path, **changes: Any) -> list[Finding]:
    (check,) = checks.CHECKS
    return list(check.run(context(folder, **changes)))


def bad(folder: Path, **changes: Any) -> list[tuple[str, str]]:
    return [(one.id, one.status.value) for one in look(folder, **changes) if one.status != "ok"]


def conf(folder: Path) -> Path:
    return folder / f"renewal/{NAME}.conf"


def edit(folder: Path, pattern: str, text: str) -> None:
    """Puts a text in the place of what an expression finds in the renewal configuration."""
    content, count = re.subn(pattern, text, conf(folder).read_text(), flags=re.M)
    assert count
    conf(folder).write_text(content)


def archive(folder: Path, name: str) -> Path:
    return folder / f"archive/{NAME}/{name}.pem"


def another_key() -> bytes:
    return pem(ec.generate_private_key(ec.SECP256R1()))


def pem(key: Any) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    made: bytes = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    return made


_PATH = ("path-of-another", "fail")

#: What breaks it (sh, in the configuration folder; L, A and C are the lineage's folders in live/
#: and archive/ and its configuration), the finding, and how many shown commands mend it.
#: -1: what is shown is for certbot, which is not here; 0: nothing can be shown.
BREAKS: list[tuple[str, str, str, str, int]] = [
    ("one file copied", "cp --remove-destination $A/cert1.pem $L/cert.pem", "no-link", "fail", 1),
    ("all copied", "cp -rL $L x; rm -r $L; mv x $L", "no-link", "fail", 4),
    ("not in the archive", "rm $L/cert.pem; echo x >$L/cert.pem", "no-link", "fail", 0),
    ("a folder", "rm $L/chain.pem; mkdir $L/chain.pem", "no-link", "fail", 0),
    ("missing", "rm $L/privkey.pem", "dangling-link", "fail", 1),
    ("dangling", "ln -sf $UP/fullchain7.pem $L/fullchain.pem", "dangling-link", "fail", 1),
    ("archive emptied", "rm $A/*", "dangling-link", "fail", 0),
    ("a loop in archive", "ln -sf cert1.pem $A/cert1.pem", "dangling-link", "fail", 0),
    ("a fifo", "rm $A/cert1.pem; mkfifo $A/cert1.pem", "dangling-link", "fail", 0),
    ("a loop", "ln -sf fullchain.pem $L/fullchain.pem", "link-astray", "fail", 1),
    (
        "another archive",
        "cp -a $A archive/other; ln -sf ../../archive/other/cert1.pem $L/cert.pem",
        "link-astray",
        "fail",
        1,
    ),
    ("a path of another's", "$OTHER; sed -i 's,^cert =.*,cert = $O/cert.pem,' $C", *_PATH, 1),
    (
        "fullchain of another's",
        "$OTHER; sed -i 's,^fullchain =.*,fullchain = $O/fullchain.pem,' $C",
        *_PATH,
        1,
    ),
    ("paths of another's", "$OTHER; sed -i s,live/$NAME/,live/site9.example.test/, $C", *_PATH, 1),
    (
        "without a number",
        "cp $A/cert1.pem $A/cert.pem; ln -sf $UP/cert.pem $L/cert.pem",
        "link-astray",
        "fail",
        1,
    ),
    ("mixed", "$RENEW; ln -sf $UP/cert2.pem $L/cert.pem", "mixed-versions", "fail", 3),
    ("behind", "$RENEW", "links-behind", "warn", -1),
    ("key of another", "$EC >$A/privkey1.pem", "key-mismatch", "fail", -1),
    ("key of another kind", "$ED25519 >$A/privkey1.pem", "key-mismatch", "fail", -1),
    ("no key", "head -c 300 /dev/zero >$A/privkey1.pem", "damaged", "fail", -1),
    ("key cut off", "truncate -s 150 $A/privkey1.pem", "damaged", "fail", -1),
    ("empty certificate", ": >$A/cert1.pem", "damaged", "fail", 1),
    ("garbage certificate", "head -c 500 /dev/urandom >$A/cert1.pem", "damaged", "fail", 1),
    ("garbage fullchain", "head -c 500 /dev/urandom >$A/fullchain1.pem", "damaged", "fail", -1),
    ("empty chain", ": >$A/chain1.pem", "damaged", "fail", -1),
    ("far too large", "truncate -s 10M $A/fullchain1.pem", "damaged", "fail", -1),
    ("another is served", "cp $A/chain1.pem $A/fullchain1.pem", "cert-differs", "fail", 1),
    ("another is judged", "cp $A/chain1.pem $A/cert1.pem", "cert-differs", "fail", 1),
    ("no chain", "cp $A/cert1.pem $A/fullchain1.pem", "chain-missing", "warn", 1),
    (
        "no chain, and no end of line",
        'printf %s "$(cat $A/cert1.pem)" >$A/fullchain1.pem; cp $A/fullchain1.pem $A/cert1.pem',
        "chain-missing",
        "warn",
        1,
    ),
    ("key for the group", "chmod 0640 $A/privkey1.pem", "key-mode", "warn", 1),
    ("key for all but the folder", "chmod 0644 $A/privkey1.pem", "key-mode", "warn", 1),
    ("key for all", "chmod 0755 archive $A; chmod 0644 $A/privkey1.pem", "key-mode", "fail", 1),
    ("deploy_hook", "sed -i '/^server/i deploy_hook = true' $C", "hook-name", "fail", 1),
    (
        "a hook with a dash, too",
        "sed -i '/^server/i post-hook = true' $C; sed -i '/^server/i post_hook = true' $C",
        "hook-name",
        "fail",
        1,
    ),
    ("appended", "echo 'renew_hook = true' >>$C", "misplaced-option", "warn", 1),
    # It counts then, and autorenew is off.
    ("too early", "sed -i '1i autorenew = False' $C", "misplaced-option", "warn", 2),
    (
        "too late",
        "sed -i '/^server/i renew_before_expiry = 20 days' $C",
        "misplaced-option",
        "warn",
        1,
    ),
    ("no time", "sed -i '1i renew_before_expiry = soon' $C", "interval", "warn", 1),
    ("too long", "sed -i '1i renew_before_expiry = 100 days' $C", "always-due", "warn", 1),
    ("off", "sed -i '/^server/i autorenew = False' $C", "autorenew-off", "warn", 1),
    ("neither on nor off", "sed -i '/^server/i autorenew = no' $C", "unreadable", "fail", 0),
    ("not a number", "sed -i '/^server/i rsa_key_size = many' $C", "unreadable", "fail", 0),
    ("no webroot", "rmdir www", "webroot", "warn", 0),
    ("a file for a webroot", "rmdir www; touch www", "webroot", "fail", 0),
    ("a name without a webroot", "sed -i '/^webroot_path/d; $d' $C", "webroot", "fail", 0),
    ("another account", "sed -i 's/^account = ./account = 0/' $C", "account", "fail", 1),
    ("no account", "rm -r accounts", "account", "fail", -1),
    ("a plugin", "sed -i 's/^authenticator = .*/authenticator = x/' $C", "plugin", "fail", 0),
    ("an installer", "sed -i '/^server/i installer = nginx' $C", "plugin", "fail", 0),
    ("no configuration", "$SECOND; rm renewal/b.conf", "no-configuration", "fail", 0),
    (
        "no configuration, and a copy",
        "$SECOND; rm renewal/b.conf; cp -rL live/b x; rm -r live/b archive/b; mv x live/b",
        "no-configuration",
        "warn",
        0,
    ),
    ("by hand", "sed -i 's/^authenticator = .*/authenticator = manual/' $C", "manual", "fail", 0),
    ("garbage", "head -c 700 /dev/urandom >$C", "unreadable", "fail", 0),
    ("nothing", ": >$C", "unreadable", "fail", 0),
    ("a flood", "truncate -s 10M $C", "unreadable", "fail", 0),
    ("no section", "sed -i '/renewalparams/d' $C", "unreadable", "fail", 0),
    ("no authenticator", "sed -i '/^authenticator/d' $C", "unreadable", "fail", 0),
    ("no key named", "sed -i '/^privkey/d' $C", "unreadable", "fail", 0),
    ("a folder named so", "mkdir renewal/x.conf", "unreadable", "fail", 0),
    ("a fifo named so", "mkfifo renewal/x.conf", "unreadable", "fail", 0),
    ("a loop named so", "ln -s x.conf renewal/x.conf", "unreadable", "fail", 0),
    ("no folder but a loop", "rm -r renewal; ln -s renewal renewal", "valid", "skip", 0),
    ("no folder", "rm -r renewal", "none", "warn", -1),
]

_NEW_KEY = "openssl genpkey -algorithm"
_SHORT = {
    "A": A,
    "C": f"renewal/{NAME}.conf",
    "EC": f"{_NEW_KEY} EC -pkeyopt ec_paramgen_curve:P-256",
    "ED25519": f"{_NEW_KEY} ED25519",
    "L": f"live/{NAME}",
    "RENEW": "; ".join(f"cp -a {A}/{kind}1.pem {A}/{kind}2.pem" for kind in KINDS),
    "SECOND": f"cp -a {A} archive/b; cp -a live/{NAME} live/b; touch renewal/b.conf live/README",
    "UP": f"../../archive/{NAME}",
}


def broken(folder: Path, line: str) -> None:
    """Runs a line of the table."""
    if "$OTHER" in line:
        trees.lineage(folder, "site9.example.test")
    other = f"{folder}/live/site9.example.test"
    script = Template(line).safe_substitute(_SHORT, OTHER=":", O=other, NAME=NAME)
    subprocess.run(["sh", "-ec", script], check=True, cwd=folder)


@pytest.mark.parametrize(
    ("line", "kind", "status", "mends"),
    [row[1:] for row in BREAKS],
    ids=[row[0] for row in BREAKS],
)
def test_one_break_is_one_finding_and_mended_as_shown(
    folder: Path, line: str, kind: str, status: str, mends: int
) -> None:
    assert bad(folder) == []
    broken(folder, line)
    assert bad(folder) == [(f"lineage.{kind}", status)]
    for _ in range(mends):
        subprocess.run(shown(folder), check=True, cwd="/")
    if mends > 0:
        assert bad(folder) == []
    elif mends < 0:
        assert shown(folder)[0].endswith("certbot")
    else:
        assert shown(folder) == ()


def shown(folder: Path) -> tuple[str, ...]:
    """The command of the one finding."""
    (one,) = (one for one in look(folder) if one.status is not Status.OK)
    return one.fix.argv if one.fix else ()


def test_every_kind_is_broken_here_but_those_of_time() -> None:
    (check,) = checks.CHECKS
    others = {"expired", "not-yet-valid", "overdue", "expires-first", "due", "duplicate"}
    names = {row[2] for row in BREAKS} | others
    assert set(check.ids) == {f"lineage.{name}" for name in names}
    assert all(kind.why for kind in check.kinds)


def test_times(folder: Path) -> None:
    now = datetime.now(timezone.utc)
    assert bad(folder, now=now + timedelta(days=70)) == [("lineage.overdue", "fail")]
    assert bad(folder, now=now + timedelta(days=90)) == [("lineage.expired", "fail")]
    assert bad(folder, now=now - timedelta(days=10)) == [("lineage.not-yet-valid", "fail")]
    assert bad(folder, now=now + timedelta(days=60)) == [("lineage.due", "warn")]
    assert bad(folder, now=now + timedelta(days=88, hours=1)) == [("lineage.expires-first", "fail")]
    # What certbot writes anew at each check (ARI) excuses nothing.
    os.utime(conf(folder), times=((now + timedelta(days=70)).timestamp(),) * 2)
    assert bad(folder, now=now + timedelta(days=70)) == [("lineage.overdue", "fail")]


def test_a_folder_that_lapsed_long_ago_or_holds_nothing_is_no_failure(folder: Path) -> None:
    broken(folder, "$SECOND; rm -r renewal/b.conf; mkdir live/empty; echo x >live/README")
    now = datetime.now(timezone.utc)
    found = [
        (one.id, one.status.value)
        for one in look(folder, now=now + timedelta(days=150))
        if one.subject in ("b", "empty", "README")
    ]
    assert found == [("lineage.no-configuration", "warn")]
    # A folder that another lineage's configuration names is that one's.
    broken(
        folder,
        "sed 's,archive/%s,archive/b,; s,live/%s,live/b,' $C >renewal/c.conf".replace("%s", NAME),
    )
    assert not any(one.subject == "b" for one in look(folder))


def test_what_explains_that_it_is_due_is_said_alone_until_it_has_expired(folder: Path) -> None:
    later = datetime.now(timezone.utc) + timedelta(days=70)
    broken(folder, "cp --remove-destination $A/cert1.pem $L/cert.pem")
    assert bad(folder, now=later) == [("lineage.no-link", "fail")]
    found = bad(folder, now=later + timedelta(days=30))
    assert found == [("lineage.no-link", "fail"), ("lineage.expired", "fail")]


def test_a_key_that_others_may_read_explains_nothing(folder: Path) -> None:
    broken(folder, "chmod 0755 archive $A; chmod 0644 $A/privkey1.pem")
    found = bad(folder, now=datetime.now(timezone.utc) + timedelta(days=70))
    assert found == [("lineage.key-mode", "fail"), ("lineage.overdue", "fail")]


def test_deploy_hook_is_read_from_certbot_5_3_on(folder: Path) -> None:
    edit(folder, "^server =", "deploy_hook = /bin/true\nserver =")
    assert bad(folder, version="5.2.2") == [("lineage.hook-name", "fail")]
    assert bad(folder, version="5.3.0") == []


_OLD = serialization.PrivateFormat.TraditionalOpenSSL
_NEW = serialization.PrivateFormat.PKCS8
_RSA = rsa.generate_private_key(65537, 2048)
_EC = ec.generate_private_key(ec.SECP384R1())


@pytest.mark.parametrize(
    ("key", "form"),
    [
        *((_RSA, _OLD), (_RSA, _NEW), (_EC, _OLD), (_EC, _NEW)),
        (ed25519.Ed25519PrivateKey.generate(), _NEW),
    ],
    ids=["rsa-old", "rsa", "ec-old", "ec", "ed25519"],
)
def test_a_key_of_any_form_belongs_to_its_certificate(
    folder: Path, key: Any, form: serialization.PrivateFormat
) -> None:
    private = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    made = trees.certificate(NAME, pem(key))
    for name, content in (("cert1", made), ("fullchain1", made * 2), ("privkey1", private)):
        archive(folder, name).write_bytes(content)
    assert bad(folder) == []
    archive(folder, "privkey1").write_bytes(another_key())
    assert bad(folder) == [("lineage.key-mismatch", "fail")]


def test_no_lineage_answers_for_the_key_of_another(tmp_path: Path) -> None:
    folder = tmp_path / "le"
    trees.make(folder, 2)
    shared = ed25519.Ed25519PrivateKey.generate()
    for number, key in enumerate((shared, _RSA)):
        made = trees.certificate(f"site{number}.example.test", pem(key))
        files = folder / f"archive/site{number}.example.test"
        for name, content in (("cert", made), ("fullchain", made * 2), ("privkey", pem(shared))):
            (files / f"{name}1.pem").write_bytes(content)
    assert bad(folder) == [("lineage.key-mismatch", "fail")]


def test_the_key_tells_which_of_two_certificates_is_the_right_one(folder: Path) -> None:
    other = trees.certificate("other.example.test", another_key())
    archive(folder, "fullchain1").write_bytes(other)
    assert bad(folder) == [("lineage.cert-differs", "fail")]
    assert shown(folder)[1] == "renew"
    archive(folder, "privkey1").write_bytes(another_key())
    assert shown(folder) == ()


def test_a_certificate_that_is_its_own_chain_needs_no_other(folder: Path) -> None:
    made = archive(folder, "cert1").read_bytes()
    for name in ("chain1", "fullchain1"):
        archive(folder, name).write_bytes(made)
    assert bad(folder) == []


def test_a_key_with_a_password_is_not_asked_for_one(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    archive(folder, "privkey1").write_bytes(key)
    assert bad(folder) == [("lineage.damaged", "fail")]


def test_the_command_for_a_new_key_is_the_plans_certbot(folder: Path) -> None:
    archive(folder, "privkey1").write_bytes(another_key())
    values = {"certbot_env": {"REQUESTS_CA_BUNDLE": "/x.pem"}}
    chosen = plan(
        certbot_extra_args=("--config-dir", str(folder)),
        certbot_command=f"{folder}/bin/certbot",
        **values,
    )
    (one,) = (one for one in look(folder, plan=chosen) if one.status is not Status.OK)
    assert one.fix is not None
    assert one.fix.argv == (
        *("env", "REQUESTS_CA_BUNDLE=/x.pem", f"{folder}/bin/certbot", "renew"),
        *(f"--cert-name={NAME}", "--force-renewal", "--no-random-sleep-on-renew"),
        *("--config-dir", str(folder)),
    )


def test_a_lineage_made_by_hand_may_have_its_hook_from_elsewhere(folder: Path) -> None:
    edit(folder, "^authenticator =.*", "authenticator = manual")
    (folder / "cli.ini").write_text("manual-auth-hook = /usr/local/bin/answer\n")
    assert bad(folder) == []
    (folder / "cli.ini").unlink()
    args = ("--config-dir", str(folder), "--manual-auth-hook=/usr/local/bin/answer")
    assert ("lineage.manual", "fail") not in bad(folder, plan=plan(certbot_extra_args=args))
    edit(folder, "^authenticator =.*", "authenticator = manual\nmanual_auth_hook = /bin/true")
    assert bad(folder) == []


def test_two_lineages_of_the_same_names(folder: Path) -> None:
    trees.lineage(folder, f"{NAME}-0001", names=(NAME,))
    assert bad(folder) == [("lineage.duplicate", "warn")]
    path = folder / f"renewal/{NAME}-0001.conf"
    path.write_text(path.read_text().replace("key_type = ecdsa", "key_type = rsa"))
    assert bad(folder) == []  # a pair for old and new browsers


def test_an_account_of_the_first_protocol_serves_the_second(folder: Path) -> None:
    accounts = folder / "accounts"
    edit(folder, "acme-v02", "acme-v01")
    assert bad(folder) == []
    (accounts / "acme-v02.api.letsencrypt.org").rename(accounts / "acme-v01.api.letsencrypt.org")
    assert bad(folder) == []
    edit(folder, "acme-v01", "acme-v02")
    assert bad(folder) == []


def test_strange_names_are_lineages_like_any_other(folder: Path) -> None:
    for name in ("a\nb", "..", "\x1b[31m", "x" * 200):
        trees.lineage(folder, "plain")
        (folder / "renewal/plain.conf").rename(folder / f"renewal/{name}.conf")
        shutil.rmtree(folder / "live/plain")
        shutil.rmtree(folder / "archive/plain")
    raw = os.fsencode(folder) + b"/renewal/\xff\xfe.conf"
    Path(os.fsdecode(raw)).write_bytes(b"[renewalparams]\n")
    found = bad(folder)
    assert {one[0] for one in found} == {"lineage.dangling-link", "lineage.unreadable"}
    assert len(found) == 5


def test_paths_that_are_none(folder: Path) -> None:
    for line in ("a\0b", "relative/cert.pem", "/" + "x/" * 2000, "/" + "y" * 3000):
        edit(folder, "^cert = .*", f"cert = {line}")
        assert [one[1] for one in bad(folder)] == ["fail"]
    edit(folder, "^archive_dir = .*", "archive_dir = /" + "z" * 3000)
    assert [one[1] for one in bad(folder)] == ["fail"]


def test_plugins_are_asked_for_in_folders_of_their_own(folder: Path) -> None:
    edit(folder, "^authenticator =.*", "authenticator = dns-cloudflare")
    argv = folder / "argv"
    certbot = folder / "bin/certbot"
    certbot.write_text(f'#!/bin/sh\necho "$@" >{argv}\necho "* dns-cloudflare"\necho "* webroot"\n')
    assert bad(folder) == []
    words = argv.read_text().split()
    assert words[0] == "plugins"
    assert words[1::2] == ["--config-dir", "--work-dir", "--logs-dir"]
    assert not any(Path(word).exists() for word in words[2::2])
    certbot.write_text("#!/bin/sh\necho broken >&2\nexit 1\n")
    assert bad(folder) == [("lineage.plugin", "skip")]


def test_nobody_asks_certbot_without_need(folder: Path) -> None:
    (folder / "bin/certbot").unlink()
    assert bad(folder) == []


def test_time_that_is_up_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_ENOUGH", -1.0)
    monkeypatch.setattr(checks, "_LEAST", -1.0)
    (found,) = look(folder)
    assert (found.status, found.id) == (Status.SKIP, "lineage.valid")
    assert "1 of 1" in found.message


class Counting(RealHost):
    """This machine, and how often it was asked what."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: Counter[str] = Counter()

    def read(self, path: str, most: int = -1) -> bytes | None:
        self.asked["read"] += 1
        return super().read(path, most)

    def info(self, path: str) -> FileInfo | None:
        self.asked["info"] += 1
        return super().info(path)

    def link(self, path: str) -> str | None:
        self.asked["link"] += 1
        return super().link(path)

    def names(self, path: str) -> list[str]:
        self.asked["names"] += 1
        return super().names(path)

    def resolve(self, path: str) -> str | None:
        self.asked["resolve"] += 1
        return super().resolve(path)

    def run(self, argv: Any, **how: Any) -> Completed:
        self.asked["run"] += 1
        return super().run(argv, **how)


def test_what_a_healthy_lineage_costs(tmp_path: Path) -> None:
    asked = []
    for count in (1, 11):
        trees.make(tmp_path / str(count), count)
        host = Counting()
        known = facts(lineages=lineages(host, str(tmp_path / str(count)))[0])
        list(checks.CHECKS[0].run(Context(host, known)))
        asked.append(host.asked)
    asked[1].subtract(asked[0])
    # Configuration and certificate; cert.pem, the key and fullchain.pem; links and their targets.
    each = {"read": 2 + 3, "link": 4, "info": 4, "names": 1, "resolve": 0, "run": 0}
    assert {what: asked[1][what] for what in each} == {what: 10 * of for what, of in each.items()}


#: Everything at once, each in a lineage of its own.
_ZOO = """
cd renewal
mkdir folder.conf
mkfifo fifo.conf
ln -s loop.conf loop.conf
ln -s /dev/zero zero.conf
: >empty.conf
head -c 5000 /dev/urandom >garbage.conf
truncate -s 10M flood.conf
printf 'a\\n[renewalparams' >"$(printf 'new\\nline.conf')"
cp site0.example.test.conf ...conf
cd ../archive
rm site1.example.test/fullchain1.pem
mkfifo site1.example.test/fullchain1.pem
truncate -s 10M site2.example.test/fullchain1.pem
head -c 900 /dev/urandom >site3.example.test/cert1.pem
head -c 900 /dev/urandom >site4.example.test/privkey1.pem
: >site5.example.test/fullchain1.pem
ln -sf fullchain1.pem site6.example.test/fullchain1.pem
ln -sf /dev/zero ../live/site7.example.test/fullchain.pem
"""


@pytest.mark.parametrize("command", ["doctor", "status"])
@pytest.mark.parametrize("how", ["--json", ""])
def test_whatever_lies_in_the_folder_the_commands_end(
    tmp_path: Path, command: str, how: str
) -> None:
    plan_file = trees.make(tmp_path / "le", 9)
    subprocess.run(["sh", "-ec", _ZOO], check=True, cwd=tmp_path / "le")
    argv = [sys.executable, "-m", "certtui", command, str(plan_file)]
    argv += ["--json"] if how == "--json" else []
    argv += ["--only", "lineage"] if command == "doctor" else []
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == (1 if command == "doctor" else 0), done.stderr
    assert "Traceback" not in done.stderr
    assert "CRASH" not in done.stdout
    if how == "--json":
        found = json.loads(done.stdout)
        rows = found["findings" if command == "doctor" else "certificates"]
        names = {row.get("subject") or row.get("name") for row in rows}
        assert {"site8.example.test", "zero", "new\nline", "..", "flood"} <= names
        assert "crash" not in {row.get("status") for row in rows}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can look as somebody else")
def test_an_ordinary_user_is_told_what_needs_root(folder: Path) -> None:
    for path in ("archive", "live"):
        (folder / path).chmod(0o700)
    for parent in (folder, *folder.parents):
        if parent.stat().st_mode & 0o005 != 0o005 and str(parent) != "/tmp":
            parent.chmod(0o755)
    child = os.fork()
    if child == 0:
        os.setuid(65534)
        told = context(folder)
        assert not told.host.is_root()
        hidden = facts(lineages=told.facts.lineages, system=system(is_root=False))
        found = list(checks.CHECKS[0].run(Context(told.host, hidden)))
        well = [(one.id, one.status.value) for one in found] == [("lineage.unreadable", "skip")]
        os._exit(0 if well else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
