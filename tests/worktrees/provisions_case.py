"""A worktree that is provided with something, for the tests beside this file."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import ClassVar

from director.model.config import WorktreePolicy
from director.repositories.repository import open_repository
from director.worktrees.gates import GateResult, Verdict
from director.worktrees.provisions import Provisions
from director.worktrees.user_files import find_sources
from director.worktrees.worktree import Worktree
from tests.worktrees.jobs import JobCase, open_pool


class ProvisionsCase(JobCase):
    files: ClassVar[dict[str, str]] = {
        ".gitignore": "deps/\n*.local\n.env\n",
        "lock": "one\n",
        "pkg/a.py": "A = 1\n",
    }

    def setUp(self) -> None:
        super().setUp()
        self.stack = ExitStack()
        self.addCleanup(self.stack.close)
        self.runs = 0
        self.code = 0

    def run_setup(self, worktree: Path, merged: bool) -> GateResult:
        """Run the setup command without a gate around it."""
        self.runs += 1
        command = self.policy.setup
        subprocess.run(["sh", "-ec", command], cwd=worktree, env=self.env, check=True)
        log = self.tmp / "log"
        log.write_text("first\nlast words\n")
        verdict = Verdict.RED if self.code else Verdict.GREEN
        return GateResult(command, verdict, self.code, 0.1, f"exit code {self.code}", log)

    def provided(self, policy: WorktreePolicy) -> Worktree:
        """Return a worktree of a new pool, at the base."""
        self.policy = policy
        user = open_repository(self.sample.root, self.env)
        self.provisions = Provisions(policy, find_sources(user, policy), self.job, self.run_setup)
        pool = open_pool(self.job, self.tmp / "pool.json", self.env, self.provisions)
        worktree = self.stack.enter_context(self.stack.enter_context(pool).lease(self.job.tip()))
        self.root = worktree.path
        return worktree

    @property
    def made(self) -> Path:
        """The copy of what setup made in the worktree."""
        return self.root.parent.with_name("notes") / "agents-slot-1.made"

    def agent(self, script: str) -> None:
        """Do something in the worktree as an agent would."""
        subprocess.run(["sh", "-ec", script], cwd=self.root, env=self.env, check=True)

    def text(self, name: str) -> str:
        return (self.root / name).read_text().strip()

    def names(self) -> set[str]:
        """Return the files, links and folders of the worktree."""
        found = subprocess.check_output(
            ["find", ".", "-mindepth", "1", "-not", "-path", "./.git"], cwd=self.root, text=True
        )
        return {line[2:] for line in found.splitlines()}
