"""The files of a worktree as they lie on disk, compared with what an index says of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from director.model.values import dataclass
from director.repositories.git import Git, split_z
from director.repositories.history import History
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

    ``special`` are those that git passes over, ``attributes`` say how it reads the others.
    """

    def __init__(self, path: Path, job: History) -> None:
        self.path = path
        self.special = SpecialFiles(path, job)
        self.attributes = Attributes(path, job)

    def differences(self, git: Git, tree: str, provided: Iterable[str]) -> Differences:
        """Compare them with the index of ``git``, which is of the whole ``tree``.

        git is not kept waiting by what it finds in new folders, those ``provided`` apart.
        """
        self.attributes.put_back()
        self.special.remove_stalling(tree, provided)
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
