"""The front door of the wizard: full-screen where the terminal can, else numbered questions."""

from __future__ import annotations

import gc
import os
import stat
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from certtui.errors import UsageError

if TYPE_CHECKING:
    from certtui.ask.session import Session

#: Columns and rows the full-screen wizard needs.
SMALLEST = (60, 16)

#: Milliseconds Textual waits for the rest of an escape sequence: a slow link, and tmux, split them.
_ESCAPE_DELAY = {False: "100", True: "250"}


def run(path: str | None, *, plain: bool, colours: str | None = None, mouse: bool = False) -> int:
    """The wizard for this machine; gives its exit code. Raises CerttuiError.

    ``path`` names a plan to change or to make; ``colours`` (auto, dark, light, none) and ``mouse``
    go before the user's preferences. Raises :class:`UsageError` without a terminal.
    """
    _require_terminal(plain)
    from certtui.ask import session

    return run_session(session.for_host(path), plain=plain, colours=colours, mouse=mouse)


def run_session(
    session: Session, *, plain: bool = False, colours: str | None = None, mouse: bool = False
) -> int:
    """Runs one session in the face that fits the terminal. Raises CerttuiError."""
    _require_terminal(plain)
    from certtui.ask import preferences

    session = replace(session, preferences=preferences.load(colours, mouse))
    if plain or not full_screen():
        from certtui.plain import wizard as prompts

        return prompts.run(session)
    _prepare_environment()
    # Nearly all that an import makes stays: to look for garbage meanwhile costs a tenth of it.
    gc.disable()
    try:
        from certtui.tui.app import run as run_app
    finally:
        # And it is not gone through each time a page that was left is cleared away.
        gc.freeze()
        gc.enable()
    return run_app(session)


def full_screen() -> bool:
    """Whether the terminal can show the full-screen wizard."""
    if os.environ.get("TERM", "dumb") in ("", "dumb", "unknown") or not _is_terminal(sys.stdout):
        return False
    try:
        columns, rows = os.get_terminal_size(sys.stdout.fileno())
    except OSError:
        return False
    return columns >= SMALLEST[0] and rows >= SMALLEST[1]


def _require_terminal(plain: bool) -> None:
    """Somebody must be there to answer; with ``--plain`` it may be a pipe that was asked for."""
    if not plain and not _is_terminal(sys.stdin):
        raise UsageError(
            "the wizard needs a terminal to ask its questions; without one: "
            "certtui init plan.toml --set mail.to=admin@example.com, then certtui apply plan.toml"
        )
    if not plain and _kept_from_sight():
        raise UsageError(
            "the wizard's questions would go where nobody sees them: start it without > FILE; "
            "certtui diff and certtui apply say in a file what changes"
        )


def _kept_from_sight() -> bool:
    """Whether what is printed goes into a file or nowhere; a pipe may lead to somebody (tee)."""
    try:
        mode = os.fstat(sys.stdout.fileno()).st_mode
    except (OSError, ValueError):
        return True
    return not (_is_terminal(sys.stdout) or stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode))


def _is_terminal(stream: object) -> bool:
    return stream is not None and bool(getattr(stream, "isatty", lambda: False)())


def _prepare_environment() -> None:
    """What Textual reads when it is imported."""
    remote = bool(os.environ.get("SSH_CONNECTION") or os.environ.get("TMUX"))
    os.environ.setdefault("ESCDELAY", _ESCAPE_DELAY[remote])
    os.environ["TEXTUAL_ANIMATIONS"] = "none"
    os.environ["TEXTUAL_SMOOTH_SCROLL"] = "0"
    # The size comes from the terminal: inherited values outlive the window they describe.
    os.environ.pop("COLUMNS", None)
    os.environ.pop("LINES", None)
