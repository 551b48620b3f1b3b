"""The errors a person can meet and their exit codes: the only place that maps one to the other.

An error's text is a sentence for an administrator: what is wrong, where, and what to do. Numbers
from 64 upwards are those of sysexits(3head); 128 + N is a shell's way to say "ended by signal N".
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of every certtui command."""

    OK = 0
    FAILED = 1
    DIFFERS = 2
    USAGE = 64
    INVALID_PLAN = 65
    NO_PLAN = 66
    NO_CERTBOT = 69
    LOCKED = 75
    NEEDS_ROOT = 77
    HANGUP = 128 + signal.SIGHUP
    INTERRUPTED = 128 + signal.SIGINT
    TERMINATED = 128 + signal.SIGTERM


class CerttuiError(Exception):
    """Base of every error that is shown to a person as its text, without a traceback."""

    exit_code = ExitCode.FAILED


class UsageError(CerttuiError):
    """The command line asks for something that does not exist or does not fit together."""

    exit_code = ExitCode.USAGE


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a plan.

    ``line`` and ``column`` count from 1; ``key`` is the dotted key, empty where none can be named.
    """

    file: str
    line: int
    column: int
    key: str
    message: str

    def __str__(self) -> str:
        key = f"{self.key}: " if self.key else ""
        return f"{self.file}:{self.line}:{self.column}: {key}{self.message}"


class PlanInvalid(CerttuiError):
    """The plan was read but says something that cannot be; carries every problem found."""

    exit_code = ExitCode.INVALID_PLAN

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class PlanMissing(CerttuiError):
    """There is no plan to read, or it may not be read."""

    exit_code = ExitCode.NO_PLAN


class Refused(CerttuiError):
    """Something stands in the way and nothing was written."""


class ApplyFailed(CerttuiError):
    """A step failed on the way; what had been written was put back."""


class NotApplied(CerttuiError):
    """An apply in another process did not succeed; its own exit code and sentence."""

    def __init__(self, sentence: str, code: ExitCode) -> None:
        super().__init__(sentence)
        self.exit_code = code


class CertbotMissing(CerttuiError):
    """No certbot was found, or the plan's path to it leads nowhere."""

    exit_code = ExitCode.NO_CERTBOT


class Locked(CerttuiError):
    """Another certtui, or another certbot, is at work."""

    exit_code = ExitCode.LOCKED


class NeedsRoot(CerttuiError):
    """The command changes the system and was not started by root."""

    exit_code = ExitCode.NEEDS_ROOT


class Ended(CerttuiError):
    """The command was ended by a signal; 128 + the signal's number is its exit code."""

    def __init__(self, signum: int) -> None:
        super().__init__(f"ended by {signal.Signals(signum).name}")
        self.exit_code = ExitCode(128 + signum)
