"""The crontab parser: what cron takes is taken, what makes it drop a file is a problem."""

from __future__ import annotations

import pytest

from certtui.doctor.scheduler.crontab_lines import lines


@pytest.mark.parametrize(
    "line",
    [
        "17 4 * * * root /usr/local/sbin/certbot-renew-everything",
        "*/15 0-23/2 1,15 jan-dec sun root x",
        "0 0 * * 7 root x",
        "0\t5 * *\tMon root x % y",
        "@daily root x",
        "@Reboot root x",
    ],
)
def test_jobs_that_cron_takes(line: str) -> None:
    (found,) = lines(line + "\n")
    assert found.problem == ""
    assert found.user == "root"
    assert found.command.startswith(("x", "/usr"))


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("60 4 * * * root x", "60 is no minute"),
        ("0 24 * * * root x", "24 is no hour"),
        ("0 0 0 * * root x", "0 is no day of month"),
        ("0 0 * 13 * root x", "13 is no month"),
        ("0 0 * * 8 root x", "8 is no day of week"),
        ("0 0 * * funday root x", "funday is no day of week"),
        ("0 5-3 * * * root x", "5-3 is no hour"),
        ("*/0 * * * * root x", "*/0 is no minute"),
        ("*-5 * * * * root x", "*-5 is no minute"),
        ("1,,2 * * * * root x", "1,,2 is no minute"),
        ("1 2 3", "less than five fields"),
        ("@sometimes root x", "@sometimes is no time"),
        ("0 5 * * *", "names no user"),
        ("@daily", "names no user"),
        ("0 5 * * * root", "has no command"),
        ("certbot renew", "less than five fields"),
    ],
)
def test_lines_that_drop_the_file(line: str, problem: str) -> None:
    (found,) = lines(f"# a comment\n\n{line}\n")
    assert problem in found.problem
    assert found.number == 3


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ('MAILTO="a@example.org"', "MAILTO", "a@example.org"),
        ("MAILTO = ''", "MAILTO", ""),
        ("'PATH' = /usr/sbin:/usr/bin ", "PATH", "/usr/sbin:/usr/bin"),
        ("EMPTY=", "EMPTY", ""),
    ],
)
def test_settings(line: str, name: str, value: str) -> None:
    (found,) = lines(line + "\n")
    assert (found.problem, found.name, found.value) == ("", name, value)
