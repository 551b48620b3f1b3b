"""What certbot's words mean: recorded runs of two versions, and the wordings of others."""

from __future__ import annotations

from pathlib import Path

import pytest

from certtui.renewal.events import Event, LineageResult, LineageStarted
from certtui.renewal.lines import clean
from certtui.renewal.parse import Reader
from tests.renewal.support import NAMES, lineage

RECORDED = Path(__file__).with_name("recorded")

DEMO, SHOP = NAMES


def _read(
    text: str, *names: str, code: int = 0, why: str = "", without_row: str = "failed"
) -> tuple[Reader, list[Event]]:
    reader = Reader(tuple(lineage(name) for name in names or NAMES))
    events: list[Event] = []
    for number, line in enumerate(text.split("\n")):
        events += reader.feed(clean(line), float(number))
    events += reader.finish(code, why, 99.0, without_row=without_row)
    return reader, events


def _reasons(text: str, *names: str, code: int = 0) -> dict[str, tuple[str, str]]:
    reader, _ = _read(text, *names, code=code)
    return {row.name: (row.result, row.reason) for row in reader.results}


def _recorded(version: str, case: str, *names: str) -> tuple[Reader, list[Event]]:
    first, _, text = (RECORDED / version / f"{case}.txt").read_text("utf-8").partition("\n")
    return _read(text, *names, code=int(first.removeprefix("exit ")))


BOTH = pytest.mark.parametrize("version", ["2.1.0", "5.8.0"])


@BOTH
def test_all_renew(version: str) -> None:
    reader, events = _recorded(version, "all-ok")
    assert [type(event).__name__ for event in events] == [
        "LineageStarted",
        "LineageStarted",
        "LineageResult",
        "LineageResult",
    ]
    assert [(row.name, row.result, row.reason) for row in reader.results] == [
        (DEMO, "ok", ""),
        (SHOP, "ok", ""),
    ]


@BOTH
def test_one_that_is_not_in_the_table_has_not_renewed(version: str) -> None:
    reader, _ = _recorded(version, "all-ok", *NAMES, "third.example.test")
    third = reader.results[2]
    assert third.result == "failed"
    assert third.reason.startswith("certbot did not say what became of it and ended with exit ")


@BOTH
def test_one_of_two_fails_and_is_told_at_once(version: str) -> None:
    reader, events = _recorded(version, "one-refused")
    failed = next(event for event in events if isinstance(event, LineageResult))
    assert (failed.name, failed.result) == (SHOP, "failed")
    assert failed.seconds < 99.0
    assert failed.reason.startswith("the name's port 80 (or 443) refused the connection; ")
    assert "dial tcp 127.0.0.1:" in failed.reason  # certbot's own words are kept
    assert {row.name: row.result for row in reader.results} == {DEMO: "ok", SHOP: "failed"}
    told = [event.name for event in events if isinstance(event, LineageResult)]
    assert told == [SHOP, DEMO]  # each once


@BOTH
def test_all_fail(version: str) -> None:
    reader, _ = _recorded(version, "all-refused")
    for row in reader.results:
        assert row.result == "failed"
        assert row.name in row.reason
        assert "refused the connection" in row.reason


@BOTH
@pytest.mark.parametrize(
    ("case", "name", "words"),
    [
        ("server-away", DEMO, "the ACME server cannot be reached from this host"),
        ("wrong-webroot", SHOP, "the web server answered, but not with certbot's challenge"),
        ("port-in-use", DEMO, "another program of this host holds the port"),
        ("one-broken", SHOP, "certbot cannot use its configuration; correct or remove it (certbot"),
        ("all-broken", DEMO, "is missing a required file reference"),
        ("unknown-option", DEMO, "certbot does not know an option it was given"),
        ("hook-missing", DEMO, "a hook is not a program that can be found"),
        ("pre-hook-fails", DEMO, "the renewal works, but the pre hook failed with exit status 1;"),
        ("none", DEMO, "certbot did not say what became of it and ended with exit status 0; its"),
    ],
)
def test_what_fails_is_explained(version: str, case: str, name: str, words: str) -> None:
    reader, _ = _recorded(version, case, name)
    rows = {row.name: row for row in reader.results}
    assert rows[name].result == "failed"
    assert words in rows[name].reason
    assert "\n" not in rows[name].reason
    assert not reader.locked


@BOTH
def test_a_lineage_that_cannot_be_read_fails_alone(version: str) -> None:
    reader, _ = _recorded(version, "one-broken")
    assert {row.name: row.result for row in reader.results} == {DEMO: "ok", SHOP: "failed"}


@BOTH
def test_a_post_hook_that_fails_is_a_failure_of_all(version: str) -> None:
    """certbot itself exits 0 (certbot #8528, SEED_DEFECTS 4)."""
    reader, _ = _recorded(version, "post-hook-fails")
    assert [row.reason for row in reader.results] == [
        "the renewal works, but the post hook failed with exit status 3: nginx: configuration "
        "file test failed; run it by hand to see why"
    ] * 2


def test_a_deploy_hook_that_fails_is_a_failure_of_its_lineage() -> None:
    reader, _ = _recorded("5.8.0", "deploy-hook-fails")
    assert [(row.name, row.result) for row in reader.results] == [(DEMO, "ok"), (SHOP, "failed")]
    assert "the deploy hook failed with exit status 5: no;" in reader.results[1].reason


@BOTH
def test_the_lock_is_held(version: str) -> None:
    reader, _ = _recorded(version, "locked")
    assert reader.locked


# -- wordings of other versions (their source: certbot/renewal.py, compat/misc.py) -----------------

OLD = """
Processing /etc/letsencrypt/renewal/demo.example.test.conf
Attempting to renew cert (shop.example.test) from /etc/letsencrypt/renewal/shop.example.test.conf \
produced an unexpected error: Failed authorization procedure. shop.example.test (http-01): \
urn:ietf:params:acme:error:connection :: The server could not connect to the client to verify the \
domain :: Fetching http://shop.example.test/.well-known/acme-challenge/x: Connection refused. \
Skipping.
** DRY RUN: simulating 'certbot renew' close to cert expiry
**          (The test certificates below have not been saved.)

The following certs were successfully renewed:
  /etc/letsencrypt/live/demo.example.test/fullchain.pem (success)

The following certs could not be renewed:
  /etc/letsencrypt/live/shop.example.test/fullchain.pem (failure)
** DRY RUN: simulating 'certbot renew' close to cert expiry
"""


def test_certbot_0_40() -> None:
    found = _reasons(OLD, code=1)
    assert found[DEMO] == ("ok", "")
    assert found[SHOP][0] == "failed"
    assert "refused the connection" in found[SHOP][1]
    assert "Skipping" not in found[SHOP][1]


@pytest.mark.parametrize(
    "heading",
    [
        "Congratulations, all renewals succeeded. The following certs have been renewed:",
        "Congratulations, all simulated renewals succeeded: ",
        "Congratulations, all renewals succeeded: ",
        "The following certs were successfully renewed:",
        "The following simulated renewals succeeded:",
        "The following renewals succeeded:",
    ],
)
def test_headings_of_success(heading: str) -> None:
    row = f"{heading}\n  /etc/letsencrypt/live/{DEMO}/fullchain.pem (success)"
    assert _reasons(row, DEMO)[DEMO] == ("ok", "")


@pytest.mark.parametrize(
    "heading",
    [
        "All renewal attempts failed. The following certs could not be renewed:",
        "All simulated renewals failed. The following certificates could not be renewed:",
        "The following certs could not be renewed:",
        "The following simulated renewals failed:",
    ],
)
def test_headings_of_failure(heading: str) -> None:
    row = f"{heading}\n  /etc/letsencrypt/live/{DEMO}/fullchain.pem (failure)"
    assert _reasons(row, DEMO)[DEMO] == ("failed", "certbot gave no cause; read its log")


@pytest.mark.parametrize("what", ["certs", "certificates"])
def test_one_that_is_passed_over_is_not_proved(what: str) -> None:
    text = (
        f"The following {what} are not due for renewal yet:\n"
        f"  /etc/letsencrypt/live/{DEMO}/fullchain.pem expires on 2027-01-31 (skipped)\n"
        "No simulated renewals were attempted."
    )
    assert _reasons(text, DEMO)[DEMO] == ("skipped", "certbot passed over it: not due yet")


def test_a_hook_of_certbot_1() -> None:
    text = (
        f"Congratulations, all renewals succeeded:\n  /x/live/{DEMO}/fullchain.pem (success)\n"
        'post-hook command "systemctl reload nginx" returned error code 1\n'
        "Error output from post-hook command systemctl:\nJob for nginx.service failed."
    )
    result, reason = _reasons(text, DEMO)[DEMO]
    assert result == "failed"
    assert "post hook systemctl reload nginx failed with exit status 1: Job for nginx" in reason


def test_a_silent_hook_of_certbot_1_swallows_no_result() -> None:
    text = (
        'pre-hook command "x" returned error code 1\n'
        f"Congratulations, all renewals succeeded:\n  /x/live/{DEMO}/fullchain.pem (success)"
    )
    result, reason = _reasons(text, DEMO)[DEMO]
    assert (result, reason) == (
        "failed",
        "the renewal works, but the pre hook x failed with exit status 1; run it by hand to see "
        "why",
    )


def test_a_failed_challenge_hook_is_the_cause() -> None:
    text = (
        f"Processing /etc/letsencrypt/renewal/{DEMO}.conf\n"
        f"Hook '--manual-auth-hook' for {DEMO} reported error code 1\n"
        f"Failed to renew certificate {DEMO} with error: Some challenges have failed."
    )
    assert _reasons(text, DEMO)[DEMO][1].startswith("the hook that answers the challenge failed;")


# -- names, and words that only look like a result -------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["a b", "ümläut.example", "with error: x", "x (success)", "-x", "x.conf", "a" * 90, "*.x"],
)
def test_odd_names(name: str) -> None:
    ok = (
        f"Processing /etc/letsencrypt/renewal/{name}.conf\nCongratulations, all renewals "
        f"succeeded:\n  /etc/letsencrypt/live/{name}/fullchain.pem (success)"
    )
    _, events = _read(ok, name)
    assert events[0] == LineageStarted(name, 0.0)
    assert _reasons(ok, name)[name] == ("ok", "")
    bad = (
        f"Processing /etc/letsencrypt/renewal/{name}.conf\n"
        f"Failed to renew certificate {name} with error: No space left on device\nAll simulated "
        "renewals failed. The following certificates could not be renewed:\n"
        f"  /etc/letsencrypt/live/{name}/fullchain.pem (failure)"
    )
    assert _reasons(bad, name)[name] == (
        "failed",
        "the disk is full (certbot: No space left on device)",
    )


def test_a_path_that_certbot_folded() -> None:
    """``Processing PATH`` goes through textwrap at 80 columns (certbot, ``wrap_lines``)."""
    _, events = _read("- - -\nProcessing\n/srv/a folder with\nspaces/renewal/x.conf\n- - -", "x")
    assert events[0] == LineageStarted("x", 3.0)


@pytest.mark.parametrize("text", ["Processing\n- - -", "Processing " + "x" * 9000])
def test_a_path_that_never_comes(text: str) -> None:
    _, events = _read(f"{text}\nProcessing /etc/letsencrypt/renewal/{DEMO}.conf", DEMO)
    assert events[0] == LineageStarted(DEMO, float(text.count("\n") + 1))


def test_a_lineage_whose_files_are_elsewhere_is_found_by_them() -> None:
    from dataclasses import replace

    odd = replace(lineage("shop"), certificate="/srv/certs/full.pem")
    reader = Reader((odd,))
    text = "Congratulations, all renewals succeeded:\n  /srv/certs/full.pem (success)"
    for line in text.split("\n"):
        list(reader.feed(line, 0.0))
    assert [row.result for row in reader.finish(0, "", 1.0)] == ["ok"]


def test_one_that_came_since_is_told_too() -> None:
    text = "Congratulations, all renewals succeeded:\n  /x/live/new/fullchain.pem (success)"
    assert _reasons(text, DEMO)["new"] == ("ok", "")
    assert _reasons(text, DEMO)[DEMO][0] == "failed"


@pytest.mark.parametrize(
    "text",
    [
        "  /etc/letsencrypt/live/demo.example.test/fullchain.pem (success)",
        "Hook 'pre-hook' ran with output:\n Congratulations, all renewals succeeded:\n"
        "   /etc/letsencrypt/live/demo.example.test/fullchain.pem (success)",
        "Congratulations, all renewals succeeded:\n"
        "  /etc/letsencrypt/live/demo.example.test/fullchain.pem (failure)",
        "Congratulations, all renewals succeeded:\nsomething else\n"
        "  /etc/letsencrypt/live/demo.example.test/fullchain.pem (success)",
        "Congratulations, all renewals succeeded:\n"
        "  /etc/letsencrypt/live/demo.example.test/fullchain.pem (success) x",
        "Congratulations, all renewals succeeded:\n"
        "  /etc/letsencrypt/live/demo.example.test2/fullchain.pem (success)",
        "demo.example.test ok",
    ],
)
def test_words_that_are_no_success(text: str) -> None:
    assert _reasons(text, DEMO)[DEMO][0] == "failed"


def test_success_and_failure_of_the_same_lineage_is_a_failure() -> None:
    text = (
        "The following renewals succeeded:\n  /etc/letsencrypt/live/demo.example.test/fullchain.pem"
        " (success)\nThe following renewals failed:\n"
        "  /etc/letsencrypt/live/demo.example.test/fullchain.pem (failure)\n"
        "The following renewals succeeded:\n  /etc/letsencrypt/live/demo.example.test/fullchain.pem"
        " (success)"
    )
    assert _reasons(text, DEMO)[DEMO][0] == "failed"


def test_a_run_that_was_stopped() -> None:
    start = f"Processing /etc/letsencrypt/renewal/{DEMO}.conf"
    reader, _ = _read(start, DEMO, code=-9, why="cancelled", without_row="skipped")
    assert [(row.result, row.reason) for row in reader.results] == [("skipped", "cancelled")]


@pytest.mark.parametrize(
    ("code", "how"), [(-9, "was ended by signal 9"), (3, "ended with exit status 3")]
)
def test_certbot_that_died(code: int, how: str) -> None:
    result, reason = _reasons("Traceback:\nMemoryError", DEMO, code=code)[DEMO]
    assert result == "failed"
    assert reason == (
        f"certbot did not say what became of it and {how}; its last words: MemoryError"
    )


def test_certbot_that_said_nothing() -> None:
    assert _reasons("", DEMO)[DEMO][1].endswith("; its last words: none")


def test_what_is_kept_for_a_reason_is_bounded() -> None:
    text = f"Processing /etc/letsencrypt/renewal/{DEMO}.conf\n" + "  Detail: x\n" * 5000
    reader, _ = _read(f"{text}Failed to renew certificate {DEMO} with error: " + "y" * 9999, DEMO)
    assert len(reader.results[0].reason) < 600


@BOTH
def test_a_result_has_the_parts_of_its_reason(version: str) -> None:
    for path in sorted((RECORDED / version).glob("*.txt")):
        reader, _ = _recorded(version, path.stem)
        for row in reader.results:
            assert (row.why.sentence if row.why else "") == row.reason


@BOTH
@pytest.mark.parametrize(
    ("case", "name", "words"),
    [
        ("one-refused", SHOP, "port 80 refused: open it, then r"),
        ("wrong-webroot", SHOP, "the challenge is not served: correct the webroot or DNS, then r"),
        (
            "server-away",
            DEMO,
            "the ACME server cannot be reached: look at network, firewall and proxy, then r",
        ),
        (
            "post-hook-fails",
            DEMO,
            "it renews, but the post hook failed (nginx: configuration file test failed): run the "
            "hook by hand, then r",
        ),
        (
            "locked",
            DEMO,
            "certbot ended with exit status 1 and did not say why: read its last words, then r",
        ),
    ],
)
def test_a_page_says_it_shortly(version: str, case: str, name: str, words: str) -> None:
    reader, _ = _recorded(version, case)
    rows = {row.name: row.why for row in reader.results}
    why = rows[name]
    assert why is not None
    assert why.brief("r", name) == words
