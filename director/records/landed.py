"""The record of where a job's work went: a branch of the user's, or a pull request."""

from __future__ import annotations

from director.model.codec.decoding import decode
from director.model.codec.encoding import encode
from director.model.codec.mistakes import MismatchError
from director.model.landed import Landed
from director.records import files
from director.records.job_directory import JobDirectory
from director.records.worktrees_record import read_quietly


def read_landed(directory: JobDirectory) -> Landed | None:
    """Return where the job's work went last; None: nowhere, or nobody can read it."""
    try:
        return decode(Landed, read_quietly(directory.landed) or {})
    except MismatchError:
        return None


def write_landed(directory: JobDirectory, landed: Landed) -> None:
    """Put on record where the job's work went."""
    files.write_json(directory.landed, encode(landed))
