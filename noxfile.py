"""The project's chores: ``nox`` alone is what has to pass before a change lands.

Each session makes an environment of its own. ``nox --list`` names them all.
"""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
from pathlib import Path

import nox

SUPPORTED = ("3.10", "3.11", "3.12", "3.13")

nox.options.default_venv_backend = "uv|virtualenv"
nox.options.sessions = ["lint", "tests", "host"]
nox.needs_version = ">=2024.10"


def _found() -> list[str]:
    """The supported Pythons found here; pyenv's are put on PATH, as its shims alone do not run."""
    found = []
    for version in SUPPORTED:
        if not _runs(f"python{version}"):
            for folder in glob.glob(os.path.expanduser(f"~/.pyenv/versions/{version}.*/bin")):
                os.environ["PATH"] = f"{folder}{os.pathsep}{os.environ['PATH']}"
        if _runs(f"python{version}"):
            found.append(version)
    return found


def _runs(program: str) -> bool:
    path = shutil.which(program)
    return (
        path is not None and subprocess.run([path, "-c", ""], capture_output=True).returncode == 0
    )


PYTHONS = _found()
#: Where one is enough: the one Debian 12 has, else the newest found.
PYTHON = "3.11" if "3.11" in PYTHONS else PYTHONS[-1]


@nox.session(python=PYTHON)
def lint(session: nox.Session) -> None:
    """ruff, mypy --strict, and shellcheck on every script that can be rendered."""
    session.install("-e", ".[lint]", "nox")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    scripts = Path(session.create_tmp()) / "scripts"
    session.run("python", "-m", "tests.render.export", str(scripts))
    if shutil.which("shellcheck") is None and not os.environ.get("CI"):
        session.warn("shellcheck is not installed (apt install shellcheck): scripts not checked")
        return
    found = sorted(str(path) for path in scripts.iterdir())
    session.run("shellcheck", "--shell=sh", "--severity=style", *found, external=True, log=False)
    session.log(f"shellcheck: {len(found)} rendered scripts, no finding")


#: Scripts under dash for a thousand days, which no Python matters to: one is enough.
SIMULATIONS = ("tests/render/test_simulation.py",)
#: What rendered scripts do under dash and busybox: the same on every Python, too.
SCRIPTS = (
    "tests/test_defects.py",
    "tests/test_defects_at.py",
    "tests/render/test_at.py",
    "tests/render/test_environment.py",
    "tests/render/test_heartbeat.py",
    "tests/render/test_hooks.py",
    "tests/render/test_lasting.py",
    "tests/render/test_mail.py",
    "tests/render/test_renew.py",
    "tests/render/test_signals.py",
    "tests/render/test_standins.py",
)
#: The pages of the wizard one by one: what depends on Python shows in those that stay, which go the
#: whole way through them; these were seen on every Python once.
PAGES = (
    "tests/tui/test_care.py",
    "tests/tui/test_layout.py",
    "tests/tui/test_looks.py",
    "tests/tui/test_proof.py",
    "tests/tui/test_sizes.py",
    "tests/tui/test_snapshots.py",
)
#: Real ACME servers killed at every moment and terminals watched while nothing happens, for
#: minutes: one Python tells enough. They mostly wait, so two at a time leave the machine quiet.
QUIET = (
    "tests/demo/test_run.py",
    "tests/demo/test_wizard.py",
    "tests/demo/test_interruption.py",
    "tests/tui/test_looks_terminal.py",
    "tests/tui/test_bytes.py",
    "tests/tui/test_terminal.py",
)


#: The rooms of which 95 % of the branches must be run by their tests.
MEASURED = ("plan", "render", "change")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """The unit tests, on every supported Python that is found."""
    session.install("-e", ".[test]")
    if session.posargs:
        session.run("pytest", "--ignore=tests/host", *session.posargs)
        return
    left_out = [f"--ignore={path}" for path in ("tests/host", *SIMULATIONS, *QUIET)]
    side_by_side = ("-n2", "--dist=loadfile")
    quick = ("pytest", *side_by_side, *left_out)
    if session.python != PYTHON:
        session.run(*quick, *(f"--ignore={path}" for path in (*SCRIPTS, *PAGES)))
        return
    # Of what is written as root every branch counts, by the tests of these rooms alone; measuring
    # slows the rest down, which says nothing of them.
    measured = tuple(f"tests/{room}" for room in MEASURED)
    simulated = tuple(f"--ignore={path}" for path in SIMULATIONS)
    session.run("pytest", *side_by_side, *measured, *simulated, "--cov", "--cov-report=")
    rooms = ",".join(f"certtui/{room}/*" for room in MEASURED)
    session.run("coverage", "report", f"--include={rooms}", "--fail-under=95", "--skip-covered")
    session.run(*quick, *(f"--ignore={path}" for path in measured))
    session.run("pytest", "-n2", *SIMULATIONS)
    session.run("pytest", *side_by_side, *QUIET)


#: Where the tests on hosts keep what commands printed, a file a test.
TRANSCRIPTS = Path("build/transcripts")

#: Hosts mostly wait for the clock: more tests at a time than a small machine has processors.
SIDE_BY_SIDE = ("-n5", "--dist=loadfile", "--no-loadscope-reorder")


@nox.session(python=PYTHON)
def host(session: nox.Session) -> None:
    """Booted hosts with real cron, systemd, certbot, web servers, mail: the part that CI runs."""
    session.install("-e", ".[test]", "pip")
    shutil.rmtree(TRANSCRIPTS, ignore_errors=True)
    session.run("pytest", "tests/host", "-m", "not full", *SIDE_BY_SIDE, *session.posargs)
    _show_matrix()


@nox.session(python=PYTHON)
def host_full(session: nox.Session) -> None:
    """Every test on booted hosts, on every release."""
    session.install("-e", ".[test]", "pip")
    shutil.rmtree(TRANSCRIPTS, ignore_errors=True)
    for suite in ("bookworm", "trixie"):
        # The matrix has both releases in itself.
        done = () if suite == "bookworm" else ("--ignore=tests/host/test_matrix.py",)
        argv = ("pytest", "tests/host", *SIDE_BY_SIDE, *done, *session.posargs)
        session.run(*argv, env={"CERTTUI_SUITE": suite})
    _show_matrix()


def _show_matrix() -> None:
    """What each cell of the matrix printed: the proof that CI keeps."""
    for path in sorted(TRANSCRIPTS.glob("test_cell*.txt")):
        print(f"==== {path.stem} ====\n{path.read_text('utf-8')}")


@nox.session(python=PYTHON)
def bench(session: nox.Session) -> None:
    """What the commands and the wizard cost; prints, never fails on a figure."""
    session.install("-e", ".[test]", "pyperf")
    session.run("python", "tests/bench.py", *session.posargs)
    session.run("python", "tests/bench_tui.py")
    session.run("python", "-m", "tests.bench_lineages")


@nox.session(python=PYTHON)
def screenshots(session: nox.Session) -> None:
    """Draws the pictures in ``screenshots/`` anew from the real program."""
    session.install("-e", ".[test,screenshots]")
    session.run("python", "screenshots/make.py", *session.posargs)


@nox.session(python=PYTHON)
def docs(session: nox.Session) -> None:
    """Writes the reference pages from the declaration and builds the documentation as HTML."""
    session.install("-e", ".[docs]")
    session.run("python", "docs/generate.py")
    session.run("sphinx-build", "-W", "--keep-going", "-q", "-b", "html", "docs", "build/docs")
    session.log("build/docs/index.html")
