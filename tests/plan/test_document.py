"""The plan document: problems with places, comments kept, every key written out."""

from __future__ import annotations

import os
from pathlib import Path

import jsonschema
import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from certtui.errors import PlanInvalid, PlanMissing
from certtui.plan import document, fields, positions
from certtui.plan.document import Document
from certtui.plan.model import Plan
from certtui.plan.schema import json_schema


def problems(text: str) -> list[str]:
    with pytest.raises(PlanInvalid) as caught:
        Document(text, "p.toml")
    return [str(problem) for problem in caught.value.problems]


def test_a_new_plan_holds_every_key_with_its_help() -> None:
    text = document.new({}, "p.toml").text
    parsed = tomlkit.parse(text).unwrap()
    for field in fields.FIELDS:
        assert field.name in parsed[field.section]
        assert field.help in text


def test_defaults_survive_the_round_trip() -> None:
    made = document.new({}, "p.toml").plan
    assert made == Plan.from_values(fields.defaults())
    assert made.values() == fields.defaults()


def test_model_and_declaration_name_the_same_keys() -> None:
    plan = Plan.from_values(fields.defaults())
    assert set(plan.values()) == {"version", *fields.BY_KEY}


def test_missing_keys_take_their_defaults() -> None:
    plan = Document("version = 1\n[mail]\nto = 'a@example.com'\n", "p.toml").plan
    assert (plan.mail.to, plan.schedule.runs_per_day) == ("a@example.com", 2)


def test_update_keeps_comments_order_and_format() -> None:
    text = (
        "# mine\nversion = 1\n\n[mail] # who\nto   =  'a@example.com'   # me\n"
        "# between\n[schedule]\nruns_per_day=2\n"
    )
    doc = Document(text, "p.toml")
    doc.update({"schedule.runs_per_day": 4, "mail.to": "b@example.com"})
    assert doc.text == text.replace("'a@example.com'", '"b@example.com"').replace("=2", "=4")
    assert doc.plan.schedule.runs_per_day == 4


def test_update_without_a_difference_keeps_every_byte() -> None:
    text = "version = 1\n[schedule]\nruns_per_day = 0x2 # hex\n"
    doc = Document(text, "p.toml")
    doc.update(doc.plan.values())
    assert doc.text == text


def test_update_adds_missing_sections_and_refuses_nonsense() -> None:
    doc = Document("version = 1\n", "p.toml")
    doc.update({"mail.to": "root"})
    assert doc.plan.mail.to == "root"
    before = doc.text
    with pytest.raises(PlanInvalid):
        doc.update({"schedule.runs_per_day": 0})
    assert doc.text == before


def test_all_problems_at_once_each_with_its_place() -> None:
    found = problems(
        "version = 1\n[webserver]\nkind = 'ngnix'\n  kidn = 3\n[schedule]\nruns_per_day = true\n"
        "[shedule]\nx = 1\n"
    )
    assert found == [
        'p.toml:3:1: webserver.kind: is "ngnix"; it must be one of "nginx", "apache", "custom", '
        "\"none\"; did you mean 'nginx'?",
        "p.toml:4:3: webserver.kidn: unknown key; did you mean webserver.kind?",
        "p.toml:6:1: schedule.runs_per_day: is true; it must be a whole number from 1 to 24",
        "p.toml:7:1: shedule: unknown key; did you mean schedule?",
    ]


def test_duplicates_are_reported_beside_other_problems() -> None:
    found = problems("version = 1\n[mail]\nto = 'x y'\nto = 'z@example.com'\n")
    assert len(found) == 2
    assert found[1] == "p.toml:4:1: mail.to: is given twice, first in line 3"
    assert problems("version = 1\n[mail]\n[mail]\n") == [
        "p.toml:3:1: mail: is given twice, first in line 2"
    ]


@pytest.mark.parametrize("value", ["0", "25", "-1", "1.5", "true", '"two"', "[]", "1979-05-27"])
def test_runs_per_day_is_a_whole_number_from_1_to_24(value: str) -> None:
    (found,) = problems(f"version = 1\n[schedule]\nruns_per_day = {value}\n")
    assert found.startswith("p.toml:3:1: schedule.runs_per_day: is ")
    assert found.endswith("must be a whole number from 1 to 24")


@pytest.mark.parametrize(
    "address",
    [
        "a b@example.com", 'a"b@example.com', "a'b c@x", "a;b@example.com", "a`id`@example.com",
        "a@b@example.com", "@example.com", "a@", "-oQ/tmp@example.com", "a@-x.com", "|sh@x.com",
        "a..b@example.com", "a@exa_mple.com", "Root",
    ],
)  # fmt: skip
def test_bad_mail_addresses_are_refused(address: str) -> None:
    (found,) = problems(f"version = 1\n[mail]\nto = {tomlkit.item(address).as_string()}\n")
    assert found.startswith("p.toml:3:1: mail.to: ")
    assert "mail address" in found


@pytest.mark.parametrize("address", ["root", "admin@example.com", "a+b@example.com", "x@localhost"])
def test_good_mail_addresses_are_taken(address: str) -> None:
    assert document.new({"mail.to": address}, "p").plan.mail.to == address


@pytest.mark.parametrize(
    "path", ["sbin", "/usr/../sbin", "/usr//sbin", "/usr/sbin/", "//x", "/a b"]
)
def test_paths_are_absolute_and_normalised(path: str) -> None:
    (found,) = problems(f'version = 1\n[files]\nscripts = "{path}"\n')
    assert found.startswith("p.toml:3:1: files.scripts: ")


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/etc", "/etc/cron.d", "/etc/cron.daily/x", "/etc/letsencrypt/renewal-hooks"),
        *(
            "/etc/systemd/system",
            "/usr/lib/systemd/system",
            "/proc/1",
            "/dev/shm",
            "/sys",
            "/run/x",
        ),
        *("/var/spool/cron/atjobs", "/var/lib/certtui/journal", "/boot"),
    ],
)
def test_scripts_go_nowhere_that_runs_or_forgets_them(path: str) -> None:
    (found,) = problems(f'version = 1\n[files]\nscripts = "{path}"\n')
    assert found.startswith(f"p.toml:3:1: files.scripts: '{path}' is no place for scripts")
    assert "/usr/local/sbin" in found


@pytest.mark.parametrize(
    "path",
    ["/usr/local/sbin", "/opt/certs", "/etc/certtui/bin", "/root/bin", "/runner"],
)
def test_scripts_may_go_elsewhere(path: str) -> None:
    assert document.new({"files.scripts": path}, "p").plan.files.scripts == path


@pytest.mark.parametrize("mark", ["\\n", "\\r", "\\u0000", "\\u001b", "\\u202e", "\\u2028"])
@pytest.mark.parametrize(
    "field", [f for f in fields.FIELDS if f.kind is not fields.Kind.INTEGER], ids=lambda f: f.key
)
def test_control_characters_are_refused_in_every_string(field: fields.Field, mark: str) -> None:
    if field.kind is fields.Kind.BOOLEAN:
        text = f'version = 1\n[{field.section}]\n{field.name} = "x{mark}"\n'
    elif field.kind is fields.Kind.STRINGS:
        text = f'version = 1\n[{field.section}]\n{field.name} = ["x{mark}"]\n'
    elif field.kind is fields.Kind.MAPPING:
        text = f'version = 1\n[{field.key}]\nHTTPS_PROXY = "x{mark}"\n'
    else:
        text = f'version = 1\n[{field.section}]\n{field.name} = "x{mark}"\n'
    assert any(found.startswith("p.toml:3:1") for found in problems(text))


@pytest.mark.parametrize(
    "times", ['["25:00"]', '["3:00"]', '["03:00", "03:00"]', '["03:60"]', "[3]"]
)
def test_malformed_times_are_refused(times: str) -> None:
    (found,) = problems(f"version = 1\n[schedule]\ntimes = {times}\n")
    assert found.startswith("p.toml:3:1: schedule.times: ")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[webserver]\nkind = 'custom'\n", "webserver.command"),
        ("[webserver]\nkind = 'custom'\ncommand = ['./x']\n", "webserver.command"),
        ("[webserver]\nkind = 'custom'\ncommand = ['x']\ntest = ['-x']\n", "webserver.test"),
        ("[webserver]\nkind = 'nginx'\ncommand = ['x']\n", "webserver.command"),
        ("[webserver]\nkind = 'none'\ntest = ['x']\n", "webserver.test"),
        ("[schedule]\nbackend = 'at-block'\ntimes = ['03:00']\n", "schedule.times"),
        ("[schedule]\nbackend = 'at-random'\nruns_per_day = 12\n", "schedule.daily_cap"),
        ("[schedule]\nat_queue = 'b'\n", "schedule.at_queue"),
        ("[schedule]\nat_queue = 'C'\n", "schedule.at_queue"),
        ("[certbot]\nextra_args = ['--dry-run']\n", "certbot.extra_args"),
        ("[certbot]\nextra_args = ['--force-renewal']\n", "certbot.extra_args"),
        ("[certbot.env]\nLD_PRELOAD = 'x'\n", "certbot.env.LD_PRELOAD"),
        ("[certbot.env]\nHTTPS_PROXY = 3\n", "certbot.env"),
        ("[certbot]\ncommand = 'certbot'\n", "certbot.command"),
        ("[files]\nunit = 'a.b'\n", "files.unit"),
        ("[files]\nunit = '-x'\n", "files.unit"),
        ("[notify]\nheartbeat_url = 'http://x.example'\n", "notify.heartbeat_url"),
        ('[notify]\nheartbeat_url = "https://x/$(id) y"\n', "notify.heartbeat_url"),
        ("[[mail]]\nto = 'x'\n", "mail"),
        ("[certbot]\ntimeout = 5\n", "certbot.timeout"),
    ],
)
def test_each_rule_names_its_key(text: str, key: str) -> None:
    found = problems("version = 1\n" + text)
    assert [line.split(": ")[1] for line in found] == [key]


def test_version_is_needed_and_newer_ones_are_refused() -> None:
    assert problems("") == ["p.toml:1:1: version: is missing; the plan begins with version = 1"]
    assert "from a newer certtui" in problems("version = 2\n")[0]
    assert problems("version = true\n") == ["p.toml:1:1: version: must be 1"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("version = 1\nx = [1,\n", "p.toml:2:"),
        ("version = 1\n[mail\n", "p.toml:2:"),
        ("version 1\n", "p.toml:1:"),
        ("version = 1\n\x00\n", "p.toml:2:"),
    ],
)
def test_text_that_is_not_toml_has_its_place(text: str, place: str) -> None:
    (found,) = problems(text)
    assert found.startswith(place)
    assert "not TOML" in found
    assert "\x00" not in found


def test_files_that_are_no_plan(tmp_path: Path) -> None:
    for content in (b"\xff\xfe", b"version = 1\n# \xe9\n"):
        (tmp_path / "p").write_bytes(content)
        with pytest.raises(PlanInvalid, match="is not UTF-8"):
            document.load(str(tmp_path / "p"))
    (tmp_path / "big").write_bytes(b"#" * 10_000_000)
    with pytest.raises(PlanInvalid, match="10000000 bytes"):
        document.load(str(tmp_path / "big"))
    with pytest.raises(PlanMissing, match="no such file"):
        document.load(str(tmp_path / "absent"))
    with pytest.raises(PlanMissing, match="not a regular file"):
        document.load(str(tmp_path))
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(PlanMissing, match="not a regular file"):
        document.load(str(tmp_path / "fifo"))


def test_position_of_a_byte_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "p").write_bytes(b"version = 1\n\xc3\xa4 = \xff")
    with pytest.raises(PlanInvalid) as caught:
        document.load(str(tmp_path / "p"))
    assert (caught.value.problems[0].line, caught.value.problems[0].column) == (2, 5)


def test_the_schema_accepts_a_new_plan_and_refuses_an_unknown_key() -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    plan = tomlkit.parse(document.new({"mail.to": "root"}, "p").text).unwrap()
    jsonschema.validate(plan, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**plan, "mial": {}}, schema)


def test_positions_of_quoted_dotted_and_inline_keys() -> None:
    text = "a.'b' = {c = 1, \"d\" = [\n 1, '''x\n]''']}\n[ e . f ]\ng = \"\"\"\n[h]\n\"\"\"\n"
    found = {entry.path: positions.line_column(text, entry.start) for entry in positions.scan(text)}
    assert found == {
        ("a", "b"): (1, 1), ("a", "b", "c"): (1, 10), ("a", "b", "d"): (1, 17),
        ("e", "f"): (4, 1), ("e", "f", "g"): (5, 1),
    }  # fmt: skip


@given(st.text(max_size=200))
def test_no_text_makes_it_stumble(text: str) -> None:
    try:
        Document("version = 1\n" + text, "p.toml")
    except PlanInvalid as error:
        assert error.problems
        assert all(p.line >= 1 and p.column >= 1 and p.message for p in error.problems)


@pytest.mark.parametrize("text", ["x = " + "[" * 5000, "x = " + "[" * 500 + "]" * 500])
def test_a_deeply_nested_text_is_no_plan_and_no_crash(text: str) -> None:
    assert problems("version = 1\n" + text)
