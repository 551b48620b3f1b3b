"""Answers before they are a plan: from the host, from ``--set``, from a draft."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from certtui.errors import Refused, UsageError
from certtui.plan import fields, validate
from certtui.plan.fields import BY_KEY, Field, Kind

if TYPE_CHECKING:
    from certtui.host.facts import Facts
    from certtui.plan.document import Document


def from_facts(facts: Facts) -> dict[str, Any]:
    """The answers that fit this host: who serves 443, and what can start a job here."""
    answers = fields.defaults()
    answers["webserver.kind"] = _webserver(facts)
    if not facts.has_systemd:
        answers["schedule.backend"] = "cron"
    return answers


def raised_cap(values: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The daily cap that ``values`` need, where they count more runs and nobody has named a cap.

    ``values`` may be wrong still; ``given`` are those that a person gave.
    """
    key = "schedule.daily_cap"
    cap, runs = values[key], values["schedule.runs_per_day"]
    if key in given or not isinstance(cap, int) or not isinstance(runs, int) or runs <= cap:
        return {}
    return {key: runs}


def _webserver(facts: Facts) -> str:
    known = [server for server in facts.webservers if server.kind in ("nginx", "apache")]
    for serves in (
        lambda server: 443 in server.ports,
        lambda server: bool(server.ports),
        lambda server: server.running,
    ):
        for server in known:
            if serves(server):
                return server.kind
    # Somebody else owns the ports: a stopped nginx beside it serves nothing.
    owned = any(server.ports for server in facts.webservers)
    return "none" if owned or not known else known[0].kind


def from_settings(settings: Sequence[str]) -> dict[str, Any]:
    """``key=value`` words as answers. Raises :class:`UsageError` with everything that is wrong."""
    answers: dict[str, Any] = {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals:
            raise UsageError(f"--set {setting}: write KEY=VALUE, such as schedule.backend=cron")
        if key.startswith("certbot.env."):
            answers.setdefault("certbot.env", {})[key.removeprefix("certbot.env.")] = text
        elif key not in BY_KEY:
            raise UsageError(f"--set {key}: {validate.unknown_key(tuple(key.split('.')))}")
        else:
            answers[key] = _value(BY_KEY[key], text)
    answers |= raised_cap({**fields.defaults(), **answers}, answers)
    wrong = [f"--set {key}: {message}" for key, message in validate.problems(answers)]
    if wrong:
        raise UsageError("\n".join(wrong))
    return answers


def _value(field: Field, text: str) -> Any:
    """A word of the command line as the field's kind; what does not fit stays for the check."""
    if field.kind in (Kind.TEXT, Kind.CHOICE):
        return text
    if field.kind is Kind.STRINGS and not text.startswith("["):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        value = tomlkit.value(text).unwrap()
    except (TOMLKitError, ValueError):
        return text
    return tuple(value) if isinstance(value, list) else value


def that_apply(answers: Mapping[str, Any]) -> dict[str, Any]:
    """The answers with those that do not count any more back at their defaults.

    An answer given for a choice that was then changed (the test of a custom server, the times of
    a timer) would otherwise stand in the plan and mean nothing, or make it invalid.
    """
    complete = {**fields.defaults(), **answers}
    return {
        key: value if key not in BY_KEY or BY_KEY[key].applies(complete) else BY_KEY[key].default
        for key, value in complete.items()
    }


def write_new(path: str, doc: Document, *, force: bool) -> None:
    """Writes a plan file (0600: it may hold a proxy's password). Raises :class:`Refused`."""
    temporary = f"{path}.certtui-new"
    try:
        if force:
            fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        else:
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(doc.content)
            file.flush()
            os.fsync(file.fileno())
        if force:
            os.rename(temporary, path)
    except FileExistsError:
        raise Refused(f"{path} exists and was left as it is: --force replaces it") from None
    except OSError as error:
        raise Refused(f"{path} was not written: {os.strerror(error.errno or 0)}") from None


def draft_path(plan: str = "") -> str:
    """Where unfinished answers wait (XDG base directories: state).

    ``plan`` is the absolute path of a plan that was named; each has a draft of its own.
    """
    base = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    if not plan:
        return os.path.join(base, "certtui", "draft.json")
    import hashlib

    mark = hashlib.sha256(os.fsencode(plan)).hexdigest()[:12]
    return os.path.join(base, "certtui", f"draft-{mark}.json")


def load_draft(plan: str = "") -> dict[str, Any]:
    """The answers of an earlier session that were not applied; empty if there are none."""
    try:
        with open(draft_path(plan), encoding="utf-8") as file:
            data = json.load(file)
    except (OSError, ValueError):
        return {}
    if not isinstance(data, dict):
        return {}
    known = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in data.items()
        if key in BY_KEY
    }
    bad = {key for key, _ in validate.problems(known)}
    return {key: value for key, value in known.items() if key not in bad}


def save_draft(answers: Mapping[str, Any], plan: str = "") -> None:
    """Keeps unfinished answers for the next session. Raises OSError."""
    path = draft_path(plan)
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    fd = os.open(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        json.dump({key: answers[key] for key in answers if key in BY_KEY}, file)
    os.rename(f"{path}.new", path)


def drop_draft(plan: str = "") -> None:
    """Forgets the draft once it was applied."""
    try:
        os.unlink(draft_path(plan))
    except FileNotFoundError:
        return


def as_document(answers: Mapping[str, Any], base: Document | None, path: str) -> Document:
    """The answers as a plan: the administrator's own text updated, or a new one.

    Raises :class:`PlanInvalid`.
    """
    from certtui.plan import document

    final = that_apply(answers)
    if base is None:
        return document.new(final, path)
    updated = document.Document(base.text, path)
    updated.update(final)
    return updated
