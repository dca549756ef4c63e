"""The files of a worktree as they lie on disk, compared with what an index says of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from director.processes.removal import discard
from director.repositories.git import Git, split_z
from director.repositories.job_repository import JobRepository
from director.worktrees.attributes import Attributes
from director.worktrees.special_files import SpecialFiles


@dataclass(frozen=True)
class Differences:
    """How the files on disk differ from an index.

    ``changed`` are the paths of the index that hold something else, or nothing, on disk;
    ``others`` what is on disk and not in the index (folders end in "/", links do not).
    """

    changed: frozenset[str]
    others: tuple[str, ...]


class WorktreeFiles:
    """The files below ``path``. Used by one thread at a time.

    ``special`` are those that git passes over.
    """

    def __init__(self, path: Path, job: JobRepository) -> None:
        self.path = path
        self.special = SpecialFiles(path, job)
        self._job = job
        self._attributes = Attributes(path, path.with_name(f"{path.name}.attributes"))

    def differences(self, git: Git, tree: str, provided: Iterable[str]) -> Differences:
        """Compare them with the index of ``git``, which is of the whole ``tree``.

        git is not kept waiting by what it finds in new folders, those ``provided`` apart.
        """
        self._attributes.put_back()
        self.special.remove_stalling(tree, provided)
        with self.attributes_of(tree) as foreign:
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

    @contextmanager
    def attributes_of(
        self, commit: str, folders: Iterable[str] | None = None, spared: Iterable[str] = ()
    ) -> Iterator[list[str]]:
        """Let only the attributes files of ``commit`` count, and those at the paths ``spared``.

        Gives the paths of the others, which lie in ``folders`` (None: all of the commit) or at the
        top.
        """
        foreign = [path for path in self._foreign(commit, folders) if path not in set(spared)]
        with self._attributes.without(foreign):
            yield foreign

    def remove_foreign_attributes(self, commit: str) -> None:
        """Remove the attributes files that ``commit`` does not have, or has otherwise."""
        for path in self._foreign(commit, None):
            discard(self.path / path)

    def _foreign(self, commit: str, folders: Iterable[str] | None) -> list[str]:
        known = (entry.path for entry in self._job.folders(commit)) if folders is None else folders
        return self._attributes.foreign(
            known, lambda path: self._job.contents(commit, [path]).get(path)
        )
