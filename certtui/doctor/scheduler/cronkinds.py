"""What can be wrong with a file that cron reads, and what follows from it."""

from __future__ import annotations

from certtui.doctor.check import Kind
from certtui.doctor.finding import Status

_DROPS = (
    "cron takes nothing of such a file, says so in the system's log at most, and mails "
    "nobody: no renewal is started (cron(8), DEBIAN SPECIFIC)."
)

FILE = Kind(
    "cron.file",
    Status.FAIL,
    "cron takes the file",
    "A file that cron does not take looks like a schedule and starts nothing.",
)
NAME = Kind(
    "cron.ignored-name",
    Status.FAIL,
    "only letters, digits, _ and - in the name of the file",
    "cron passes over files in /etc/cron.d with a dot or another character in their name, without "
    "a word (cron(8); run-parts(8) has the same rule).",
)
PLAIN = Kind("cron.not-a-file", Status.FAIL, "a plain file, or root's link to one", _DROPS)
MODE = Kind(
    "cron.insecure-mode",
    Status.FAIL,
    "nobody but root may write the file",
    f"Whoever may write it may run commands as root. {_DROPS}",
)
OWNER = Kind(
    "cron.wrong-owner",
    Status.FAIL,
    "the file belongs to root",
    f"Its owner may change what root runs. {_DROPS}",
)
LINKS = Kind(
    "cron.hard-links",
    Status.FAIL,
    "the file has one name",
    f"A backup made by hard links is enough for a second name. {_DROPS}",
)
NEWLINE = Kind("cron.no-final-newline", Status.FAIL, "the last line ends with a newline", _DROPS)
LINE = Kind("cron.bad-line", Status.FAIL, "cron understands every line", f"One is enough: {_DROPS}")
USER = Kind(
    "cron.unknown-user",
    Status.FAIL,
    "the users of the jobs exist",
    "cron leaves a file alone until every user in it is known, and looks again each minute; until "
    "then no line of it is started.",
)
USER_OF_OURS = Kind(
    "cron.not-root",
    Status.FAIL,
    "cron starts our script as root",
    "The script is root's alone (mode 0700), as are certbot's keys: as another user it ends with "
    '"Permission denied" before it can note or mail anything.',
)
UNREAD = Kind(
    "cron.unchanged-mtime",
    Status.FAIL,
    "cron has read the file as it is",
    "cron compares a file's time of change in whole seconds: if that is the one it knows, it goes "
    "on with what it read then, and takes up the edited lines at its next start, perhaps months "
    "later.",
)
MAILTO = Kind(
    "cron.mailto",
    Status.WARN,
    "a mailer, where cron is to mail what a job says",
    'cron drops the output of jobs where it finds no sendmail ("No MTA installed, discarding '
    'output"): an error message of certbot is lost.',
)
PATH = Kind(
    "cron.path",
    Status.WARN,
    "a PATH with the sbin folders, which hooks need",
    "cron gives jobs /usr/bin:/bin (crontab(5)). certbot renews with that, but a hook that calls "
    "nginx or apachectl ends with 127, and the server goes on with the old certificate.",
)

KINDS = (
    FILE,
    NAME,
    PLAIN,
    MODE,
    OWNER,
    LINKS,
    NEWLINE,
    LINE,
    USER,
    USER_OF_OURS,
    UNREAD,
    MAILTO,
    PATH,
)
