"""What OpenSSL says of a key and a certificate, past what Python makes of it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import Any

import pytest

from certtui.doctor.certificates.keys import OpenSSL


class Context:
    """Answers one after the other; the last again and again."""

    def __init__(self, *answers: Exception | None) -> None:
        self._answers: Iterator[Exception | None] = iter(answers)
        self._last: Exception | None = None

    def load_cert_chain(self, *files: str, **options: Any) -> None:
        del files, options
        self._last = next(self._answers, self._last)
        if self._last is not None:
            raise self._last


def mismatch() -> ssl.SSLError:
    error = ssl.SSLError(116, "key values mismatch")
    error.reason = "KEY_VALUES_MISMATCH"
    return error


STALE = OSError(25, "Inappropriate ioctl for device")


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([None], ""),
        ([STALE, None], ""),
        ([STALE, mismatch()], "KEY_VALUES_MISMATCH"),
        ([STALE], str(STALE)),
        (
            [FileNotFoundError(2, "No such file or directory")],
            "[Errno 2] No such file or directory",
        ),
    ],
)
def test_a_stale_errno_is_no_answer(answers: list[Exception | None], said: str) -> None:
    openssl = OpenSSL("/")
    openssl._contexts[b"x"] = Context(*answers)  # type: ignore[assignment]
    assert openssl.refusal(b"x", "/cert.pem", "/key.pem") == said
