"""The objects of the job repository: read as those of any, and written without a process.

What agents do to its settings, which decide how git sees files, is undone.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from director.repositories.conversions import ConversionCache, Conversions
from director.repositories.git import Git
from director.repositories.history import Entry, History
from director.repositories.job_settings import JobSettings
from director.repositories.objects import object_id, write_object
from director.repositories.repository import Repository
from director.repositories.submodule_repositories import UserCheckout
from director.repositories.submodules import SubmoduleCache, Submodules


class JobObjects(History):
    """The objects of the job repository at ``path``, which borrows those of ``user``."""

    def __init__(self, path: Path, git: Git, user: Repository) -> None:
        self._settings = JobSettings(path, user)
        super().__init__(git.restoring(self._settings.restore))
        self.path = path
        self._store = path / "objects"
        self.user = user
        self._turn = threading.Lock()
        self._submodule_cache = SubmoduleCache()
        self._conversion_cache = ConversionCache()

    def store(self, content: bytes) -> str:
        """Write ``content`` as a blob, as it is, and return its object id."""
        return self._write("blob", content)

    def blob_id(self, content: bytes) -> str:
        """Return the object id of ``content``, which is not written."""
        return object_id(self.user.object_format, "blob", content)

    def tree_with(self, base: str, entries: Iterable[Entry], there: Collection[str] = ()) -> str:
        """Write and return the tree of ``base`` with ``entries`` put in (absent ones taken out).

        ``there`` are trees that the user's repository holds: they are read there, not copied.
        """

        def write(data: bytes) -> str:
            oid = object_id(self.user.object_format, "tree", data)
            return oid if oid in there else self._write("tree", data)

        made = self.build_tree(base, entries, write)
        self._trees.keep(made, made)
        return made

    def commit(self, tree: str, parent: str, message: str, *merged: str) -> str:
        """Write and return a commit of ``tree`` on ``parent``, a merge of those ``merged``."""
        who = self.user.identity()
        moment = f"{int(time.time())} {time.strftime('%z')}"
        lines = [f"tree {tree}", *(f"parent {one}" for one in (parent, *merged))]
        for role in ("AUTHOR", "COMMITTER"):
            name, address = who[f"GIT_{role}_NAME"], who[f"GIT_{role}_EMAIL"]
            lines.append(f"{role.lower()} {name} <{address}> {moment}")
        data = "\n".join([*lines, "", message]).encode()
        made = self._write("commit", data)
        self._made.keep(made, data)
        return made

    def _write(self, kind: str, data: bytes) -> str:
        return write_object(self._store, self.user.object_format, kind, data)

    def is_writable(self) -> bool:
        """Whether git can write objects: then what it refuses is refused for its content."""
        new = os.urandom(16).hex().encode()
        return self.git.run("hash-object", "-w", "--no-filters", "--stdin", stdin=new).code == 0

    def restore_what_worktrees_read(self) -> None:
        """Undo what agents did to what git in worktrees reads here, and to the user's settings.

        The other settings of this repository are restored before each git that reads them.
        """
        self._settings.restore_what_worktrees_read()

    def borrowing(self) -> Mapping[str, bytes]:
        """Return the files (path → content) of a repository that borrows this one's objects.

        For the worktrees: what is done with git there has no part in this repository.
        """
        return self._settings.borrowing()

    @property
    def submodules(self) -> Submodules:
        """The submodules of its commits."""
        place = UserCheckout(self.user.root, self.user.common_dir)
        return Submodules(self, place, self._submodule_cache, self.tree_with, self._borrow_from)

    @property
    def conversions(self) -> Conversions:
        """What git may do to the content of files."""
        cache = self._conversion_cache
        return Conversions(self, self.user.settings, self._settings.attributes, cache)

    def _borrow_from(self, stores: Iterable[Path]) -> None:
        """Read objects from ``stores`` of the user's, too."""
        with self._turn:
            if self._settings.borrow_from(stores):
                self.objects.look_again()
