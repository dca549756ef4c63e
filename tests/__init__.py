"""The tests of director: `python3 -m unittest` runs them all.

With ``DIRECTOR_TESTS_PART=1/2`` in the environment it runs every second module, and with ``2/2``
the others: two processes that share the work.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the fake opencode is in this package and would wait for it at every call
    import unittest

HERE = Path(__file__).parent


def load_tests(
    loader: unittest.TestLoader, _standard: unittest.TestSuite, pattern: str | None
) -> unittest.TestSuite:
    """Load the modules of the part that is asked for (unittest's load_tests protocol)."""
    number, _, parts = os.environ.get("DIRECTOR_TESTS_PART", "1/1").partition("/")
    modules = test_modules(pattern or "test*.py")
    return loader.loadTestsFromNames(modules[int(number) - 1 :: int(parts)])


def test_modules(pattern: str) -> list[str]:
    """Return the names of all modules, the slow ones first: end to end, then by their size."""
    paths = sorted(HERE.rglob(pattern))
    slow_first = sorted(paths, key=lambda path: ("e2e" not in path.parts, -path.stat().st_size))
    return [".".join(path.relative_to(HERE.parent).with_suffix("").parts) for path in slow_first]
