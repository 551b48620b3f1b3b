"""Why a renewal failed: the cause, what mends it, and certbot's own words.

The commands say all of it in one line (:attr:`Reason.sentence`), a page that shows certbot's words
beside it says the least that helps (:meth:`Reason.brief`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from certtui.renewal.causes import CAUSES, Cause

#: The most characters of certbot's own words that follow a cause.
_MOST = 400

#: The most characters of certbot's words that stand alone on a page.
_BRIEF = 120


#: certbot's words where it does not say why, or none at all; and what is said in their place.
_NOTHING = re.compile(r"(?:Some challenges have failed\.?)?")
_NO_CAUSE, _READ = "certbot gave no cause", "read its log"


@dataclass(frozen=True)
class Reason:
    """Why one certificate was not renewed.

    ``cause`` and ``mend`` are parts of a sentence, ``said`` are certbot's words, shortened; each
    may be empty. ``short`` and ``remedy`` are the same cause and mend in the fewest words.
    ``domains`` are the names in it that failed, where certbot names them.
    """

    cause: str = ""
    mend: str = ""
    said: str = ""
    short: str = ""
    remedy: str = ""
    domains: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """All of it in one line."""
        if not self.cause:
            known = self._says_why
            return self.said if known else f"{_NO_CAUSE}; {_READ}{self._quoted}"
        mend = f"; {self.mend}" if self.mend else ""
        return f"{self.cause}{mend}{self._quoted}"

    @property
    def _says_why(self) -> bool:
        """Whether certbot's words hold a cause, if only for a person."""
        return not _NOTHING.fullmatch(self.said)

    @property
    def _quoted(self) -> str:
        return f" (certbot: {self.said})" if self.said else ""

    def brief(self, key: str, name: str = "") -> str:
        """Cause, mend and the ``key`` that tries again, if any; for the certificate ``name``."""
        then = f", then {key}" if key else ""
        if not self.cause:
            least = self.least(name)
            return least if self._says_why else f"{least}: {_READ}{then}"
        mend = self.remedy or self.mend
        what = self.least(name)
        return f"{what}: {mend}{then}" if mend else what

    def least(self, name: str = "") -> str:
        """The cause alone, in the fewest words."""
        if not self.cause:
            return shorten(self.said, _BRIEF) if self._says_why else _NO_CAUSE
        return (self.short or self.cause) + self._where(name)

    def _where(self, name: str) -> str:
        """Which names failed, where it is not the one the certificate is called after."""
        if not self.domains or self.domains == (name,):
            return ""
        more = f" and {len(self.domains) - 1} more" if len(self.domains) > 1 else ""
        return f" ({self.domains[0]}{more})"


_COMPILED = tuple((re.compile(cause.said), cause) for cause in CAUSES)

#: When the CA takes requests again, in its own words (Boulder's and RFC 3339's way to write it).
_AGAIN = re.compile(r"retry after (\d{4}-\d\d-\d\d)[ T](\d\d:\d\d)(?::\d\d)?(?: ?UTC|Z)")

_DOMAIN = re.compile(r"\b(?:Domain|Identifier): +(\S+)")

#: Another certbot is at work, and its lock is held.
LOCKED = Reason(
    "another certbot is at work and holds the lock",
    "wait until it has ended (`pgrep -a certbot` shows it)",
)


def understand(said: str) -> Reason:
    """What certbot ``said`` about a certificate that failed, and what that means."""
    said = " ".join(said.split())
    for pattern, cause in _COMPILED:
        if pattern.search(said):
            short, remedy = _here(cause, said)
            domains = tuple(dict.fromkeys(_DOMAIN.findall(said)))
            return Reason(cause.cause, cause.mend, shorten(said), short, remedy, domains)
    return Reason(said=shorten(said))


def _here(cause: Cause, said: str) -> tuple[str, str]:
    """A cause and its remedy in few words, with the port or the time that certbot's words hold."""
    short, remedy = cause.short, cause.remedy
    if short.startswith("port 80") and "Fetching https://" in said:
        short = short.replace("port 80", "port 443")
    again = _AGAIN.search(said)
    if again and short.startswith("rate limit"):
        remedy = f"wait until {again[1]} {again[2]} UTC"
    return short, remedy


def explain(said: str) -> str:
    """One sentence for what certbot ``said`` about a certificate that failed."""
    return understand(said).sentence


def usual() -> list[tuple[str, str]]:
    """What most often keeps a renewal from working, and what mends it, in few words."""
    known = {cause.short: cause.remedy for cause in CAUSES}
    return [(short, known[short]) for short in _USUAL]


_USUAL = (
    "port 80 refused",
    "port 80 cannot be reached",
    "the name does not resolve as it must",
    "the challenge is not served",
    "rate limit reached",
    "the ACME server cannot be reached",
)


def shorten(text: str, most: int = _MOST) -> str:
    """A text of at most so many characters."""
    return text if len(text) <= most else f"{text[: most - 3]}..."
