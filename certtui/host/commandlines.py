"""Whether a command line renews certificates: what is its program, and what is only named in it.

This reads shell as far as an administrator's one line goes. Where that is not enough, a line that
names a program that renews counts as one that does.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

#: Programs that renew, as a word of a command or the end of a path in it: the folders of that name
#: that backups name ("/etc/letsencrypt", "/opt/certbot/") and other words do not count.
_PROGRAMS = re.compile(
    r"(?<![\w.-])(?<!/etc/)(?<!/lib/)(?<!/log/)"
    r"(certbot(?:-auto|\.renew|-renew-everything|-at-block|-at-random)?|letsencrypt(?:-auto)?"
    r"|acme\.sh|dehydrated|lego|getssl|uacme)(?![\w./-])"
)

_CERTBOT = ("certbot", "certbot-auto", "letsencrypt", "letsencrypt-auto")
#: What certbot does with domains besides.
_ASKS_ELSE = frozenset(("certificates", "delete", "enhance", "install", "reconfigure", "revoke"))
_LEGO = ("lego",)
#: What the others do instead of renewing.
_ELSE = frozenset(
    ("--list", "--version", "--upgrade", "--help", "-h", "--info", "--remove", "--revoke")
)

#: Programs that only name or look at what is in their arguments.
_LOOKERS = re.compile(
    r"\[\[?|test|echo|printf|logger|mailx?|[efz]?grep|pgrep|pkill|kill|killall|which|type|tar|rsync"
    r"|cp|mv|rm|ls|cat|tail|head|less|sed|awk|find|chown|chmod|mkdir|touch|ln|wc|du|stat|diff"
    r"|journalctl|apt|apt-get|dpkg|sleep|cd|export|set|:|true|false"
)
#: What starts a thing by the name that it has elsewhere.
_BY_NAME = frozenset(("systemctl", "service", "rc-service"))
_CONTAINERS = frozenset(("docker", "podman", "docker-compose", "podman-compose", "kubectl"))
_KEYWORDS = frozenset(("if", "then", "elif", "else", "do", "while", "until", "!", "{", "time"))

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
_NAME = re.compile(r"--cert-name(?:=(.+))?", re.DOTALL)

#: Shells inside of shells that are read.
_DEEPEST = 3


@dataclass(frozen=True)
class Renewal:
    """What a line renews: every lineage, or ``only`` some, by their names."""

    only: frozenset[str] = frozenset()


_ALL = Renewal()


def renewal(command: str) -> Renewal | None:
    """What a command line renews; None where it renews nothing."""
    if not _PROGRAMS.search(command):
        return None
    found = list(_renewals(command, 0))
    if not found:
        return None
    names = [one.only for one in found]
    return Renewal(frozenset().union(*names)) if all(names) else _ALL


def programs(command: str) -> Iterator[str]:
    """Every word with a slash at its beginning: what may be a script that the line starts."""
    try:
        parts = list(_parts(command))
    except ValueError:
        return
    for words in parts:
        own = _without_prefix(words)
        if own and not _LOOKERS.fullmatch(_base(own[0])):
            yield from (word for word in own if word.startswith("/"))


def _renewals(command: str, depth: int) -> Iterator[Renewal]:
    try:
        parts = list(_parts(command))
    except ValueError:  # quotes that are not closed, a line that goes on
        yield _ALL
        return
    for words in parts:
        found = _of_part(words, depth)
        if found is not None:
            yield found


def _parts(command: str) -> Iterator[list[str]]:
    """The words of each simple command, without redirections. Raises ValueError."""
    reader = shlex.shlex(command, posix=True, punctuation_chars="();<>|&\n")
    reader.whitespace = " \t\r"
    reader.whitespace_split = True
    reader.commenters = ""
    words: list[str] = []
    is_target = False
    for token in reader:
        if token.startswith("#"):
            break
        if token and not token.strip("();<>|&\n"):
            is_target = "<" in token or ">" in token
            if not is_target:
                yield words
                words = []
        elif is_target:
            is_target = False
        else:
            words.append(token)
    yield words


def _without_prefix(words: Sequence[str]) -> Sequence[str]:
    """Without keywords of the shell and assignments before the program."""
    first = 0
    while first < len(words) and (words[first] in _KEYWORDS or _ASSIGNMENT.fullmatch(words[first])):
        first += 1
    return words[first:]


def _of_part(words: Sequence[str], depth: int) -> Renewal | None:
    own = _without_prefix(words)
    if not own:
        # A variable that names the program: what is done with it is not seen here.
        return _ALL if _PROGRAMS.search(" ".join(words)) else None
    program = _base(own[0])
    if _LOOKERS.fullmatch(program):
        return None
    if program.startswith(("$", "`")):
        return _ALL
    if _PROGRAMS.fullmatch(program):
        return _of_program(program, own[1:])
    return _of_another(program, own[1:], depth)


def _of_another(program: str, words: Sequence[str], depth: int) -> Renewal | None:
    """A program that may start what comes after it: env, sudo, a shell, a container's."""
    for number, word in enumerate(words):
        if depth < _DEEPEST and re.search(r"\s", word):
            found = next(_renewals(word, depth + 1), None) if _PROGRAMS.search(word) else None
        elif _PROGRAMS.fullmatch(_base(word)) and _PROGRAMS.search(word):
            if program in _BY_NAME:
                found = _ALL if {"start", "restart"} & set(words) else None
            elif program in _CONTAINERS and number == len(words) - 1:
                found = _ALL  # the container knows what to do
            else:
                found = _of_program(_base(word), words[number + 1 :])
        else:
            continue
        if found is not None:
            return found
    return None


def _of_program(program: str, words: Sequence[str]) -> Renewal | None:
    """What one of the programs does with its arguments."""
    given = set(words)
    if program in _CERTBOT:
        if given & {"--dry-run", "--help", "-h", "--version"}:
            return None
        asks = given & {"renew", "certonly", "run"}
        domains = any(word.startswith(("-d", "--domain")) for word in words)
        return Renewal(_names(words)) if asks or (domains and not given & _ASKS_ELSE) else None
    if program in _LEGO:
        return _ALL if given & {"renew", "run"} else None
    return None if given & _ELSE and "--cron" not in given else _ALL


def _names(words: Sequence[str]) -> frozenset[str]:
    found = []
    for word, following in zip(words, [*words[1:], ""], strict=True):
        match = _NAME.fullmatch(word)
        if match:
            found.append(match[1] or following)
    return frozenset(name for name in found if name)


def _base(word: str) -> str:
    """The name of a program without its folder; of an image without its tag."""
    return word.rpartition("/")[2].partition(":")[0] or word
