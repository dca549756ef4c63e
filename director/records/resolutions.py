"""What models made of the conflicts of a landing: ``resolution.json`` in the job's directory.

An agent that nothing confines may write there: what it says is gated again before it lands.
"""

from collections.abc import Mapping
from typing import NamedTuple

from director.model.codec.encoding import encode
from director.model.roles import Role
from director.model.state import Attempt, AttemptOutcome
from director.records import files
from director.records.job_directory import JobDirectory
from director.records.stored import read_stored_quietly

LAND = "land:resolve"
"""What calls that resolve conflicts are recorded under: no node can have such an id."""


class Draft(NamedTuple):
    """An attempt whose files were not gated yet: who made them, and in which call (a log)."""

    role: Role
    number: int
    model: str
    call: str


class Resolution(NamedTuple):
    """How the conflicts of the job's commit ``work`` with the branch's ``target`` are resolved.

    ``tree`` is the merged tree with the conflicts marked, ``files`` path → text of what the last
    attempt made of them (UTF-8; other bytes as lone surrogates). ``draft``: these were not gated
    yet. ``lesson`` and ``output`` are for the next attempt.
    """

    work: str
    target: str
    tree: str
    files: Mapping[str, str] = {}
    attempts: tuple[Attempt, ...] = ()
    draft: Draft | None = None
    lesson: str = ""
    output: str = ""

    @property
    def green(self) -> bool:
        """Whether the last attempt was green, as far as this says."""
        return bool(self.attempts) and self.attempts[-1].outcome is AttemptOutcome.GREEN

    def is_about(self, other: "Resolution") -> bool:
        """Whether both are about the same conflicts."""
        return self[:3] == other[:3]


def read_resolution(directory: JobDirectory) -> Resolution | None:
    """Return what is on record; None: nothing is, or it cannot be read."""
    return read_stored_quietly(Resolution, directory.resolution)


def write_resolution(directory: JobDirectory, resolution: Resolution) -> None:
    """Put on record what models made of the conflicts."""
    files.write_json(directory.resolution, encode(resolution))
