"""Where the MTA would take a mail to mail.to: to somebody, or nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from certtui.doctor.check import Context, Kind
from certtui.doctor.finding import Finding, Status
from certtui.host.interface import Completed, Host
from certtui.host.mta import Mta

NO_WAY = Kind(
    "mail.no-way",
    Status.FAIL,
    "the MTA knows a way to mail.to",
    "A mail to a user who is not there, or to the world from an MTA that is set up for local mail "
    "only (as Debian's exim is at first), is taken with exit status 0 and then sent back to root.",
)
DISCARDED = Kind(
    "mail.discarded",
    Status.FAIL,
    "a mail to mail.to is kept",
    "An alias or a .forward to /dev/null or :blackhole: is a delivery to the MTA: it takes the "
    "mail, notes a success, and nobody gets it (aliases(5); exim's specification, 22.6).",
)
KINDS = (NO_WAY, DISCARDED)

ALIASES_FILE = "/etc/aliases"

#: Seconds that an MTA may take to say where a mail would go; exim may have to ask DNS.
_TIMEOUT = 5.0

#: Aliases of aliases are followed so far.
_DEPTH = 10


def findings(context: Context, agent: Mta) -> Iterator[Finding]:
    """exim and sendmail say where a mail would go, without sending it; else users are looked up."""
    assert context.plan is not None
    to, host = context.plan.mail.to, context.host
    if agent.name == "exim":
        yield from _of_exim(host, to)
    elif agent.name == "sendmail":
        said = host.run(["sendmail", "-bv", to], timeout=_TIMEOUT)
        if said.code == 67:  # EX_NOUSER, sysexits.h
            yield _no_way(to, f"sendmail -bv {to} (exit 67): {said.text}", "no such user")
    elif _is_local(context, agent, to):
        yield from _of_files(host, to)


def _no_way(to: str, evidence: str, reason: str) -> Finding:
    message = (
        f"a mail to it reaches nobody ({reason}): name another in mail.to and apply, or give "
        f"{ALIASES_FILE} a line for it"
    )
    return NO_WAY.found(to, message, evidence)


def _discarded(to: str, evidence: str, target: str) -> Finding:
    message = f"a mail to it is thrown away ({target}): name another in mail.to and apply"
    return DISCARDED.found(to, message, evidence)


# ---- exim ----------------------------------------------------------------------------------------


def _of_exim(host: Host, to: str) -> Iterator[Finding]:
    """By what ``exim -bt`` prints for each address that it ends with (specification, 5, -bt).

    Its exit status is 0 as well where a router lacks the transport for a file or a pipe. One
    address that somebody gets is enough, and one that cannot be told now is no failure.
    """
    said = host.run(["exim", "-bt", to], timeout=_TIMEOUT)
    if said.code not in (0, 2):
        return
    ends = [_end(host, block) for block in re.split(r"\n(?=[^\s*]+@|mail to )", said.out.strip())]
    if said.code == 2 and not any(word for word, _ in ends):
        # It says 2 only where it knows that there is no way, in whatever words.
        ends = [("lost", (said.out.strip().splitlines() or ["exim -bt ends with 2"])[0][:200])]
    if any(word in ("", "kept") for word, _ in ends):
        return
    evidence = _excerpt(said)  # on stderr are only the routers that it tried
    lost = [reason for word, reason in ends if word == "lost"]
    if lost:
        yield _no_way(to, evidence, lost[0])
    else:
        yield _discarded(to, evidence, ends[0][1])


def _end(host: Host, block: str) -> tuple[str, str]:
    """ "kept", "lost" or "discarded", and why; "" for what nobody can tell."""
    head = block.partition("\n")[0].strip()
    target = head.partition(" -> ")[2]
    lacking = re.search(r"^(\w+ unset in .*)$", block, re.MULTILINE)
    gone = _missing_program(host, target)
    if head.endswith("is discarded") or target == "/dev/null":
        return "discarded", target or head[:200]
    if " is undeliverable" in head:
        return "lost", head[:200]
    if lacking:
        return "lost", f"{target}: {lacking[1]}"[:200]
    if gone:
        return "lost", f"{gone} is not there"
    return ("kept", "") if re.search(r"\btransport = ", block) else ("", "")


def _excerpt(said: Completed) -> str:
    lines = said.out.strip().splitlines()
    return "\n".join([f"{' '.join(said.argv)} (exit {said.code})", *lines[:10]])


def _missing_program(host: Host, target: str) -> str:
    """The program of a pipe, where it is not there."""
    found = re.match(r'"?\|\s*"?(/[^\s"]+)', target)
    return found[1] if found and host.resolve(found[1]) is None else ""


# ---- the others: aliases(5) and users ------------------------------------------------------------


def _of_files(host: Host, to: str) -> Iterator[Finding]:
    user = to.partition("@")[0].partition("+")[0]
    aliases = _aliases(host)
    if user.lower() not in aliases:
        asked = host.run(["getent", "passwd", user], timeout=_TIMEOUT)
        # getent(1): 2 is "not found"; anything else is no answer.
        if asked.code == 2:
            text = f"getent passwd {user} (exit 2); {ALIASES_FILE} does not name it"
            yield _no_way(to, text, f"there is neither a user nor an alias {user}")
        return
    targets = _targets(aliases, user.lower())
    evidence = f"{ALIASES_FILE}: {user}: {', '.join(aliases[user.lower()])}"[:200]
    gone = [name for target in targets if (name := _missing_program(host, target))]
    thrown = [target for target in targets if target in ("/dev/null", ":blackhole:")]
    if not targets or len(gone) + len(thrown) < len(targets):
        return
    if gone:
        yield _no_way(to, evidence, f"{gone[0]} is not there")
    else:
        yield _discarded(to, evidence, thrown[0])


def _aliases(host: Host) -> dict[str, list[str]]:
    """The names of aliases(5), in lower case, as far as they are in the usual file."""
    text = (host.read(ALIASES_FILE) or b"").decode("utf-8", "replace")
    lines = re.sub(r"\n[ \t]+(?=\S)", " ", re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE))
    named = re.findall(r'^"?([^\s":#]+)"?[ \t]*:(.*)$', lines, re.MULTILINE)
    return {name.lower(): _split(value) for name, value in named}


def _split(value: str) -> list[str]:
    """The targets of an alias; a quoted one may hold commas."""
    found = re.findall(r'(?:"[^"]*"|[^",])+', value)
    return [target.strip() for target in found if target.strip()]


def _targets(aliases: Mapping[str, list[str]], user: str) -> list[str]:
    """What a name ends with after all aliases of aliases."""
    found = [user]
    for _ in range(_DEPTH):
        # A name among its own targets is the user of that name.
        ends = [end for name in found for end in aliases.get(name.lower(), [name])]
        further = list(dict.fromkeys(ends))
        if further == found:
            break
        found = further
    return found


def _is_local(context: Context, agent: Mta, to: str) -> bool:
    """Whether the MTA delivers a mail to it on this host, to a user or an alias."""
    domain = to.partition("@")[2].lower()
    if agent.name == "postfix":
        said = context.host.run(["postconf", "-hx", "mydestination", "myorigin"], timeout=_TIMEOUT)
        lines = [*said.out.lower().splitlines(), "", ""]
        return said.ok and (domain or lines[1].strip()) in re.split(r"[,\s]+", lines[0])
    if agent.name in ("opensmtpd", "dma"):
        return domain in ("", "localhost", context.facts.system.hostname.lower())
    return False
