"""Apply, apply again, diff and remove on a real server, for both backends."""

from __future__ import annotations

import stat
import subprocess
from collections.abc import Callable

import pytest

from tests.host import server
from tests.host.machine import Machine

Keep = Callable[[subprocess.CompletedProcess[str], str], None]

BACKENDS = ("cron", "systemd-timer")
PLAN = "/root/plan.toml"
SCRIPT = "/usr/local/sbin/certbot-renew-everything"
HOOKS = (
    "/etc/letsencrypt/renewal-hooks/deploy/certtui-deploy",
    "/etc/letsencrypt/renewal-hooks/post/certtui-reload",
)
SCHEDULE = {
    "cron": ("/etc/cron.d/certtui-renew",),
    "systemd-timer": (
        "/etc/systemd/system/certtui-renew.service",
        "/etc/systemd/system/certtui-renew.timer",
    ),
}


def applied(host: Machine, backend: str, *more: str, **answers: object) -> Machine:
    """A host on which a plan was applied."""
    host.write(PLAN, server.plan(backend, **answers))  # type: ignore[arg-type]
    host.certtui("apply", PLAN, "--no-dry-run", *more, check=True)
    return host


@pytest.mark.parametrize("backend", BACKENDS)
def test_apply_twice_diff_remove(host: Machine, backend: str, transcript: Keep) -> None:
    before = host.listing()
    host.write(PLAN, server.plan(backend))

    done = host.certtui("apply", PLAN)
    transcript(done, f"certtui apply {PLAN}  # {backend}")
    assert done.returncode == 0, done.stdout + done.stderr
    table = done.stdout.splitlines()[-8:]
    for name in server.NAMES:
        assert [line for line in table if line.split()[:2] == [name, "ok"]], done.stdout

    for path, mode in (
        *((path, 0o700) for path in (SCRIPT, *HOOKS)),
        *((path, 0o644) for path in SCHEDULE[backend]),
    ):
        found = (host.root / path.lstrip("/")).lstat()
        assert stat.S_IMODE(found.st_mode) == mode, path
        assert (found.st_uid, found.st_gid) == (0, 0), path
    assert host.run(["systemctl", "is-enabled", "certbot.timer"], check=False).stdout == (
        "disabled\n"
    )
    assert host.run(["systemctl", "is-active", "certbot.timer"], check=False).stdout == (
        "inactive\n"
    )
    look = ["stat", "-c", "%A %U:%G %n", SCRIPT, *HOOKS, *SCHEDULE[backend]]
    transcript(host.run(look), "stat -c '%A %U:%G %n' ...")
    if backend == "systemd-timer":
        assert host.run(["systemctl", "is-enabled", "certtui-renew.timer"]).stdout == "enabled\n"
        assert host.run(["systemctl", "is-active", "certtui-renew.timer"]).stdout == "active\n"

    marks = host.marks()
    still = host.certtui("apply", PLAN, "--no-dry-run")
    transcript(still, f"certtui apply --no-dry-run {PLAN}  # the second time")
    assert still.returncode == 0, still.stdout + still.stderr
    assert host.marks() == marks
    again = host.certtui("apply", PLAN)
    transcript(again, f"certtui apply {PLAN}  # and with its dry run")
    assert again.returncode == 0, again.stdout + again.stderr
    # certbot itself makes and removes its lock file there, in every dry run.
    after = host.marks()
    assert after.pop("/etc/letsencrypt")[0] == marks.pop("/etc/letsencrypt")[0]
    assert after == marks
    compared = host.certtui("diff")
    transcript(compared, "certtui diff")
    assert compared.returncode == 0, compared.stdout + compared.stderr

    removed = host.certtui("remove")
    transcript(removed, "certtui remove")
    assert removed.returncode == 0, removed.stdout + removed.stderr
    after_all = host.listing()
    said = f"{len(before)} entries before, {len(after_all)} after, equal: {after_all == before}\n"
    transcript(subprocess.CompletedProcess([], 0, said, ""), "listing of types, modes, hashes")
    assert after_all == before


@pytest.mark.parametrize("backend", BACKENDS)
def test_undo_goes_back_to_the_other_backend(host: Machine, backend: str) -> None:
    other = next(name for name in BACKENDS if name != backend)
    applied(host, other)
    first = host.listing()
    applied(host, backend)
    assert not any(host.exists(path) for path in SCHEDULE[other])
    host.certtui("undo", check=True)
    assert host.listing() == first
