"""The last resort: an error nobody expected becomes one sentence and a private report file."""

from __future__ import annotations

import sys
import tempfile
import traceback

from certtui import __version__
from certtui.errors import CerttuiError, PlanInvalid


def unexpected(error: BaseException) -> bool:
    """Whether an error is certtui's own fault."""
    return not isinstance(error, (CerttuiError, OSError))


def sentence(error: BaseException) -> str:
    """An error for a person; what is certtui's own fault goes to a report that is named."""
    if isinstance(error, PlanInvalid):
        # Answers have no line in a file yet.
        return "\n".join(f"{problem.key} {problem.message}" for problem in error.problems)
    if not unexpected(error):
        return str(error)
    return fault(error)


def fault(error: BaseException) -> str:
    """The sentence about certtui's own fault, whatever kind of error it is."""
    return f"an error inside certtui ({type(error).__name__}); report: {_report(error)}"


def _report(error: BaseException) -> str:
    with tempfile.NamedTemporaryFile(
        "w", prefix="certtui-report-", suffix=".txt", delete=False, encoding="utf-8"
    ) as file:
        file.write(f"certtui {__version__}, Python {sys.version}\n")
        file.writelines(traceback.format_exception(error))
        return file.name
