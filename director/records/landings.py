"""Where a job's work was landed: ``landed.json`` in its directory."""

from __future__ import annotations

from typing import NamedTuple

from director.records.job_directory import JobDirectory
from director.records.worktrees_record import read_quietly


class Landing(NamedTuple):
    """A landing ``onto`` a branch ("": not known which) as ``commit``, and ``how``, and when.

    ``how`` is the mode of ``director land``, or "merged": the job branch is part of the other one.
    """

    onto: str
    commit: str
    how: str
    at: str


def recorded_landing(directory: JobDirectory) -> Landing | None:
    """Return what is on record of a job's landing; None: nothing is, or it cannot be read."""
    said = read_quietly(directory.landed) or {}
    if not said.get("commit"):
        return None
    return Landing(*(str(said.get(name) or "") for name in Landing._fields))
