"""``live/NAME/``: four links into ``archive/NAME/`` that certbot insists on, of one number.

certbot/_internal/storage.py: ``_check_symlinks`` refuses a lineage with a plain file or a link that
leads nowhere, and the renewal passes over it; ``ensure_deployed`` links the newest complete number.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass

from certtui.doctor.certificates import paths_of_another
from certtui.doctor.check import Kind
from certtui.doctor.finding import Finding, Fix, Status
from certtui.host.facts import KINDS, Lineage
from certtui.host.interface import FileInfo, Host
from certtui.host.lineages import MOST

_OWN = "certbot (storage.py, _check_symlinks)"

COPIED = Kind(
    "lineage.no-link",
    Status.FAIL,
    "the files in live/ are links into archive/",
    f"{_OWN} passes over a lineage whose files in live/ were copied, as a backup or rsync without "
    "-l leaves them: it is never renewed, and the copies stay old.",
)
DANGLING = Kind(
    "lineage.dangling-link",
    Status.FAIL,
    "the links in live/ lead to files",
    f"{_OWN} passes over a lineage with a link that leads nowhere, and a web server that names it "
    "does not start again.",
)
ASTRAY = Kind(
    "lineage.link-astray",
    Status.FAIL,
    "the links in live/ lead to files that certbot numbers in the lineage's own archive",
    "certbot takes the number of a certificate from the name of its file: where a link leads "
    "elsewhere it renews another lineage's files, or each time anew (certbot issue #4940).",
)
MIXED = Kind(
    "lineage.mixed-versions",
    Status.FAIL,
    "the four links in live/ have one number",
    "Certificate and key of different numbers do not belong together: a web server that is started "
    "or reloaded refuses them.",
)
BEHIND = Kind(
    "lineage.links-behind",
    Status.WARN,
    "the links in live/ lead to the newest files in archive/",
    "The web server loads what live/ links to; certbot judges the newest in archive/ and links it "
    "at its next run (storage.py, ensure_deployed), also where older ones were chosen by hand.",
)

ALL = (COPIED, DANGLING, paths_of_another.ANOTHERS, ASTRAY, MIXED, BEHIND)

_NUMBERED = re.compile(r"(cert|privkey|chain|fullchain)([0-9]{1,9})\.pem", re.ASCII)


@dataclass(frozen=True)
class Archive:
    """The folder of a lineage in ``archive/`` and the names in it."""

    folder: str
    names: tuple[str, ...]

    def newest(self) -> int:
        """The highest number of which there are all four files; 0 for none."""
        return max(self.complete(), default=0)

    def complete(self) -> list[int]:
        """The numbers of which there are all four files."""
        known: dict[str, int] = {}
        for name in self.names:
            found = _NUMBERED.fullmatch(name)
            if found:
                known[found[2]] = known.get(found[2], 0) + 1
        return [int(number) for number, count in known.items() if count == len(KINDS)]


@dataclass(frozen=True)
class Files:
    """What intact links lead to, in the order of KINDS, with what ``lstat`` says of each."""

    archive: Archive
    number: int
    paths: tuple[str, ...]
    infos: tuple[FileInfo, ...]


@dataclass(frozen=True)
class _Wrong:
    """One link that is not as it has to be."""

    kind: Kind
    file: str  # of KINDS
    message: str


def look(host: Host, lineage: Lineage, renew: Callable[[], Fix]) -> Files | Finding:
    """Where the links lead, or what is wrong with them. ``renew`` gives the command of a run.

    Raises PermissionError.
    """
    archive = Archive(lineage.archive, tuple(_names(host, lineage.archive)))
    paths, infos, numbers, wrong = [], [], [], []
    folders: dict[tuple[str, str], tuple[str, bool]] = {}
    for file, link in zip(KINDS, lineage.links, strict=True):
        found = _follow(host, archive, file, link, folders)
        if isinstance(found, _Wrong):
            wrong.append(found)
            continue
        paths.append(found[0])
        infos.append(found[1])
        numbers.append(found[2])
    if wrong:
        mistake = paths_of_another.look(host, lineage, [one.file for one in wrong])
        return mistake or _finding(host, lineage, archive, wrong)
    newest = archive.newest()
    if len(set(numbers)) > 1:
        return _mixed(lineage, archive, numbers)
    if newest > numbers[0]:
        return BEHIND.found(
            lineage.name,
            f"live/ links to number {numbers[0]}, but number {newest} is there: "
            "certbot's next run links that",
            f"{lineage.links[0]} -> {paths[0]}",
            renew(),
        )
    return Files(archive, numbers[0], tuple(paths), tuple(infos))


def _names(host: Host, folder: str) -> list[str]:
    if not folder.startswith("/") or "\0" in folder:
        return []
    try:
        return host.names(folder)
    except PermissionError:
        raise
    except OSError:  # a loop of links, a name that is too long
        return []


def _follow(
    host: Host,
    archive: Archive,
    file: str,
    link: str,
    folders: dict[tuple[str, str], tuple[str, bool]],
) -> tuple[str, FileInfo, int] | _Wrong:
    """Path, ``lstat`` and number of what a link leads to.

    ``folders`` remembers where links of a lineage lead to, and whether that is its archive.
    """
    if not link.startswith("/") or "\0" in link:
        return _Wrong(ASTRAY, file, f"{link!r} is not an absolute path")
    target = host.link(link)
    if target is None:
        return _no_link(host, file, link)
    folder, _, name = target.rpartition("/")
    here = link.rpartition("/")[0]
    if (here, folder) not in folders:
        place = posixpath.normpath(posixpath.join(here or "/", folder))
        is_own = place == archive.folder or _same(host, place, archive.folder)
        folders[here, folder] = (place, is_own)
    place, is_own = folders[here, folder]
    number = _NUMBERED.fullmatch(name)
    path = f"{place}/{name}"
    info = host.info(path)
    if info is None:
        return _Wrong(DANGLING, file, f"{link} leads to {path}, and that is missing")
    if not is_own or number is None or number[1] != file:
        wanted = f"{archive.folder}/{file}N.pem"
        return _Wrong(ASTRAY, file, f"{link} leads to {path}, not to {wanted}")
    if info.kind == "symlink":
        real = host.resolve(path)
        info = host.info(real) if real else None
    if info is None:
        return _Wrong(DANGLING, file, f"{path} is itself a link that leads nowhere")
    if info.kind != "file":
        return _Wrong(DANGLING, file, f"{path} is no file but a {info.kind}")
    return path, info, int(number[2])


def _same(host: Host, place: str, folder: str) -> bool:
    real = host.resolve(place)
    return real is not None and real == host.resolve(folder)


def _no_link(host: Host, file: str, link: str) -> _Wrong:
    info = host.info(link)
    if info is None:
        return _Wrong(DANGLING, file, f"{link} is missing")
    what = "a file of its own" if info.kind == "file" else f"a {info.kind}"
    return _Wrong(COPIED, file, f"{link} is {what}, not a link into archive/")


def _finding(host: Host, lineage: Lineage, archive: Archive, wrong: list[_Wrong]) -> Finding:
    """What is wrong first, and the command that puts this link right."""
    first = min(wrong, key=lambda one: (ALL.index(one.kind), one.file))
    files = ", ".join(one.file for one in wrong)
    more = f" (and {len(wrong) - 1} more of the four)" if len(wrong) > 1 else ""
    number = archive.newest()
    if first.kind is COPIED:
        number = _number_of_copy(host, lineage, archive)
    fix = _relink(lineage, archive, first.file, number)
    if fix is not None and not _is_file(host, f"{archive.folder}/{first.file}{number}.pem"):
        fix = None
    if fix is None:
        more += f"; nothing in {archive.folder} can take its place: bring it back from a backup"
    seen = f"{posixpath.dirname(lineage.links[0])}: {files}"
    return first.kind.found(lineage.name, f"{first.message}{more}", seen, fix)


def _is_file(host: Host, path: str) -> bool:
    info = host.info(path)
    return info is not None and info.kind == "file"


def _number_of_copy(host: Host, lineage: Lineage, archive: Archive) -> int:
    """The number in archive/ of which the plain files in live/ are copies; 0 for none.

    The other three decide, too: of a key that was used twice only the certificate tells the number.
    """
    for number in sorted(archive.complete(), reverse=True):
        if all(
            _is_copy(host, link, f"{archive.folder}/{file}{number}.pem")
            for file, link in zip(KINDS, lineage.links, strict=True)
        ):
            return number
    return 0


def _is_copy(host: Host, link: str, path: str) -> bool:
    """Whether a name in live/ is, or leads to, the same bytes."""
    info = host.info(link)
    if info is None or info.kind not in ("file", "symlink"):
        return False
    content = host.read(link, MOST)
    return content is not None and content == host.read(path, MOST)


def _mixed(lineage: Lineage, archive: Archive, numbers: list[int]) -> Finding:
    newest = archive.newest() or min(numbers)
    seen = ", ".join(f"{file}{number}" for file, number in zip(KINDS, numbers, strict=True))
    odd = next(file for file, number in zip(KINDS, numbers, strict=True) if number != newest)
    return MIXED.found(
        lineage.name,
        f"the links in live/ lead to different numbers: {seen}",
        f"{posixpath.dirname(lineage.links[0])} -> {archive.folder}: {seen}",
        _relink(lineage, archive, odd, newest),
    )


def _relink(lineage: Lineage, archive: Archive, file: str, number: int) -> Fix | None:
    """The command that links one file of this number, as certbot does it: relative to live/."""
    name, link = f"{file}{number}.pem", lineage.links[KINDS.index(file)]
    if name not in archive.names or not link.startswith("/"):
        return None
    folder = posixpath.relpath(archive.folder, posixpath.dirname(link))
    return Fix(("ln", "-sfn", f"{folder}/{name}", link))
