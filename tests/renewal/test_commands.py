"""Which commands prove which lineages, and what they are started with."""

from __future__ import annotations

import pytest

from certtui.demo import guard
from certtui.errors import CertbotMissing, ExitCode, UsageError
from certtui.host.interface import SAFE_PATH
from certtui.render import places
from certtui.renewal import commands
from certtui.renewal.commands import dry_runs
from tests.renewal.support import OTHER, facts, lineage, plan

_BARE = ("/usr/bin/certbot", "renew", "--dry-run", "-n", "--no-random-sleep-on-renew")
_STAGING = "https://acme-staging-v02.api.letsencrypt.org/directory"


def test_one_command_where_all_are_lets_encrypts() -> None:
    (run,) = dry_runs(plan(), facts("a.example", lineage("b.example", _STAGING)))
    assert run.argv == _BARE
    assert [each.name for each in run.lineages] == ["a.example", "b.example"]


def test_another_authority_is_asked_by_its_name_and_the_rest_apart() -> None:
    found = facts("a.example", lineage("b.example", OTHER), "c.example")
    runs = dry_runs(plan(), found)
    assert [run.argv for run in runs] == [
        (*_BARE, "--cert-name", "a.example"),
        (*_BARE, "--cert-name", "b.example", "--server", OTHER),
        (*_BARE, "--cert-name", "c.example"),
    ]
    assert [each.name for run in runs for each in run.lineages] == [
        "a.example",
        "b.example",
        "c.example",
    ]


def test_a_server_that_only_looks_like_lets_encrypts() -> None:
    url = "https://api.letsencrypt.org.example.net/directory"
    (run,) = dry_runs(plan(), facts(lineage("a.example", url)))
    assert run.argv == (*_BARE, "--cert-name", "a.example", "--server", url)


@pytest.mark.parametrize("server", ["", OTHER])
def test_only_one(server: str) -> None:
    (run,) = dry_runs(plan(), facts("a.example", lineage("b.example", server)), "b.example")
    more = ("--server", OTHER) if server else ()
    assert run.argv == (*_BARE, "--cert-name", "b.example", *more)
    assert [each.name for each in run.lineages] == ["b.example"]


def test_only_one_that_is_not_there() -> None:
    with pytest.raises(UsageError, match=r"^b: no such certificate.*there are: a\.example$"):
        dry_runs(plan(), facts("a.example"), "b")
    with pytest.raises(UsageError, match="there are: none"):
        dry_runs(plan(), facts(), "b")


def test_no_lineage_no_command() -> None:
    assert dry_runs(plan(), facts()) == ()


def test_a_name_that_looks_like_an_option_stays_a_name() -> None:
    (run,) = dry_runs(plan(), facts(lineage("--help", OTHER)))
    assert run.argv[len(_BARE) :] == ("--cert-name=--help", "--server", OTHER)


def test_arguments_of_the_plan_come_before_ours_so_that_ours_count() -> None:
    made = plan(certbot_extra_args=("--http-01-port", "8080"))
    (run,) = dry_runs(made, facts("a.example"), "a.example")
    assert run.argv == (*_BARE, "--http-01-port", "8080", "--cert-name", "a.example")


@pytest.mark.parametrize("arguments", [("--server", OTHER), (f"--server={OTHER}",)])
def test_a_plan_that_sends_all_to_one_server_needs_one_command(arguments: tuple[str, ...]) -> None:
    """The server of the command line goes before the lineage's, in a dry run as in a real one."""
    found = facts("a.example", lineage("b.example", "https://x.example/dir"))
    (run,) = dry_runs(plan(certbot_extra_args=arguments), found)
    assert run.argv == (*_BARE, *arguments)
    (run,) = dry_runs(plan(certbot_extra_args=arguments), found, "b.example")
    assert run.argv == (*_BARE, *arguments, "--cert-name", "b.example")


def test_a_plan_for_one_certificate_expects_only_that() -> None:
    made = plan(certbot_extra_args=("--cert-name", "b.example"))
    (run,) = dry_runs(made, facts("a.example", "b.example"))
    assert [each.name for each in run.lineages] == ["b.example"]


def test_a_last_argument_without_its_value_is_none() -> None:
    (run,) = dry_runs(plan(certbot_extra_args=("--server",)), facts(lineage("b.example", OTHER)))
    assert run.argv[-2:] == ("--server", OTHER)


def test_certbot_of_the_plan() -> None:
    found = facts("a.example", certbot="/opt/certbot/bin/certbot")
    made = plan(certbot_command="/opt/certbot/bin/certbot")
    assert dry_runs(made, found)[0].argv[0] == "/opt/certbot/bin/certbot"
    assert commands.first_certificate(made, found).startswith("/opt/certbot/bin/certbot ")


@pytest.mark.parametrize(
    ("manager", "sentence"),
    [
        ("apt", "certbot was not found; install it with apt-get install -y certbot"),
        ("", "certbot was not found; install it with the system's package manager"),
    ],
)
def test_no_certbot(manager: str, sentence: str) -> None:
    with pytest.raises(CertbotMissing) as raised:
        dry_runs(plan(), facts("a.example", certbot="", manager=manager))
    assert str(raised.value) == sentence
    assert raised.value.exit_code is ExitCode.NO_CERTBOT


def test_the_plans_certbot_is_not_there() -> None:
    with pytest.raises(CertbotMissing, match="command = /x/certbot: no certbot is there"):
        dry_runs(plan(certbot_command="/x/certbot"), facts("a.example"))


def test_the_environment_is_ours_but_for_the_plans() -> None:
    caller = {"HOME": "/home/a", "LANG": "de_DE", "PYTHONPATH": "/x", guard.MARK: "/tmp/demo"}
    made = plan(certbot_env={"https_proxy": "http://proxy:3128"})
    (run,) = dry_runs(made, facts("a.example"), caller=caller)
    assert run.env == {
        "PATH": SAFE_PATH,
        "LC_ALL": "C.UTF-8",
        "HOME": "/root",
        guard.MARK: "/tmp/demo",
        "https_proxy": "http://proxy:3128",
    }
    assert commands.environment(plan(), facts(root=False), caller)["HOME"] == "/home/a"
    assert commands.environment(plan(), facts(root=False), {})["HOME"] == "/"


def test_config_dir() -> None:
    assert places.config_dir(plan()) == "/etc/letsencrypt"
    assert places.config_dir(plan(certbot_extra_args=("--config-dir=/srv/le/",))) == "/srv/le"


@pytest.mark.parametrize(
    ("kind", "command"),
    [
        ("nginx", "certbot --nginx -d YOUR.DOMAIN"),
        ("apache", "certbot --apache -d YOUR.DOMAIN"),
        ("none", "certbot certonly --standalone -d YOUR.DOMAIN"),
    ],
)
def test_how_to_get_a_first_certificate(kind: str, command: str) -> None:
    assert commands.first_certificate(plan(webserver_kind=kind), facts()) == command
