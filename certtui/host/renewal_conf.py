"""``renewal/NAME.conf`` as nested dictionaries, the way certbot reads it.

The files are ConfigObj with sections in sections (``[[webroot_map]]``), which configparser cannot
read. ConfigObj takes most of the time that a lineage costs, so a file that has nothing but what
certbot itself writes is read here; anything else is left to ConfigObj. A property test holds that
both say the same.
"""

from __future__ import annotations

import re
from typing import Any

#: Bytes of a whole file beyond which it is not what certbot wrote: a hundred names, the most that
#: Let's Encrypt puts into a certificate, are about 10 kB.
MOST = 64 * 1024

# ConfigObj's expressions take cubic time over blanks, twenty seconds for a line of 4,000.
_ENDLESS = re.compile(r"[\s\[\]]{65}|.{4097}")

# Nothing that ConfigObj treats as special: quotes, comments behind a value, blanks at the end.
_OPTION = re.compile(r"([\w.*:-]+) = ([!$-&(-~](?:[ !$-&(-~]*[!$-&(-~])?)", re.ASCII)
_SECTION = re.compile(r"\[([\w.-]+)\]|\[\[([\w.-]+)\]\]", re.ASCII)


def parse(data: bytes) -> dict[str, Any]:
    """The file as nested dictionaries of strings, quotes and commas as they are written.

    Raises :class:`ValueError` with the rest of a sentence about the file.
    """
    if len(data) > MOST:
        raise ValueError(f"is larger than {MOST // 1024} KiB: not what certbot writes")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8 text") from None
    found = plain(text)
    return with_configobj(text) if found is None else found


def plain(text: str) -> dict[str, Any] | None:
    """What certbot wrote itself; None for whatever else, which ConfigObj has to read."""
    found: dict[str, Any] = {}
    outer = inner = found
    for line in text.split("\n"):
        if not line or line[0] == "#":
            if not line.isprintable():  # some of what is not ends a line for ConfigObj
                return None
            continue
        option = _OPTION.fullmatch(line)
        if option:
            key, value = option.groups()
            if key in inner:
                return None
            inner[key] = value
            continue
        section = _SECTION.fullmatch(line)
        if section is None:
            return None
        name, below = section.groups()
        if name:
            if name in found:
                return None
            found[name] = outer = inner = {}
        else:
            if outer is found or below in outer:
                return None
            outer[below] = inner = {}
    return found


def with_configobj(text: str) -> dict[str, Any]:
    """The same by the library that certbot uses. Raises :class:`ValueError`."""
    from configobj import ConfigObj, ConfigObjError

    lines = text.splitlines()
    if any(_ENDLESS.search(line) for line in lines):
        raise ValueError("has a line without end: not what certbot writes")
    try:
        found = ConfigObj(lines, interpolation=False, list_values=False, file_error=False)
    except ConfigObjError as error:
        what = " ".join(str(error).split()).rstrip(".")
        raise ValueError(f"is not what certbot writes: {what}") from None
    return dict(found)


def unquoted(section: dict[str, Any], key: str) -> str:
    """An option without its quotes; "" where it is missing, or is a section."""
    value = section.get(key, "")
    text = value.strip() if isinstance(value, str) else ""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return text


def listed(section: dict[str, Any], key: str) -> list[str]:
    """An option that is a list, ``a, b`` or ``a,``; empty where it is missing."""
    text = section.get(key, "")
    if not isinstance(text, str):
        return []
    if '"' in text or "'" in text:
        from configobj import ConfigObj, ConfigObjError

        try:
            value = ConfigObj([f"x = {text}"], interpolation=False)["x"]
        except ConfigObjError:
            return []
        return [value] if isinstance(value, str) else [str(item) for item in value]
    return [item for item in map(str.strip, text.split(",")) if item]
