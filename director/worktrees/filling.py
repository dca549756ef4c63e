"""Filling a worktree from another: its tracked files are copied instead of checked out.

A copy reads no objects, and shares its blocks where the file system can. What was copied counts
as what the other's index says only where the other's file, after the copy, is still the one that
its index knows: so it does not matter what runs there meanwhile.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
import struct
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from director.model.sizes import BLOCK_BYTES, Size
from director.processes.capture import capture
from director.repositories.index_files import (
    AFTER_MODE,
    BEFORE_MODE,
    READABLE_VERSIONS,
    IndexEntry,
    id_length,
    index_entries,
    index_version,
)
from director.repositories.objects import GITLINK_MODE

FICLONE = 0x40049409  # ioctl_ficlone(2)
COPIED_AT_ONCE = 1_000  # names for one process: well below what the system takes
COPIERS = 2
COPY_PATHS = ("cp", "-P", "--preserve=mode", "--reflink=auto", "--parents")
UNKNOWN_STATUS = bytes(24), bytes(12)  # around the mode; git looks at the file's content


@dataclass(frozen=True)
class Template:
    """A filled worktree for gates at ``path``; ``index`` knows its files."""

    path: Path
    index: Path


class Templates:
    """What the worktrees of a pool are filled from. Callable from any thread."""

    def __init__(self, object_format: str) -> None:
        self._object_format = object_format
        self._turn = threading.Lock()
        self._ready: Template | None = None
        self._useless = False

    def fill(self, template: Template, target: Path) -> bytes | None:
        """Do what ``copy_tracked`` does; None, too, where an error of the system stops it."""
        try:
            return copy_tracked(template, target, self._object_format)
        except OSError:
            return None

    @contextmanager
    def turn(self, own: Template | None) -> Iterator[Template | None]:
        """Give the template; None: the caller fills its worktree by itself, while others wait.

        Then ``own``, if any, becomes the template, where the tree is so large that it is of use.
        """
        with self._turn:
            alone = self._ready is None and not self._useless
            if alone:
                yield None
                if own:
                    size = size_of_tracked(own.index, self._object_format)
                    self._useless = size is None or not size.is_large
                    self._ready = None if self._useless else own
        if not alone:
            yield self._ready

    def offer(self, own: Template) -> None:
        """Take a worktree that an earlier command filled for the template."""
        with self._turn:
            self._ready = self._ready or own


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


def size_of_tracked(index: Path, object_format: str) -> Size | None:
    """Return the size of what an index knows; None: there is none, or none to be read here."""
    try:
        data = index.read_bytes()
    except OSError:
        return None
    if index_version(data) not in READABLE_VERSIONS:
        return None
    entries = index_entries(data, id_length(object_format))
    return Size.of(one.size for one in entries)


def copy_tracked(template: Template, target: Path, object_format: str) -> bytes | None:
    """Copy the files that the template's index knows to ``target``, a new folder.

    Returns an index for ``target``; it knows nothing of the files that could not be copied as the
    template's index has them. None: nothing can be copied here.
    """
    if not sys.platform.startswith("linux"):  # `cp` elsewhere cannot name files in folders
        return None
    data = bytearray(template.index.read_bytes())
    written_at = template.index.stat().st_mtime_ns
    if index_version(data) not in READABLE_VERSIONS:
        return None
    digest_length = id_length(object_format)
    entries = list(index_entries(bytes(data), digest_length))
    files = [one for one in entries if one.mode != int(GITLINK_MODE, 8)]
    _copy([os.fsdecode(one.path) for one in files], template.path, target)
    for one in entries:
        status = _status_of_copy(one, template.path, target, written_at)
        before, after = status or UNKNOWN_STATUS
        known = bytearray(one.known)
        known[BEFORE_MODE], known[AFTER_MODE] = before, after
        data[one.start : one.start + len(known)] = known
    if any(data[-digest_length:]):  # index.skipHash leaves zeros
        digest = hashlib.new(object_format, data[:-digest_length], usedforsecurity=False)
        data[-digest_length:] = digest.digest()
    return bytes(data)


def _copy(paths: Sequence[str], source: Path, target: Path) -> None:
    """Copy files and links; what cannot be copied is missing.

    Copies are as new as files of a checkout: git looks closer at those that are as new as its
    index, and compares no fractions of a second.
    """
    command = [*COPY_PATHS, "-t", str(target), "--"]
    parts = [paths[at : at + COPIED_AT_ONCE] for at in range(0, len(paths), COPIED_AT_ONCE)]

    def copy(part: Sequence[str]) -> None:
        capture([*command, *part], source, os.environ)

    with ThreadPoolExecutor(COPIERS) as copiers:
        list(copiers.map(copy, parts))


def _status_of_copy(
    entry: IndexEntry, source: Path, target: Path, written_at: int
) -> tuple[bytes, bytes] | None:
    """Return what an index says of a copy; None: nobody knows what it holds.

    Of what changed when the index was written (``written_at``) or later, the index itself does not
    know (gitformat-index(5), "racy git").
    """
    path = os.fsdecode(entry.path)
    try:
        original = os.lstat(f"{source}/{path}")
        copied = os.lstat(f"{target}/{path}")
    except OSError:
        return None
    same = (original.st_mode, original.st_size) == (copied.st_mode, copied.st_size)
    known = _packed(original) == entry.status and original.st_ctime_ns < written_at
    plain = not stat.S_ISDIR(copied.st_mode)
    return _packed(copied) if same and known and plain else None


def _packed(status: os.stat_result) -> tuple[bytes, bytes]:
    """Return a file's status as an index has it: what stands before the mode, and after it."""
    seconds = [divmod(ns, 10**9) for ns in (status.st_ctime_ns, status.st_mtime_ns)]
    numbers = (*seconds[0], *seconds[1], status.st_dev, status.st_ino)
    before = struct.pack(">6L", *(number & 0xFFFFFFFF for number in numbers))
    owner = (status.st_uid, status.st_gid, status.st_size)
    return before, struct.pack(">3L", *(number & 0xFFFFFFFF for number in owner))
