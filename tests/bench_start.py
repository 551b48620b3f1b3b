"""A wizard to be measured: ``python -m tests.bench_start ROOT [LINES SECONDS]``.

Its host is made of facts and its certbot is a program of a few lines that says LINES lines in
SECONDS seconds, at even distances; 0 seconds: as fast as the terminal takes them.
"""

from __future__ import annotations

import sys
from pathlib import Path

from certtui import cli, wizard
from certtui.ask.session import Session
from tests.tui.support import make_root, session

_CERTBOT = """#!@PYTHON@ -SE
import sys, time
from pathlib import Path

if "--version" in sys.argv:
    print("certbot 2.1.0")
    sys.exit()
out, lines, seconds, root = sys.stdout, @LINES@, @SECONDS@, Path("@ROOT@/etc/letsencrypt")
names = sorted(path.stem for path in (root / "renewal").glob("*.conf"))
start = time.monotonic()
for name in names:
    print(f"Processing {root}/renewal/{name}.conf", flush=True)
    for number in range(lines // len(names)):
        if seconds:
            due = start + seconds * (names.index(name) + number * len(names) / lines) / len(names)
            time.sleep(max(0.0, due - time.monotonic()))
        out.write(f"line {number} of {name}: certbot and its plugins have much to say today\\n")
        if seconds:
            out.flush()
rule = "- " * 40
print(f"\\n{rule}\\nCongratulations, all simulated renewals succeeded: ")
for name in names:
    print(f"  {root}/live/{name}/fullchain.pem (success)")
print(rule)
"""


def talkative(root: Path, lines: int, seconds: float) -> Session:
    """A wizard for ``root`` whose certbot says that much in that time."""
    made = session(root)
    text = _CERTBOT
    for name, value in (
        ("PYTHON", sys.executable),
        ("LINES", lines),
        ("SECONDS", seconds),
        ("ROOT", root),
    ):
        text = text.replace(f"@{name}@", str(value))
    (root / "certbot").write_text(text, encoding="utf-8")
    return made


def main(argv: list[str]) -> int:
    """Runs the wizard and gives its exit code."""
    cli._end_politely()
    root = Path(argv[0])
    make_root(root)
    if len(argv) > 2:
        return wizard.run_session(talkative(root, int(argv[1]), float(argv[2])))
    return wizard.run_session(session(root))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
