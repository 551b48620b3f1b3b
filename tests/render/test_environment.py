"""What the script's caller has set: nothing of it counts, whatever it is called."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.render.support import Machine
from tests.tools import need


def test_nothing_of_the_caller_reaches_certbot(machine: Machine) -> None:
    machine.certbot(f"env >{machine.folder}/env")
    proxy = "http://user:p'a$(id)`id`%20\"@proxy:3128"
    machine.install(certbot_env={"https_proxy": proxy})
    machine.run(
        trigger="cron",
        PYTHONPATH="/evil",
        LD_PRELOAD="",
        http_proxy="http://other",
        SECRET="a\nFAKE=b",
        BASH_ENV="/evil",
        HOME="/home/someone",
    )
    seen = (machine.folder / "env").read_text()
    names = {line.partition("=")[0] for line in seen.splitlines()}
    assert names - {"_", "PWD", "SHLVL", "OLDPWD"} == {
        *("PATH", "LC_ALL", "HOME", "LOGNAME", "USER", "CERTTUI_RUN", "https_proxy")
    }
    assert f"https_proxy={proxy}\n" in seen
    assert "HOME=/root\n" in seen


@pytest.mark.parametrize("shell", [("dash",), ("busybox", "sh"), ("bash", "--posix")])
def test_a_caller_who_exports_the_scripts_own_names(tmp_path: Path, shell: tuple[str, ...]) -> None:
    """As an administrator may who runs it by hand, or the environment of a unit."""
    need(shell[0])
    machine = Machine(tmp_path / "m", shell)
    machine.mailer()
    machine.certbot(f"env >{machine.folder}/env; exit 1")
    machine.install()
    names = re.findall(r"^([A-Z_]+)='", machine.script.read_text(), re.M)
    assert {"PATH", "STATE", "CERTBOT", "TIMEOUT", "MAIL_TO", "POST_HOOK"} <= set(names)
    machine.environment |= {name: "of the caller" for name in names if name != "PATH"}
    done = machine.run(trigger="cron", LINES="a\nexport FAKE='b\nc'", TIMES="x y")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
    assert machine.results() == ["failed"]
    assert len(machine.mails()) == 1
    assert "of the caller" not in (machine.folder / "env").read_text()


def test_a_caller_without_a_path(machine: Machine) -> None:
    machine.certbot(f"env >{machine.folder}/env")
    machine.install()
    assert machine.run(trigger="cron", PATH="/nowhere", SECRET="x").returncode == 0
    assert "SECRET" not in (machine.folder / "env").read_text()
