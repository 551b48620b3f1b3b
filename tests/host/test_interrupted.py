"""An apply killed at many moments on a real host: the next command leaves it as it was, or done."""

from __future__ import annotations

import json

from tests.host import server
from tests.host.machine import Machine
from tests.host.schedules import PLAN

#: Kills apply after each of some delays, lets another command recover, and tells how it stands. The
#: delays are parts of the time that apply takes here and now.
_SWEEP = """\
import json, subprocess, time
def ask(*argv):
    return subprocess.run(argv, capture_output=True, text=True)
argv = ["certtui", "apply", "--no-dry-run", PLAN]
began = time.monotonic()
ask(*argv)
whole = time.monotonic() - began
found = []
for number in range(24):
    ask("certtui", "remove")
    apply = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(whole * (0.2 + number * 0.035))
    apply.kill()
    apply.wait()
    after = ask("certtui", "diff", PLAN)
    found.append({
        "said": after.stderr,
        "code": after.returncode,
        "ours": ask("systemctl", "is-active", "certtui-renew.timer").stdout.strip(),
        "vendor": ask("systemctl", "is-active", "certbot.timer").stdout.strip(),
    })
print(json.dumps(found))
"""


def test_an_apply_killed_at_any_moment(host: Machine) -> None:
    host.write(PLAN, server.plan("systemd-timer"))
    before = host.listing()
    code = f"PLAN = {PLAN!r}\n{_SWEEP}"
    found = json.loads(host.run(["python3", "-"], input=code, timeout=200).stdout)
    print(*found, sep="\n")
    assert any("an interrupted apply was taken back" in item["said"] for item in found)
    for item in found:
        done = (0, "active", "inactive")
        undone = (2, "inactive", "active")
        assert (item["code"], item["ours"], item["vendor"]) in (done, undone), item
    host.certtui("remove")
    assert host.listing() == before
