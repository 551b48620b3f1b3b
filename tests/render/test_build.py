"""What a plan on a host becomes: golden cases, units as systemd reads them, scripts as linters do.

A case in ``cases/`` is a plan and a host with every file that must come of them. After a change
that is meant, ``python -m tests.render.test_build`` writes them anew: read the diff.
"""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from certtui.host.facts import CertbotInstall, Facts, Renewer, Timer, WebServer
from certtui.plan import document
from certtui.render import build, shell
from certtui.render.artifact import Artifact, Rename, Rendered, UnitState
from tests.render.support import facts, plan, system
from tests.tools import need

CASES = sorted((Path(__file__).parent / "cases").glob("*.txt"))
SPLIT = "==== what comes of it ====\n"


def read(text: str) -> tuple[Facts, bytes]:
    """A case's head is the host as JSON on its first line; the rest is the plan."""
    head, _, toml = text.partition("\n")
    host = json.loads(head.removeprefix("# host: "))
    return (
        facts(
            system=system(**host.get("system", {})),
            has_cron_d=host.get("has_cron_d", True),
            webservers=tuple(WebServer(**server) for server in host.get("webservers", [])),
            certbots=tuple(CertbotInstall(**found) for found in host.get("certbots", [])),
            timers=tuple(Timer(**timer) for timer in host.get("timers", [])),
            renewers=tuple(Renewer(**renewer) for renewer in host.get("renewers", [])),
        ),
        toml.encode(),
    )


def shown(rendered: Rendered) -> str:
    """Everything but the unchanging text of the scripts, whose values are shown."""
    parts = [_file(artifact) for artifact in rendered.artifacts]
    parts += [f"unit {'on' if u.on else 'off'} {u.unit} ours={u.ours}\n" for u in rendered.units]
    parts += [f"rename {rename.path} -> {rename.to}\n" for rename in rendered.renames]
    parts += [f"verify {path}\n" for path in rendered.verify]
    parts += [f"queue {rendered.queue}\n"] if rendered.queue else []
    return "".join(parts)


def _file(artifact: Artifact) -> str:
    head = f"---- {artifact.path} {artifact.mode:04o} {artifact.owner} {artifact.kind}\n"
    text = artifact.content.decode()
    if artifact.path.endswith("plan.toml"):
        return head
    if text.startswith("#!"):
        start = text.index("# The plan's values, as data.")
        text = (
            text[start : text.index("# ---- what all of certtui's scripts share")].rstrip() + "\n"
        )
    return head + text


def of(text: str) -> str:
    host, toml = read(text)
    return shown(
        build.render(document.Document(toml.decode(), "plan.toml").plan, host, plan_text=toml)
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_case(case: Path) -> None:
    given, _, expected = case.read_text().partition(SPLIT)
    assert of(given) == expected


def test_there_are_cases() -> None:
    assert len(CASES) >= 6


def every() -> Iterator[tuple[str, Rendered]]:
    """Each combination that gives other text somewhere."""
    backends: tuple[dict[str, Any], ...] = (
        {"schedule_backend": "cron"},
        {"schedule_backend": "systemd-timer"},
        *(
            {"schedule_backend": backend, "schedule_trigger": trigger}
            for backend in ("at-block", "at-random")
            for trigger in ("cron", "systemd")
        ),
    )
    kinds: tuple[dict[str, Any], ...] = (
        {},
        {"webserver_kind": "apache"},
        {"webserver_kind": "none"},
        {"webserver_kind": "custom", "webserver_command": ("a", "b'c")},
    )
    for backend, kind, init, mail in itertools.product(
        backends, kinds, ("systemd", "other"), ("", "admin@example.com")
    ):
        chosen = plan(mail_to=mail, certbot_env={"https_proxy": "http://p'"}, **backend, **kind)
        host = facts(system=system(init=init))
        started = "-by-".join(backend.values())
        name = f"{started}-{kind.get('webserver_kind', 'nginx')}-{init}-{bool(mail)}"
        yield name, build.render(chosen, host, plan_text=b"version = 1\n")


def scripts_of_all(folder: Path) -> list[Path]:
    found: dict[bytes, Path] = {}
    for name, rendered in every():
        for artifact in rendered.artifacts:
            if artifact.content.startswith(b"#!"):
                path = folder / f"{name}-{artifact.path.rpartition('/')[2]}"
                path.write_bytes(artifact.content)
                found.setdefault(artifact.content, path)
    return list(found.values())


@pytest.mark.parametrize("linter", [("shellcheck",), ("dash", "-n"), ("busybox", "sh", "-n")])
def test_seed_02_every_rendered_script_is_posix_sh(tmp_path: Path, linter: tuple[str, ...]) -> None:
    need(linter[0])
    scripts = scripts_of_all(tmp_path)
    assert len(scripts) > 10
    if linter == ("shellcheck",):
        calls = [[*linter, *map(str, scripts)]]
    else:
        calls = [[*linter, str(script)] for script in scripts]
    for argv in calls:
        done = subprocess.run(argv, capture_output=True, text=True)
        assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_every_template_is_a_script_of_its_own() -> None:
    need("shellcheck")
    folder = Path(build.__file__).parent / "templates"
    scripts = sorted(map(str, folder.glob("*.sh")))
    assert len(scripts) > 5
    done = subprocess.run(["shellcheck", "-s", "sh", *scripts], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_no_script_silences_shellcheck() -> None:
    folder = Path(build.__file__).parent / "templates"
    assert [
        path.name for path in folder.glob("*.sh") if "shellcheck disable" in path.read_text()
    ] == []


def test_seeds_03_11_12_names_and_modes() -> None:
    for _, rendered in every():
        modes = {artifact.path: artifact.mode for artifact in rendered.artifacts}
        assert modes.pop("/etc/certtui/plan.toml") == 0o600
        for path, mode in modes.items():
            script = "/sbin/" in path or "/renewal-hooks/" in path
            assert mode == (0o700 if script else 0o644), path
        hooks = [path for path in modes if "hooks" in path]
        assert all(path.startswith("/etc/letsencrypt/renewal-hooks/") for path in hooks)
        assert len(modes) == len({path.rpartition("/")[2] for path in modes})


def test_every_file_says_who_wrote_it_from_which_plan_and_how_to_change_it() -> None:
    for name, rendered in every():
        for artifact in rendered.artifacts[1:]:
            head = artifact.content.decode().split("\n\n")[0].split("\n[")[0]
            for words in ("certtui", "/etc/certtui/plan.toml", "`certtui apply`"):
                assert words in head, (name, artifact.path)


def test_a_second_rendering_is_the_same() -> None:
    assert list(every()) == list(every())


def test_a_stopped_server_changes_nothing() -> None:
    running = WebServer("nginx", "/usr/sbin/nginx", "nginx.service", True, (80, 443))
    stopped = WebServer("nginx", "nginx", "nginx.service", False)
    one, two = (
        build.render(plan(), facts(webservers=(server,)), plan_text=b"")
        for server in (running, stopped)
    )
    assert one == two


def test_a_server_elsewhere_is_called_by_its_path() -> None:
    elsewhere = WebServer("nginx", "/opt/openresty/nginx", "openresty.service", True)
    rendered = build.render(plan(), facts(webservers=(elsewhere,)), plan_text=b"")
    (post,) = [a.content.decode() for a in rendered.artifacts if a.path.endswith("certtui-reload")]
    assert "limit 120 '/opt/openresty/nginx' '-t'" in post
    assert "UNIT='openresty.service'" in post


# ---- other renewers ---------------------------------------------------------------------------

OFF = "one renewer is enough; `certtui undo` turns it on again"


@pytest.mark.parametrize("state", ["enabled", "disabled", "masked"])
def test_seed_26_a_vendor_timer_is_named_whatever_its_state(state: str) -> None:
    host = facts(
        timers=(
            Timer("certbot.timer", state, state == "enabled"),
            Timer("x.timer", "enabled", True),
        )
    )
    rendered = build.render(plan(schedule_backend="cron"), host, plan_text=b"")
    assert rendered.units == (UnitState("certbot.timer", False, OFF),)
    kept = build.render(plan(certbot_other_schedulers="keep"), host, plan_text=b"")
    assert [unit.unit for unit in kept.units] == ["certtui-renew.timer"]


def test_seed_26_vendor_renewers_count_and_an_administrators_do_not() -> None:
    host = facts(
        renewers=(
            Renewer("snap", "snap.certbot.renew.timer", "snap run certbot", True, vendor=True),
            Renewer("timer", "certbot-renew.timer", "certbot renew", True, vendor=False),
            Renewer("cron.d", "/etc/cron.d/certbot:5", "certbot -q renew", False, vendor=True),
        ),
        timers=(Timer("certbot.timer", "", False),),
    )
    rendered = build.render(plan(), host, plan_text=b"")
    assert [unit.unit for unit in rendered.units if not unit.on] == ["snap.certbot.renew.timer"]
    assert rendered.renames == ()


@pytest.mark.parametrize(
    ("vendor", "other"), [(True, "disable"), (False, "disable"), (True, "keep")]
)
def test_debians_cron_file_steps_aside_where_it_would_run(vendor: bool, other: str) -> None:
    host = facts(
        system=system(init="other"),
        renewers=(Renewer("cron.d", "/etc/cron.d/certbot:16", "certbot -q renew", True, vendor),),
    )
    chosen = plan(schedule_backend="cron", certbot_other_schedulers=other)
    rendered = build.render(chosen, host, plan_text=b"")
    moved = [(rename.path, rename.to) for rename in rendered.renames]
    wanted = vendor and other == "disable"
    assert moved == [("/etc/cron.d/certbot", "/etc/cron.d/certbot.certtui-disabled")] * wanted
    assert rendered.units == ()


def test_renames_say_why() -> None:
    assert Rename("a", "b", "c").why == "c"


# ---- systemd and cron read what was written ----------------------------------------------------

needs_analyze = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze (package systemd) is missing"
)


@needs_analyze
@pytest.mark.parametrize("fixed", [(), ("08:30", "20:05")])
def test_systemd_finds_no_fault_in_the_units(tmp_path: Path, fixed: tuple[str, ...]) -> None:
    chosen = plan(schedule_times=fixed, files_scripts=str(tmp_path))
    rendered = build.render(chosen, facts(), plan_text=b"")
    paths = []
    for artifact in rendered.artifacts:
        path = tmp_path / artifact.path.rpartition("/")[2]
        path.write_bytes(artifact.content)
        path.chmod(artifact.mode)
        if artifact.path in rendered.verify:
            paths.append(str(path))
    assert len(paths) == 2
    argv = ["systemd-analyze", "verify", "--recursive-errors=no", *paths]
    done = subprocess.run(argv, capture_output=True, text=True)
    ours = [line for line in done.stderr.splitlines() if "certtui" in line or str(tmp_path) in line]
    assert (done.returncode, ours) == (0, [])


def test_seed_09_the_timer_is_there_after_a_reboot() -> None:
    (timer,) = _named(build.render(plan(), facts(), plan_text=b""), ".timer")
    assert timer.endswith("\n[Install]\nWantedBy=timers.target\n")
    assert "\nPersistent=true\n" in timer


@needs_analyze
@pytest.mark.parametrize(
    "zone", ["Asia/Beirut", "Africa/Cairo", "America/Havana", "Atlantic/Azores"]
)
@pytest.mark.parametrize("runs", [1, 2, 7, 24])
def test_seed_10_every_time_elapses_in_zones_that_change_at_midnight(zone: str, runs: int) -> None:
    (timer,) = _named(
        build.render(plan(schedule_runs_per_day=runs), facts(), plan_text=b""), ".timer"
    )
    events = [line.partition("=")[2] for line in timer.splitlines() if line.startswith("OnCal")]
    assert len(events) == runs
    assert all(event.endswith(" UTC") for event in events)
    done = subprocess.run(
        ["systemd-analyze", "calendar", "--iterations=3", *events],
        capture_output=True,
        text=True,
        env={"TZ": zone, "PATH": "/usr/bin:/bin"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("Next elapse") == runs
    assert "never" not in done.stdout


def test_the_service_waits_longer_than_the_script_can_take() -> None:
    (service,) = _named(
        build.render(plan(certbot_timeout=86400), facts(), plan_text=b""), ".service"
    )
    values = dict(
        line.split("=", 1) for line in service.splitlines() if "=" in line and line[0] != "#"
    )
    assert int(values["TimeoutStartSec"]) > 86400 + 60 + 10 * 60
    assert values["SuccessExitStatus"] == "75"
    assert values["ExecStart"] == "/usr/local/sbin/certbot-renew-everything"
    # What would break a hook, a plugin or a webroot that works under cron.
    for word in ("Protect", "Private", "MemoryDeny", "NoNewPriv", "Restrict", "SystemCall", "Nice"):
        assert not any(key.startswith(word) for key in values)


def _named(rendered: Rendered, end: str) -> list[str]:
    return [a.content.decode() for a in rendered.artifacts if a.path.endswith(end)]


def test_what_cron_needs_of_its_file() -> None:
    chosen = plan(schedule_backend="cron", mail_to="admin@example.com", schedule_runs_per_day=5)
    (text,) = _named(build.render(chosen, facts(), plan_text=b""), "/etc/cron.d/certtui-renew")
    assert text.endswith("\n")
    assert "%" not in text
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert lines[:4] == [
        "SHELL=/bin/sh",
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin",
        'MAILTO="admin@example.com"',
        "CERTTUI_TRIGGER=cron",
    ]
    assert len(lines) == 9
    for line in lines[4:]:
        minute, hour, *rest = line.split(" ")
        assert 0 <= int(minute) < 60
        assert 0 <= int(hour) < 24
        assert rest == ["*", "*", "*", "root", "/usr/local/sbin/certbot-renew-everything"]


def test_a_block_in_the_crontab_sets_nothing_for_the_lines_below_it() -> None:
    rendered = build.render(plan(schedule_backend="cron"), facts(has_cron_d=False), plan_text=b"")
    (block,) = [artifact for artifact in rendered.artifacts if artifact.kind == "crontab"]
    lines = [line for line in block.content.decode().splitlines() if line[0] != "#"]
    assert len(lines) == 2
    assert all(
        " /usr/bin/env CERTTUI_TRIGGER=cron /usr/local/sbin/certbot-" in line for line in lines
    )
    assert block.content.endswith(b"\n")


def test_the_last_config_dir_counts() -> None:
    chosen = plan(certbot_extra_args=("--config-dir", "/a/", "--config-dir=/srv/le"))
    paths = [a.path for a in build.render(chosen, facts(), plan_text=b"").artifacts]
    assert "/srv/le/renewal-hooks/post/certtui-reload" in paths


def test_templates_are_shipped() -> None:
    assert shell.template("renew.sh").startswith("#!/bin/sh\n")


def update() -> None:
    for case in CASES:
        given = case.read_text().partition(SPLIT)[0]
        case.write_text(given + SPLIT + of(given))


if __name__ == "__main__":
    update()
