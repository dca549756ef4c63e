"""The job repository: the job branch and every candidate live here, not in the user's.

A bare repository that borrows the user's objects (gitrepository-layout(5), alternates). What an
agent does with git lands here and cannot reach the user's refs, configuration or hooks.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from director.model.errors import StoppedError
from director.model.paths import parents
from director.model.receipt import Receipt
from director.processes.removal import discard
from director.records.files import make_file, make_folder, os_errors_stop
from director.records.job_directory import TIPS
from director.repositories.attempt_refs import AttemptRefs, kept_attempts
from director.repositories.branches import publish_rebased
from director.repositories.durability import sync_files
from director.repositories.git import Git
from director.repositories.history import History
from director.repositories.job_objects import JobObjects
from director.repositories.job_settings import (
    borrow,
    borrowed_stores,
    carry_settings,
    make_refs_readable,
)
from director.repositories.links import is_plain_folder
from director.repositories.objects import loose_path
from director.repositories.repository import Repository
from director.repositories.soundness import Soundness
from director.repositories.tips import Tips


class JobRepository(JobObjects):
    """One job's repository and its one branch, which only director moves.

    ``notices`` says what was damaged and has been restored, one sentence each.
    """

    def __init__(
        self, path: Path, branch: str, git: Git, user: Repository, journal: Path | None = None
    ) -> None:
        """``journal`` is that of the branch's tips (None: the job's own, beside ``path``)."""
        super().__init__(path, git, user)
        self.branch = branch
        self.notices: list[str] = []
        self._publishing = threading.Lock()
        self._soundness = Soundness(self.objects, self.trees, path / "objects", user.object_format)
        self._tips = Tips(journal or path.with_name(TIPS))
        self._tip = self._last_noted() if self._tips.commits else self._said_by_ref()
        self._published = ""
        self._attempts = AttemptRefs(path)

    def _said_by_ref(self) -> str:
        tip = self.tip_of(self.branch)
        if tip is None:
            raise _gone(self.path)
        self._tips.begin(tip)
        return tip

    def _last_noted(self) -> str:
        """Return the last commit the branch was moved to that is whole.

        Damaged objects are removed, so that those of the user's repository, where the branch is
        published, take their place.
        """
        noted = self._tips.commits
        found = self._soundness.recover(noted)
        if found.replaced:
            self.notices.append(
                f"objects of {self.path} are damaged, and read from your repository now: "
                f"{found.replaced}"
            )
        if found.tip != noted[-1]:
            self.notices.append(
                f"object {found.damaged} of {self.path} is damaged or gone: the job continues at "
                f"commit {found.tip}, and what merged later is worked on again"
            )
            self._tips.add(found.tip)
        return found.tip

    @property
    def ref(self) -> str:
        """The full name of the job branch."""
        return f"refs/heads/{self.branch}"

    def tip(self) -> str:
        """Return the job branch's commit, as director moved it last."""
        return self._tip

    @property
    def receipts(self) -> Mapping[str, Receipt]:
        """Merge commit → the receipt that was noted when the branch moved there."""
        return self._tips.receipts

    def holds(self, base: str, commit: str) -> bool:
        """Whether ``commit`` (an id) is on ``base``, with everything in it there and whole."""
        return self._soundness.first_damage(base, commit) is None

    def moved_to(self, commit: str) -> bool:
        """Whether director ever moved the branch to ``commit``."""
        return commit in self._tips

    def begin_beside(self, branch: str, base: str, journal: Path) -> JobRepository:
        """Begin another branch at ``base``, which this one may give way to; returns it.

        Its objects are in the same repository, its journal is a file of its own.
        """
        Tips(journal).begin(base, self._tips.all)
        return JobRepository(self.path, branch, self.git, self.user, journal)

    def forget_branch(self, branch: str) -> None:
        """Remove the ref of another branch of this repository."""
        (self.path / "refs" / "heads" / branch).unlink(missing_ok=True)

    def stood_at(self, commit: str) -> bool:
        """Whether the branch was ever at ``commit``, also before it was rebased."""
        return commit in self._tips.all

    def accept(self, receipt: Receipt) -> None:
        """Note the receipt of a merge that is on the branch already."""
        with self._turn:
            self._tips.add(self._tip, receipt)

    def restore_journal(self) -> bool:
        """Undo what others wrote into the journal of tips; returns whether there was any."""
        with self._turn:
            return self._tips.restore()

    def point(self) -> None:
        """Make the ref name the tip."""
        with self._turn:
            self._point(self._tip)

    def keep_attempt(self, node: str, number: int, commit: str) -> str:
        """Keep what a failed attempt came to under a ref of its own, which is never published.

        Returns its name below ``refs/``, "" where an object is damaged. What it names is on disk
        when this returns.
        """
        found = dict(self._soundness.looked_at(self.step(commit).parents[0], commit))
        if not all(found.values()):
            return ""
        sync_files(loose_path(self._store, oid) for oid in found)
        with self._turn:
            return self._attempts.keep(node, number, commit, self._write_ref)

    def _point(self, commit: str) -> None:
        self._write_ref(self.ref, commit)

    def _write_ref(self, name: str, commit: str) -> None:
        """Make a ref name ``commit``, whatever agents did to this repository meanwhile.

        It is written as the file it is (gitrepository-layout(5)): what stands in its way has to be
        found in any case, and `git update-ref` is a process for each merge, at five times the cost.
        """
        self._settings.check()
        root = str(self.path)
        with os_errors_stop(f"{root}/{name}"):
            for folder in parents(name):
                if not is_plain_folder(f"{root}/{folder}"):
                    discard(self.path / folder)  # a branch by its name, or a link to other refs
                    make_folder(self.path / folder)
            if is_plain_folder(f"{root}/{name}"):  # a branch below its name
                discard(self.path / name)
            temporary = f"{root}/{os.urandom(8).hex()}.lock"
            make_file(temporary, f"{commit}\n".encode())
            os.replace(temporary, f"{root}/{name}")  # noqa: PTH105 (often called)

    def advance(self, new: str, old: str, *receipts: Receipt) -> bool:
        """Move the branch from ``old`` to ``new``; False when it is no longer at ``old``.

        One process works on a job, so what it notes is the truth: a ref that an agent moved is
        overwritten. On disk are first the objects, then the note, with the ``receipts`` of
        the merges in between, then the ref: what is noted is always whole.
        """
        if self._tip != old:  # looked at again below, under the lock: syncing takes a while
            return False
        sync_files(loose_path(self._store, oid) for oid in self._soundness.added_whole(old, new))
        with self._turn:
            if self._tip != old:
                return False
            # The note comes first: after a crash in between the ref is written again from it. The
            # other way round a merge without a receipt would look like a forged one.
            self._tips.add(new, *receipts)
            self._point(new)
            self._tip = new
            return True

    def attempts(self, node: str) -> list[tuple[str, str]]:
        """Return what is kept of failed attempts at a node, oldest first: (name, commit).

        Only whole commits on what the branch was at some time are among them.
        """
        return [one for one in kept_attempts(self.path, node) if self._stands(one[1])]

    def _stands(self, commit: str) -> bool:
        """Whether a commit, which anybody may have written, is whole and on one of the branch."""
        try:
            base = self._soundness.parent(commit)
            return self.stood_at(base) and self.holds(base, commit)
        except (StoppedError, ValueError, RecursionError):  # no tree that git would write
            return False

    def publish(self) -> str | None:
        """Bring the branch into the user's repository; returns why it could not, or None.

        The branch may move meanwhile: what comes later is for the next time. Where the user's
        repository has it as it was before it was rebased, it is replaced.
        """
        with self._publishing:
            with self._turn:
                tip = self._tip
                if self._published == tip:
                    return None
                self._point(tip)
            self._settings.restore()
            if self._published or not self._tips.former:
                problem = self.user.publish(self.path, self.branch)
            else:
                problem = publish_rebased(self.user, self.path, self.branch, self._tips.former)
            if problem is None:
                self._published = tip
            return problem


def create_job_repository(
    path: Path, user: Repository, branch: str, base: str, borrowed: Sequence[Path] = ()
) -> JobRepository:
    """Make the job repository at ``path`` with ``branch`` at commit ``base``.

    The journal of tips, beside it, begins there. ``borrowed`` are object stores to read besides the
    user's. One that a crash left half made is made again.
    """
    _make(path, user, borrowed)
    Tips(path.with_name(TIPS)).begin(base)
    return _opened(path, user, branch)


def open_job_repository(path: Path, user: Repository, branch: str) -> JobRepository:
    """Return the job repository at ``path``, committing in the user's name.

    Its settings are written again from the user's, who may have moved the repository; agents of
    an earlier run may have changed them, too. A repository that is gone is made again: the branch
    published in the user's holds what merged.
    """
    borrowed = borrowed_stores(path)
    if not all((path / part).is_dir() for part in ("objects", "refs")):
        if not Tips(path.with_name(TIPS)).commits:
            if (published := History(user.git).tip_of(branch)) is None:
                raise _gone(path)
            return create_job_repository(path, user, branch, published, borrowed)
        _make(path, user, borrowed)
    borrow(path, user, borrowed)
    return _opened(path, user, branch)


def _gone(path: Path) -> StoppedError:
    return StoppedError(f"the job branch is gone from {path}", "plan the task again")


def _opened(path: Path, user: Repository, branch: str) -> JobRepository:
    carry_settings(path, user)
    damaged = make_refs_readable(path)
    git = Git.at(path, user.caller_env, GIT_DIR=str(path), **user.identity())
    job = JobRepository(path, branch, git, user)
    if damaged:
        job.notices.append(f"packed-refs of {path} was damaged: what is whole in it was kept")
    job.point()
    return job


def _make(path: Path, user: Repository, borrowed: Sequence[Path]) -> None:
    """Make an empty bare repository that reads the user's objects."""
    with os_errors_stop(path):
        discard(path)  # also where it is a file, or a link
        make_folder(path)
    making = Git.at(path, user.caller_env, GIT_DEFAULT_REF_FORMAT="files")
    making.output(
        "init", "--quiet", "--bare", "--template=", f"--object-format={user.object_format}", "."
    )
    borrow(path, user, borrowed)


def remove_stale_locks(path: Path, user: Repository, branch: str) -> None:
    """Remove the lock files of refs that a killed git left; for the holder of the job's lock.

    In the user's repository that is the lock of the job branch alone.
    """
    for lock in (*path.glob("*.lock"), *(path / "refs").rglob("*.lock")):
        lock.unlink(missing_ok=True)
    with suppress(NotADirectoryError):  # a branch has the folder's name
        (user.common_dir / "refs" / "heads" / f"{branch}.lock").unlink(missing_ok=True)
