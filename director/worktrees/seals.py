"""Sealed trees: files that are known to be what director left there, and copies of them.

A seal is what changes with a file, whatever writes it (its ctime cannot be set). Looking at the
seals costs one ``lstat`` per file and reads none.
"""

import fcntl
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from director.model.errors import StoppedError
from director.model.paths import parents
from director.model.reason import Reason
from director.model.sizes import BLOCK_BYTES, Size
from director.processes.capture import capture
from director.processes.removal import discard
from director.records.files import MAKE_ROOM, NO_SPACE
from director.repositories.links import has_plain_parents

Seal = tuple[int, ...]
Seals = dict[str, Seal]
"""Path, relative and with "/", → seal."""

# Nothing is shared with what is copied: no hard links; blocks only where the file system can.
COPY = {"linux": ("cp", "-RPp", "--reflink=auto"), "darwin": ("cp", "-RPpc")}
FICLONE = 0x40049409  # ioctl_ficlone(2)
SIZE = 2  # its place in the seal of a file
UNREADABLE: Seal = ()


class TamperedError(Exception):
    """What a copy was to be made of is not what director left there."""

    def __init__(self, tree: "SealedTree") -> None:
        super().__init__(str(tree.root))
        self.tree = tree


class Tracked:
    """Paths that a commit holds, and the folders that lead to them: nothing else may be there."""

    def __init__(self, paths: Iterable[str] = ()) -> None:
        self._paths = frozenset(paths)
        self._leading = frozenset(parent for path in self._paths for parent in parents(path))

    def holds(self, path: str) -> bool:
        """Whether the commit decides what ``path`` is."""
        return path in self._paths or path in self._leading

    def hides(self, path: str) -> bool:
        """Whether ``path`` cannot be: the commit has it, or a file where a folder should be."""
        return path in self._paths or any(parent in self._paths for parent in parents(path))


class SealedTree(NamedTuple):
    """What lies at ``names`` below ``root``, with its seals as director left it."""

    root: Path
    names: tuple[str, ...]
    seals: Seals

    @classmethod
    def of(cls, root: Path, names: Iterable[str]) -> "SealedTree":
        """Seal what lies at ``names`` now."""
        known = tuple(names)
        return cls(root, known, seals_of(root, known))

    def intact(self) -> bool:
        """Whether nothing was changed, added or removed since."""
        return seals_of(self.root, self.names) == self.seals

    def restore_to(self, target: Path, known: Seals, tracked: Tracked) -> Seals:
        """Make the same names below ``target`` what they are here; returns their seals there.

        ``known`` are the seals as this returned them last: what still has them stays, all else is
        removed or copied again. What is ``tracked`` is left alone. Raises TamperedError.
        """
        found = seals_of(target, self.names)
        wrong: set[str] = set()
        for path in sorted(found):  # folders before what is in them
            if path.rpartition("/")[0] in wrong:
                wrong.add(path)
            elif not tracked.holds(path) and known.get(path) != found[path]:
                _clear(target / path)
                wrong.add(path)
        laid = {p: one for p, one in found.items() if p not in wrong and not tracked.holds(p)}
        for path in sorted(self.seals):
            there = path in laid or tracked.holds(path) or tracked.hides(path)
            if not there and has_plain_parents(target, path):
                self._check(path)
                (target / path).parent.mkdir(parents=True, exist_ok=True)
                copy(self.root / path, target / path)
                laid |= seals_of(target, [path])
        return laid

    def _check(self, path: str) -> None:
        expected = {path: self.seals[path]}
        if (self.root / path).is_dir():
            inside = f"{path}/"
            expected |= {p: one for p, one in self.seals.items() if p.startswith(inside)}
        if seals_of(self.root, [path]) != expected:
            raise TamperedError(self)


def size_of(seals: Seals) -> Size:
    """Return the size of what has these seals."""
    return Size.of(one[SIZE] for one in seals.values() if len(one) > SIZE)


def seals_of(root: Path, names: Iterable[str]) -> Seals:
    """Return the seals of what lies at ``names`` and below; links are not followed."""
    found: Seals = {}
    folders: list[str] = []

    def note(path: str, status: os.stat_result) -> None:
        found[path] = seal(status)
        if stat.S_ISDIR(status.st_mode):
            folders.append(path)

    for name in names:
        if has_plain_parents(root, name) and os.path.lexists(root / name):
            note(name, (root / name).lstat())
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(root / folder) as entries:
                for entry in entries:
                    note(f"{folder}/{entry.name}", entry.stat(follow_symlinks=False))
        except OSError:  # no permission, too deep: nothing that director leaves
            found[folder] = UNREADABLE
    return found


def seal(status: os.stat_result) -> Seal:
    """Return what changes with a file, whatever writes it (ctime cannot be set)."""
    if stat.S_ISDIR(status.st_mode):
        return (status.st_mode,)  # what is in it has seals of its own
    times = (status.st_mtime_ns, status.st_ctime_ns)
    return (status.st_mode, status.st_ino, status.st_size, *times)


def copy(source: Path, target: Path) -> None:
    """Copy a file, a link or a tree, modes and times included; links stay links."""
    command = COPY.get(sys.platform, ("cp", "-RPp"))
    if source.is_symlink() or not source.is_dir():
        try:
            shutil.copy2(source, target, follow_symlinks=False)
        except OSError as error:
            raise _not_copied(source, str(error)) from None
        return
    done = capture([*command, "--", str(source), str(target)], source.parent, os.environ)
    if done.code != 0:
        raise _not_copied(source, done.err.decode(errors="replace").strip())


def shares_blocks(folder: Path) -> bool:
    """Whether a copy in ``folder`` shares its blocks with the file."""
    with ExitStack() as files:
        one, two = (files.enter_context(tempfile.TemporaryFile(dir=folder)) for _ in range(2))
        one.write(bytes(BLOCK_BYTES))
        one.flush()
        try:
            fcntl.ioctl(two.fileno(), FICLONE, one.fileno())
        except OSError:
            return False
    return True


def _not_copied(source: Path, reason: str) -> StoppedError:
    said = (reason.splitlines() or ["no message"])[-1]
    return StoppedError(
        f"cannot copy {source}: {said}",
        MAKE_ROOM,
        Reason.DISK_FULL if NO_SPACE in reason else None,
    )


def _clear(path: Path) -> None:
    """Remove what is at ``path``, from a read-only folder too."""
    try:
        discard(path)
    except PermissionError:
        path.parent.chmod(0o700)
        discard(path)
