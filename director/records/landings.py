"""Where a job's work was landed: ``landed.json`` in its directory."""

from typing import NamedTuple

from director.model.codec.encoding import encode
from director.model.landed import PR, Landed
from director.records import files
from director.records.job_directory import JobDirectory
from director.records.stored import read_stored_quietly
from director.records.worktrees_record import read_quietly


class Landing(NamedTuple):
    """A landing ``onto`` a branch ("": not known which) as ``commit``, and ``how``, and when.

    ``how`` is the mode of ``director land``, or "merged": the job branch is part of the other one.
    """

    onto: str
    commit: str
    how: str
    at: str


def recorded_landing(directory: JobDirectory, tip: str | None = None) -> Landing | None:
    """Return what is on record of a job's landing; None: nothing is, or it cannot be read.

    A pull request has not landed, nor has what came onto the branch after ``tip`` (None: whatever
    it is), or was left out.
    """
    said = read_quietly(directory.landed) or {}
    landed_tip = str(said.get("tip") or "")
    later = tip is not None and landed_tip not in ("", tip)
    if not said.get("commit") or said.get("how") == PR or said.get("partial") or later:
        return None
    return Landing(*(str(said.get(name) or "") for name in Landing._fields))


def read_landed(directory: JobDirectory) -> Landed | None:
    """Return where the job's work went last; None: nowhere, or the record cannot be read."""
    return read_stored_quietly(Landed, directory.landed)


def write_landed(directory: JobDirectory, landed: Landed) -> None:
    """Put on record where the job's work went."""
    files.write_json(directory.landed, encode(landed))
