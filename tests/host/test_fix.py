"""``certtui doctor --fix``: a host broken in many ways at once is well again, but for decisions."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

from tests.host import server
from tests.host.machine import Machine
from tests.host.mutations import look
from tests.host.schedules import AT, HOOKS, SCRIPT, applied, quiet

Keep = Callable[[subprocess.CompletedProcess[str], str], None]

SCHEDULE = AT[3]  # at-random by systemd: files, a timer, a daemon and a job at once

BREAKS = f"""\
systemctl disable --now certtui-renew.timer
systemctl disable --now atd
atrm $(atq | cut -f1)
chmod 0755 {SCRIPT}
rm {HOOKS[0]}
"""


def test_everything_safe_is_mended_and_can_be_undone(
    new_host: Callable[..., Machine], transcript: Keep
) -> None:
    host = new_host(quiet(SCHEDULE))
    server.make_due(host, server.DUE, due=False)
    applied(host, SCHEDULE)
    host.run(["sh", "-ec", BREAKS])
    ill = look(host, transcript)
    assert len(ill.findings) >= 4, ill.text
    done = host.certtui("doctor", "--fix")
    transcript(done, "certtui doctor --fix")
    assert done.returncode == 0, done.stdout + done.stderr
    well = look(host, transcript)
    assert (well.code, well.findings) == (0, frozenset()), well.text
    assert host.run(["stat", "-c", "%a", SCRIPT, HOOKS[0]]).stdout == "700\n700\n"
    # Our files came back by an apply, so that undo takes exactly that back.
    undone = host.certtui("undo")
    transcript(undone, "certtui undo")
    assert undone.returncode == 0
    assert not host.exists(HOOKS[0])


def test_what_a_person_must_decide_stays(host: Machine, transcript: Keep) -> None:
    server.make_due(host, server.DUE, due=False)
    applied(host, SCHEDULE)
    host.run(["sh", "-ec", f"echo '# mine' >>{SCRIPT}; systemctl stop atd"])
    done = host.certtui("doctor", "--fix", "--json")
    transcript(done, "certtui doctor --fix --json")
    assert done.returncode == 1, done.stdout + done.stderr
    said = json.loads(done.stdout)
    assert [item["ok"] for item in said["mended"]]
    bad = [item["id"] for item in said["findings"] if item["status"] in ("fail", "warn")]
    assert bad == ["drift.content"]
    assert host.read(SCRIPT).endswith("# mine\n")


def test_an_ordinary_user_is_told_to_be_root(host: Machine, transcript: Keep) -> None:
    done = host.run(
        [
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            "certtui",
            "doctor",
            "--fix",
        ],
        check=False,
    )
    transcript(done, "certtui doctor --fix  # as nobody")
    assert done.returncode == 77
    assert "sudo certtui doctor --fix" in done.stderr
