"""Which certificate this host serves on port 443 for each name of each lineage.

Each name is asked of this host itself, by TLS with that name in SNI, and the certificate that comes
is compared with the one on disk, byte for byte. Nothing is verified: what a browser would say of it
is another question. All of it ends in one time, whatever hangs.
"""

from __future__ import annotations

import re
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from certtui.host.disk import Disk
from certtui.host.facts import Lineage
from certtui.host.handshake import PORT, Answer, addresses, covers, handshake, valid_until
from certtui.host.interface import Host

#: What is served: the certificate on disk; that of another lineage, which covers the name; an
#: earlier one of the lineage; one from elsewhere that covers the name; none for that name here;
#: nothing that is TLS; no listener; not asked or not to be known.
State = Literal["same", "covered", "old", "other", "absent", "silent", "nobody", "unknown"]

#: A lineage is as its name that is first in this order.
_WORST: tuple[State, ...] = (
    "old",
    "silent",
    "other",
    "same",
    "covered",
    "unknown",
    "absent",
    "nobody",
)

#: Handshakes at a time: they are few milliseconds of work for the server, too.
_WORKERS = 16

#: Questions that may hang before an address that has never answered is asked no more.
_ENOUGH = 3

#: Asks one address for one name ("" without SNI) in so many seconds.
Ask = Callable[[str, str, float], Answer]


@dataclass(frozen=True)
class Served:
    """What is served for a lineage, and for which of its names at which address that was seen.

    ``message`` is a sentence without its subject. ``hung`` is whether the server took a connection
    and never answered, which is worse than what else is ``silent``.
    """

    state: State
    name: str = ""
    address: str = ""
    message: str = ""
    hung: bool = False


@dataclass(frozen=True)
class _Question:
    lineage: Lineage
    name: str
    address: str


def look(
    host: Host, lineages: Sequence[Lineage], seconds: float = 5.0, *, ask: Ask = handshake
) -> dict[str, Served]:
    """What is served for each lineage, by its name. Ends in ``seconds``, or a little later."""
    found = addresses(host)
    if not found:
        nobody = Served("nobody", message=f"nothing listens on port {PORT}")
        return {lineage.name: nobody for lineage in lineages}
    disk = Disk(host, lineages)
    questions = list(_questions(lineages, found))
    answers = _ask_all(questions, seconds, ask)
    alive = any(answer is not None and answer.is_tls for answer in answers)
    said: dict[str, list[Served]] = {}
    for question, answer in zip(questions, answers, strict=True):
        judged = _judge(disk, question, answer, alive)
        said.setdefault(question.lineage.name, []).append(judged)
    return {lineage.name: _together(lineage, said.get(lineage.name, [])) for lineage in lineages}


def _questions(lineages: Sequence[Lineage], found: Sequence[str]) -> Iterator[_Question]:
    """One name of each lineage first, those renewed last before others: time may be short."""
    readable = [(one.not_before, one) for one in lineages if one.not_before is not None]
    readable.sort(key=lambda pair: pair[0], reverse=True)
    left = [(lineage, deque(_asked(lineage))) for _, lineage in readable]
    while left:
        now = [(lineage, names.popleft()) for lineage, names in left]
        for address in found:
            yield from (_Question(lineage, name, address) for lineage, name in now)
        left = [(lineage, names) for lineage, names in left if names]


def _asked(lineage: Lineage) -> tuple[str, ...]:
    """The names to ask for; the only one is "" where a certificate is for addresses alone."""
    return tuple(dict.fromkeys(map(_host_name, lineage.domains))) or ("",)


#: RFC 6066, section 3: a DNS host name, ASCII. An underscore is no host name's, but is seen.
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*", re.IGNORECASE)


def _host_name(name: str) -> str:
    """A wildcard stands for a name below it; "" for what cannot be asked for."""
    name = f"certtui{name[1:]}" if name.startswith("*.") else name
    return name if _NAME.fullmatch(name) else ""


def _ask_all(questions: Sequence[_Question], seconds: float, ask: Ask) -> list[Answer | None]:
    """The answers; None for what the time did not suffice for."""
    deadline = time.monotonic() + seconds
    share = seconds / 2  # what a server has at the least before it is said to hang
    answers: list[Answer | None] = [None] * len(questions)
    waiting = deque(range(len(questions)))
    hung: Counter[str] = Counter()
    spoke: set[str] = set()

    def is_dead(address: str) -> bool:
        return hung[address] >= _ENOUGH and address not in spoke

    def work() -> None:
        while waiting and time.monotonic() < deadline:
            try:
                at = waiting.popleft()
            except IndexError:
                return  # another one was faster
            address = questions[at].address
            if is_dead(address):
                continue
            left = deadline - time.monotonic()
            answer = ask(address, questions[at].name, min(share, max(left, 0.01)))
            if answer.kind != "hung":
                spoke.add(address)
            elif left < share:
                continue  # it was our time that was short
            else:
                hung[address] += 1
            answers[at] = answer

    # Daemons: one that hangs all the same must not keep a command from ending.
    workers = [threading.Thread(target=work, daemon=True) for _ in range(_WORKERS)]
    for worker in workers[: len(questions)]:
        worker.start()
    for worker in workers[: len(questions)]:
        worker.join(max(0.0, deadline + 0.1 - time.monotonic()))
    return [
        answer or (Answer("hung") if is_dead(question.address) else None)
        for question, answer in zip(questions, answers, strict=True)
    ]


def _judge(disk: Disk, question: _Question, answer: Answer | None, alive: bool) -> Served:
    """One answer. ``alive``: this host has answered some question by TLS."""
    where = f"[{question.address}]" if ":" in question.address else question.address
    where = f"{where}:{PORT}"

    def served(state: State, message: str, hung: bool = False) -> Served:
        return Served(state, question.name, where, message, hung)

    if answer is None:
        return served("unknown", "was not asked for: the time was up")
    if answer.kind == "refused":
        return served("nobody", f"{where} takes no connection")
    if answer.kind == "hung":
        return served("silent", f"{where} takes a connection and does not answer", True)
    if answer.kind == "alert" or (not answer.is_tls and alive):
        return served("absent", f"{where} serves no certificate for it ({answer.words})")
    if answer.kind != "certificate":
        return served("silent", f"{where} does not answer by TLS ({answer.words})")
    try:
        return served(*_compared(disk, question, answer.der, where))
    except PermissionError:
        return served("unknown", "its certificate on disk may be read by root only")
    except OSError as error:
        return served("unknown", f"its certificate on disk cannot be read: {error.strerror}")
    except ValueError as error:
        return served("unknown", str(error))


def _compared(disk: Disk, question: _Question, der: bytes, where: str) -> tuple[State, str]:
    """A certificate that came. Raises OSError, ValueError for what disk cannot give."""
    lineage, name = question.lineage, question.name
    if der == disk.current(lineage):
        return "same", f"{where} serves the certificate on disk"
    fits = bool(name) and covers(der, name)
    if fits and disk.is_current(der):
        # RSA beside ECDSA, or a wildcard: a server has one of them for a name.
        return "covered", f"{where} serves the certificate of another lineage that covers it"
    until = valid_until(der)
    if disk.was_current(der, lineage) or (fits and disk.was_any(der, name)):
        return "old", f"{where} serves an earlier certificate of it{until}"
    if fits:
        return "other", f"{where} serves a certificate that certbot does not have{until}"
    return "absent", f"{where} serves no certificate for it"


def _together(lineage: Lineage, said: Sequence[Served]) -> Served:
    """One answer for a lineage out of those for its names and addresses."""
    if not said:
        reason = lineage.error or "there is no certificate on disk to compare with"
        return Served("unknown", message=reason)
    well = {one.name for one in said if one.state in ("same", "covered")}
    # Served as it should be at one address, a name may be something else's at another.
    milder = [
        one
        for one in said
        if one.name not in well or one.hung or one.state not in ("other", "silent")
    ]
    return min(milder, key=lambda one: _WORST.index(one.state))
