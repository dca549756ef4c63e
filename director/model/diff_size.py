"""How large a change is: files, and lines as a diff counts them."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

COMPARED = 1_000_000  # pairs of lines: of more than that the order of lines does not count
Sides = tuple[bytes, bytes]


class DiffSize(NamedTuple):
    """``files`` were changed, with ``added`` and ``removed`` lines; binary files have none."""

    files: int = 0
    added: int = 0
    removed: int = 0


def diff_size(changes: Iterable[Sides]) -> DiffSize:
    """Return the size of changes, each the content of a file before and after (b"": none)."""
    files = added = removed = 0
    for old, new in changes:
        more, less = _lines(old, new)
        files, added, removed = files + 1, added + more, removed + less
    return DiffSize(files, added, removed)


def _lines(old: bytes, new: bytes) -> tuple[int, int]:
    """Return how many lines were added and removed."""
    if b"\0" in old or b"\0" in new:
        return 0, 0
    before, after = _differing(old.splitlines(), new.splitlines())
    if not (before and after):
        return len(after), len(before)
    if len(before) * len(after) <= COMPARED:
        from difflib import SequenceMatcher  # slow to import, and much of a diff is new files

        matcher = SequenceMatcher(None, before, after, autojunk=False)
        same = sum(block.size for block in matcher.get_matching_blocks())
    else:
        same = (Counter(before) & Counter(after)).total()
    return len(after) - same, len(before) - same


def _differing(before: list[bytes], after: list[bytes]) -> tuple[list[bytes], list[bytes]]:
    """Return what is between the lines with which both begin and those with which both end."""
    start, shorter = 0, min(len(before), len(after))
    while start < shorter and before[start] == after[start]:
        start += 1
    end = 0
    while end < shorter - start and before[-1 - end] == after[-1 - end]:
        end += 1
    return before[start : len(before) - end], after[start : len(after) - end]
