"""Removing what an agent or a gate may have made hard to remove, or impossible."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import suppress
from pathlib import Path

from director.model.errors import StoppedError
from director.processes.capture import capture


class NotRemovedError(OSError):
    """Something cannot be removed: it is another user's (a container's), or protected."""

    def __init__(self, path: Path) -> None:
        super().__init__(errno.EACCES, "this cannot be removed", str(path))


def discard(path: Path | str) -> None:
    """Remove a file, a link or a tree, where there is one; NotRemovedError when it stays."""
    try:
        os.unlink(path)  # noqa: PTH108 (often called)
    except FileNotFoundError:
        pass
    except (IsADirectoryError, PermissionError):  # unlink(2) of a folder: by the system
        place = Path(path)
        if not place.is_dir() or place.is_symlink():
            raise NotRemovedError(place) from None
        remove_tree(place)


def discard_or_stop(path: Path) -> None:
    """Remove what is at ``path``, as ``discard``; StoppedError when it stays."""
    try:
        discard(path)
    except NotRemovedError as error:
        what = f"{error.filename} cannot be removed: something that ran there left it"
        raise StoppedError(what, as_root(path)) from None


def as_root(path: Path) -> str:
    """Return how the user removes what director cannot, as a next step."""
    return f"remove it as root, for example `sudo rm -rf {path}`"


def clear(path: Path) -> None:
    """Clear ``path``: what cannot be removed is moved aside, next to it.

    Raises NotRemovedError when not even that can be done.
    """
    try:
        discard(path)
    except NotRemovedError as error:
        aside = path.with_name(f"left-{os.urandom(6).hex()}")
        try:
            path.rename(aside)  # needs no access to what is in it, only to its parent
        except OSError:
            raise error from None


def remove_tree(folder: Path) -> None:
    """Remove a tree, also where an agent took away permissions; NotRemovedError when some stays."""
    with suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        _allow(folder)
        # Python takes a stack frame for each level; an agent may have dug deeper.
        command = ["rm", "-rf", "--", str(folder)]
        capture(command, folder.parent, os.environ, interruptible=False)
        if folder.exists():
            raise NotRemovedError(_innermost(folder))


def _allow(folder: Path) -> None:
    with suppress(OSError):
        folder.chmod(0o700)
    for place, names, _files in os.walk(folder):
        for name in names:
            with suppress(OSError):
                if not (path := Path(place, name)).is_symlink():
                    path.chmod(0o700)


def _innermost(folder: Path) -> Path:
    """Return something in a folder that has nothing in it, as far as can be seen."""
    with suppress(OSError, StopIteration):
        while folder.is_dir() and not folder.is_symlink():
            folder = next(folder.iterdir())
    return folder
