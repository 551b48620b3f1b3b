"""Plan values are data: a real shell reads every one of them back byte for byte."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from certtui.render import shell
from tests.tools import need

VALUES = st.lists(
    st.one_of(
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
        st.text("'\"\\$`(){}[]*?~!#;&|<>% \t\n-=aé\x01\x7f", max_size=30),
    ),
    min_size=1,
    max_size=4,
)


@pytest.mark.parametrize("program", [("dash",), ("busybox", "sh"), ("bash", "--posix")])
def test_a_shell_reads_back_the_same_bytes(program: tuple[str, ...]) -> None:
    need(program[0])

    @settings(max_examples=150, deadline=None)
    @given(VALUES)
    @example(["'"])
    @example(["''\\''"])
    @example(["-n", "-", "", "$(id)", "`id`", "%s\\n", "a\nb\n", "*", "~", "\\"])
    def check(values: list[str]) -> None:
        script = f"V={shell.quote(values[0])}\nset -- {shell.words(values)}\n"
        script += 'printf "%s\\0" "$V" "$@"'
        done = subprocess.run([*program], input=script.encode(), capture_output=True, check=True)
        assert done.stderr == b""
        got = done.stdout.decode().split("\0")[:-1]
        assert got == [values[0], *values]

    check()


@pytest.mark.parametrize("name", ["renew.sh", "deploy.sh", "post.sh"])
def test_each_template_takes_values_at_one_place(name: str) -> None:
    lines = shell.template(name).splitlines()
    assert lines.count("# @values") == 1
    assert "# @values" not in shell.script(name, "", {"@reload": "reload-custom.sh"}).decode()
