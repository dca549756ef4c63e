"""The files of a worktree as they lie on disk, compared with what an index says of them."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from director.repositories.git import Git, split_z
from director.repositories.job_objects import JobObjects
from director.worktrees.attributes import Attributes
from director.worktrees.quick_look import KnownFiles, can_look, look
from director.worktrees.tracked_folders import TrackedFolders

MOST_ASKED = 200  # paths that one command is given


class Differences(NamedTuple):
    """How the files on disk differ from an index.

    ``changed`` are the paths of the index that hold something else, or nothing, on disk;
    ``others`` what is on disk and not in the index (folders end in "/", links do not). ``special``
    is what git passes over in tracked folders: pipes, repositories (None: not all is known).
    """

    changed: frozenset[str]
    others: tuple[str, ...]
    special: tuple[str, ...] | None = None


class WorktreeFiles:
    """The files below ``path``. Used by one thread at a time.

    ``folders`` are those of the commit, ``attributes`` say how git reads the files.
    """

    def __init__(self, path: Path, job: JobObjects) -> None:
        self.path = path
        self._job = job
        self.folders = TrackedFolders(path, job)
        self.attributes = Attributes(path, job)

    def differences(
        self, git: Git, tree: str, provided: Iterable[str], known: KnownFiles | None = None
    ) -> Differences:
        """Compare them with the index of ``git``, which is of the whole ``tree``.

        git is not kept waiting by what it finds in new folders, those ``provided`` apart. ``known``
        is what that index knows of the files (None: git is asked).
        """
        self.attributes.put_back()
        if known and (found := self._quick_look(git, tree, known)):
            return found
        if not can_look(self.path):
            return self._look_by_git(git, tree, provided)
        new = self.folders.look(tree)
        special = None if new.closed else new.special
        return Differences(self._changed(git, tree, new.others), new.others, special)

    def _look_by_git(self, git: Git, tree: str, provided: Iterable[str]) -> Differences:
        """Compare them where names on disk may be others than those in the index."""
        self.remove_stalling(tree, provided)
        options = ("-z", "-t", "--deleted", "--modified", "--others", "--directory")
        with self.attributes.only_of(tree) as foreign:
            out = split_z(git.output("ls-files", *options))
        changed = {line[2:] for line in out if not line.startswith("? ")}
        others = tuple(line[2:] for line in out if line.startswith("? "))
        others += tuple(path for path in foreign if path not in changed)
        return Differences(frozenset(changed | self._behind_links(git, others)), others)

    def remove_stalling(self, tree: str, provided: Iterable[str]) -> None:
        """Remove what git would wait for in new folders, but for those ``provided``."""
        self.folders.remove_stalling(tree, provided)

    def _quick_look(self, git: Git, tree: str, known: KnownFiles) -> Differences | None:
        """Compare them without a process, as far as possible; None: that cannot be done."""
        conversion = self._job.conversions.of(tree)
        try:
            seen = look(self.path, known, conversion, self._job.user.object_format)
        except OSError:  # it changes, or cannot be read
            return None
        if len(seen.doubtful) > MOST_ASKED:
            return None
        asked = self._settled(git, tree, sorted(seen.doubtful)) if seen.doubtful else set()
        return Differences(seen.changed | asked, seen.others, seen.special)

    def _changed(self, git: Git, tree: str, others: Iterable[str]) -> frozenset[str]:
        """Return the paths of the index that hold something else on disk, as git reads them."""
        with self.attributes.only_of(tree):
            changed = split_z(git.output("ls-files", "-z", "--deleted", "--modified"))
        return frozenset(changed) | self._behind_links(git, others)

    def _behind_links(self, git: Git, others: Iterable[str]) -> set[str]:
        """Return the paths of the index in what is a link, and no folder any more.

        git looks for them through the link, which is among the ``others``.
        """
        links = tuple(f"{path}/" for path in others if (self.path / path).is_symlink())
        listed = split_z(git.output("ls-files", "-z")) if links else ()
        return {path for path in listed if path.startswith(links)}

    def _settled(self, git: Git, tree: str, doubtful: Sequence[str]) -> set[str]:
        """Return those of the ``doubtful`` paths that hold something else, as git reads them."""
        with self.attributes.only_of(tree):
            return set(split_z(git.output("ls-files", "-z", "--modified", "--", *doubtful)))
