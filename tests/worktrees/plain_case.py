"""A worktree of a job for whose files no filter plays a part: git is not asked about them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from director.repositories.git_settings import freeze_settings
from director.repositories.job_repository import JobRepository, create_job_repository
from director.repositories.repository import open_repository
from tests.support.repositories import SampleRepo
from tests.worktrees.jobs import BRANCH
from tests.worktrees.worktree_case import WorktreeCase


class PlainCase(WorktreeCase):
    """The user's settings are known, as in a run."""

    def make_job(self, sample: SampleRepo, folder: Path | None = None) -> JobRepository:
        user = open_repository(sample.root, self.env)
        user.settings = freeze_settings(user.git, Path(self.env["HOME"]), self.tmp / "frozen")
        path = folder or sample.root / ".director" / "job.git"
        return create_job_repository(path, user, BRANCH, user.head())

    @contextmanager
    def unasked(self) -> Iterator[None]:
        """No git is started while this is open: there is none on the PATH."""
        git = self.job.git
        self.job.objects.find(self.base)  # the one that answers questions about objects runs
        self.job.conversions.of(self.base)
        usual = git.env
        git.env = {**usual, "PATH": str(self.tmp / "nothing")}
        try:
            yield
        finally:
            git.env = usual
