"""The drill of the deploy: hooks as certbot calls them, what is served, what waits afterwards."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from certtui.doctor.records.history import PENDING
from certtui.drill import clean, deploy, pending, report, trace
from certtui.drill.trace import Trace
from certtui.errors import Refused
from certtui.host import served
from certtui.host.facts import Lineage
from certtui.host.interface import Completed, RealHost
from certtui.host.served import Served
from tests.drill.support import ID, NOW, Place, place

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/drill.schema.json").read_text("utf-8"))
LIVE = "/etc/letsencrypt/live"
DEPLOY = "/etc/letsencrypt/renewal-hooks/deploy/certtui-deploy"
POST = "/etc/letsencrypt/renewal-hooks/post/certtui-reload"
END = datetime(2027, 2, 1, tzinfo=timezone.utc)


class Hooks:
    """Plays the two hooks; ``environments`` are what each was started with."""

    def __init__(self, there: Place) -> None:
        self.there = there
        self.environments: list[tuple[str, dict[str, str]]] = []
        self.codes: dict[str, int] = {}
        self.signal = 0
        self.sessions: list[str] = []
        run = there.host.run

        def noting(argv: Sequence[str], **options: Any) -> Completed:
            if argv[-1] in (DEPLOY, POST):
                self.environments.append((argv[-1], dict(options.get("env") or {})))
                own = ["python3", "-c", "import os; print(os.getsid(0) == os.getpid())"]
                self.sessions.append(RealHost().run(own).out.strip())
                if self.signal and argv[-1] == POST:
                    signal.raise_signal(self.signal)
                return self.hook(argv[-1], options["env"])
            return run(argv, **options)

        there.host.run = noting  # type: ignore[method-assign]

    def hook(self, path: str, env: Mapping[str, str]) -> Completed:
        noted = self.there.path(PENDING)
        code = self.codes.get(path, 0)
        if path == DEPLOY and not code:
            lines = noted.read_text().splitlines() if noted.exists() else []
            lines += [] if env["RENEWED_LINEAGE"] in lines else [env["RENEWED_LINEAGE"]]
            noted.write_text("".join(f"{line}\n" for line in lines))
        elif not code:
            noted.unlink()
        return Completed((path,), code, "", "what it said" if code else "")


def serves(monkeypatch: pytest.MonkeyPatch, *states: dict[str, str]) -> None:
    """The answers of the server, one after the other, the last for ever."""
    left = list(states)

    def look(host: object, lineages: Sequence[Lineage], seconds: float = 5) -> dict[str, Served]:
        now = left.pop(0) if len(left) > 1 else left[0]
        return {name: Served(state, name, "127.0.0.1:443", state) for name, state in now.items()}  # type: ignore[arg-type]

    monkeypatch.setattr(served, "look", look)


@pytest.fixture
def there(tmp_path: Path) -> Place:
    made = place(tmp_path / "r", certbot_env={"REQUESTS_CA_BUNDLE": "/ca.pem"})
    names = ("a.example", "b.example")
    lineages = tuple(
        Lineage(name, f"/etc/letsencrypt/renewal/{name}.conf", domains=(name, f"w.{name}"),
                not_after=END)
        for name in names
    )  # fmt: skip
    for name in names:
        link = made.path(f"{LIVE}/{name}/cert.pem")
        link.parent.mkdir(parents=True)
        link.symlink_to(f"../../archive/{name}/cert1.pem")
    made.scene = replace(made.scene, facts=replace(made.scene.facts, lineages=lineages))
    return made


SAME = {"a.example": "same", "b.example": "same"}


def test_each_hook_as_certbot_calls_it(there: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    hooks = Hooks(there)
    serves(monkeypatch, SAME)
    outcome = deploy.drill(there.scene)
    assert outcome.ok
    ours = {
        "LC_ALL": "C",
        "HOME": "/root",
        "LOGNAME": "root",
        "USER": "root",
        "CERTTUI_RUN": "1",
        "REQUESTS_CA_BUNDLE": "/ca.pem",
    }
    of = {
        name: {"RENEWED_LINEAGE": f"{LIVE}/{name}", "RENEWED_DOMAINS": f"{name} w.{name}"}
        for name in SAME
    }
    assert hooks.environments == [
        (DEPLOY, {**ours, **of["a.example"]}),
        (DEPLOY, {**ours, **of["b.example"]}),
        (POST, ours),
    ]
    assert [step.what for step in outcome.steps] == [
        *("configuration test of nginx", "deploy hook", "post hook"),
        *("served: a.example", "served: b.example", "cleaned up"),
    ]
    assert [found["state"] for found in outcome.served] == ["same", "same"]
    said = {"schema_version": 1, **report.to_json(outcome)}
    jsonschema.validate(said, SCHEMA)
    assert said["ok"] is True
    assert there.left() == []


def test_one_certificate_alone(there: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    hooks = Hooks(there)
    serves(monkeypatch, {"b.example": "same"})
    assert deploy.drill(there.scene, "b.example").ok
    assert [path for path, _ in hooks.environments] == [DEPLOY, POST]
    with pytest.raises(Refused, match=r"there is a.example, b.example"):
        deploy.drill(there.scene, "c.example")


def test_no_certificate_and_no_server(there: Place, tmp_path: Path) -> None:
    bare = replace(there.scene, facts=replace(there.scene.facts, lineages=()))
    with pytest.raises(Refused, match="no certificate on this host yet"):
        deploy.drill(bare)
    none = place(tmp_path / "n", webserver_kind="none")
    with pytest.raises(Refused, match="nothing to deploy to"):
        deploy.drill(none.scene)


def test_a_server_takes_a_moment(there: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    Hooks(there)
    old = {**SAME, "b.example": "old"}
    serves(monkeypatch, SAME, old, old, SAME)
    assert deploy.drill(there.scene).ok
    assert there.clock.now() == NOW + 2


@pytest.mark.parametrize("state", ["nobody", "silent", "absent"])
@pytest.mark.parametrize("before", ["same", "old", "other"])
def test_a_server_that_comes_back_a_moment_later(
    there: Place, monkeypatch: pytest.MonkeyPatch, before: str, state: str
) -> None:
    Hooks(there)
    away = {**SAME, "b.example": state}
    serves(monkeypatch, {**SAME, "b.example": before}, away, away, away, SAME)
    assert deploy.drill(there.scene).ok
    assert there.clock.now() == NOW + 3


@pytest.mark.parametrize("state", ["nobody", "silent", "absent"])
def test_a_server_that_does_not_come_back(
    there: Place, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    Hooks(there)
    serves(monkeypatch, SAME, {**SAME, "b.example": state})
    outcome = deploy.drill(there.scene)
    assert outcome.broken is not None
    assert outcome.broken.what == "served: b.example"
    assert outcome.broken.message == f"{state}, where it was served before the drill"
    assert there.clock.now() == NOW + 10


def test_what_was_not_served_before_is_not_waited_for(
    there: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    Hooks(there)
    serves(monkeypatch, {**SAME, "b.example": "absent"})
    assert deploy.drill(there.scene).ok
    assert there.clock.now() == NOW


@pytest.mark.parametrize("systemd", [True, False])
@pytest.mark.parametrize("runs", [True, False])
def test_a_server_that_is_stopped_was_not_told(
    there: Place, monkeypatch: pytest.MonkeyPatch, systemd: bool, runs: bool
) -> None:
    Hooks(there)
    serves(monkeypatch, SAME if runs else dict.fromkeys(SAME, "nobody"))
    if systemd:
        said = "active\n" if runs else "inactive\n"
        there.host.answers.append(
            lambda argv, stdin: (
                Completed(argv, 0 if runs else 3, said, "")
                if argv == ("systemctl", "is-active", "nginx.service")
                else None
            )
        )
    else:
        system = replace(there.scene.facts.system, init="sysvinit")
        there.scene = replace(there.scene, facts=replace(there.scene.facts, system=system))
        if runs:
            there.write("/proc/7/comm", "nginx\n")
    outcome = deploy.drill(there.scene)
    hook = next(step for step in outcome.steps if step.what == "post hook")
    stopped = "nginx is stopped: it reads the certificate when it starts"
    assert hook.message == ("nginx was told, once" if runs else stopped)
    assert outcome.ok == runs


@pytest.mark.parametrize(
    ("state", "ok"),
    [
        *[(state, True) for state in ("same", "covered", "absent", "nobody")],
        *[(state, False) for state in ("old", "other", "silent", "unknown")],
    ],
)
def test_what_is_served(
    there: Place, monkeypatch: pytest.MonkeyPatch, state: str, ok: bool
) -> None:
    Hooks(there)
    serves(monkeypatch, {**SAME, "b.example": state})
    outcome = deploy.drill(there.scene)
    assert outcome.ok == ok
    assert bool(outcome.broken and outcome.broken.mend) == (not ok)


def test_a_server_that_serves_none_of_them_proves_nothing(
    there: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    Hooks(there)
    serves(monkeypatch, {"a.example": "absent", "b.example": "nobody"})
    outcome = deploy.drill(there.scene)
    assert outcome.broken is not None
    assert outcome.broken.what == "served"


def wait_for(there: Place, *lines: str) -> tuple[str, float]:
    noted = there.write(PENDING, "".join(f"{line}\n" for line in lines))
    os.utime(noted, (NOW - 90_000, NOW - 90_000))
    return noted.read_text(), noted.stat().st_mtime


def now_waits(there: Place) -> tuple[str, float]:
    noted = there.path(PENDING)
    return noted.read_text(), noted.stat().st_mtime


def test_fails(there: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def test_fails(argv: tuple[str, ...], stdin: str) -> Completed | None:
        return Completed(argv, 1, "", "[emerg] no") if argv == ("nginx", "-t") else None

    hooks = Hooks(there)
    there.host.answers.append(test_fails)
    before = wait_for(there, f"{LIVE}/x", f"{LIVE}/a.example")
    outcome = deploy.drill(there.scene)
    assert outcome.broken is not None
    assert (outcome.broken.message, outcome.broken.mend) == ("[emerg] no", "nginx -t")
    assert hooks.environments == []
    assert now_waits(there) == before


@pytest.mark.parametrize("fails", [DEPLOY, POST, "served", "interrupted"])
@pytest.mark.parametrize("waiting", [(), (f"{LIVE}/x",), (f"{LIVE}/x", f"{LIVE}/a.example")])
def test_whatever_fails_what_waited_waits_as_before(
    there: Place, monkeypatch: pytest.MonkeyPatch, fails: str, waiting: tuple[str, ...]
) -> None:
    hooks = Hooks(there)
    hooks.codes[fails] = 1
    serves(monkeypatch, {**SAME, "b.example": "old"})
    before = wait_for(there, *waiting) if waiting else None
    if fails == "interrupted":

        def ends(*arguments: object) -> dict[str, Served]:
            raise KeyboardInterrupt

        monkeypatch.setattr(served, "look", ends)
        with pytest.raises(KeyboardInterrupt):
            deploy.drill(there.scene)
    else:
        assert not deploy.drill(there.scene).ok
    assert there.left() == ([PENDING] if before else [])
    if before:
        assert now_waits(there) == before


def test_what_waited_is_loaded_with_the_rest(there: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    Hooks(there)
    serves(monkeypatch, SAME)
    wait_for(there, f"{LIVE}/x")
    assert deploy.drill(there.scene).ok
    assert there.left() == []


def test_a_signal_waits_for_the_post_hook(there: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    hooks = Hooks(there)
    hooks.signal = signal.SIGINT
    serves(monkeypatch, SAME)
    with pytest.raises(KeyboardInterrupt):
        deploy.drill(there.scene)
    assert [path for path, _ in hooks.environments] == [DEPLOY, DEPLOY, POST]
    assert hooks.sessions[-1] == "True"  # Ctrl+C goes to all of the terminal's foreground group
    assert there.left() == []


# ---- put back ---------------------------------------------------------------------------------


def before(there: Place, *waiting: str) -> Trace:
    names = (f"{LIVE}/a.example", f"{LIVE}/b.example")
    known = tuple((name, pending.certificate(there.host, name)) for name in names)
    return Trace(ID, "deploy", pending=waiting, noted=0, certificates=known)


def renew(there: Place, name: str) -> None:
    link = there.path(f"{LIVE}/{name}/cert.pem")
    link.unlink()
    link.symlink_to(f"../../archive/{name}/cert2.pem")


def test_a_renewal_meanwhile_is_kept(there: Place) -> None:
    left = before(there, f"{LIVE}/x")
    wait_for(there, f"{LIVE}/x", f"{LIVE}/a.example", f"{LIVE}/b.example", f"{LIVE}/new")
    renew(there, "b.example")
    pending.put_back(there.host, there.tree, left)
    assert pending.lines(there.tree) == (f"{LIVE}/x", f"{LIVE}/b.example", f"{LIVE}/new")
    assert there.path(PENDING).stat().st_mode & 0o777 in (0o600, 0o644)


def test_what_cannot_be_put_back_is_told(there: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    Hooks(there)
    serves(monkeypatch, {**SAME, "b.example": "old"})
    wait_for(there, f"{LIVE}/x")

    def fails(*arguments: object) -> None:
        raise OSError(5, "Input/output error", PENDING)

    monkeypatch.setattr(pending, "put_back", fails)
    outcome = deploy.drill(there.scene)
    assert [step.what for step in outcome.steps if not step.ok] == [
        "served: b.example",
        "cleaned up",
    ]
    assert PENDING in outcome.steps[-1].message
    assert there.trace() is not None


def test_a_hook_that_was_killed_loses_nothing(there: Place) -> None:
    left = before(there, f"{LIVE}/x")
    there.write(f"{PENDING}.done", f"{LIVE}/x\n{LIVE}/new\n")
    wait_for(there, f"{LIVE}/a.example")
    pending.put_back(there.host, there.tree, left)
    assert pending.lines(there.tree) == (f"{LIVE}/x", f"{LIVE}/new")
    assert not there.path(f"{PENDING}.done").exists()


def test_after_a_killed_drill_what_was_loaded_does_not_wait_again(there: Place) -> None:
    left = before(there, f"{LIVE}/x", f"{LIVE}/a.example")
    trace.write(there.tree, left)
    assert clean.recover(there.host, there.tree).startswith("cleaned up")
    assert there.left() == []
    # A renewal since, of what was no part of it and of what was.
    wait_for(there, f"{LIVE}/new", f"{LIVE}/b.example")
    renew(there, "b.example")
    trace.write(there.tree, left)
    assert clean.recover(there.host, there.tree).startswith("cleaned up")
    assert pending.lines(there.tree) == (f"{LIVE}/new", f"{LIVE}/b.example")


def test_after_a_killed_drill_a_hook_at_work_is_let_be(there: Place) -> None:
    trace.write(there.tree, before(there, f"{LIVE}/x"))
    noted = wait_for(there, f"{LIVE}/x", f"{LIVE}/a.example")
    there.write("/proc/700/cmdline", f"/bin/sh\0{POST}\0")
    assert f"{POST} is at work (process 700)" in clean.recover(there.host, there.tree)
    assert now_waits(there) == noted
    there.path("/proc/700/cmdline").unlink()
    assert clean.recover(there.host, there.tree).startswith("cleaned up")
    assert pending.lines(there.tree) == (f"{LIVE}/x",)


@pytest.mark.parametrize("at", range(4))
def test_killed_while_it_puts_back(there: Place, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """Whatever was renewed or waited is still noted; once more makes it as it should be."""
    left = before(there, f"{LIVE}/x")
    wait_for(there, f"{LIVE}/x", f"{LIVE}/a.example", f"{LIVE}/new")
    calls = 0

    def killing(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls > at:
                raise SystemExit
            return real(*arguments, **options)

        return call

    with monkeypatch.context() as patched:
        for name in ("rename", "write", "unlink"):
            patched.setattr(os, name, killing(getattr(os, name)))
        if at < 3:
            with pytest.raises(SystemExit):
                pending.put_back(there.host, there.tree, left)
        else:
            pending.put_back(there.host, there.tree, left)
    assert {f"{LIVE}/x", f"{LIVE}/new"} <= {*pending.lines(there.tree)}
    trace.write(there.tree, left)
    assert clean.recover(there.host, there.tree).startswith("cleaned up")
    assert pending.lines(there.tree) == (f"{LIVE}/x", f"{LIVE}/new")
    assert there.left() == [PENDING]
