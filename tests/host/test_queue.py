"""Real at: after apply, undo, remove and kill -9 the queue has the job of the script there is."""

from __future__ import annotations

import json
import re
from itertools import pairwise

import pytest

from tests.host import server
from tests.host.machine import Machine

PLAN = "/root/plan.toml"
SCRIPTS = "/usr/local/sbin"

#: Every pair of neighbours is a change that apply makes and undo takes back.
TOUR: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("cron", "auto", {}),
    ("at-random", "systemd", {}),
    ("at-random", "systemd", {"runs_per_day": "5"}),
    ("at-random", "systemd", {"runs_per_day": "5", "at_queue": '"d"'}),
    ("at-random", "cron", {}),
    ("at-block", "cron", {"runs_per_day": "1"}),
    ("at-block", "systemd", {"runs_per_day": "1"}),
    ("systemd-timer", "auto", {}),
)


def _plan(backend: str, trigger: str, more: dict[str, str]) -> str:
    answers = "".join(f"{key} = {value}\n" for key, value in more.items())
    plan = server.plan(backend, trigger=trigger)
    return plan.replace("[schedule]\n", f"[schedule]\n{answers}")


def _jobs(host: Machine) -> list[tuple[str, str]]:
    """(script, queue letter) of each job in the queue."""
    found = []
    for line in host.run(["atq"]).stdout.splitlines():
        number, letter = line.split()[0], line.split()[-2]
        stored = host.run(["at", "-c", number]).stdout
        found += [(name, letter) for name in re.findall(r"^exec (\S+) </dev/null$", stored, re.M)]
    return found


def _is_right(host: Machine, backend: str, more: dict[str, str]) -> bool:
    """One job of the script; none of at-block's is right where its block's minute is over."""
    letter = more.get("at_queue", '"c"').strip('"')
    jobs, one = _jobs(host), [(f"{SCRIPTS}/certbot-{backend}", letter)]
    if not backend.startswith("at-"):
        return jobs == []
    return jobs == one or (backend == "at-block" and jobs == [])


def test_every_change_and_its_undo(host: Machine) -> None:
    before = host.listing()
    theirs = host.run(["at", "-q", "c", "now + 2 days"], input="true\n").stderr
    assert "job 1" in theirs
    for step, (backend, trigger, more) in enumerate(TOUR):
        host.write(PLAN, _plan(backend, trigger, more))
        done = host.certtui("apply", "--no-dry-run", PLAN)
        assert done.returncode == 0, (step, done.stdout, done.stderr)
        assert _is_right(host, backend, more), (step, _jobs(host))
        again = host.certtui("apply", "--no-dry-run", PLAN)
        assert again.stdout == "in sync: nothing was changed\n", (step, again.stdout)
    for step, (after, (backend, _, more)) in enumerate(pairwise(reversed(TOUR))):
        undone = host.certtui("undo")
        assert undone.returncode == 0, (step, undone.stdout, undone.stderr)
        assert _is_right(host, backend, more), (step, after, _jobs(host))
        compared = host.certtui("diff")
        assert compared.returncode == 0, (step, compared.stdout)
    host.certtui("remove", check=True)
    assert host.run(["atq"]).stdout.split()[:1] == ["1"]
    assert len(host.run(["atq"]).stdout.splitlines()) == 1
    host.run(["atrm", "1"])
    assert host.listing() == before
    assert host.run(["ls", "/var/lib/certtui"]).stdout.split() == ["lock"]


#: Kills COMMAND after each of some delays, lets another command recover, and tells how it stands.
#: The delays are parts of the time that COMMAND takes here and now.
_SWEEP = """\
import json, os, re, subprocess, time
def ask(*argv):
    return subprocess.run(argv, capture_output=True, text=True)
def there():
    names = ("certbot-at-block", "certbot-at-random")
    return [name for name in names if os.path.exists("/usr/local/sbin/" + name)]
def queued():
    numbers = [line.split()[0] for line in ask("atq").stdout.splitlines()]
    texts = "".join(ask("at", "-c", number).stdout for number in numbers)
    return sorted(re.findall("^exec /usr/local/sbin/(certbot-at-\\\\w+) <", texts, re.M))
def prepare():
    ask("certtui", "remove")
    for plan in PLANS:
        ask("certtui", "apply", "--no-dry-run", plan)
prepare()
began = time.monotonic()
ask(*COMMAND)
whole = time.monotonic() - began
found = []
for number in range(8):
    prepare()
    work = subprocess.Popen(COMMAND, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(whole * (0.2 + number * 0.1))
    work.kill()
    work.wait()
    after = ask("certtui", "diff", LAST)
    found.append({
        "said": after.stderr, "there": there(), "queued": queued(),
        "state": os.path.exists("/var/lib/certtui/at-state"),
    })
ask("certtui", "remove")
found.append({"there": there(), "queued": queued(), "state": False, "said": ""})
print(json.dumps(found))
"""

CASES = {
    "apply": (["/root/cron.toml"], ["certtui", "apply", "--no-dry-run", "/root/random.toml"]),
    "undo": (["/root/cron.toml", "/root/random.toml"], ["certtui", "undo"]),
    "remove": (["/root/random.toml"], ["certtui", "remove"]),
}


@pytest.mark.parametrize("case", list(CASES))
def test_killed_at_any_moment(host: Machine, case: str) -> None:
    plans, command = CASES[case]
    host.write("/root/cron.toml", server.plan("cron"))
    host.write("/root/random.toml", server.plan("at-random"))
    names = f"PLANS, COMMAND, LAST = {plans!r}, {command!r}, '/root/random.toml'\n"
    said = host.run(["python3", "-"], input=names + _SWEEP, timeout=500).stdout
    found = json.loads(said)
    print(*found, sep="\n")
    assert any("an interrupted" in item["said"] for item in found)
    for item in found:
        assert item["queued"] == item["there"], item
        assert item["state"] == bool(item["there"]), item
    assert found[-1]["there"] == []
