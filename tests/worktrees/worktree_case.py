"""A worktree of a job that an agent works in, for the tests beside this file."""

from __future__ import annotations

import os
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import ClassVar

from director.worktrees.pool import Pool
from director.worktrees.snapshot import Snapshot
from director.worktrees.worktree import Worktree
from tests.worktrees.jobs import JobCase, open_pool

GITIGNORE = "*.log\nbuild/\n__pycache__/\n"


class WorktreeCase(JobCase):
    files: ClassVar[dict[str, str]] = {
        ".gitignore": GITIGNORE,
        "a.py": "A = 1\n",
        "b.py": "B = 1\n",
        "pkg/c.py": "C = 1\n",
        "pkg/deep/d.py": "D = 1\n",
        "tests/test_a.py": "assert 1\n",
        "ä ö.py": "U = 1\n",
    }

    def setUp(self) -> None:
        super().setUp()
        self.lease()

    def lease(self, record: str = "worktrees.json") -> None:
        """Have a worktree of ``self.job``, in the caches of ``self.env``."""
        self.record = self.tmp / record
        stack = ExitStack()
        self.addCleanup(stack.close)
        self.pool: Pool = stack.enter_context(open_pool(self.job, self.record, self.env))
        self.worktree: Worktree = stack.enter_context(self.pool.lease(self.base))
        self.root = self.worktree.path

    def agent(self, script: str) -> None:
        """Do something in the worktree as an agent would."""
        subprocess.run(
            ["sh", "-ec", script], cwd=self.root, env=self.env, check=True, capture_output=True
        )

    def snapshot(self, *allowlist: str) -> Snapshot:
        return self.worktree.snapshot(self.base, allowlist)

    def candidate(self, snapshot: Snapshot) -> dict[str, tuple[str, str]]:
        """Return path → (mode, content) of what the snapshot's tree changes; ("", "") if gone."""
        result = {}
        for change in self.job.changes(self.base, snapshot.tree):
            gone = change.new.mode == "000000"
            content = "" if gone else self.job.git.output("cat-file", "blob", change.new.oid)
            text = content if isinstance(content, str) else content.decode()
            result[change.path] = ("" if gone else change.new.mode, text)
        return result

    def assert_holds_exactly(self, commit: str) -> None:
        """The worktree's files, modes and links are those of ``commit``, and there is no more."""
        clean = self.tmp / f"clean-{commit}"
        if not clean.exists():
            self.job.git.output("worktree", "add", "-q", "--detach", str(clean), commit)
        self.assertEqual(described(self.root), described(clean))

    def agents_git(self, *argv: str) -> str:
        return subprocess.check_output(
            ["git", *argv], cwd=self.root, env=self.env, text=True
        ).strip()


def described(root: Path) -> dict[str, tuple[str, str]]:
    """Return path → (executable or link, content) of all there is but ``.git``."""
    found = {}
    for place, folders, names in os.walk(root):
        if Path(place) == root:
            folders[:] = [name for name in folders if name != ".git"]
            names = [name for name in names if name != ".git"]
        for path in (Path(place, name) for name in [*folders, *names]):
            rel = path.relative_to(root).as_posix()
            if path.is_symlink():
                found[rel] = ("link", str(path.readlink()))
            elif path.is_dir():
                found[rel] = ("folder", "")
            else:
                found[rel] = (f"{path.stat().st_mode & 0o111 != 0}", path.read_text())
    return found
