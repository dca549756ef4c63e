"""Provisions: what a worktree holds besides its commit, so that tests can run in it.

Copies and links of the user's files, what the setup command makes, and build folders. A gate sees
them as director provided them, whatever an agent or an earlier gate did to them.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from director.model.config import WorktreePolicy
from director.model.errors import RequestError, StoppedError
from director.model.paths import lies_in
from director.model.sizes import Size
from director.model.slots import OWN_VARIABLES
from director.repositories.git import split_z
from director.repositories.job_repository import JobRepository
from director.repositories.objects import GITLINK_MODE
from director.repositories.submodule_repositories import GIT
from director.worktrees.gates import GateResult
from director.worktrees.pool_note import Trees, seals_from
from director.worktrees.seals import SealedTree, seals_of, size_of
from director.worktrees.user_files import (
    Sources,
    UserFiles,
    copy_user_files,
)

SHOWN_NAMES = 5

RunSetup = Callable[[Path, bool], GateResult]
"""Runs the setup command in a worktree, which holds what merged, or else a candidate."""


class SetupFailedError(StoppedError):
    """The setup command did not end with 0: no attempt is spent. ``result`` is how it ended.

    ``withheld`` are the names of the variables that it did not get.
    """

    def __init__(self, result: GateResult, withheld: Sequence[str] = ()) -> None:
        kept = f" (it did not get {_listed(withheld)})" if withheld else ""
        names = ", ".join(f'"{name}"' for name in withheld[:SHOWN_NAMES])
        give = f" (`pass = [{names}]` in [env] gives it these variables)" if withheld else ""
        super().__init__(
            f"the setup of a worktree failed: `{result.command}`: {result.failure}{kept}",
            f"see {result.log}; correct `setup` in [worktree], or what it needs{give}, then run "
            "the command again",
        )
        self.result = result


class Provisions:
    """What all worktrees of one command are provided with. Callable from any thread.

    ``withheld`` are the names of the variables that setup does not see.
    """

    def __init__(
        self,
        policy: WorktreePolicy,
        sources: Sources,
        job: JobRepository,
        run_setup: RunSetup,
        withheld: Sequence[str] = (),
    ) -> None:
        self.policy = policy
        self.sources = sources
        self.job = job
        self.run_setup = run_setup
        self.withheld = withheld
        self.setup_commit: Callable[[], str] = job.tip  # the commit that setup runs on
        self._keys: dict[str, str] = {}
        self._user_files: UserFiles | None = None
        self._turn = threading.Lock()

    @property
    def names(self) -> tuple[str, ...]:
        """The paths that the user's working tree gives, and the build folders."""
        return (*self.sources.names, *self.policy.keep)

    def claims(self, path: str) -> bool:
        """Whether ``path`` is one of ``names``, or in one, or in its way."""
        return lies_in(path, self.names) or any(lies_in(name, [path]) for name in self.names)

    def refuse_tracked(self, commit: str) -> None:
        """Raise RequestError when ``commit`` itself holds what is to be provided."""
        names = (*self.policy.copy, *self.policy.link, *self.policy.keep)
        if not names:
            return
        listed = ("ls-tree", "-r", "-z", "--full-tree", commit, "--", *names)
        lines = (line.partition("\t") for line in split_z(self.job.git.output(*listed)))
        if tracked := [path for kind, _, path in lines if not kind.startswith(GITLINK_MODE)]:
            raise RequestError(
                f"[worktree] names {', '.join(tracked[:5])}, which git tracks: "
                "every worktree has it anyway",
                "take it out of `copy`, `link` or `keep`",
            )

    def user_files(self, pool: Path) -> UserFiles:
        """Return the copy of the user's files in ``pool``; taken again when it was changed."""
        with self._turn:
            if self._user_files is None or not self._user_files.linked.intact():
                links = self.job.submodules.of(self.job.tip()).links
                self._user_files = copy_user_files(
                    self.sources, pool, [f"{link.path}/{GIT}" for link in links]
                )
            return self._user_files

    def kept(self, trees: Trees) -> dict[str, Any] | None:
        """Return what the next command needs to know of the copy of the user's files, if any."""
        with self._turn:
            user_files = self._user_files
        if user_files is None or user_files.originals is None or not user_files.linked.intact():
            return None
        return {
            "tree": trees.name_of(user_files.tree),
            "linked": trees.name_of(user_files.linked),
            "originals": user_files.originals,
        }

    def resume(self, kept: Mapping[str, Any], trees: Trees) -> UserFiles | None:
        """Continue with an earlier command's copy of the user's files; None: they differ now."""
        originals = seals_from(kept["originals"])
        user_files = UserFiles(trees.named(kept["tree"]), trees.named(kept["linked"]), originals)
        wanted = (self.sources.names, self.sources.linked)
        same = (user_files.tree.names, user_files.linked.names) == wanted
        if not same or self.sources.seals() != originals or not user_files.linked.intact():
            return None
        with self._turn:
            self._user_files = user_files
        return user_files

    def size_of_user_files(self) -> Size:
        """Return the size of what the user's working tree gives to each worktree."""
        copied = seals_of(self.sources.repository, self.sources.copied)
        return size_of(copied)

    def distrust(self, tree: SealedTree) -> None:
        """Note that the copy of the user's files was changed, if it is ``tree``."""
        with self._turn:
            if self._user_files is not None and self._user_files.tree is tree:
                self._user_files = None

    def tells_slots_apart(self, commit: str) -> bool:
        """Whether setup may do something else in another slot: it, or the commit, names a variable.

        What it does for one outside of the worktree (a database of its own) no file says.
        """
        if any(name in self.policy.setup for name in OWN_VARIABLES):
            return True
        named = (word for name in OWN_VARIABLES for word in ("-e", name))
        return self.job.git.ok("grep", "--quiet", "--fixed-strings", *named, commit)

    def setup_key(self, commit: str) -> str:
        """Return what decides whether setup runs again: its command, its inputs in ``commit``.

        And the submodules that are there: the user may check out more of them at any time.
        """
        if not self.policy.setup:
            return ""
        if commit not in self._keys:
            present = [one.path for one in self.job.submodules.of(commit).present]
            about = json.dumps([self.policy.setup, *self._inputs(commit), *present])
            self._keys[commit] = hashlib.sha256(about.encode()).hexdigest()
        return self._keys[commit]

    def _inputs(self, commit: str) -> list[str]:
        """Return mode, object id and path of the setup inputs in ``commit``."""
        globs = self.policy.setup_inputs
        if globs == ():
            return []
        plain = globs is not None and not any(re.search(r"[*?\[]", glob) for glob in globs)
        narrowed = ("--", *globs) if globs and plain else ()
        listed = ("ls-tree", "-r", "-z", "--full-tree", commit, *narrowed)
        lines = split_z(self.job.git.output(*listed))
        return sorted(line for line in lines if _matches(line.partition("\t")[2], globs))


def _matches(path: str, globs: Sequence[str] | None) -> bool:
    if globs is None:
        from director.model.ecosystems.ecosystems import is_manifest

        return is_manifest(path)
    return any(lies_in(path, [glob]) or fnmatchcase(path, glob) for glob in globs)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - SHOWN_NAMES
    return f"{', '.join(names[:SHOWN_NAMES])}{f' and {more} more' if more > 0 else ''}"
