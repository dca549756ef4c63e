"""What an edit changed, as a unified diff: from texts, patches and hunks, as CLIs record them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import unified_diff
from typing import Any

from director.agents.steps import table, tables
from director.model.patterns import lazy_pattern

COMPARED = 2_000  # lines: of longer texts the old one is shown as removed, the new one as added
PATCHED = lazy_pattern(
    r"\*\*\* (Add|Update|Delete) File: (.+)|\*\*\* (?:Begin|End) Patch|\*\*\* .*"
)
LABEL = lazy_pattern(r"(?:Index: |=+$|--- |\+\+\+ )")


def replaced(path: str, old: str, new: str) -> str:
    """Return the diff of a part of a file: ``old`` text became ``new``."""
    before, after = old.splitlines(), new.splitlines()
    if max(len(before), len(after)) > COMPARED:
        return _labelled(path, path, [*_each("-", before), *_each("+", after)])
    # Where in the file the part stands is not known: the places of hunks would mislead.
    lines = [*unified_diff(before, after, lineterm="", n=3)][2:]
    return _labelled(path, path, ("@@" if one.startswith("@@ ") else one for one in lines))


def written(path: str, content: str, *, new: bool) -> str:
    """Return the diff of a whole file; what a file that is not ``new`` held is not known."""
    return _labelled("/dev/null" if new else path, path, _each("+", content.splitlines()))


def patched(text: str) -> str:
    """Return the diffs that a patch of the form ``*** Begin Patch`` holds."""
    lines: list[str] = []
    for line in text.splitlines():
        found = PATCHED.match(line)
        if found is None:
            lines.append(line)
        elif found[1]:
            lines += _labels(
                "/dev/null" if found[1] == "Add" else found[2],
                "/dev/null" if found[1] == "Delete" else found[2],
            )
    return "\n".join(lines)


def relabelled(path: str, diff: str) -> str:
    """Return the diff of one file with ``path`` (relative) as the name of the file."""
    body = diff.splitlines()
    start = next((at for at, line in enumerate(body) if line.startswith("@@")), None)
    if start is None:
        start = next((at for at, line in enumerate(body) if not LABEL.match(line)), len(body))
    return _labelled(path, path, body[start:])


def from_hunks(path: str, hunks: object) -> str:
    """Return the diff of a file from hunks as tables (``oldStart``, ``lines``, …); "" for none."""
    found = tables(hunks)
    lines = [line for one in found for line in _hunk(one)]
    return _labelled(path, path, lines) if lines else ""


def _hunk(one: Mapping[str, Any]) -> list[str]:
    lines = one.get("lines")
    if not isinstance(lines, list):
        return []
    places = [one.get(key) for key in ("oldStart", "oldLines", "newStart", "newLines")]
    known = "@@ -{},{} +{},{} @@".format(*places) if None not in places else "@@"
    return [known, *map(str, lines)]


def several(path: str, edits: object) -> str:
    """Return the diffs of a list of edits with an old and a new text each."""
    parts = []
    for one in map(table, edits if isinstance(edits, list) else ()):
        old = one.get("oldString", one.get("old_string", ""))
        new = one.get("newString", one.get("new_string", ""))
        parts.append(replaced(path, str(old), str(new)))
    return "\n".join(parts)


def _each(mark: str, lines: Iterable[str]) -> list[str]:
    return [f"{mark}{line}" for line in lines]


def _labels(old: str, new: str) -> list[str]:
    return [f"--- {old}", f"+++ {new}"]


def _labelled(old: str, new: str, lines: Iterable[str]) -> str:
    return "\n".join((*_labels(old, new), *lines))
