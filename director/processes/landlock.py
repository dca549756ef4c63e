"""Landlock: Linux lets a thread take write access away from itself, and from all that it starts.

The system calls have no wrapper in the C library, so they are made by number (landlock(7),
include/uapi/linux/landlock.h; the numbers are the same on all architectures). Rules only allow:
what no rule names cannot be written. They bind the calling thread and what it starts, for good.
"""

from __future__ import annotations

import os
import stat
import struct
import weakref
from collections.abc import Collection, Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
VERSION_FLAG = 1  # LANDLOCK_CREATE_RULESET_VERSION
PATH_BENEATH = 1  # LANDLOCK_RULE_PATH_BENEATH
SET_DUMPABLE, DROP_CAPABILITY, NO_NEW_PRIVILEGES = 4, 24, 38  # prctl(2)
TRACING = 19  # capabilities(7), CAP_SYS_PTRACE
LEAST_ABI = 2  # the first that can tell a rename between folders from one that gains access

WRITE_FILE, READ_FILE, READ_DIR = 1 << 1, 1 << 2, 1 << 3
REFER, TRUNCATE = 1 << 13, 1 << 14  # since ABI 2 and 3
CHANGE_FOLDER = sum(1 << bit for bit in range(4, 13))  # remove and make entries of any kind
OF_FILES = WRITE_FILE | READ_FILE | TRUNCATE
SCOPE_SIGNALS, SCOPES_SINCE = 1 << 1, 6
ROOT = Path("/")


class LandlockError(OSError):
    """The kernel refuses a rule, or a restriction."""


def abi() -> int:
    """Return the version of Landlock that this kernel offers; 0: none that is useful."""
    try:
        found = _call(CREATE_RULESET, None, 0, VERSION_FLAG)
    except (OSError, AttributeError):  # not in this kernel, switched off, or not Linux
        return 0
    return found if found >= LEAST_ABI else 0


def write_rights(version: int) -> int:
    """Return the rights to write that Landlock of that version can take away."""
    return WRITE_FILE | CHANGE_FOLDER | REFER | (TRUNCATE if version >= 3 else 0)


class Ruleset:
    """What may be written, read and listed by a thread that is restricted to it.

    ``writable``, ``readable`` and ``listable`` are files and folders, each with all that is below
    it, now or later; what is gone by now is passed over, and so is a link. Where they are None,
    all files may be read, and all folders listed. Raises LandlockError.
    """

    def __init__(
        self,
        writable: Iterable[str],
        readable: Iterable[str] | None = None,
        listable: Iterable[str] | None = None,
    ) -> None:
        version = abi()
        writing = write_rights(version)
        rights = {writing: writable, READ_FILE: readable, READ_DIR: listable}
        granted = {right: paths for right, paths in rights.items() if paths is not None}
        handled = sum(granted)
        scoped = SCOPE_SIGNALS if version >= SCOPES_SINCE else 0
        attributes = struct.pack("=QQQ", handled, 0, scoped)
        known = {2: 8, 3: 8, 4: 16, 5: 16}.get(version, len(attributes))  # what it knows of them
        self._descriptor = _call(CREATE_RULESET, attributes, known, 0)
        weakref.finalize(self, os.close, self._descriptor)
        rights_at: dict[str, int] = {}
        for right, paths in granted.items():
            for path in paths:
                rights_at[path] = rights_at.get(path, 0) | right
        for path, both in rights_at.items():
            self._allow(path, both)

    def allow_writing(self, path: str) -> None:
        """Let threads that are bound from now on write ``path``, and what is below it, too."""
        self._allow(path, write_rights(abi()))

    def _allow(self, path: str, rights: int) -> None:
        with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
            flags = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(path, flags)
            try:
                mode = os.fstat(descriptor).st_mode
                if stat.S_ISLNK(mode):
                    return
                granted = rights if stat.S_ISDIR(mode) else rights & OF_FILES
                if granted:
                    rule = struct.pack("=Qi", granted, descriptor)
                    _call(ADD_RULE, self._descriptor, PATH_BENEATH, rule, 0)
            finally:
                os.close(descriptor)

    def restrict_thread(self) -> None:
        """Bind the calling thread, and all that it starts from now on. Raises LandlockError.

        Programs that change the user (sudo) get no privileges there any more. What it starts may
        not trace it, as it else could as long as the thread lives, since they are bound alike: a
        thread has the memory of all of its process, which has no core dumps from now on.
        """
        _c_library().prctl(SET_DUMPABLE, 0, 0, 0, 0)
        _c_library().prctl(DROP_CAPABILITY, TRACING, 0, 0, 0)  # root's, and only root may do it
        if _c_library().prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
            raise _error("prctl")
        _call(RESTRICT_SELF, self._descriptor, 0)


def all_but(kept: Collection[Path]) -> list[str]:
    """Return the files and folders that hold everything there is, but for ``kept``.

    They are the siblings on the way from the root to what is kept; links are left out.
    """
    closed = set(map(str, kept))
    on_the_way = set(map(str, on_the_way_to(kept)))
    open_ones: list[str] = []
    folders = [str(ROOT)] if on_the_way else []
    while folders:
        folder = folders.pop()
        for entry in entries(folder):
            if entry.path in closed or entry.is_symlink():
                continue
            (folders if entry.path in on_the_way else open_ones).append(entry.path)
    return open_ones if on_the_way else [str(ROOT)]


def on_the_way_to(paths: Iterable[Path]) -> set[Path]:
    """Return the folders that ``paths`` lie in, up to the root."""
    nearest = {path.parent for path in paths if path != ROOT}
    return {folder for one in nearest for folder in (one, *one.parents)}


def entries(folder: str) -> list[os.DirEntry[str]]:
    """Return what is in a folder; nothing where it cannot be read: nothing can write there."""
    try:
        with os.scandir(folder) as found:
            return list(found)
    except OSError:
        return []


def _call(number: int, *arguments: object) -> int:
    found = int(_c_library().syscall(number, *arguments))
    if found < 0:
        raise _error(f"system call {number}")
    return found


def _error(what: str) -> LandlockError:
    import ctypes

    code = ctypes.get_errno()
    return LandlockError(code, f"{what}: {os.strerror(code)}")


@cache
def _c_library() -> Any:
    import ctypes  # not needed to read records

    return ctypes.CDLL(None, use_errno=True)
