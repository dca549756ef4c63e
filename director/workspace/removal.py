"""Removing what an agent may have made hard to remove."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from director.workspace.processes import capture


def discard(path: Path) -> None:
    """Remove a file, a link or a tree, where there is one."""
    if path.is_dir() and not path.is_symlink():
        remove_tree(path)
    path.unlink(missing_ok=True)


def remove_tree(folder: Path) -> None:
    """Remove a tree, also where an agent took away permissions."""
    with suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        folder.chmod(0o700)
        for place, names, _files in os.walk(folder):
            for name in names:
                with suppress(OSError):
                    if not (path := Path(place, name)).is_symlink():
                        path.chmod(0o700)
        # Python takes a stack frame for each level; an agent may have dug deeper.
        command = ["rm", "-rf", "--", str(folder)]
        capture(command, folder.parent, os.environ, interruptible=False)
