"""``apply --json`` says on standard output what stands in the way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from certtui import cli


def test_a_refused_apply_still_prints_its_object(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan, root = tmp_path / "plan.toml", tmp_path / "root"
    plan.write_text(
        "version = 1\n[webserver]\nkind = 'none'\n[schedule]\nbackend = 'systemd-timer'\n"
    )
    (root / "usr/local/sbin").mkdir(parents=True)
    (root / "usr/local/sbin/certbot-renew-everything").write_text("mine\n")
    assert cli.main(["apply", "--json", "--root", str(root), str(plan)]) == 1
    said = capsys.readouterr()
    data = json.loads(said.out)
    assert [item["path"] for item in data["files"] if item["state"] == "conflict"] == [
        "/usr/local/sbin/certbot-renew-everything"
    ]
    assert (data["steps"], data["dry_run"]) == ([], None)
    assert "certtui did not write it" in said.err
