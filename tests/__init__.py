"""The tests of director: `python3 -m tests` runs them all, as does `python3 -m unittest`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the fake opencode is in this package and would wait for it at every call
    import unittest

HERE = Path(__file__).parent


def load_tests(
    loader: unittest.TestLoader, _standard: unittest.TestSuite, pattern: str | None
) -> unittest.TestSuite:
    """Load the modules, the slow ones first (unittest's load_tests protocol)."""
    return loader.loadTestsFromNames(test_modules(pattern or "test*.py"))


def test_modules(pattern: str, folder: Path = HERE) -> list[str]:
    """Return the names of a folder's modules, slow ones first: end to end, then by their size."""
    paths = sorted(folder.rglob(pattern))
    slow_first = sorted(paths, key=lambda path: ("e2e" not in path.parts, -path.stat().st_size))
    return [".".join(path.relative_to(HERE.parent).with_suffix("").parts) for path in slow_first]
