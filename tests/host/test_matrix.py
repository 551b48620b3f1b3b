"""Each web server with each schedule on each release: apply, apply again, diff, doctor, remove.

Every run has a column of each: all schedules with nginx on the older release and with Apache on
the newer one. ``nox -s host_full`` has all.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.host import at, server
from tests.host.machine import Machine
from tests.host.mutations import look
from tests.host.schedules import PLAN, SCHEDULES, Schedule, quiet
from tests.host.web import APACHE, NGINX, Web

Keep = Callable[[subprocess.CompletedProcess[str], str], None]

#: Release and web server: what every run has, and what is left to ``nox -s host_full``.
IN_EVERY_RUN = (("bookworm", NGINX), ("trixie", APACHE))
COLUMNS = (*IN_EVERY_RUN, ("bookworm", APACHE), ("trixie", NGINX))

ROOTS = [0, 0]
DOCS = Path(__file__).parents[2] / "docs"


def columns() -> Iterator[Any]:
    """Release and web server, those that not every run has with the mark ``full``."""
    for suite, web in COLUMNS:
        marks = () if (suite, web) in IN_EVERY_RUN else (pytest.mark.full,)
        yield pytest.param(suite, web, id=f"{suite}-{web.kind}", marks=marks)


def written(schedule: Schedule) -> dict[str, list[object]]:
    """Path -> mode and owner of everything that apply puts below /etc and /usr/local."""
    found: dict[str, list[object]] = {
        "/etc/certtui": ["drwxr-xr-x", *ROOTS],
        "/etc/certtui/plan.toml": ["-rw-------", *ROOTS],
    }
    found |= {path: ["-rwx------", *ROOTS] for path in schedule.scripts}
    found |= {path: ["-rw-r--r--", *ROOTS] for path in schedule.files}
    if not schedule.uses_cron:
        link = "/etc/systemd/system/timers.target.wants/certtui-renew.timer"
        found[link] = ["lrwxrwxrwx", *ROOTS]
    return found


def check_schedule(host: Machine, schedule: Schedule, keep: Keep) -> None:
    """Enabled, started, and with the backends of at exactly one job of ours in the queue."""
    if not schedule.uses_cron:
        for question, answer in (("is-enabled", "enabled"), ("is-active", "active")):
            done = host.run(["systemctl", question, "certtui-renew.timer"], check=False)
            keep(done, f"systemctl {question} certtui-renew.timer")
            assert done.stdout == f"{answer}\n"
    if schedule.uses_at:
        keep(host.run(["atq"]), "atq")
        (job,) = at.queued(host)
        assert at.ours(host, schedule.at_script) == [job]
        assert job.queue == "c"


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
@pytest.mark.parametrize(("suite", "web"), list(columns()))
def test_cell(
    new_host: Callable[..., Machine], suite: str, web: Web, schedule: Schedule, transcript: Keep
) -> None:
    host = new_host(quiet(schedule), suite=suite, web=web)
    server.make_due(host, server.DUE, due=False)
    before = host.listing()
    host.write(PLAN, server.plan(schedule.backend, web=web, trigger=schedule.trigger))
    for argv in (["cat", PLAN], ["certbot", "--version"], [web.service, "-v"]):
        transcript(host.run(argv), " ".join(argv))

    done = host.certtui("apply", PLAN)
    transcript(done, f"certtui apply {PLAN}  # {suite}, {web.kind}, {schedule}")
    assert done.returncode == 0, done.stdout + done.stderr
    table = done.stdout.splitlines()[-8:]
    for name in server.NAMES:
        assert [line for line in table if line.split()[:2] == [name, "ok"]], done.stdout
    after = host.listing()
    new = {path: what[:3] for path, what in after.items() if path not in before}
    jobs = [path for path in new if path.startswith("/var/spool/cron/atjobs/")]
    assert [new.pop(path)[:2] for path in jobs] == [["-rwx------", 0]] * schedule.uses_at
    assert new == written(schedule)
    look = ["stat", "-c", "%A %U:%G %n", *schedule.scripts, *schedule.files]
    transcript(host.run(look), "stat -c '%A %U:%G %n' ...")
    check_schedule(host, schedule, transcript)
    for question, answer in (("is-enabled", "disabled"), ("is-active", "inactive")):
        assert host.run(["systemctl", question, "certbot.timer"], check=False).stdout == (
            f"{answer}\n"
        )

    idle(host, transcript)
    check_schedule(host, schedule, transcript)
    healthy(host, transcript)

    removed = host.certtui("remove")
    transcript(removed, "certtui remove")
    assert removed.returncode == 0, removed.stdout + removed.stderr
    after_all = host.listing()
    said = f"{len(before)} entries before, {len(after_all)} after, equal: {after_all == before}\n"
    transcript(subprocess.CompletedProcess([], 0, said, ""), "listing of types, modes, hashes")
    assert after_all == before
    transcript(host.run(["atq"]), "atq")
    assert at.queued(host) == []
    for name in ("at-state", "at-lock"):
        assert not host.exists(f"/var/lib/certtui/{name}")


def healthy(host: Machine, keep: Keep) -> None:
    """Doctor has nothing to say of it, not even a warning, within seconds; both JSONs are valid."""
    began = time.monotonic()
    seen = look(host, keep)
    took = time.monotonic() - began
    assert (seen.code, seen.findings) == (0, frozenset()), seen.text
    keep(subprocess.CompletedProcess([], 0, f"{took:.1f} s\n", ""), "how long doctor took")
    for command in ("doctor", "status"):
        done = host.certtui(command, "--json")
        keep(done, f"certtui {command} --json")
        schema = DOCS / f"{command}.schema.json"
        jsonschema.validate(json.loads(done.stdout), json.loads(schema.read_text("utf-8")))


def idle(host: Machine, keep: Keep) -> None:
    """A second apply touches nothing and ends with 0, with a dry run and without; so does diff."""
    marks = host.marks()
    still = host.certtui("apply", PLAN, "--no-dry-run")
    keep(still, f"certtui apply --no-dry-run {PLAN}  # the second time")
    assert still.returncode == 0, still.stdout + still.stderr
    assert host.marks() == marks
    again = host.certtui("apply", PLAN)
    keep(again, f"certtui apply {PLAN}  # and with its dry run")
    assert again.returncode == 0, again.stdout + again.stderr
    # certbot itself makes and removes its lock file there, in every dry run.
    after = host.marks()
    assert after.pop("/etc/letsencrypt")[0] == marks.pop("/etc/letsencrypt")[0]
    assert after == marks
    compared = host.certtui("diff")
    keep(compared, "certtui diff")
    assert compared.returncode == 0, compared.stdout + compared.stderr
