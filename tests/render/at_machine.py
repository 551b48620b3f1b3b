"""A machine on which an at script is started: an at of files, a clock that a test sets."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from certtui.render import slots
from tests.render.support import Machine, facts, plan

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=timezone.utc)

AT = r"""
if [ "$1" = -c ]; then cat QUEUE/$2 2>/dev/null; exit; fi
[ ! -e QUEUE/refuses ] || { echo 'at: refused' >&2; exit 1; }
umask >QUEUE/umask
number=$(($(cat QUEUE/last 2>/dev/null || echo 0) + 1))
echo $number >QUEUE/last
{ echo '#!/bin/sh'; env | sed 's/^\([A-Z_]*\)=\(.*\)/\1=\2; export \1/'; echo "cd $PWD || {"
  echo " exit 1"; echo "}"; cat; } >QUEUE/$number
echo "$*" >>QUEUE/calls
echo "$number Tue Nov 24 12:00:00 2026 $3 root" >>QUEUE/list
printf 'warning: commands will be executed using /bin/sh\njob %s at Tue Nov 24\n' $number >&2
"""


class AtMachine(Machine):
    """A machine with an at of files; ``now`` is what date(1) tells."""

    def prepare(self, **answers: Any) -> None:
        for name in ("sha256sum", "flock", "cat", "env"):
            if not (self.folder / "bin" / name).exists():
                (self.folder / "bin" / name).symlink_to(f"/usr/bin/{name}")
        self.queue = self.folder / "queue"
        self.queue.mkdir(exist_ok=True)
        self.fake("at", AT.replace("QUEUE", str(self.queue)))
        self.fake("atq", f"cat {self.queue}/list 2>/dev/null; exit 0")
        self.fake(
            "atrm",
            f'grep -v "^$1 " {self.queue}/list >{self.queue}/list.new; '
            f"mv {self.queue}/list.new {self.queue}/list; rm {self.queue}/$1",
        )
        self.answers = {"schedule_backend": "at-random", **answers}
        self.known = facts(certbots=())
        self.install(self.known, **self.answers)
        self.now = NOW
        self.zone = "UTC0"
        # What the renew script would do is of no interest here, but that it holds no lock of ours.
        self.script.write_text(
            "#!/bin/sh\n[ ! -e /proc/$$/fd/9 ] || exit 9\n"
            f'echo "$CERTTUI_TRIGGER${{CERTTUI_DRILL:+ $CERTTUI_DRILL}}" >>{self.folder}/renewed\n'
        )

    @property
    def at_script(self) -> Path:
        return self.folder / "sbin" / f"certbot-{self.answers['schedule_backend']}"

    @property
    def drawn(self) -> slots.Slots:
        return slots.slots(plan(**self.answers), self.known)

    def at(self, trigger: str, *arguments: str, **environment: str) -> str:
        """Starts the script at ``now``; gives what it says on stderr, its status in ``code``."""
        stamp = int(self.now.timestamp())
        self.fake(
            "date",
            f'export TZ="${{TZ-{self.zone}}}"\n'  # set: what the caller had; else the host's
            'case $* in *-d*) exec /bin/date "$@" ;; esac\n'
            f'exec /bin/date -d @{stamp} "$@"',
        )
        done = self.run(self.at_script, *arguments, trigger=trigger, **environment)
        self.code = done.returncode
        assert done.stdout == ""
        return done.stderr

    def renewed(self) -> list[str]:
        path = self.folder / "renewed"
        return path.read_text().splitlines() if path.exists() else []

    def jobs(self) -> list[str]:
        path = self.queue / "list"
        return [line.split()[0] for line in path.read_text().splitlines()] if path.exists() else []

    def calls(self) -> list[str]:
        path = self.queue / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def next_slot(self) -> int:
        return next(self.drawn.after(self.now))

    def to_slot(self, k: int) -> None:
        self.now = self.drawn.moment(self.drawn.time(k))

    def slots_queued(self) -> list[int]:
        texts = [(self.queue / number).read_text() for number in self.jobs()]
        return [int(text.partition("CERTTUI_SLOT=")[2].partition(";")[0]) for text in texts]

    def taken(self) -> int:
        lines = dict(line.split("=") for line in (self.state / "at-state").read_text().split())
        return int(lines["slot"])
