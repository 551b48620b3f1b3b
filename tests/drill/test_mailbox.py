"""The drill's mail in a mailbox: known by its own header, in mboxes and Maildirs."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from certtui.drill import mailbox
from tests.drill.support import ID, PlayedHost

SINCE = time.time() - 5
MAIL = f"From root@w Tue Nov 24\nReturn-path: <r@w>\nMessage-ID: <certtui-drill-{ID}@w>\n\nbody\n\n"
BOUNCE = (
    "From MAILER-DAEMON Tue Nov 24\nSubject: Mail delivery failed\nMessage-ID: <E1@w>\n"
    f"References: <certtui-drill-{ID}@w>\n\n"
    f"A copy follows\n\nMessage-ID: <certtui-drill-{ID}@w>\nSubject: x (drill {ID})\n\n"
)


@pytest.fixture
def host(tmp_path: Path) -> PlayedHost:
    (tmp_path / "var/mail").mkdir(parents=True)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text("admin:x:1000:1000::/home/admin:/bin/sh\nbroken\n")
    return PlayedHost(str(tmp_path))


def write(host: PlayedHost, path: str, text: str) -> Path:
    found = Path(host.root + path)
    found.parent.mkdir(parents=True, exist_ok=True)
    found.write_text(text)
    return found


def test_an_mbox(host: PlayedHost) -> None:
    assert mailbox.find(host, ID, SINCE) == ""
    write(host, "/var/mail/admin", "From a Mon\nSubject: x\n\nbody\n\n" + MAIL + BOUNCE)
    write(host, "/var/mail/bob", "From a Mon\nSubject: x\n\nbody\n\n")
    assert mailbox.find(host, ID, SINCE) == "/var/mail/admin"
    assert mailbox.find(host, "fedcba9876543210", SINCE) == ""


def test_a_bounce_that_quotes_it_is_not_it(host: PlayedHost) -> None:
    write(host, "/var/mail/admin", BOUNCE)
    assert mailbox.find(host, ID, SINCE) == ""


def test_the_subject_tells_it_where_mail1_was_the_mailer(host: PlayedHost) -> None:
    head = f"Subject: [certtui] a.very.long.name: fire drill:\n nothing failed (drill {ID})"
    write(host, "/var/mail/admin", f"From a Mon\n{head}\n\nbody\n")
    assert mailbox.find(host, ID, SINCE) == "/var/mail/admin"


def test_only_the_end_of_a_large_mbox_is_read(host: PlayedHost) -> None:
    box = write(host, "/var/mail/admin", MAIL + "x" * (2 << 20) + "\n" + BOUNCE)
    assert mailbox.find(host, ID, SINCE) == ""
    with box.open("a") as file:
        file.write(MAIL)
    assert mailbox.find(host, ID, SINCE) == "/var/mail/admin"


def test_one_that_nothing_came_to_is_not_read(host: PlayedHost) -> None:
    box = write(host, "/var/mail/admin", MAIL)
    os.utime(box, (SINCE - 60, SINCE - 60))
    assert mailbox.find(host, ID, SINCE) == ""


@pytest.mark.parametrize("folder", ["/home/admin/Maildir/new", "/var/mail/admin/new"])
def test_a_maildir(host: PlayedHost, folder: str) -> None:
    message = MAIL.partition("\n")[2]
    old, now = int(SINCE) - 100, int(time.time())
    write(host, f"{folder}/{old}.M1P1.w", message)
    write(host, f"{folder}/{now}.M1P1.w", BOUNCE.partition("\n")[2])
    assert mailbox.find(host, ID, SINCE) == ""
    write(host, f"{folder}/{now}.M2P1.w", message.replace("\n", "\r\n"))
    assert mailbox.find(host, ID, SINCE) == f"{folder}/{now}.M2P1.w"


def test_a_home_that_cannot_be_looked_into(
    host: PlayedHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(host, f"/home/admin/Maildir/new/{int(time.time())}.M1P1.w", MAIL.partition("\n")[2])
    real = os.open

    def closed(path: str, *more: Any, **options: Any) -> int:
        if "/home" in path:
            raise PermissionError(13, "Permission denied", path)
        return real(path, *more, **options)

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", closed)
        assert mailbox.find(host, ID, SINCE) == ""
    assert mailbox.find(host, ID, SINCE) != ""


def test_what_users_put_there_is_neither_opened_nor_followed(
    host: PlayedHost, tmp_path: Path
) -> None:
    """A FIFO would be waited for, opening a device does something, a link leads anywhere."""
    message = MAIL.partition("\n")[2]
    new = Path(host.root) / "home/admin/Maildir/new"
    new.mkdir(parents=True)
    now = int(time.time())
    elsewhere = write(host, "/root/secret", message)
    os.mkfifo(host.root + "/fifo")
    for number, target in enumerate((elsewhere, Path(host.root + "/fifo"), Path("/dev/zero"))):
        (new / f"{now}.M{number}P1.w").symlink_to(target)
        (Path(host.root) / f"var/mail/u{number}").symlink_to(target)
    os.mkfifo(new / f"{now}.M8P1.w")
    (new / f"{now}.M9P1.w").hardlink_to(elsewhere)
    (Path(host.root) / "var/mail/u9").hardlink_to(write(host, "/root/mbox", MAIL))
    assert mailbox.find(host, ID, SINCE) == ""


@pytest.mark.parametrize("link", ["home/admin/Maildir", "home/admin/Maildir/new"])
def test_a_maildir_that_is_a_link_is_not_followed(host: PlayedHost, link: str) -> None:
    write(host, f"/root/new/{int(time.time())}.M1P1.w", MAIL.partition("\n")[2])
    path = Path(host.root) / link
    path.parent.mkdir(parents=True)
    path.symlink_to(Path(host.root) / ("root" if link.endswith("Maildir") else "root/new"))
    assert mailbox.find(host, ID, SINCE) == ""


def test_the_search_ends_in_time(host: PlayedHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailbox, "_LONGEST", -1.0)
    write(host, "/var/mail/a", BOUNCE)
    write(host, "/var/mail/admin", MAIL)
    assert mailbox.find(host, ID, SINCE) == ""


def test_many_files_hide_nothing_for_long(host: PlayedHost) -> None:
    folder = Path(write(host, "/home/admin/Maildir/new/1.M1P1.w", "x").parent)
    target = write(host, "/home/admin/big", "x" * 100_000)
    now = int(time.time())
    for number in range(3000):
        (folder / f"{now}.A{number}.w").hardlink_to(target)
    began = time.monotonic()
    assert mailbox.find(host, ID, SINCE) == ""
    assert time.monotonic() - began < 5
    write(host, f"/home/admin/Maildir/new/{now}.M2P1.w", MAIL.partition("\n")[2])
    assert mailbox.find(host, ID, SINCE).endswith("M2P1.w")


def test_only_the_mailboxes_that_are_meant(host: PlayedHost) -> None:
    write(host, "/var/mail/admin", MAIL)
    write(host, f"/home/admin/Maildir/new/{int(time.time())}.M1P1.w", MAIL.partition("\n")[2])
    assert mailbox.find(host, ID, SINCE, lambda user: user != "admin") == ""
    assert mailbox.find(host, ID, SINCE, lambda user: user == "admin") == "/var/mail/admin"


def test_a_link_between_the_two_spools_and_a_fifo_in_one(host: PlayedHost) -> None:
    os.mkfifo(host.root + "/var/mail/fifo")
    (Path(host.root) / "var/spool").mkdir()
    (Path(host.root) / "var/spool/mail").symlink_to("../mail")
    write(host, "/var/mail/admin", MAIL)
    assert mailbox.find(host, ID, SINCE) == "/var/mail/admin"
