"""Commits of the job branch, and what their trailers say."""

from typing import NamedTuple

# What the user's settings can make of a trailer: git looks for one by these signs.
PLAIN_TRAILERS = ("-c", "trailer.separators=:", "-c", "core.commentChar=#")
FORMAT = "%H %T %P%n%(trailers:only=true,unfold=true)"


class BranchCommit(NamedTuple):
    """A commit of the job branch. ``pairs`` are its trailers, in order, repeated ones too."""

    oid: str
    tree: str
    parents: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]

    @property
    def trailers(self) -> dict[str, str]:
        """Key → value; of a repeated trailer the last."""
        return dict(self.pairs)


def logged_commit(text: str) -> BranchCommit:
    """Return a commit as ``git log`` prints it in FORMAT."""
    head, _, rest = text.partition("\n")
    oid, tree, *parents = head.split()
    return BranchCommit(oid, tree, tuple(parents), _trailers(rest))


def read_commit(oid: str, data: bytes) -> BranchCommit:
    """Return what a commit object says (git's documentation, "Git Objects")."""
    head, _, message = data.decode(errors="replace").partition("\n\n")
    said = [line.partition(" ") for line in head.splitlines()]
    found = {key: [value for name, _, value in said if name == key] for key in ("tree", "parent")}
    last = message.strip().rpartition("\n\n")[2]
    return BranchCommit(oid, found["tree"][0], tuple(found["parent"]), _trailers(last))


def tree_of_commit(data: bytes) -> str:
    """Return the tree that a commit object names first."""
    return data[len(b"tree ") : data.index(b"\n")].decode()


def _trailers(text: str) -> tuple[tuple[str, str], ...]:
    pairs = (line.partition(": ") for line in text.splitlines() if ": " in line)
    return tuple((key, value.strip()) for key, _, value in pairs)
