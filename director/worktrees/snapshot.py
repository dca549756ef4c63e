"""What an agent left in a worktree, read from the files: a snapshot.

What the agent's git says of them plays no part: its index, its commits, its ignore rules, its HEAD.
"""

import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from director.model.paths import lies_in, parents
from director.repositories.conversions import Conversion
from director.repositories.git import Git, GitError, join_z, split_z
from director.repositories.history import Entry
from director.repositories.ignoring import ignored, rules_paths
from director.repositories.index_files import index_data, index_items
from director.repositories.job_repository import JobRepository
from director.repositories.objects import ABSENT_MODE, LINK_MODE, Item
from director.worktrees.attributes import attributes_paths
from director.worktrees.plain_files import stored
from director.worktrees.private_index import PrivateIndex
from director.worktrees.worktree_files import Differences, WorktreeFiles
from director.worktrees.worktree_provisions import WorktreeProvisions
from director.worktrees.worktree_repository import WorktreeRepository


class Snapshot(NamedTuple):
    """What a worktree holds, compared with a base commit.

    ``tree`` is the base with the allowlisted changes put in. ``changed`` are all tracked paths
    that differ from the base, ``strays`` new paths outside the allowlist (folders end in "/") that
    the ignore rules of the base do not cover, ``links`` allowlisted paths that became symbolic
    links. ``refused``: why git cannot take in the allowlisted files as they are, which are then
    left out of ``tree`` ("": it can). ``submodules`` are the paths of those in which tracked files
    differ.
    """

    tree: str
    changed: frozenset[str]
    strays: tuple[str, ...]
    links: tuple[str, ...]
    refused: str = ""
    submodules: tuple[str, ...] = ()


class SnapshotReader:
    """Reads snapshots of one worktree, whose parts it is given."""

    def __init__(
        self,
        job: JobRepository,
        files: WorktreeFiles,
        index: PrivateIndex,
        repository: WorktreeRepository,
        provisions: WorktreeProvisions | None,
    ) -> None:
        self.job = job
        self.files = files
        self.index = index
        self.repository = repository
        self.provisions = provisions

    def read(self, base: str, allowlist: Iterable[str]) -> tuple[Snapshot, Differences | None]:
        """Compare the files on disk with the tree of ``base``.

        Also returns how they differ from the index, where that is what they were compared with. A
        submodule can be moved to a commit that the user's repositories have: no other could be
        checked out.
        """
        allowed, job = list(allowlist), self.job
        moved = self.repository.moved_links(base, allowed)
        absent = job.submodules.of(job.tree_with(base, moved)).absent if moved else ()
        lost = [one for one in moved if one.mode != ABSENT_MODE and one.path in absent]
        moved = [one for one in moved if one not in lost]
        whole = job.submodules.whole(job.tree_with(base, moved) if moved else base)
        with self.index.of(whole) as git:
            names = self.provisions.names if self.provisions else ()
            known = self.index.known() if whole == self.index.tree else None
            found = self.files.differences(git, whole, names, known)
            strays = self._strays(git, whole, found.others, allowed)
        seen = found if whole == self.index.tree else None
        inner = {one.path for one in job.submodules.of(base).links}
        links = [p for p in allowed if p not in inner and self._became_link(base, p)]
        apart = inner.union(links)
        touched = [p for p in allowed if p not in apart and self._fits_index(p)]
        gone = [one.path for one in lost]
        changed = frozenset(path for path in found.changed if not lies_in(path, gone))
        differing = sorted(one for one in inner if any(lies_in(path, [one]) for path in changed))
        snapshot = Snapshot(
            tree="",
            changed=changed,
            strays=tuple(self._not_ignored(base, strays)),
            links=tuple(links),
            refused="; ".join(map(_refusal, lost)),
            submodules=tuple(differing),
        )
        try:
            entries = self._entries(base, touched)
        except GitError as error:
            if not job.is_writable():
                raise
            refused = error.message.splitlines()[-1].removeprefix("fatal: ")
            return snapshot._replace(tree=job.tree(base), refused=refused), seen
        return snapshot._replace(tree=job.tree_with(base, [*entries, *moved])), seen

    def _entries(self, base: str, paths: list[str]) -> list[Entry]:
        """Return what becomes of ``paths``, as they are stored."""
        if self.index.sees_all and self.job.conversions.of(base) is not Conversion.ANY:
            with suppress(OSError):  # it cannot be read: git says why
                plain = self._plain_entries(base, paths)
                if plain is not None:
                    return plain
        return self._entries_by_git(base, paths)

    def _plain_entries(self, base: str, paths: list[str]) -> list[Entry] | None:
        """Return what becomes of ``paths`` where they are stored as they are; None: ask git."""
        found = stored(self.files.path, paths, self.job.conversions.of(base))
        if found is None:
            return None
        before = self.job.entries(base, paths)
        entries = [Entry(path, ABSENT_MODE, "0" * len(base)) for path in before.keys() - found]
        for path, (mode, content) in found.items():
            oid, was = self.job.blob_id(content), before.get(path)
            if was is None or was.oid != oid:
                self.job.store(content)
            entries.append(Entry(path, mode, oid))
        return entries

    def _entries_by_git(self, base: str, paths: list[str]) -> list[Entry]:
        """Return what git makes of the files at ``paths``: filters, line ends and modes as usual.

        The index it does that in holds these paths only, and the attributes that count for them:
        those of ``base``, and allowlisted ones as they are now. It is as small as the change.
        """
        folders = {folder for path in paths for folder in parents(path)}
        before = self.job.entries(base, [*paths, *attributes_paths(folders)])
        items = {path: Item(entry.mode, entry.oid) for path, entry in before.items()}
        # git stores the files: only it knows what filters and attributes make of them.
        object_format = self.job.user.object_format
        options = ("--add", "--remove", "--replace")  # a file may stand where a folder was
        with self.index.beside(index_data(items, object_format)) as git:
            with self.files.attributes.only_of(base, folders, spared=paths):
                git.output("update-index", *options, "-z", "--stdin", stdin=join_z(paths))
            staged = index_items(Path(git.env["GIT_INDEX_FILE"]).read_bytes(), object_format)
        now = [Entry(path, item.mode, item.oid) for path, item in staged.items()]
        gone = before.keys() - staged.keys()
        return [*now, *(Entry(path, ABSENT_MODE, "0" * len(base)) for path in gone)]

    def _strays(self, git: Git, tree: str, others: Iterable[str], allowed: list[str]) -> list[str]:
        """Return new paths that no allowlist names, ignored ones included."""
        root = self.files.path
        new = [path for path in others if not path.endswith("/") or _holds_any(root / path)]
        folders = (path for path in new if path.endswith("/"))
        inside = [path for path in folders if any(one.startswith(path) for one in allowed)]
        if inside:  # an allowlisted file in a new folder hides its neighbours: look into it
            new = [path for path in new if path not in inside]
            self.files.remove_stalling(tree, self.provisions.names if self.provisions else ())
            new += split_z(git.output("ls-files", "-z", "--others", "--", *inside))
        if self.provisions:
            new = [path for path in new if not self.provisions.covers(path)]
        return sorted(set(new) - set(allowed))

    def _not_ignored(self, base: str, strays: list[str]) -> list[str]:
        """Return those of ``strays`` that the ignore rules of ``base`` do not cover."""
        if not strays:
            return strays
        rules = self.job.contents(base, rules_paths(strays))
        covered = ignored(self.job.git, self.files.path, rules, strays)
        return [path for path in strays if path not in covered]

    def _became_link(self, base: str, path: str) -> bool:
        """Whether ``path``, or a folder on the way to it, is a symbolic link it was not before."""
        root = self.files.path
        if any(os.path.islink(root / part) for part in parents(path)):  # noqa: PTH114 (closed ones)
            return True
        if not os.path.islink(root / path):  # noqa: PTH114
            return False
        entry = self.job.entries(base, [path]).get(path)
        return entry is None or entry.mode != LINK_MODE

    def _fits_index(self, path: str) -> bool:
        """Whether git can put a path into an index, or take it out (no folder, socket, device).

        Nor can it where the folder is closed.
        """
        try:
            mode = (self.files.path / path).lstat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            return True
        except PermissionError:
            return False
        return stat.S_ISREG(mode) or stat.S_ISLNK(mode)


def _refusal(lost: Entry) -> str:
    """Return why a submodule cannot be at the commit that it was moved to."""
    return (
        f"the submodule {lost.path} is at commit {lost.oid}, which the user's checkout of it does "
        "not have"
    )


def _holds_any(folder: Path) -> bool:
    """Whether there is anything but empty folders in a folder."""
    folders = [str(folder)]
    while folders:
        with suppress(OSError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                if not entry.is_dir(follow_symlinks=False):
                    return True
                folders.append(entry.path)
    return False
