"""The questions in the order they are asked, and the answers so far: what both wizards show.

Everything comes from the declaration in ``plan/fields.py``: a new field appears here by itself.
"""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from certtui.ask import answers as store
from certtui.ask import preferences as looks
from certtui.plan import fields, validate
from certtui.plan.fields import FIELDS, Field, Kind
from certtui.plan.values import quoted

if TYPE_CHECKING:
    from certtui.ask.preferences import Preferences
    from certtui.ask.session import Session
    from certtui.host.facts import Facts
    from certtui.plan.document import Document
    from certtui.workflow import Job

#: Titles of the steps; one that is not here is named after its key.
_TITLES = {
    "webserver": "Web server",
    "scheduler": "Scheduler",
    "runs": "Runs a day",
    "mail": "Mail",
}

#: How lists are typed.
TYPED_AS_SHELL = "Type it as in a shell: words, with quotes around spaces"

#: Answers that change what the facts are about.
_ABOUT_FACTS = ("certbot.command", "certbot.extra_args", "files.unit")


def step_title(step: str) -> str:
    """A step as people read it."""
    return _TITLES.get(step, step.capitalize())


def steps() -> tuple[str, ...]:
    """The steps that ask something, in the order of the declaration."""
    return tuple(dict.fromkeys(field.step for field in FIELDS if not field.advanced))


class Interview:
    """The answers of one session. Given answers win over the plan's, those over the host's."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.facts: Facts | None = None
        self._gathered_for: tuple[Any, ...] = ()
        self._from_host: dict[str, Any] = {}
        self._base = session.base.plan.values() if session.base else {}
        self._draft_of = session.path if session.named else ""
        draft = store.load_draft(self._draft_of) if session.keeps_draft else {}
        # Those of an apply that lost its terminal are in the plan already.
        self.resumed = any((key, draft[key]) not in self._base.items() for key in draft)
        self.given: dict[str, Any] = {**session.answers, **draft}
        self.preferences = session.preferences
        #: told when an answer about the interface changes
        self.on_preferences: Callable[[Preferences], None] | None = None
        #: why the answers could not be kept for the next start, or ""
        self.unsaved = ""

    def values(self) -> dict[str, Any]:
        """Every key with the answer that counts now, those about the interface among them."""
        return {**self._of_plan(), **self.preferences.values()}

    def _of_plan(self) -> dict[str, Any]:
        values = {**fields.defaults(), **self._from_host, **self._base, **self.given}
        return values | store.raised_cap(values, self.given)

    def give(self, key: str, value: Any) -> str:
        """Takes an answer and keeps the draft; a sentence if it is not a valid one."""
        problem = self.problem(key, value)
        if problem or value == self.values()[key]:
            return problem
        if key in looks.BY_KEY:
            self.preferences = looks.keep(self.preferences, key, value)
            if self.on_preferences:
                self.on_preferences(self.preferences)
        else:
            self.given[key] = value
            self.save()
        return ""

    def problem(self, key: str, value: Any) -> str:
        """Why a value cannot be the answer, or "". Other answers may be incomplete still."""
        if key in looks.BY_KEY:
            return looks.problem(key, value)
        field = fields.BY_KEY[key]
        if field.kind is Kind.INTEGER and not _is_number(field, value):
            # What was typed is in sight: what is said of a value in a file helps nobody here.
            return f"type a whole number from {field.minimum} to {field.maximum}"
        for wrong, sentence in validate.problems({**self._of_plan(), key: value}):
            if wrong == key or wrong.startswith(f"{key}."):
                return sentence
        return ""

    def save(self) -> None:
        """Keeps the draft; a home that cannot be written must not stop the wizard.

        :attr:`unsaved` says why it was not kept, for a word on leaving.
        """
        if self.session.keeps_draft and self.given:
            try:
                store.save_draft(self.given, self._draft_of)
            except OSError as error:
                self.unsaved = _why(error)
            else:
                self.unsaved = ""

    def forget(self) -> None:
        """The draft was applied; one that cannot be removed says next time what the plan says."""
        self.unsaved = ""
        if self.session.keeps_draft:
            with contextlib.suppress(OSError):
                store.drop_draft(self._draft_of)

    def gather(self) -> Facts:
        """Looks at the host; for a worker. Raises CerttuiError."""
        return self.session.facts(self.document(lenient=True).plan)

    def learn(self, facts: Facts) -> None:
        """Takes the facts; answers nobody gave follow from them."""
        self.facts = facts
        self._gathered_for = self._about()
        self._from_host = store.from_facts(facts)

    @property
    def stale(self) -> bool:
        """Whether an answer given since changes what the facts are about."""
        return self.facts is None or self._about() != self._gathered_for

    def _about(self) -> tuple[Any, ...]:
        values = self.values()
        return tuple(values[key] for key in _ABOUT_FACTS)

    def document(self, lenient: bool = False) -> Document:
        """The answers as a plan. ``lenient``: the plan or the defaults where they are not valid.

        Raises :class:`PlanInvalid`.
        """
        from certtui.errors import PlanInvalid

        try:
            return store.as_document(self._of_plan(), self.session.base, self.session.path)
        except PlanInvalid:
            if not lenient:
                raise
            return store.as_document(self._base, self.session.base, self.session.path)

    def job(self) -> Job:
        """What follows from the answers and the facts. Raises :class:`PlanInvalid`."""
        from certtui.workflow import Job

        return Job(self.document(), self.session.root, known=self.facts)

    def keep_plan(self) -> str:
        """Writes the plan where this user may, for ``sudo certtui apply``; gives the path.

        Raises Refused, PlanInvalid.
        """
        path, base = self.session.path, self.session.base
        if self.session.named and base is not None:
            self._unchanged(path, base)
        if not self.session.named:
            path = os.path.join(os.path.dirname(store.draft_path()), "plan.toml")
            self._make_folder(os.path.dirname(path))
        store.write_new(path, self.document(), force=True)
        return path

    @staticmethod
    def _make_folder(path: str) -> None:
        """Raises Refused."""
        from certtui.errors import Refused

        try:
            os.makedirs(path, mode=0o700, exist_ok=True)
        except OSError as error:
            raise Refused(f"the plan could not be kept: {_why(error)}") from None

    def _unchanged(self, path: str, base: Document) -> None:
        """Raises Refused if the plan was edited while the wizard was open."""
        from certtui.errors import Refused
        from certtui.plan.document import read_bytes

        if read_bytes(path) not in (base.content, self.document().content):
            raise Refused(f"{path} was edited while the wizard was open: start the wizard again")


def _is_number(field: Field, value: Any) -> bool:
    return isinstance(value, int) and field.minimum <= value <= field.maximum


def _why(error: OSError) -> str:
    """An error about a file, for a person."""
    reason = os.strerror(error.errno) if error.errno else str(error)
    return f"{error.filename}: {reason}" if error.filename else reason


def pages(values: Mapping[str, Any]) -> list[Field]:
    """The questions that are asked with these answers, in order.

    A step whose plain questions do not count (fixed times replace the number of runs) asks the
    advanced one that replaced them.
    """
    asked: list[Field] = []
    for step in steps():
        mine = [field for field in FIELDS if field.step == step and field.applies(values)]
        plain = [field for field in mine if not field.advanced]
        asked += plain or [field for field in mine if values[field.key] != field.default][:1]
    return asked


def advanced(step: str, values: Mapping[str, Any]) -> list[Field]:
    """The rarely needed questions of a step; those of no step are in the list of all answers."""
    return [
        field for field in FIELDS if field.advanced and field.step == step and field.applies(values)
    ]


def everything(values: Mapping[str, Any]) -> list[Field]:
    """Every question that counts with these answers, those about the interface last."""
    return [field for field in (*FIELDS, *looks.FIELDS) if field.applies(values)]


def shown(field: Field, value: Any) -> str:
    """An answer in words."""
    if field.kind is Kind.CHOICE:
        return next((c.label for c in field.choices if c.value == value), str(value))
    if field.kind is Kind.BOOLEAN:
        return "yes" if value else "no"
    text = as_text(field, value)
    return text or "(none)"


def as_text(field: Field, value: Any) -> str:
    """An answer as it is typed."""
    if field.kind is Kind.STRINGS:
        return shlex.join(value)
    if field.kind is Kind.MAPPING:
        return shlex.join(f"{name}={content}" for name, content in value.items())
    return str(value)


def from_text(field: Field, text: str) -> Any:
    """What was typed, as the field's kind. What does not fit stays text for the check to refuse.

    Raises ValueError with a sentence where quotes are not closed or a name has no value.
    """
    text = text.strip()
    if field.kind is Kind.INTEGER:
        # No number of the plan has more digits; Python refuses to read thousands (sys.int_info).
        return int(text) if text.removeprefix("-").isdecimal() and len(text) < 20 else text
    if field.kind not in (Kind.STRINGS, Kind.MAPPING):
        return text
    try:
        words = shlex.split(text)
    except ValueError:
        raise ValueError("a quote is not closed; put words with spaces between two '") from None
    if field.kind is Kind.STRINGS:
        return tuple(words)
    pairs: dict[str, str] = {}
    for word in words:
        name, equals, content = word.partition("=")
        if not equals:
            raise ValueError(f"{quoted(word)}: write NAME=value")
        pairs[name] = content
    return pairs
