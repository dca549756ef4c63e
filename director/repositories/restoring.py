"""Restoring files of director's that others may have changed."""

from __future__ import annotations

import stat
from contextlib import suppress
from pathlib import Path

from director.processes.removal import discard
from director.records.files import make_folder


def own_content(path: Path) -> bytes | None:
    """Return the content of a regular file without other hard links; None for anything else."""
    with suppress(OSError):
        found = path.lstat()
        if stat.S_ISREG(found.st_mode) and found.st_nlink == 1:
            return path.read_bytes()
    return None


def restore_file(path: Path, content: bytes | None) -> None:
    """Make ``path`` a file of its own that holds ``content``, whatever is there; None: no file."""
    if own_content(path) != content:
        discard(path)
        if content is not None:
            make_folder(path.parent)
            path.write_bytes(content)
