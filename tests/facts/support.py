"""A host made of dictionaries: files, links and what commands answer."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from certtui.host.interface import QUERY_TIMEOUT, SAFE_PATH, Completed, FileInfo, Space


@dataclass
class FakeHost:
    """``files`` are path -> content, ``links`` path -> target, ``answers`` argv -> what it says.

    An answer is found by the longest beginning of the argv; without one the program is missing.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    modes: dict[str, int] = field(default_factory=dict)
    answers: dict[tuple[str, ...], str | Completed] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    spaces: dict[str, Space] = field(default_factory=dict)  # by the path that is asked for
    root_user: bool = True
    root: str = "/"
    ran: list[tuple[str, ...]] = field(default_factory=list)

    def read(self, path: str, most: int = -1) -> bytes | None:
        real = self.resolve(path)
        if path in self.closed or real in self.closed:
            raise PermissionError(13, "Permission denied", path)
        content = self.files.get(real) if real else None
        return content if content is None or most < 0 else content[:most]

    def tail(self, path: str, most: int) -> bytes | None:
        content = self.read(path)
        return content if content is None else content[max(0, len(content) - most) :]

    def space(self, path: str) -> Space | None:
        return self.spaces.get(path)

    def info(self, path: str) -> FileInfo | None:
        if path in self.links:
            return FileInfo("symlink", 0o777, 0, 0, 1, 0, 0.0)
        if path in self.files:
            size = len(self.files[path])
            return FileInfo("file", self.modes.get(path, 0o644), 0, 0, 1, size, 0.0)
        if self._is_folder(path):
            return FileInfo("directory", 0o755, 0, 0, 2, 0, 0.0)
        return None

    def _is_folder(self, path: str) -> bool:
        return any(name.startswith(f"{path.rstrip('/')}/") for name in (*self.files, *self.links))

    def names(self, path: str) -> list[str]:
        if path in self.closed:
            raise PermissionError(13, "Permission denied", path)
        begin = f"{path.rstrip('/')}/"
        known = (*self.files, *self.links)
        return sorted(
            {name[len(begin) :].split("/")[0] for name in known if name.startswith(begin)}
        )

    def link(self, path: str) -> str | None:
        return self.links.get(path)

    def resolve(self, path: str) -> str | None:
        for _ in range(8):
            if path not in self.links:
                break
            path = posixpath.normpath(posixpath.join(posixpath.dirname(path), self.links[path]))
        return path if path in self.files or self._is_folder(path) else None

    def which(self, program: str) -> str | None:
        for folder in SAFE_PATH.split(":"):
            real = self.resolve(f"{folder}/{program}")
            if real and self.modes.get(real, 0o644) & 0o111:
                return f"{folder}/{program}"
        return None

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float = QUERY_TIMEOUT,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
    ) -> Completed:
        command = tuple(argv)
        self.ran.append(command)
        for length in range(len(command), 0, -1):
            if command[:length] in self.answers:
                answer = self.answers[command[:length]]
                return Completed(command, 0, answer, "") if isinstance(answer, str) else answer
        return Completed(command, 127, "", f"{command[0]}: not found")

    def is_root(self) -> bool:
        return self.root_user

    def program(self, path: str, content: bytes = b"") -> None:
        """Adds a program."""
        self.files[path] = content
        self.modes[path] = 0o755
