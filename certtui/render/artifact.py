"""What rendering yields: the files that must be there and the actions that make them count."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Artifact:
    """One file that must be on the host. ``why`` is one sentence for the preview.

    ``kind`` is ``file``, or ``crontab`` for the fenced block in root's crontab: then ``path`` is
    the name shown to people and ``content`` the block without its fences.
    """

    path: str
    content: bytes
    mode: int
    why: str
    kind: str = "file"
    owner: str = "root:root"


@dataclass(frozen=True)
class UnitState:
    """A systemd unit that must be enabled and started (or disabled and stopped).

    ``ours`` units are started last-but-one; others are switched off last, so that at no moment
    nothing renews.
    """

    unit: str
    on: bool
    why: str
    ours: bool = False


@dataclass(frozen=True)
class Rename:
    """A foreign file that must be moved aside, such as /etc/cron.d/certbot without systemd."""

    path: str
    to: str
    why: str


@dataclass(frozen=True)
class Rendered:
    """The whole target state: one list that diff and apply both read."""

    artifacts: tuple[Artifact, ...]
    units: tuple[UnitState, ...] = ()
    renames: tuple[Rename, ...] = ()
    #: unit files to hand to ``systemd-analyze verify`` before they are enabled
    verify: tuple[str, ...] = ()
    #: the at script whose next job must be in at's queue; "" for backends without one
    queue: str = ""
