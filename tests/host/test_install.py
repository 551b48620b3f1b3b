"""schedule.install_packages on a server: apt installs at, systemd starts it, remove stops it."""

from __future__ import annotations

from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

from tests.host import server
from tests.host.machine import Machine

Keep = Callable[[CompletedProcess[str], str], None]

PLAN = "/root/plan.toml"
SCRIPT = "/usr/local/sbin/certbot-at-random"
COMMAND = "apt-get install -y --no-install-recommends at"

#: Packs the packages named as they were installed, with their own maintainer scripts, into a
#: repository of the host's: there is no network. Then takes them away, and apt's other sources.
_WITHOUT = """\
set -e
info=/var/lib/dpkg/info
mkdir -p /srv/packages
for package; do
    made=$(mktemp -d)
    chmod 755 "$made"
    mkdir "$made/DEBIAN"
    dpkg-query -L "$package" | while read -r path; do
        if [ -d "$path" ]; then
            mkdir -p "$made$path"
        elif [ -e "$path" ]; then
            cp -a "$path" "$made$path"
        fi
    done
    dpkg-query -s "$package" |
        grep -v -e '^Status:' -e '^Conffiles:' -e '^ /' >"$made/DEBIAN/control"
    for name in conffiles preinst postinst prerm postrm; do
        if [ -e "$info/$package.$name" ]; then cp "$info/$package.$name" "$made/DEBIAN/$name"; fi
    done
    deb=/srv/packages/$package.deb
    dpkg-deb --build "$made" "$deb"
    rm -r "$made"
    {
        dpkg-deb --field "$deb"
        echo "Filename: ./$package.deb"
        echo "Size: $(stat -c %s "$deb")"
        echo "SHA256: $(sha256sum "$deb" | cut -d' ' -f1)"
        echo
    } >>/srv/packages/Packages
done
dpkg --purge --force-depends "$@"
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d
echo 'deb [trusted=yes] file:/srv/packages ./' >/etc/apt/sources.list
apt-get update
"""


def _take_away(host: Machine, *packages: str) -> None:
    host.run(["sh", "-c", _WITHOUT, "sh", *packages])


def _plan(backend: str = "at-random", *, consent: bool) -> str:
    more = f"[schedule]\ninstall_packages = {str(consent).lower()}\n"
    return server.plan(backend).replace("[schedule]\n", more)


def _atd(host: Machine) -> tuple[str, str]:
    """What systemd says of atd.service: (enabled?, active?)."""
    ask = (["systemctl", word, "atd.service"] for word in ("is-enabled", "is-active"))
    enabled, active = (host.run(argv, check=False).stdout.strip() for argv in ask)
    return enabled, active


def _lines(done: CompletedProcess[str], *beginnings: str) -> list[str]:
    return [line for line in done.stdout.splitlines() if line.startswith(beginnings)]


@pytest.fixture
def bare(host: Machine) -> Machine:
    """A server without at, whose apt knows where to get it."""
    _take_away(host, "at")
    assert host.run(["sh", "-c", "command -v at atd atq"], check=False).stdout == ""
    return host


def test_apt_installs_at_by_consent(bare: Machine, transcript: Keep) -> None:
    before = bare.listing()
    bare.write(PLAN, _plan(consent=False))
    refused = bare.certtui("apply", "--no-dry-run", PLAN)
    transcript(refused, "certtui apply --no-dry-run  # without consent")
    assert refused.returncode == 1
    assert f'backend "at-random" needs atd: {COMMAND}\n' in refused.stderr
    assert bare.listing() == before

    # What an image for containers often has: no package may start a daemon.
    bare.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755)
    bare.write(PLAN, _plan(consent=True))
    shown = bare.certtui("diff", PLAN)
    transcript(CompletedProcess([], 2, "\n".join(_lines(shown, "$ ", "! ")) + "\n", ""), "diff")
    assert shown.returncode == 2, shown.stdout + shown.stderr
    commands = [line.removeprefix("$ ").partition("  #")[0] for line in _lines(shown, "$ ")]
    assert commands[:2] == [COMMAND, "systemctl enable --now atd.service"]
    assert commands[-1] == f"{SCRIPT} queue"
    assert bare.listing() == before

    done = bare.certtui("apply", "--no-dry-run", PLAN)
    transcript(done, "certtui apply --no-dry-run")
    assert done.returncode == 0, done.stdout + done.stderr
    steps = [line.removeprefix("ok").strip() for line in _lines(done, "ok ", "FAIL ")]
    assert [step for step in steps if not step.startswith("wrote ")] == commands
    assert steps[0] == COMMAND
    assert _atd(bare) == ("enabled", "active")
    assert bare.run(["dpkg-query", "-f", "${Status}", "-W", "at"]).stdout == "install ok installed"
    assert bare.run(["sh", "-c", "dpkg -l | grep -c exim4-daemon"]).stdout == "1\n"
    (job,) = bare.run(["atq"]).stdout.splitlines()
    transcript(CompletedProcess([], 0, f"{job}\n", ""), "atq")

    again = bare.certtui("apply", "--no-dry-run", PLAN)
    assert (again.returncode, again.stdout) == (0, "in sync: nothing was changed\n"), again.stdout

    removed = bare.certtui("remove")
    transcript(removed, "certtui remove")
    assert removed.returncode == 0, removed.stdout + removed.stderr
    assert "ok   the package at stays installed\n" in removed.stdout
    assert _atd(bare) == ("disabled", "inactive")
    assert bare.run(["atq"]).stdout == ""
    bare.run(["dpkg", "--purge", "at"])
    assert bare.listing() == before


def test_a_package_that_cannot_be_had(bare: Machine, transcript: Keep) -> None:
    bare.write("/etc/apt/sources.list", "")
    bare.run(["apt-get", "update"])
    before = bare.listing()
    bare.write(PLAN, _plan(consent=True))
    done = bare.certtui("apply", "--no-dry-run", PLAN)
    transcript(done, "certtui apply --no-dry-run  # and apt knows no package at")
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"certtui: `{COMMAND}` failed: ")
    assert "E: " in last
    assert bare.listing() == before
    assert not bare.exists(SCRIPT)


def test_a_daemon_that_was_off(host: Machine, transcript: Keep) -> None:
    host.run(["systemctl", "disable", "--now", "atd.service"])
    before = host.listing()
    host.write(PLAN, _plan(consent=False))
    refused = host.certtui("apply", "--no-dry-run", PLAN)
    assert refused.returncode == 1
    assert "which does not run: systemctl enable --now atd.service\n" in refused.stderr
    host.write(PLAN, _plan(consent=True))
    done = host.certtui("apply", "--no-dry-run", PLAN)
    transcript(done, "certtui apply --no-dry-run")
    assert done.returncode == 0, done.stdout + done.stderr
    assert _atd(host) == ("enabled", "active")
    undone = host.certtui("undo")
    transcript(undone, "certtui undo")
    assert undone.returncode == 0, undone.stdout + undone.stderr
    assert _atd(host) == ("disabled", "inactive")
    assert host.listing() == before


def test_cron_is_brought_with_its_folder(host: Machine, transcript: Keep) -> None:
    """Without cron there is neither a crontab(1) nor, but for other packages, /etc/cron.d."""
    common = host.run(["dpkg", "-s", "cron-daemon-common"], check=False).returncode == 0
    packages = ("cron", "cron-daemon-common") if common else ("cron",)
    _take_away(host, *packages)
    host.run(["rm", "-rf", "/etc/cron.d"])
    before = host.listing()
    host.write(PLAN, _plan("cron", consent=False))
    refused = host.certtui("apply", "--no-dry-run", PLAN)
    transcript(refused, "certtui apply --no-dry-run  # without consent")
    assert refused.returncode == 1
    assert refused.stderr.endswith(
        'backend "cron" needs cron: apt-get install -y --no-install-recommends cron\n'
    )
    host.write(PLAN, _plan("cron", consent=True))
    done = host.certtui("apply", "--no-dry-run", PLAN)
    transcript(done, "certtui apply --no-dry-run")
    assert done.returncode == 0, done.stdout + done.stderr
    assert host.exists("/etc/cron.d/certtui-renew")
    assert host.run(["systemctl", "is-active", "cron.service"]).stdout == "active\n"
    again = host.certtui("apply", "--no-dry-run", PLAN)
    assert again.stdout == "in sync: nothing was changed\n", again.stdout
    host.certtui("remove", check=True)
    assert host.run(["systemctl", "is-active", "cron.service"], check=False).stdout == "inactive\n"
    host.run(["dpkg", "--purge", "--force-depends", *packages])
    host.run(["rm", "-rf", "/etc/cron.d"])
    assert host.listing() == before


def test_daemons_without_systemd(machine: Callable[..., Machine], transcript: Keep) -> None:
    """service(8) starts them, and does not wait for what they leave open."""
    host = machine()
    try:
        host.boot_without_systemd()
        host.write(PLAN, _plan(consent=False))
        refused = host.certtui("apply", "--no-dry-run", PLAN)
        transcript(refused, "certtui apply --no-dry-run  # without consent")
        assert refused.returncode == 1
        assert refused.stderr.splitlines()[-2:] == [
            'certtui: backend "at-random" needs atd, which does not run: service atd start',
            'certtui: backend "at-random" with trigger "cron" needs cron, which does not run: '
            "service cron start",
        ]
        host.write(PLAN, _plan(consent=True))
        done = host.certtui("apply", "--no-dry-run", PLAN, timeout=60)
        transcript(done, "certtui apply --no-dry-run")
        assert done.returncode == 0, done.stdout + done.stderr
        assert _running(host) == ["atd", "cron"]
        assert len(host.run(["atq"]).stdout.splitlines()) == 1
        again = host.certtui("apply", "--no-dry-run", PLAN)
        assert again.stdout == "in sync: nothing was changed\n", again.stdout
        undone = host.certtui("undo", timeout=60)
        transcript(undone, "certtui undo")
        assert undone.returncode == 0, undone.stdout + undone.stderr
        assert _running(host) == []
        assert host.run(["atq"]).stdout == ""
    finally:
        host.close()


def _running(host: Machine) -> list[str]:
    """Which of the two daemons run."""
    said = host.run(["ps", "-e", "-o", "comm="]).stdout.split()
    return sorted({"atd", "cron"} & {*said})
