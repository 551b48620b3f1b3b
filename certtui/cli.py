"""The command line: which commands there are, and how each ends.

Nothing is imported here but the standard library; each handler imports the rooms it needs, so that
``certtui --version`` costs little more than an empty interpreter.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import NoReturn

from certtui import __version__, streams
from certtui.errors import CerttuiError, Ended, ExitCode, UsageError

_PLAN_HELP = "the plan's TOML file (default: /etc/certtui/plan.toml, else the plan last applied)"


class _Parser(argparse.ArgumentParser):
    """argparse exits with 2, which here means "differs"."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see `{self.prog} --help`")


def _flag(parser: argparse.ArgumentParser, name: str, text: str) -> None:
    parser.add_argument(name, action="store_true", help=text)


def _plan(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plan", nargs="?", metavar="PLAN", help=_PLAN_HELP)


def _json(parser: argparse.ArgumentParser) -> None:
    _flag(parser, "--json", "print one documented JSON object (an object a line for streams)")


def _root(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--root", default="/", metavar="DIR", help="files only, below DIR; nothing is activated"
    )


def _init(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plan", metavar="PLAN", help="the file to write")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="an answer, such as mail.to=admin@example.com; lists with commas or as TOML",
    )
    _flag(parser, "--force", "replace PLAN if it exists")


def _check(parser: argparse.ArgumentParser) -> None:
    _plan(parser)
    _json(parser)


def _diff(parser: argparse.ArgumentParser) -> None:
    _plan(parser)
    _json(parser)
    _root(parser)


def _apply(parser: argparse.ArgumentParser) -> None:
    _diff(parser)
    _flag(parser, "--check", "only say what would change: exit 0 nothing, 2 something")
    _flag(parser, "--no-dry-run", "do not prove the renewal afterwards")
    _flag(parser, "--force", "replace files that certtui did not write (undo restores them)")


def _doctor(parser: argparse.ArgumentParser) -> None:
    _plan(parser)
    _json(parser)
    ids = "ids or groups with commas between; may be repeated"
    for name, words in (("--only", "look only at these"), ("--skip", "do not look at these")):
        parser.add_argument(
            name, action="append", default=[], metavar="ID,...", help=f"{words}: {ids}"
        )
    _flag(parser, "--list", "list the checks")
    _flag(parser, "--fix", "run the mends that nobody objects to, then look again")


def _drill(parser: argparse.ArgumentParser) -> None:
    _plan(parser)
    _json(parser)
    _flag(parser, "--deploy", "drill the hooks and the web server instead of the mail")
    parser.add_argument("--only", metavar="NAME", help="with --deploy: one certificate")


def _back(parser: argparse.ArgumentParser) -> None:
    _root(parser)
    _flag(parser, "--force", "also where a file was edited since; the edits are saved first")


def _demo(parser: argparse.ArgumentParser) -> None:
    _flag(parser, "--yes", "go straight through without the wizard")


def _nothing(parser: argparse.ArgumentParser) -> None:
    del parser


#: name -> (one line of help, the options it takes)
COMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "init": ("write a plan from what is found on this host", _init),
    "check": ("validate a plan: every problem at once", _check),
    "diff": ("show what apply would change, file by file, and run", _diff),
    "apply": ("make the host what the plan says, then prove it with a dry run", _apply),
    "dry-run": ("stream a live certbot renew --dry-run", _check),
    "doctor": ("check that the next renewal will happen", _doctor),
    "drill": ("prove that a failure is mailed, by a forced one", _drill),
    "status": ("show certificates, next and last runs", _check),
    "undo": ("take back the last apply", _back),
    "remove": ("take back every apply", _back),
    "demo": ("try everything in a throw-away folder, without root", _demo),
    "schema": ("print the JSON Schema of the plan", _nothing),
}


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The command line as a namespace with ``command``. Raises :class:`UsageError`."""
    first = next((word for word in argv if not word.startswith("-")), "")
    if first in COMMANDS:
        parser = _Parser(prog=f"certtui {first}", description=COMMANDS[first][0])
        COMMANDS[first][1](parser)
        rest = list(argv)
        rest.remove(first)
        return parser.parse_args(rest, argparse.Namespace(command=first))
    parser = _Parser(prog="certtui", description=_overview(), formatter_class=_Raw)
    parser.add_argument("--version", action="version", version=f"certtui {__version__}")
    _plan(parser)
    _flag(parser, "--plain", "numbered questions instead of the full-screen wizard")
    parser.add_argument(
        "--colours",
        choices=("auto", "dark", "light", "none"),
        help="the wizard's colours for this start",
    )
    _flag(parser, "--mouse", "the wizard takes the mouse away from the terminal")
    arguments = parser.parse_args(list(argv), argparse.Namespace(command="wizard"))
    _refuse_misspelt(arguments.plan)
    return arguments


def _refuse_misspelt(plan: str | None) -> None:
    """A word that is no file but much like a command is not the name of a plan to be made."""
    if plan is None or os.path.lexists(plan):
        return
    import difflib

    close = difflib.get_close_matches(plan, COMMANDS, n=1)
    if close:
        raise UsageError(f"{plan}: no such command and no such file; did you mean {close[0]}?")


class _Raw(argparse.RawDescriptionHelpFormatter):
    pass


def _overview() -> str:
    lines = ["Make certificate renewal on this server certain. Without a command: the wizard.", ""]
    lines += [f"  certtui {name:<9} {text}" for name, (text, _) in COMMANDS.items()]
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and gives its exit code; no traceback reaches a person."""

    def work() -> int:
        arguments = parse(sys.argv[1:] if argv is None else argv)
        from certtui import commands

        return commands.run(arguments)

    return guarded(work)


def guarded(work: Callable[[], int]) -> int:
    """Does some work; an error becomes a sentence on standard error, and an exit code."""
    _end_politely()
    streams.open_all()
    _keep_the_hosts_clock()
    try:
        code = work()
        sys.stdout.flush()
        return int(code)
    except CerttuiError as error:
        streams.finish()
        _complain(str(error))
        return int(error.exit_code)
    except KeyboardInterrupt:
        _complain("interrupted")
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # Whoever read us has gone: say nothing more, not even from the interpreter's exit.
        streams.write_nowhere()
        return 128 + signal.SIGPIPE
    except streams.Unwritable as error:
        streams.write_nowhere()
        _complain(str(error))
        return int(ExitCode.FAILED)
    except OSError as error:
        if not streams.hung_up():
            return _fault(error)
        return 128 + signal.SIGHUP  # the terminal went; the signal is on its way
    except Exception as error:  # noqa: BLE001 - the last resort: a report instead of a traceback
        return _fault(error)


def _fault(error: Exception) -> int:
    from certtui import crash

    _complain(crash.fault(error))
    return int(ExitCode.FAILED)


def _keep_the_hosts_clock() -> None:
    """cron goes by the host's zone, whatever TZ the caller's login has brought."""
    if os.environ.pop("TZ", None) is not None:
        time.tzset()


def _end_politely() -> None:
    """TERM and HUP unwind like any error, so that what is half done is taken back."""

    def end(signum: int, frame: FrameType | None) -> None:
        del frame
        raise Ended(signum)

    for signum in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(signum) is not signal.SIG_IGN:  # as nohup(1) leaves it
            signal.signal(signum, end)


def _complain(message: str) -> None:
    from certtui.host.visible import visible

    with contextlib.suppress(OSError):  # the terminal may be gone: then nobody reads it
        for line in message.rstrip("\n").split("\n"):
            print(f"certtui: {visible(line)}", file=sys.stderr)
