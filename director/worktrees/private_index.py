"""director's own index of a worktree: through it director sees and writes the files.

It lies where no agent can write. Where one finds it all the same, its seal breaks, and what it says
is worth nothing.
"""

import os
import shutil
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from director.model.sizes import Size
from director.processes.removal import discard
from director.repositories.git import Git, split_z
from director.repositories.index_files import (
    IndexEntry,
    entry_count,
    index_data,
    index_entries,
)
from director.repositories.index_splicing import Blocks, blocks_of, spliced
from director.repositories.job_repository import JobRepository
from director.worktrees.exact_settings import exact_settings
from director.worktrees.mapped_writes import OLD, tells_of_mapped_writes
from director.worktrees.quick_look import MOST_FILES, KnownFiles, can_look
from director.worktrees.seals import Seal, Tracked, seal

# One that is read here. git keeps to that of the file, or else to what the user's settings say.
INDEX_VERSION = "index.version=2"


class _Content(NamedTuple):
    """What is in the file with this ``seal``; ``known`` only where there are few files."""

    seal: Seal
    blocks: Blocks
    known: KnownFiles | None


class PrivateIndex:
    """The index at ``path`` of the files in ``worktree``. Used by one thread at a time.

    ``tree`` is the whole tree that it is of; None: it is to be filled. At more files than
    ``most_files`` only git looks.
    """

    def __init__(
        self, path: Path, worktree: Path, job: JobRepository, most_files: int = MOST_FILES
    ) -> None:
        self.path = path
        self.tree: str | None = None
        self.seal = _seal_of(path)
        self._worktree = worktree
        self._pool = worktree.parent
        self._job = job
        self._most_files = most_files
        self._content: _Content | None = None

    @property
    def git(self) -> Git:
        """Git in the worktree, through this index."""
        return self._git(self.path)

    def _git(self, index: Path) -> Git:
        git = self._job.git.with_variables(
            GIT_INDEX_FILE=str(index), GIT_WORK_TREE=str(self._worktree)
        )
        filters = self._job.user.filters
        confined = filters.settings(self._worktree) if filters else ()
        exact = exact_settings(self._pool)
        return git.at_work_in(self._worktree).with_settings(*exact, *confined)

    @property
    def is_intact(self) -> bool:
        """Whether it is as director left it."""
        return _seal_of(self.path) == self.seal

    def trust(self, tree: str) -> None:
        """Believe from now on what it says of ``tree``."""
        self._doubt(self.path)
        self.tree, self.seal = tree, _seal_of(self.path)

    def empty_unless_intact(self) -> None:
        """Begin again with an empty one where it is not as director left it."""
        if not self.is_intact:
            self.tree = None
            discard(self.path)
            self.path.write_bytes(index_data({}, self._job.user.object_format))

    def size(self) -> Size | None:
        """Return the size of the files it knows; None: there is no index, or none to be read."""
        try:
            data = self.path.read_bytes()
            entries = index_entries(data, self._job.user.object_format)
            return Size.of(one.size for one in entries)
        except (OSError, ValueError):
            return None

    @property
    def sees_all(self) -> bool:
        """Whether the files lie here as git describes them, so that director can look, too."""
        return can_look(self._worktree)

    def known(self) -> KnownFiles | None:
        """Return what it knows of the files; None: only git can look at them."""
        found = self._read()
        return found.known if found else None

    def _read(self) -> _Content | None:
        if self._content is None or self._content.seal != self.seal:
            self._content = self._of_file() if self.sees_all else None
        return self._content

    def _of_file(self) -> _Content | None:
        try:
            data, written_at = self.path.read_bytes(), self.path.stat().st_mtime_ns
            blocks = blocks_of(data, self._job.user.object_format)
            known = None
            if entry_count(data) <= self._most_files:
                entries = index_entries(data, self._job.user.object_format)
                known = KnownFiles.of(entries, written_at)
            return _Content(_seal_of(self.path), blocks, known)
        except (OSError, ValueError, struct.error):
            return None

    @property
    def can_be_spliced(self) -> bool:
        """Whether ``splice`` can do anything with it."""
        return self._read() is not None

    def splice(self, changes: Mapping[str, IndexEntry | None]) -> None:
        """Put entries in, or take them out (None), knowing the others as before."""
        found = self._read()
        assert found
        named = {path.encode(errors="surrogateescape"): one for path, one in changes.items()}
        old, object_format = self.path.read_bytes(), self._job.user.object_format
        data, blocks = spliced(old, found.blocks, named, object_format)
        self.path.unlink()  # a rename onto it would be flushed; one cut short breaks the seal
        self.path.write_bytes(data)
        self._doubt(self.path)
        status = self.path.lstat()
        known = found.known.with_changes(named, status.st_mtime_ns) if found.known else None
        self._content = _Content(seal(status), blocks, known)

    def tracked(self, names: Sequence[str]) -> Tracked:
        """Return what the commit itself holds at or below ``names``."""
        return Tracked(split_z(self.git.output("ls-files", "-z", "--", *names)) if names else ())

    @contextmanager
    def of(self, tree: str) -> Iterator[Git]:
        """Give a git whose index is of the whole ``tree``, and knows the files on disk."""
        if self.tree == tree:
            yield self.git
            return
        with self.beside() as git:
            shutil.copy2(self.path, git.env["GIT_INDEX_FILE"])
            git.output("read-tree", "-i", "--reset", tree)
            self._doubt(Path(git.env["GIT_INDEX_FILE"]))
            yield git

    @contextmanager
    def beside(self, content: bytes = b"") -> Iterator[Git]:
        """Give a git with an index of its own, which is gone afterwards."""
        index = self.path.with_suffix(".candidate")
        index.write_bytes(content)
        try:
            yield self._git(index)
        finally:
            for place in (index, Path(f"{index}.lock")):
                place.unlink(missing_ok=True)

    @contextmanager
    def restored(self) -> Iterator[None]:
        """Restore it afterwards: setup, which runs what merged, could write it.

        What setup does to tracked files then shows: it cannot set their ctime.
        """
        content, status = self.path.read_bytes(), self.path.stat()
        try:
            yield
        finally:
            discard(self.path)
            self.path.write_bytes(content)
            os.utime(self.path, ns=(status.st_atime_ns, status.st_mtime_ns))
            self._doubt(self.path)

    def _doubt(self, index: Path) -> None:
        """Let the content of all files count where times do not tell whether they were written."""
        if not self.times_tell and index.stat().st_mtime != OLD:  # its ctime is part of its seal
            os.utime(index, (OLD, OLD))

    @property
    def times_tell(self) -> bool:
        """Whether a file that has the times which the index knows was not written since."""
        return tells_of_mapped_writes(self._pool)


def _seal_of(index: Path) -> Seal:
    """Return the seal of an index; of none an empty one."""
    try:
        return seal(index.lstat())
    except OSError:
        return ()
