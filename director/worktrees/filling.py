"""Filling a worktree from another: its tracked files are copied instead of checked out.

A copy shares its blocks with the file where the file system can, and reads no objects. What was
copied counts as what the other's index says only where the other's file, after the copy, is still
the one that its index knows: so it does not matter what runs there meanwhile.
"""

from __future__ import annotations

import os
import stat
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from director.processes.capture import capture
from director.processes.removal import discard
from director.repositories.index_files import IndexEntry, index_entries, index_file
from director.repositories.objects import GITLINK_MODE

COPIED_AT_ONCE = 1_000  # names for one process: well below what the system takes
COPIERS = 2
COPY_PATHS = ("cp", "-P", "--preserve=mode", "--reflink=auto", "--parents")


class Template:
    """A filled worktree for gates at ``path``; ``index`` knows its files."""

    def __init__(self, path: Path, index: Path) -> None:
        self.path = path
        self.index = index

    def fill(self, target: Path, index: Path, object_format: str) -> None:
        """Fill the empty folder ``target``, and write its ``index``, as far as that can be done.

        The files are copied to beside the index, where no agent can write: `cp` follows links.
        """
        place = index.with_suffix(".filling")
        discard(place)
        try:
            with suppress(OSError):  # an agent put something there: git fills it, as always
                place.mkdir(mode=0o700)
                if data := copy_tracked(self, place, object_format):
                    place.rename(target)
                    index.write_bytes(data)
        finally:
            discard(place)


class Templates:
    """What the worktrees of a pool are filled from. Callable from any thread."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._settled = False
        self._template: Template | None = None

    @contextmanager
    def turn(self) -> Iterator[Template | None]:
        """Give the template, or None where there is none; others wait until that is settled."""
        with self._turn:
            if not self._settled:
                yield None
                return
        yield self._template

    def settle(self, template: Template | None) -> None:
        """Let others be filled from ``template`` from now on, or by git alone."""
        self._template, self._settled = template, True


def copy_tracked(template: Template, target: Path, object_format: str) -> bytes | None:
    """Copy the files that the template's index knows to ``target``, a new folder.

    Returns an index for ``target``; it knows nothing of the files that could not be copied as the
    template's index has them. None: nothing can be copied here. Raises OSError where there is no
    such index.
    """
    if not sys.platform.startswith("linux"):  # `cp` elsewhere cannot name files in folders
        return None
    with template.index.open("rb") as file:
        data, written_at = file.read(), os.fstat(file.fileno()).st_mtime_ns
    try:
        entries = list(index_entries(data, object_format))
    except ValueError:
        return None
    files = [os.fsdecode(one.path) for one in entries if one.item.mode != GITLINK_MODE]
    _copy(files, template.path, target)
    copied = (_copied(one, template.path, target, written_at) for one in entries)
    return index_file(copied, object_format)


def _copy(paths: Sequence[str], source: Path, target: Path) -> None:
    """Copy files and links; what cannot be copied is missing.

    Copies are as new as files of a checkout: git looks closer at those that are as new as its
    index, and compares no fractions of a second.
    """
    from concurrent.futures import ThreadPoolExecutor

    command = [*COPY_PATHS, "-t", str(target), "--"]
    parts = [paths[at : at + COPIED_AT_ONCE] for at in range(0, len(paths), COPIED_AT_ONCE)]

    def copy(part: Sequence[str]) -> None:
        capture([*command, *part], source, os.environ)

    with ThreadPoolExecutor(COPIERS) as copiers:
        list(copiers.map(copy, parts))


def _copied(entry: IndexEntry, source: Path, target: Path, written_at: int) -> IndexEntry:
    """Return the entry of the copy, which says nothing where it is not known what that holds.

    Of what changed when the index was written (``written_at``) or later, the index itself does not
    know (gitformat-index(5), "racy git").
    """
    path = os.fsdecode(entry.path)
    try:
        original = os.lstat(f"{source}/{path}")
        copied = os.lstat(f"{target}/{path}")
    except OSError:
        return entry.knowing(None)
    same = (original.st_mode, original.st_size) == (copied.st_mode, copied.st_size)
    known = entry.knowing(original) == entry and original.st_ctime_ns < written_at
    plain = not stat.S_ISDIR(copied.st_mode)
    return entry.knowing(copied if same and known and plain else None)
