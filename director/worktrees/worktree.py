"""A worktree: a checkout of a job's commits, outside the user's tree, reset and reused."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from director.model.paths import parents
from director.model.sizes import Size
from director.processes.removal import clear, discard
from director.records.files import os_errors_stop
from director.repositories.conversions import Conversion
from director.repositories.git import GitError, join_z
from director.repositories.job_repository import JobRepository
from director.repositories.links import is_plain_folder
from director.worktrees.attributes import is_attributes
from director.worktrees.filling import Template, Templates
from director.worktrees.private_index import INDEX_VERSION, PrivateIndex
from director.worktrees.quick_look import MOST_FILES
from director.worktrees.snapshot import Snapshot, SnapshotReader
from director.worktrees.stalling_repositories import folders_in, remove_stalling
from director.worktrees.updating import update
from director.worktrees.worktree_files import Differences, WorktreeFiles
from director.worktrees.worktree_provisions import WorktreeProvisions
from director.worktrees.worktree_repository import WorktreeRepository

LEAST_WORKERS = 4  # writing files is waiting, more than computing


class Origin(NamedTuple):
    """What a worktree is filled from: the ``templates`` of its pool.

    ``gate`` is the worktree for gates of the same lane, which is prepared first; None: it is one
    itself, and so may become a template.
    """

    templates: Templates
    gate: "Worktree | None" = None


class Worktree:
    """One worktree of the pool. Used by one thread at a time.

    ``notes`` begins the names of the files in which director keeps what it knows of it, where no
    agent can write. What it holds of a commit is the whole tree, submodules included. ``origin``
    None: it is always filled by git. At more files than ``most_files`` director asks git what
    changed.
    """

    def __init__(
        self,
        path: Path,
        notes: Path,
        job: JobRepository,
        provisions: WorktreeProvisions | None = None,
        origin: Origin | None = None,
        most_files: int = MOST_FILES,
    ) -> None:
        self.path = path
        self._places = (str(path.parent), str(path))
        self.provisions = provisions
        self._origin = origin
        self._job = job
        self._index = PrivateIndex(notes.with_name(f"{notes.name}.index"), path, job, most_files)
        self._files = WorktreeFiles(path, job)
        self._repository = WorktreeRepository(path, job)
        self._snapshots = SnapshotReader(
            job, self._files, self._index, self._repository, provisions
        )
        self._seen: Differences | None = None  # from the index, by a look after which nothing ran

    @property
    def index(self) -> Path:
        """The index through which director sees the files."""
        return self._index.path

    def kept(self) -> dict[str, Any] | None:
        """Return what the next command needs to know to use it as it is; None: it must fill it."""
        if self._index.tree is None or not self._index.is_intact:
            return None
        clean = self._files.folders.clean
        return {"commit": self._index.tree, "index": self._index.seal, "clean": clean}

    def resume(self, kept: Mapping[str, Any]) -> None:
        """Continue with it as an earlier command ``kept`` it; nothing else of it is believed."""
        self._index.tree, self._index.seal = kept["commit"], tuple(kept["index"])
        self._files.folders.resume(kept["clean"])
        if self._index.is_intact:
            self._offer()

    def size(self) -> Size | None:
        """Return the size of its tracked files; None: nothing was written here."""
        return self._index.size()

    def reset(self, commit: str, *, bare: bool = False) -> None:
        """Make the worktree hold exactly ``commit`` and what is provided, ignored files included.

        ``bare``: it is for an agent that only reads, so nothing is made or copied for it beside the
        commit. Right after a ``snapshot`` what that saw is believed: between the two nothing may
        run here. Raises SetupFailedError when the setup command fails.
        """
        if self._origin and self._origin.gate and self._gate_goes_first(commit, bare=bare):
            self._origin.gate.reset(commit, bare=bare)
        with os_errors_stop(self.path):
            self._reset(commit, bare=bare)

    def snapshot(self, base: str, allowlist: Iterable[str]) -> Snapshot:
        """Compare the files on disk with the tree of ``base``."""
        with os_errors_stop(self.path):
            self._prepare()
            found, self._seen = self._snapshots.read(base, allowlist)
            return found

    def changed(self) -> frozenset[str]:
        """Return the paths of the commit that differ on disk, or are missing there.

        What this sees is believed by the ``reset`` after it: between the two nothing may run here.
        """
        with os_errors_stop(self.path):
            self._prepare()
            if self._index.tree is None:
                return frozenset()
            self._seen = self._differences(self._index.tree)
            return self._seen.changed

    def put(self, commit: str, paths: Iterable[str]) -> None:
        """Write ``paths`` as they are in ``commit``, besides what is checked out.

        For git in the worktree they are changes of what it was reset to.
        """
        wanted = list(paths)
        there = self._job.entries(commit, wanted)
        with os_errors_stop(self.path):
            for path in wanted:
                _discard_below(self.path, path)
            with self._index.of(self._job.submodules.whole(commit)) as git:
                git.output("checkout-index", "-f", "-z", "--stdin", stdin=join_z(sorted(there)))

    def keep_builds(self) -> None:
        """Keep the build folders as the gate that was green just now left them."""
        if self.provisions:
            self.provisions.keep_builds()

    def _differences(self, tree: str) -> Differences:
        names = self.provisions.names if self.provisions else ()
        return self._files.differences(self._index.git, tree, names, self._index.known())

    def _gate_goes_first(self, commit: str, *, bare: bool) -> bool:
        """Whether the gates' worktree is to be prepared first, so that this is filled from it.

        Nothing that an agent could write gets into one for gates; the other way round it may.
        """
        if self.provisions and not bare and self.provisions.needs_setup(commit):
            return True
        if self.index.exists():
            return False
        gate = self._origin.gate if self._origin else None  # what it holds is much the same
        return ((gate and gate.size()) or self._job.size(commit)).is_large

    def _prepare(self) -> None:
        """Make sure that there is a folder, and an index as director left it."""
        for place in self._places:  # an agent may have put a file there
            if not is_plain_folder(place):
                discard(place)
                Path(place).mkdir(mode=0o700, parents=True)
                self._index.tree = None
        self._index.empty_unless_intact()

    def _reset(self, commit: str, *, bare: bool) -> None:
        self._job.restore_what_worktrees_read()
        self._prepare()
        if not self._adjust(commit):
            self._index.tree = None
            try:
                self._fill(commit)
            except (GitError, OSError):  # beyond repair (an agent may do anything): start over
                for place in (self.path, self.index, Path(f"{self.index}.lock")):
                    clear(place)
                self.path.mkdir()
                self._fill(commit)
        whole = self._job.submodules.of(commit)
        self._repository.reset(commit, self.index)
        if self.provisions and not bare:
            if ran := self.provisions.provide(commit, self._index):
                self._files.folders.remove_special(whole.tree)
            if ran or whole.present:  # setup may use git; what is provided leaves no room for it
                self._repository.reset(commit, self.index)
        self._job.submodules.make_folders(self.path, commit)
        self._index.trust(whole.tree)

    def _adjust(self, commit: str) -> bool:
        """Bring the worktree to ``commit`` by what differs; False: that cannot be done.

        What differs from the commit it was reset to last is removed; git then writes what differs
        between the two commits, and what else was removed. Other files are only looked at.
        """
        seen, self._seen = self._seen, None
        held = self._index.tree
        if held is None:
            return False
        whole = self._job.submodules.whole(commit)
        try:
            seen = seen or self._differences(held)
            if self.provisions:
                self._files.remove_stalling(held, self.provisions.names)
                self._clean(commit)
            self._repository.withdraw(commit)
            if seen.special is None:  # a folder that goes, too, must be empty
                self._files.folders.remove_special(held)
            others = filter(is_attributes, seen.others) if self.provisions else seen.others
            for path in (*others, *(seen.special or ()), *seen.changed):
                _discard_below(self.path, path)
            if not update(self.path, self._index, self._job, (held, whole), seen.changed):
                self._update_by_git(held, whole, seen.changed)
            if self.provisions or seen.special is None:
                self._files.folders.remove_special(whole)
        except (GitError, OSError):
            return False
        return True

    def _update_by_git(self, held: str, whole: str, changed: frozenset[str]) -> None:
        git = self._index.git
        if whole != held:
            git.output("read-tree", "-m", "-u", whole)
        moved = {change.path for change in self._job.changes(held, whole)}
        if gone := sorted(changed - moved):
            git.output("checkout-index", "-f", "-u", "-z", "--stdin", stdin=join_z(gone))

    def _fill(self, commit: str) -> None:
        if self._origin is None:
            self._check_out(commit)
            return
        with self._origin.templates.turn() as template:
            if template and not any(self.path.iterdir()):
                template.fill(self.path, self.index, self._job.user.object_format)
            self._check_out(commit)
            if template is None:
                self._offer()

    def _offer(self) -> None:
        """Let others be filled from this where it is for gates, and copying saves something."""
        if self._origin and self._origin.gate is None:
            size = self.size()
            template = Template(self.path, self.index) if size and size.is_large else None
            self._origin.templates.settle(template)

    def _check_out(self, commit: str) -> None:
        whole = self._job.submodules.whole(commit)
        empty = not any(self.path.iterdir())
        self._files.attributes.remove_foreign(whole)
        remove_stalling(folders_in(self.path))
        workers = f"checkout.workers={max(LEAST_WORKERS, os.cpu_count() or 1)}"
        git = self._index.git.with_settings(workers, INDEX_VERSION)
        git.output("read-tree", "--reset", "-u", whole)
        filtered = self._job.conversions.of(whole) is Conversion.ANY
        if filtered or not empty:  # a filter may have left more than what it was asked for
            self._clean(commit)
        self._files.folders.forget()
        self._files.folders.remove_special(whole)

    def _clean(self, commit: str) -> None:
        """Remove what is neither in the index nor provided for ``commit``."""
        stay = self.provisions.exclusions(commit) if self.provisions else []
        self._index.git.output("clean", "-ffdxq", *stay)


def _discard_below(root: Path, path: str) -> None:
    """Remove what is at ``path``; a link on the way to it is removed, never followed."""
    for folder in parents(path):
        if os.path.islink(place := f"{root}/{folder}"):  # noqa: PTH114 (often called)
            Path(place).unlink()
    discard(root / path)
