"""Bringing a worktree from one tree to another by what differs, without a process."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from director.repositories.conversions import Conversion
from director.repositories.history import Entry
from director.repositories.index_files import unknown_entry
from director.repositories.job_objects import JobObjects
from director.repositories.objects import ABSENT_MODE, Item
from director.worktrees.plain_files import (
    EXECUTABLE,
    LINK,
    PLAIN,
    is_plain_path,
    put_files,
)
from director.worktrees.private_index import PrivateIndex

MOST_PATHS = 200  # above, git's several workers are quicker


def update(
    root: Path, index: PrivateIndex, job: JobObjects, trees: tuple[str, str], lost: Iterable[str]
) -> bool:
    """Write what differs between two whole trees, and the paths ``lost``; False: that is git's.

    The files below ``root`` are those of the first tree, but for what is ``lost`` of them, and
    ``index`` knows them. Where there is nothing to do, nothing is written. Raises OSError.
    """
    old, new = trees
    found = {one.path: one.new for one in job.changes(old, new)}
    found |= job.entries(new, [path for path in lost if path not in found])
    if not found:
        return True
    if not _is_plain(index, job, new, found):
        return False
    gone = [path for path, one in found.items() if one.mode == ABSENT_MODE]
    items = {p: Item(one.mode, one.oid) for p, one in found.items() if one.mode != ABSENT_MODE}
    contents = {path: (item, job.objects.get(item.oid).data) for path, item in items.items()}
    if any(b"\0" in content for item, content in contents.values() if int(item.mode, 8) == LINK):
        return False
    put_files(root, gone, contents)
    known = {
        path: unknown_entry(path.encode(errors="surrogateescape"), item).knowing(
            os.lstat(f"{root}/{path}")
        )
        for path, item in items.items()
    }
    index.splice({**dict.fromkeys(gone), **known})
    return True


def _is_plain(
    index: PrivateIndex, job: JobObjects, tree: str, entries: Mapping[str, Entry]
) -> bool:
    """Whether these are files that git would write as they are stored."""
    if len(entries) > MOST_PATHS or not index.can_be_spliced:
        return False
    kinds = {int(one.mode, 8) for one in entries.values()} <= {0, PLAIN, EXECUTABLE, LINK}
    return (
        kinds
        and all(map(is_plain_path, entries))
        and job.conversions.of(tree) is not Conversion.ANY
    )
