"""Restoring files of director's that others may have changed."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from director.processes.removal import discard
from director.records.files import make_file, make_folder

AS_IT_IS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
CHUNK = 1 << 20


def own_content(path: Path | str) -> bytes | None:
    """Return the content of a regular file without other hard links; None for anything else."""
    try:
        descriptor = os.open(path, AS_IT_IS)  # a Path's own way takes twice as long
    except OSError:
        return None
    try:
        found = os.fstat(descriptor)
        if stat.S_ISREG(found.st_mode) and found.st_nlink == 1:
            content = os.read(descriptor, found.st_size + 1)
            if len(content) != found.st_size:  # it grows, or is very large
                content += b"".join(iter(lambda: os.read(descriptor, CHUNK), b""))
            return content
    except OSError:
        pass
    finally:
        os.close(descriptor)
    return None


def restore_file(path: Path | str, content: bytes | None) -> None:
    """Make ``path`` a file of its own that holds ``content``, whatever is there; None: no file.

    Where it is so already, a string takes half the time of a Path.
    """
    if content is None:
        if os.path.lexists(path):
            discard(path)
    elif own_content(path) != content:
        discard(path)
        try:
            make_file(path, content)
        except FileNotFoundError:
            make_folder(Path(path).parent)
            make_file(path, content)
