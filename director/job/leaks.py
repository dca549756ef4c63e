"""Secrets that an agent wrote into files: they must not reach the branch."""

from __future__ import annotations

from collections.abc import Iterable

from director.job.context import JobContext


def leaks(job: JobContext, base: str, commit: str, paths: Iterable[str]) -> list[str]:
    """Return those of ``paths`` that hold a secret in ``commit`` and did not in ``base``."""
    if job.directory.redactor.idle:
        return []
    clean = job.directory.redactor.data
    before = job.repository.contents(base, paths := list(paths))
    after = job.repository.contents(commit, paths)
    return sorted(
        path
        for path, content in after.items()
        if clean(content) != content and clean(old := before.get(path, b"")) == old
    )
