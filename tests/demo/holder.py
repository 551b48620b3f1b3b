"""Holds a sandbox until a signal: ``python holder.py AUTHORITY NAME...``.

Prints the kind of every step as it happens, and ``ready`` once it is inside. A program of its own,
because the tests send it signals that no process survives.
"""

from __future__ import annotations

import signal
import sys

from certtui.demo.sandbox import Sandbox


def main(authority: str, names: list[str]) -> None:
    with Sandbox(lambda step: print(step.kind, flush=True), authority=authority, names=names):
        print("ready", flush=True)
        signal.pause()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
