"""Which nodes people have taken to write them themselves: a file for each in ``taken/``."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from director.model.codec.encoding import encode
from director.model.errors import RequestError
from director.model.slots import name_of_slot
from director.records import files
from director.records.job_directory import JobDirectory
from director.records.stored import read_stored

RESTORE = "restore it; or remove it, and the folder that it names by hand"


class TakenNode(NamedTuple):
    """A node that a person has: the ``folder`` made for that, and since when.

    ``base`` is the commit of the job branch that the work stands on. ``ready`` False: the folder is
    not filled yet, or not any more. ``status`` and ``error`` are those of the node before.
    ``candidate`` is the ref of the attempt that was put into the worktree ("": none). ``updating``
    is the commit of what was there while the worktree is brought to another base ("": it is not).
    """

    node: str
    folder: str
    since: str
    base: str
    ready: bool = False
    status: str = "pending"
    error: str | None = None
    candidate: str = ""
    updating: str = ""

    @property
    def worktree(self) -> Path:
        """The worktree in that folder."""
        return Path(self.folder) / "agents" / name_of_slot(1)


def taken_nodes(directory: JobDirectory) -> list[TakenNode]:
    """Return what people have, those that were not made ready among them."""
    return list(_all(directory))


def taken_node(directory: JobDirectory, node_id: str) -> TakenNode | None:
    """Return the record of one node; None: it is not taken."""
    return read_stored(TakenNode, directory.taken / f"{node_id}.json", RESTORE)


def note_taken(directory: JobDirectory, taken: TakenNode) -> None:
    """Put on record that a person has a node."""
    files.write_json(directory.taken / f"{taken.node}.json", encode(taken))


def forget_taken(directory: JobDirectory, node_id: str) -> None:
    """Drop the record: the node is not taken any more."""
    files.remove(directory.taken / f"{node_id}.json")


def refuse_taken(directory: JobDirectory, node_id: str) -> None:
    """Raise RequestError where a person has the node."""
    taken = taken_node(directory, node_id)
    if taken and taken.ready:
        raise RequestError(
            f"node {node_id} is taken by a person: its worktree is in {taken.folder}",
            f"`director give {node_id}` merges it, `director take --drop {node_id}` gives it up",
        )


def _all(directory: JobDirectory) -> Iterator[TakenNode]:
    for path in sorted(directory.taken.glob("*.json")):
        if taken := read_stored(TakenNode, path, RESTORE):
            yield taken
