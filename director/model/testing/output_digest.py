"""A digest of what a run printed, the same for runs that differ only in what varies by run."""

from __future__ import annotations

import hashlib
import re

from director.model.patterns import lazy_pattern
from director.model.testing.command_run import CommandRun

# Where a worktree, a temporary folder or an installation lies says nothing.
_PLACES = (
    (lazy_pattern(r"file://"), ""),
    (lazy_pattern(r"(?<![\w.~-])/(?:[\w.@+~-]+/)+"), "/"),
    (lazy_pattern(r"\btmp[\w-]{6,}|\bcc\w{6}\.(?=o\b|s\b)"), "tmp"),
)
_NUMBERS = (
    # Moments, addresses, ports, processes, identifiers.
    (
        lazy_pattern(r"\b\d{4}-\d\d-\d\d(?:[T _]\d\d[:_.-]\d\d(?:[:_.-]\d\d)?(?:[.,_]\d+)?Z?)?"),
        "DATE",
    ),
    (lazy_pattern(r"\b\d{1,2}:\d\d:\d\d(?:[.,]\d+)?\b"), "TIME"),
    (lazy_pattern(r"\b0x[0-9a-fA-F]+\b"), "ADDRESS"),
    (lazy_pattern(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.I), "ID"),
    (lazy_pattern(r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,64}\b"), "ID"),
    (lazy_pattern(r"\b((?:\d{1,3}\.){3}\d{1,3}|localhost|\[::1?\]):\d+\b"), r"\1:PORT"),
    (lazy_pattern(r"\b(pid|process|seed|random_seed)([ =:#]+)\d+\b", re.I), r"\1\2N"),
    # How long something took, how large or how fast it was.
    (
        lazy_pattern(
            r"(?:\b\d+ ?m(?:in)? ?)?\b\d+(?:[.,]\d+)? ?"
            r"(?:ms|s|secs?|seconds?|µs|us|ns|min(?:utes?)?)\b",
            re.I,
        ),
        "DURATION",
    ),
    (lazy_pattern(r"\b(duration_ms:?|Time:|Duration) +[\d.]+"), r"\1 DURATION"),
    (lazy_pattern(r"\b\d+(?:\.\d+)? ?[kMG]i?B(?:/s)?\b"), "SIZE"),
)

_DIGIT = lazy_pattern(r"\d")
_DRAWN = lazy_pattern(r"([=_*~^-])\1{2,}")


def output_digest(run: CommandRun) -> str:
    """Return a hash (sha256, hex) of what a run printed; "" where it printed nothing.

    Runs that end with the same code and the same output have the same hash. Left out are places on
    the machine, times, durations, addresses and identifiers, and the order of the lines, which
    differs where tests run side by side. Plain numbers count: ``2 != 3`` is not ``4 != 3``.
    """
    lines = sorted(line for line in map(_said, run.plain.splitlines()) if line)
    if not lines:
        return ""
    return hashlib.sha256("\n".join([str(run.code), *lines]).encode(errors="replace")).hexdigest()


def _said(line: str) -> str:
    """Return a line without what varies; runs of blanks, and of signs that only draw, as one."""
    for pattern, stand_in in _PLACES:
        line = pattern.sub(stand_in, line)
    if _DIGIT.search(line):
        for pattern, stand_in in _NUMBERS:
            line = pattern.sub(stand_in, line)
    return " ".join(_DRAWN.sub(r"\1\1", line).split())
