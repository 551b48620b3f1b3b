"""The one declaration of every question certtui asks.

The wizard's steps, the plain prompts, the comments in the TOML, ``init --set``, the JSON Schema and
the reference page all derive from :data:`FIELDS`. To add a question, add it here and to
``model.py``; no screen needs to be touched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from certtui.plan import values

Values = Mapping[str, Any]


class Kind(str, Enum):
    """The type of a value in TOML."""

    TEXT = "string"
    CHOICE = "choice"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    STRINGS = "array of strings"
    MAPPING = "table of strings"


@dataclass(frozen=True)
class Choice:
    """One allowed value, as the wizard shows it."""

    value: str
    label: str
    help: str


def _always(_: Values) -> bool:
    return True


def _fine(_: Any) -> str:
    return ""


@dataclass(frozen=True)
class Field:
    """One question.

    ``help`` is one line: the comment in the TOML and the line under the input. ``check`` gives a
    sentence, or "" if the value is well. ``applies`` says whether the other answers make it count.
    ``step`` is the wizard's step; ``advanced`` fields wait behind a key.
    """

    key: str
    kind: Kind
    default: Any
    question: str
    help: str
    step: str
    choices: tuple[Choice, ...] = ()
    minimum: int = 0
    maximum: int = 0
    check: values.Check = _fine
    applies: Callable[[Values], bool] = _always
    advanced: bool = False

    @property
    def section(self) -> str:
        return self.key.partition(".")[0]

    @property
    def name(self) -> str:
        return self.key.partition(".")[2]


def _custom(answers: Values) -> bool:
    return bool(answers["webserver.kind"] == "custom")


def _served(answers: Values) -> bool:
    return answers["webserver.kind"] in ("nginx", "apache")


def _at(answers: Values) -> bool:
    return answers["schedule.backend"] in ("at-block", "at-random")


def _chain(answers: Values) -> bool:
    return bool(answers["schedule.backend"] == "at-random")


def _fixed(answers: Values) -> bool:
    return not _at(answers)


def _counted(answers: Values) -> bool:
    return not answers["schedule.times"]


def _mailing(answers: Values) -> bool:
    return bool(answers["mail.to"])


FIELDS: tuple[Field, ...] = (
    Field(
        "webserver.kind",
        Kind.CHOICE,
        "nginx",
        "Which server must load a renewed certificate?",
        "nginx | apache | custom | none",
        "webserver",
        choices=(
            Choice("nginx", "nginx", "tests with nginx -t, then reloads nginx.service"),
            Choice("apache", "Apache", "tests with apachectl -t, then reloads apache2 or httpd"),
            Choice("custom", "another", "runs a test and a command of your own"),
            Choice("none", "none", "only renews; you make servers load the certificate"),
        ),
    ),
    Field(
        "webserver.action",
        Kind.CHOICE,
        "reload",
        "Reload or restart it?",
        "reload | restart: a restart refuses connections for a moment",
        "webserver",
        choices=(
            Choice("reload", "reload", "keeps every connection"),
            Choice("restart", "restart", "refuses connections for a moment"),
        ),
        applies=_served,
        advanced=True,
    ),
    Field(
        "webserver.test",
        Kind.STRINGS,
        (),
        "Which command tests its configuration?",
        'custom only: the test of the configuration, as ["program", "argument"]',
        "webserver",
        applies=_custom,
    ),
    Field(
        "webserver.command",
        Kind.STRINGS,
        (),
        "Which command makes it load a new certificate?",
        'custom only: the reload or restart, as ["program", "argument"]',
        "webserver",
        applies=_custom,
    ),
    Field(
        "schedule.backend",
        Kind.CHOICE,
        "systemd-timer",
        "What starts the renewal?",
        "cron | systemd-timer | at-block | at-random",
        "scheduler",
        choices=(
            Choice("systemd-timer", "systemd timer", "makes up missed runs"),
            Choice("cron", "cron", "misses runs while down"),
            Choice("at-block", "at, one a block", "once a block of the day"),
            Choice("at-random", "at, random chain", "each run queues another"),
        ),
    ),
    Field(
        "schedule.runs_per_day",
        Kind.INTEGER,
        2,
        "How many tries a day?",
        "1 to 24",
        "runs",
        minimum=1,
        maximum=24,
        applies=_counted,
    ),
    Field(
        "schedule.trigger",
        Kind.CHOICE,
        "auto",
        "What starts the at scripts?",
        "what starts the at backends: auto | cron | systemd",
        "scheduler",
        choices=(
            Choice("auto", "automatic", "systemd where it runs, else cron"),
            Choice("cron", "cron", "a file in /etc/cron.d"),
            Choice("systemd", "systemd", "a timer"),
        ),
        applies=_at,
        advanced=True,
    ),
    Field(
        "schedule.times",
        Kind.STRINGS,
        (),
        "At which fixed times?",
        'local times, each "HH:MM", in place of a number of tries; not with at',
        "runs",
        check=values.clock_times,
        applies=_fixed,
        advanced=True,
    ),
    Field(
        "schedule.daily_cap",
        Kind.INTEGER,
        10,
        "Never more runs in one day than?",
        "random chain: never more runs than this in one day; at least the tries a day",
        "runs",
        minimum=1,
        maximum=96,
        applies=_chain,
        advanced=True,
    ),
    Field(
        "schedule.at_queue",
        Kind.TEXT,
        "c",
        "Which at queue?",
        "a letter a..z but b",
        "scheduler",
        check=values.at_queue,
        applies=_at,
        advanced=True,
    ),
    Field(
        "schedule.install_packages",
        Kind.BOOLEAN,
        False,
        "May apply install at or cron?",
        "true: apply may install and enable at (or cron) with the host's package manager",
        "scheduler",
        advanced=True,
    ),
    Field(
        "mail.to",
        Kind.TEXT,
        "",
        "Who is told when a renewal fails?",
        "empty: no mail",
        "mail",
        check=values.local_recipient,
    ),
    Field(
        "mail.on",
        Kind.CHOICE,
        "failure",
        "When?",
        "failure: the first, then once a day, and the recovery | every-failure | always",
        "mail",
        choices=(
            Choice("failure", "failure", "the first, then once a day, and the recovery"),
            Choice("every-failure", "every failure", "one mail each failed run"),
            Choice("always", "always", "one mail each run"),
        ),
        applies=_mailing,
        advanced=True,
    ),
    Field(
        "mail.from",
        Kind.TEXT,
        "",
        "Sent by?",
        "empty: the mailer's default",
        "mail",
        check=values.mail_address,
        applies=_mailing,
        advanced=True,
    ),
    Field(
        "certbot.command",
        Kind.TEXT,
        "auto",
        "Which certbot?",
        "auto finds deb, rpm, snap and pip installs; else a path",
        "certbot",
        check=values.command_path,
        advanced=True,
    ),
    Field(
        "certbot.extra_args",
        Kind.STRINGS,
        (),
        "More arguments for certbot renew?",
        'more arguments for certbot renew, as ["--option", "value"]',
        "certbot",
        check=values.certbot_args,
        advanced=True,
    ),
    Field(
        "certbot.timeout",
        Kind.INTEGER,
        900,
        "How many seconds may one run take?",
        "seconds for one dry run or renewal",
        "certbot",
        minimum=10,
        maximum=86400,
        advanced=True,
    ),
    Field(
        "certbot.other_schedulers",
        Kind.CHOICE,
        "disable",
        "What about certbot's own timer?",
        "disable | keep: what happens to certbot.timer and other vendor schedules",
        "scheduler",
        choices=(
            Choice("disable", "switch off", "one renewer only; `certtui undo` turns it on again"),
            Choice("keep", "keep", "both renew; whichever comes first wins"),
        ),
        advanced=True,
    ),
    Field(
        "certbot.env",
        Kind.MAPPING,
        {},
        "Environment of certbot?",
        "only *_proxy, NO_PROXY, REQUESTS_CA_BUNDLE, SSL_CERT_FILE, SSL_CERT_DIR",
        "certbot",
        check=values.environment,
        advanced=True,
    ),
    Field(
        "files.scripts",
        Kind.TEXT,
        "/usr/local/sbin",
        "Where do the scripts go?",
        "folder of the scripts",
        "files",
        check=values.scripts_folder,
        advanced=True,
    ),
    Field(
        "files.unit",
        Kind.TEXT,
        "certtui-renew",
        "What are the units and the cron file called?",
        "letters, digits, - and _; names the cron file, too",
        "files",
        check=values.unit_name,
        advanced=True,
    ),
    Field(
        "notify.heartbeat_url",
        Kind.TEXT,
        "",
        "Which address is requested after each run?",
        "https; requested after a run that ends well, with /fail appended after one that does not",
        "mail",
        check=values.heartbeat_url,
        advanced=True,
    ),
)

BY_KEY: Mapping[str, Field] = {field.key: field for field in FIELDS}


def defaults() -> dict[str, Any]:
    """Every key with its default, flat and dotted, ``version`` included."""
    from certtui.plan.model import VERSION

    return {"version": VERSION, **{field.key: field.default for field in FIELDS}}
