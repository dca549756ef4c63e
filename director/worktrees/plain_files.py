"""Files that director itself reads from a worktree, or writes there, in git's place.

Only such that lie there byte by byte as they are stored (``Conversions``), under names that git
takes without a second look.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from director.model.paths import parents
from director.records.files import make_file
from director.repositories.conversions import Conversion
from director.repositories.links import has_plain_parents
from director.repositories.objects import Item
from director.repositories.restoring import AS_IT_IS

MOST_BYTES = 16 << 20  # of a file that is read whole
PLAIN, EXECUTABLE, LINK, GITLINK = 0o100644, 0o100755, 0o120000, 0o160000
GIT = ".git"


def mode_of(status: os.stat_result) -> int:
    """Return git's mode of what has this status (0: git has none)."""
    if stat.S_ISREG(status.st_mode):
        return EXECUTABLE if status.st_mode & stat.S_IXUSR else PLAIN
    return LINK if stat.S_ISLNK(status.st_mode) else 0


def content_of(path: str, status: os.stat_result, folder: int | None = None) -> bytes | None:
    """Return what git stores of a file or a link with this ``status``; ``path`` is in ``folder``.

    None: git is to read it (it is large, or it changes). Raises OSError.
    """
    if stat.S_ISLNK(status.st_mode):
        return os.fsencode(os.readlink(path, dir_fd=folder))
    size = status.st_size
    if size > MOST_BYTES:
        return None
    descriptor = os.open(path, AS_IT_IS, dir_fd=folder)
    try:
        content = os.read(descriptor, size + 1)
    finally:
        os.close(descriptor)
    return content if len(content) == size else None


def stored(
    root: Path, paths: Iterable[str], conversion: Conversion
) -> dict[str, tuple[str, bytes]] | None:
    """Return path → (git's mode, content) of the files and links at ``paths``, as they are stored.

    None: git is to take them in. What is not there is left out. Raises OSError.
    """
    found = {}
    for path in paths:
        if not is_plain_path(path) or path.rpartition("/")[2].startswith(GIT):
            return None  # attributes decide about the others; some may be no links
        try:
            status = (root / path).lstat()
            content = content_of(f"{root}/{path}", status)
        except (FileNotFoundError, NotADirectoryError):
            continue
        if content is None or not (stat.S_ISLNK(status.st_mode) or conversion.leaves(content)):
            return None
        found[path] = (f"{mode_of(status):06o}", content)
    overlap = any(folder in found for path in found for folder in parents(path))
    return None if overlap else found


def is_plain_path(path: str) -> bool:
    """Whether git takes ``path`` on every system: no folder of git's is meant by any part of it.

    A name may stand for ``.git`` to some file systems ("Git~1", ".git ", with letters that are
    passed over): what comes near that is git's to judge.
    """
    return "\\" not in path and all(map(_is_plain_name, path.split("/")))


def _is_plain_name(name: str) -> bool:
    said = name.encode("ascii", "ignore").decode().lower()
    if said.startswith(GIT):
        return name.isascii() and said[len(GIT) :][:1].isalpha()
    return name not in ("", ".", "..") and not said.startswith("git~")


def put_files(root: Path, gone: Iterable[str], new: Mapping[str, tuple[Item, bytes]]) -> None:
    """Remove the files ``gone``, with folders that hold nothing more, and write the ``new`` ones.

    What is at a path of theirs is replaced, never written into: a holder of the old file, by
    another name or a mapping, holds no file of the worktree any more. Raises OSError where a link,
    or a folder, is in the way.
    """
    for path in gone:
        _remove(root, path)
        with suppress(OSError):
            for folder in reversed(parents(path)):
                (root / folder).rmdir()
    for path, (item, content) in new.items():
        _remove(root, path)
        place = f"{root}/{path}"
        try:
            _write(place, int(item.mode, 8), content)
        except FileNotFoundError:
            Path(place).parent.mkdir(parents=True, exist_ok=True)
            _write(place, int(item.mode, 8), content)


def _remove(root: Path, path: str) -> None:
    if not has_plain_parents(root, path):
        raise NotADirectoryError(path)
    with suppress(FileNotFoundError):
        os.unlink(f"{root}/{path}")  # noqa: PTH108 (often called)


def _write(place: str, mode: int, content: bytes) -> None:
    if mode == LINK:
        Path(place).symlink_to(os.fsdecode(content))
        return
    make_file(place, content, 0o777 if mode == EXECUTABLE else 0o666)
