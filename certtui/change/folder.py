"""A folder of small folders, each written, renamed and thrown away durably: the journal's shelf."""

from __future__ import annotations

import os

from certtui.change.files import Tree
from certtui.change.model import Snapshot

_TRASH = "trash-"


class Folder:
    """``path`` holds sub-folders of plain files, all private to root."""

    def __init__(self, tree: Tree, path: str) -> None:
        self.tree = tree
        self.path = path

    def names(self, below: str = "") -> list[str]:
        """Sorted names, rubbish left out; empty if there is no such folder."""
        path = f"{self.path}/{below}" if below else self.path
        return [name for name in self._list(path) if not name.startswith(_TRASH)]

    def has_trash(self) -> bool:
        return any(name.startswith(_TRASH) for name in self._list(self.path))

    def _list(self, path: str) -> list[str]:
        try:
            with self.tree.parent(f"{path}/x") as (at, _):
                return sorted(os.listdir(at))
        except FileNotFoundError:
            return []

    def create(self, name: str) -> None:
        self.tree.mkdir(self.path, 0o700)
        self.tree.mkdir(f"{self.path}/{name}", 0o700)

    def read(self, name: str, file: str) -> bytes:
        """Raises FileNotFoundError."""
        found = self.tree.snapshot(f"{self.path}/{name}/{file}")
        if found is None:
            raise FileNotFoundError(f"{self.path}/{name}/{file}")
        return found.content

    def write(self, name: str, file: str, content: bytes) -> None:
        new = Snapshot(content, 0o600, self.tree.uid, self.tree.gid)
        self.tree.write(f"{self.path}/{name}/{file}", new)

    def rename(self, old: str, new: str) -> None:
        with self.tree.parent(f"{self.path}/x") as (at, _):
            os.rename(old, new, src_dir_fd=at, dst_dir_fd=at)
            os.fsync(at)

    def discard(self, name: str) -> None:
        """Throws a folder away: first by its name, at once, then for good. Gone is fine."""
        if name in self._list(self.path):
            self.rename(name, f"{_TRASH}{name}")
        self.empty_trash()

    def empty_trash(self) -> None:
        for name in self._list(self.path):
            if name.startswith(_TRASH):
                self._remove(f"{self.path}/{name}")

    def _remove(self, path: str) -> None:
        for file in self._list(path):
            self.tree.delete(f"{path}/{file}")
        self.tree.rmdir(path)
