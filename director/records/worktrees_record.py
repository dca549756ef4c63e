"""The record of a job's worktrees: where they are, and whether they are kept prepared.

``folder`` is where they are. ``kept`` is there when a command ended in good order and left them
for the next one, ``unused`` when it left work in them that is paid for; what else is there is in
use, or was left by a command that was killed.
"""

from collections.abc import Mapping
from os.path import lexists
from pathlib import Path
from typing import Any, NamedTuple

from director.model.errors import RequestError
from director.records import files
from director.records.clock import now

OWN = "director"
PREFIX = "job-"  # of the folder of one job's worktrees


class KeptWorktrees(NamedTuple):
    """Prepared worktrees that wait for the next command of their job since a moment."""

    folder: Path
    bytes: int
    since: str


def may_hold_work(record: Path) -> bool:
    """Whether worktrees are left that may hold paid work: a command was killed, or left it."""
    return record.exists() and "kept" not in (read_quietly(record) or {})


def was_killed(record: Path) -> bool:
    """Whether a command that did not end in good order left worktrees."""
    return record.exists() and not {"kept", "unused"} & (read_quietly(record) or {}).keys()


def kept_worktrees(record: Path) -> KeptWorktrees | None:
    """Return the worktrees that were kept for the job with that record."""
    said = read_quietly(record) or {}
    folder, kept = folder_in(said), said.get("kept")
    if folder is None or not isinstance(kept, dict):
        return None
    held = kept.get("bytes")
    return KeptWorktrees(folder, held if isinstance(held, int) else 0, str(kept.get("since", "")))


def noted_folder(record: Path) -> Path | None:
    """Return the folder that a record names, where there is one."""
    return folder_in(read_quietly(record) or {})


def note_use(record: Path, folder: Path) -> None:
    """Note that a command works in ``folder``."""
    files.write_json(record, {"folder": str(folder)})


def note_kept(record: Path, folder: Path, size: int) -> None:
    """Note that ``folder``, which takes ``size`` bytes, is kept for the next command."""
    kept = {"since": now(), "bytes": size}
    files.write_json(record, {"folder": str(folder), "kept": kept})


def note_unused(record: Path, folder: Path) -> None:
    """Note that ``folder`` holds work that is paid for, and that no command has used yet."""
    files.write_json(record, {"folder": str(folder), "unused": True})


def folder_in(said: Mapping[str, Any]) -> Path | None:
    """Return the folder that what a record says names, where there is such a one."""
    noted = said.get("folder")
    folder = Path(noted) if isinstance(noted, str) else Path()
    ours = folder.parent.name == OWN and folder.name.startswith(PREFIX)
    return folder if ours and lexists(folder) else None


def read_quietly(path: Path) -> dict[str, Any] | None:
    """Return the JSON object in a file; None where there is none, or it cannot be read."""
    try:
        return files.read_json(path)
    except RequestError:
        return None
