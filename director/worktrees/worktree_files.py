"""The files of a worktree as they lie on disk, compared with what an index says of them."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from director.repositories.git import Git, split_z
from director.repositories.job_objects import JobObjects
from director.worktrees.attributes import Attributes
from director.worktrees.quick_look import KnownFiles, look
from director.worktrees.special_files import SpecialFiles

MOST_ASKED = 200  # paths that one command is given


class Differences(NamedTuple):
    """How the files on disk differ from an index.

    ``changed`` are the paths of the index that hold something else, or nothing, on disk;
    ``others`` what is on disk and not in the index (folders end in "/", links do not). ``special``
    is what git passes over in tracked folders: pipes and the like, repositories (None: not known).
    """

    changed: frozenset[str]
    others: tuple[str, ...]
    special: tuple[str, ...] | None = None


class WorktreeFiles:
    """The files below ``path``. Used by one thread at a time.

    ``special`` are those that git passes over, ``attributes`` say how it reads the others.
    """

    def __init__(self, path: Path, job: JobObjects) -> None:
        self.path = path
        self._job = job
        self.special = SpecialFiles(path, job)
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
        self.remove_stalling(tree, provided)
        with self.attributes.only_of(tree) as foreign:
            out = split_z(
                git.output(
                    "ls-files", "-z", "-t", "--deleted", "--modified", "--others", "--directory"
                )
            )
        changed = {line[2:] for line in out if not line.startswith("? ")}
        others = tuple(line[2:] for line in out if line.startswith("? "))
        others += tuple(path for path in foreign if path not in changed)
        links = tuple(f"{path}/" for path in others if (self.path / path).is_symlink())
        if links:  # git looks for files of the index through a link that stands for their folder
            changed |= {
                path for path in split_z(git.output("ls-files", "-z")) if path.startswith(links)
            }
        return Differences(frozenset(changed), others)

    def remove_stalling(self, tree: str, provided: Iterable[str]) -> None:
        """Remove what git would wait for in new folders, but for those ``provided``."""
        self.special.remove_stalling(tree, provided)

    def _quick_look(self, git: Git, tree: str, known: KnownFiles) -> Differences | None:
        """Compare them without a process, as far as possible; None: that cannot be done."""
        conversion = self._job.conversions.of(tree)
        try:
            seen = look(self.path, known, conversion, self._job.user.object_format)
        except OSError:  # it changes, or cannot be read
            return None
        if len(seen.doubtful) > MOST_ASKED:
            return None
        asked = self._changed(git, tree, sorted(seen.doubtful)) if seen.doubtful else set()
        return Differences(seen.changed | asked, seen.others, seen.special)

    def _changed(self, git: Git, tree: str, paths: Sequence[str]) -> set[str]:
        """Return those of ``paths`` that hold something else, as git reads them."""
        with self.attributes.only_of(tree):
            return set(split_z(git.output("ls-files", "-z", "--modified", "--", *paths)))
