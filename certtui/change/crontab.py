"""Our fenced block in root's crontab, for hosts without /etc/cron.d: every other byte stays."""

from __future__ import annotations

import shutil
import subprocess

from certtui.errors import ApplyFailed
from certtui.host.interface import SAFE_PATH

BEGIN = b"# BEGIN certtui: written by certtui, change the plan instead\n"
END = b"# END certtui\n"


def split(whole: bytes) -> tuple[bytes, bytes | None, bytes]:
    """What stands before our block, the block without its fences (None if absent), what follows.

    Raises :class:`ApplyFailed` where the fences do not match: then nothing is touched.
    """
    if whole.count(BEGIN) == whole.count(END) == 0:
        return whole, None, b""
    before, _, rest = whole.partition(BEGIN)
    block, end, after = rest.partition(END)
    whole_fence = before == b"" or before.endswith(b"\n")
    if whole.count(BEGIN) != 1 or whole.count(END) != 1 or not end or not whole_fence:
        raise ApplyFailed("root's crontab has a broken certtui block: mend it with crontab -e")
    return before, block, after


def join(whole: bytes, block: bytes | None) -> bytes:
    """The crontab with our block replaced, added at the end or (None) taken out."""
    before, old, after = split(whole)
    if block is None:
        return before + after
    fenced = BEGIN + block + END
    if old is not None:
        return before + fenced + after
    # A last line without a newline is ignored by cron; it would also run into our fence.
    gap = b"" if not whole or whole.endswith(b"\n") else b"\n"
    return whole + gap + fenced


def is_installed() -> bool:
    """Whether there is a crontab(1): without cron nobody has a crontab."""
    return shutil.which("crontab", path=SAFE_PATH) is not None


def read() -> bytes:
    """Root's whole crontab. Raises :class:`ApplyFailed` when it cannot be read."""
    done = _crontab("-l")
    if done.returncode == 0:
        return done.stdout
    # Exit 1 also means "permission denied": only the message tells an empty crontab from that.
    if b"no crontab for" in done.stderr:
        return b""
    raise ApplyFailed(f"crontab -l failed: {done.stderr.decode(errors='replace').strip()}")


def write(whole: bytes) -> None:
    """Replaces root's crontab. Raises :class:`ApplyFailed`."""
    done = _crontab("-", whole) if whole else _crontab("-r")
    if done.returncode:
        raise ApplyFailed(f"crontab failed: {done.stderr.decode(errors='replace').strip()}")


def _crontab(argument: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            ["crontab", "-u", "root", argument],
            input=stdin,
            capture_output=True,
            timeout=20,
            env={"PATH": SAFE_PATH, "LC_ALL": "C"},
            check=False,
            start_new_session=True,  # Ctrl+C must not cut it
        )
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        raise ApplyFailed(f"crontab could not be run: {error}") from None
