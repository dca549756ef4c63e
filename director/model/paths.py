"""Paths in git's form: relative, with "/" as separator."""

from __future__ import annotations

from collections.abc import Iterable


def parents(path: str) -> list[str]:
    """Return the folders on the way to a path, the outermost first."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[: count + 1]) for count in range(len(parts))]


def lies_in(path: str, names: Iterable[str]) -> bool:
    """Whether ``path`` is one of ``names``, or below one."""
    return any(path == name or path.startswith(f"{name}/") for name in names)
