"""Secrets that an agent wrote into files: they must not reach the branch."""

from __future__ import annotations

from collections.abc import Iterable

from director.job.workbench import Workbench


def leaks(bench: Workbench, base: str, commit: str, paths: Iterable[str]) -> list[str]:
    """Return those of ``paths`` that hold a secret in ``commit`` and did not in ``base``."""
    if bench.directory.redactor.idle:
        return []
    clean = bench.directory.redactor.data
    before = bench.job.contents(base, paths := list(paths))
    after = bench.job.contents(commit, paths)
    return sorted(
        path
        for path, content in after.items()
        if clean(content) != content and clean(old := before.get(path, b"")) == old
    )
