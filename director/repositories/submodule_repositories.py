"""The repositories that the user's checkout has of its submodules: read, never written.

Only their files are read, as gitrepository-layout(5) says they lie: no git runs there.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from director.model.patterns import lazy_pattern
from director.repositories.objects import OBJECT_ID

GIT = ".git"
GITDIR = lazy_pattern(rb"gitdir: ?(.*?)\r?\n?", re.DOTALL)


class UserCheckout(NamedTuple):
    """A checkout of the user's, and its git folder."""

    root: Path
    git: Path

    def inner(self, path: str, name: str) -> "UserCheckout | None":
        """Return that of the submodule at ``path``, called ``name``, where the user has it.

        Its git folder is named by a file in its checkout, or lies there as such, or is kept for
        when it is checked out again (gitsubmodules(7)).
        """
        root = self.root / path
        kept = Path(f"{self.git}/modules/{name}")  # a name that begins with "/" leads no further
        inside = ".." not in name.split("/")
        for folder in (_git_folder(root), kept if inside else None):
            if folder is not None and (folder / "HEAD").is_file() and objects_of(folder).is_dir():
                return UserCheckout(root, folder)
        return None


def _git_folder(root: Path) -> Path | None:
    """Return the git folder of the checkout at ``root`` (gitrepository-layout(5)), if any."""
    place = root / GIT
    if place.is_dir():
        return place
    if not place.is_file():
        return None
    said = GITDIR.fullmatch(place.read_bytes())
    return root / os.fsdecode(said[1]) if said else None


def objects_of(git: Path) -> Path:
    """Return the object store of a git folder, which may be that of a linked worktree."""
    return (_common(git) / "objects").resolve()


def _common(git: Path) -> Path:
    named = git / "commondir"
    return git / os.fsdecode(named.read_bytes().strip()) if named.is_file() else git


def carried_files(git: Path) -> dict[str, bytes]:
    """Return what a repository that borrows the objects of ``git`` takes over: refs, where it ends.

    All refs are in one file, which need not be sorted (git-pack-refs(1)).
    """
    common = _common(git)
    refs = dict(_packed_refs(common)) | dict(_loose_refs(common))
    carried = {"packed-refs": b"".join(b"%s %s\n" % (oid, name) for name, oid in refs.items())}
    shallow = common / "shallow"
    return carried | ({"shallow": shallow.read_bytes()} if shallow.is_file() else {})


def _packed_refs(common: Path) -> Iterator[tuple[bytes, bytes]]:
    packed = common / "packed-refs"
    for line in packed.read_bytes().splitlines() if packed.is_file() else ():
        oid, _, name = line.partition(b" ")
        if OBJECT_ID.fullmatch(oid) and name:
            yield name, oid


def _loose_refs(common: Path) -> Iterator[tuple[bytes, bytes]]:
    for place, _, names in os.walk(common / "refs"):
        for name in names:
            path = Path(place, name)
            oid = path.read_bytes().strip()
            if OBJECT_ID.fullmatch(oid):  # a symbolic one names another
                yield os.fsencode(path.relative_to(common)), oid
