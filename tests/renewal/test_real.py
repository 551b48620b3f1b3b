"""A real certbot against a real ACME server, without root."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from certtui.demo import server
from certtui.demo.sandbox import NAMES, Sandbox
from certtui.renewal.dry_run import dry_run
from certtui.renewal.events import LineageResult, LineageStarted
from certtui.workflow import Job
from tests.demo.support import need
from tests.renewal.support import done, results, texts


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    need("acme2certifier")
    with Sandbox(authority="acme2certifier") as made, server.surroundings(made):
        yield made


@pytest.fixture
def job(sandbox: Sandbox) -> Job:
    return server.job(sandbox)


def test_both_renew_on_trial(job: Job) -> None:
    events = list(job.dry_run(threading.Event()))
    end = done(events)
    assert results(end) == dict.fromkeys(NAMES, "ok")
    assert end.ok
    assert [event.name for event in events if isinstance(event, LineageStarted)] == list(NAMES)
    assert [event.name for event in events if isinstance(event, LineageResult)] == list(NAMES)
    assert any("Simulating renewal" in text for text in texts(events))


def test_a_server_that_is_away(job: Job) -> None:
    gone = replace(job.facts.lineages[0], server="http://127.0.0.1:1/directory")
    found = replace(job.facts, lineages=(gone,))
    end = done(list(dry_run(job.plan, found, cancel=threading.Event())))
    assert results(end) == {gone.name: "failed"}
    assert end.lineages[0].reason.startswith("the ACME server cannot be reached from this host;")


def test_a_post_hook_that_fails(job: Job) -> None:
    """certbot exits 0 and says so only in passing."""
    hook = ("--post-hook", "echo no such site >&2; exit 7")
    plan = replace(job.plan, certbot=replace(job.plan.certbot, extra_args=hook))
    end = done(list(dry_run(plan, job.facts, cancel=threading.Event(), only=NAMES[0])))
    assert not end.ok
    assert "the post hook failed with exit status 7: no such site;" in end.lineages[0].reason
