"""The folders of worktrees that people have taken: beside those of pools, and never swept."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from director.processes.removal import discard_or_stop
from director.records.worktrees_record import OWN
from director.worktrees.pool_folders import worktrees_folder

PREFIX = "taken-"


def new_taken_folder(env: Mapping[str, str], node_id: str) -> Path:
    """Return where the worktree of a node can be made for a person; nothing is there yet."""
    parent = worktrees_folder(env)
    return parent.resolve() / f"{PREFIX}{node_id}-{os.urandom(4).hex()}"


def remove_taken_folder(folder: Path) -> None:
    """Remove such a folder with all in it; StoppedError where that needs more rights."""
    if folder.parent.name != OWN or not folder.name.startswith(PREFIX):
        return  # the record is damaged: a folder that is not director's stays
    discard_or_stop(folder)
