"""Runs on the host, by its own Python: everything below the folders that certtui touches."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator

FOLDERS = ("/etc", "/usr/local", "/var/spool/cron")
#: certbot's accounts stay (a dry run registers one); the others move by themselves.
SKIPPED = (
    "/etc/letsencrypt/accounts",
    "/etc/mtab",
    "/etc/.updated",
    "/etc/resolv.conf",
    "/var/spool/cron/atjobs/.SEQ",  # at counts the jobs that it has ever had
)


def paths() -> Iterator[tuple[str, os.stat_result]]:
    for top in FOLDERS:
        for folder, names, files in os.walk(top):
            names[:] = sorted(n for n in names if os.path.join(folder, n) not in SKIPPED)
            for name in sorted(names + files):
                path = os.path.join(folder, name)
                if path not in SKIPPED:
                    yield path, os.lstat(path)


def whole(path: str, found: os.stat_result) -> list[object]:
    what: list[object] = [stat.filemode(found.st_mode), found.st_uid, found.st_gid]
    if stat.S_ISREG(found.st_mode):
        with open(path, "rb") as file:
            what.append(hashlib.sha256(file.read()).hexdigest())
    elif stat.S_ISLNK(found.st_mode):
        what.append(os.readlink(path))
    return what


def units() -> dict[str, object]:
    if not os.path.isdir("/run/systemd/system"):
        return {}
    argv = ["systemctl", "list-unit-files", "--no-legend", "--state=enabled,disabled,masked"]
    said = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    active = ["systemctl", "list-units", "--no-legend", "--plain", "--type=timer", "--state=active"]
    timers = subprocess.run(active, capture_output=True, text=True, check=True).stdout
    return {
        "files": {line.split()[0]: line.split()[1] for line in said.splitlines()},
        "timers": sorted(line.split()[0] for line in timers.splitlines()),
    }


def main() -> None:
    if "marks" in sys.argv:
        print(json.dumps({path: [found.st_ino, found.st_mtime_ns] for path, found in paths()}))
    else:
        found = {path: whole(path, status) for path, status in paths()}
        print(json.dumps({**found, "units": units()}))


if __name__ == "__main__":
    main()
