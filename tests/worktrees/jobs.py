"""A job repository on a sample repository, for the tests beside this file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import ClassVar

from director.repositories.history import Entry
from director.repositories.job_repository import JobRepository, create_job_repository
from director.repositories.repository import open_repository
from director.worktrees.pool import Pool
from director.worktrees.pool_folders import pool_folder
from director.worktrees.provisions import Provisions
from tests.support.hermetic import HermeticCase
from tests.support.repositories import SampleRepo

BRANCH = "director/job-1"


@contextmanager
def open_pool(
    job: JobRepository,
    record: Path,
    env: Mapping[str, str],
    provisions: Provisions | None = None,
) -> Iterator[Pool]:
    """Give the pool of a job for as long as it is open, as an open job does."""
    with pool_folder(record, env) as folder:
        yield Pool(job, folder, provisions)


def drop_lock(folder: Path) -> None:
    """Let this process hold the lock of a pool's folder no longer, like one that was killed."""
    lock = (folder / "lock").stat()
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            if os.path.samestat(os.fstat(int(entry.name)), lock):
                nothing = os.open(os.devnull, os.O_RDONLY)
                os.dup2(nothing, int(entry.name))
                os.close(nothing)


class JobCase(HermeticCase):
    """``self.sample`` is the user's repository, ``self.job`` the job repository on its HEAD."""

    files: ClassVar[dict[str, str]] = {"a.py": "A = 1\n", "tests/test_a.py": "assert 1\n"}

    def setUp(self) -> None:
        super().setUp()
        self.sample = SampleRepo.create(self.tmp / "repo", self.env, self.files)
        self.sample.write(".director/.gitignore", "*\n")
        self.base = self.sample.git("rev-parse", "HEAD")
        self.job = self.make_job(self.sample)

    def make_job(self, sample: SampleRepo, folder: Path | None = None) -> JobRepository:
        """Return a new job repository for the HEAD of ``sample``."""
        user = open_repository(sample.root, self.env)
        path = folder or sample.root / ".director" / "job.git"
        return create_job_repository(path, user, BRANCH, user.head())

    def add_commit(self, job: JobRepository, files: dict[str, str], message: str = "x") -> str:
        """Write a commit on the tip with ``files`` changed; the branch stays where it is."""
        entries = [Entry(p, "100644", job.store(text.encode())) for p, text in files.items()]
        return job.commit(job.tree_with(job.tip(), entries), job.tip(), message)
