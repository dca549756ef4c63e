"""The user's checkout as gates see it: foreign ground, since what they test is a worktree.

A test that imports from there says nothing about the worktree: it stays red whatever is done, or
turns green when the user writes the feature meanwhile.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from os.path import normpath
from pathlib import Path

DEPENDENCIES = frozenset({"node_modules", "site-packages", "dist-packages"})

_BEFORE = r"^[\s#>|E]*(?:at (?:.*\()?|from |in |In file included from |--> )?(?:file://)?"
_FORMS = (
    # A place in a file, as interpreters and compilers write it in front of a line of its own.
    _BEFORE + r"(?P<path>{path}):\d+",
    # Python: a frame; an import that found the module and not the name; a module that is shown.
    r'\bFile "(?P<path>{path})", line \d+',
    r"\b(?:cannot import name|partially initialized module) .*\((?P<path>{path})\)",
    r"<module '[\w.]+' from '(?P<path>{path})'>",
    # pytest works from there.
    r"^rootdir: (?P<path>{path})$",
    # What confinement says to those who read there.
    r"(?i:permission denied|EACCES)[^/\n]*'(?P<path>{path})'",
    r"(?:cannot open|can't open file) '?(?P<path>{path})'?: .*Permission denied",
)
_UPWARDS = r"(?:\.\./)+[^\s:'\"()]+"  # pytest names what lies elsewhere by a relative path


@dataclass(frozen=True)
class Checkout:
    """What of the user's checkouts gates have no business in: ``roots`` but for ``shared``.

    ``shared`` is what they need of it all the same: git's folders, programs, what is ignored, and
    what the configuration lets them read. Paths are absolute and hold no links.
    """

    roots: tuple[Path, ...] = ()
    shared: tuple[Path, ...] = ()

    def holds(self, path: Path) -> bool:
        """Whether ``path`` belongs to it."""
        inside = any(path.is_relative_to(root) for root in self.roots)
        return inside and not any(path.is_relative_to(one) for one in self.shared)


def foreign_path(output: str, worktree: Path, checkout: Checkout) -> Path | None:
    """Return the first path of the checkout that what ran in ``worktree`` took code from.

    Only places count where code was run, imported or refused: a path that a message quotes may
    be anything. A dependency that is installed in the checkout is not its code.
    """
    if not checkout.roots:
        return None
    named = (Path(normpath(worktree / path)) for path in _places(output, checkout))
    return next(
        (
            path
            for path in named
            if checkout.holds(path)
            and not path.is_relative_to(worktree)
            and DEPENDENCIES.isdisjoint(path.parts)
        ),
        None,
    )


def _places(output: str, checkout: Checkout) -> Iterator[str]:
    roots = "|".join(re.escape(str(root)) for root in checkout.roots)
    path = rf"(?:(?:{roots})(?:/[^\n:'\"()]*)?|{_UPWARDS})"
    for form in _FORMS:
        for found in re.finditer(form.replace("{path}", path), output, re.MULTILINE):
            yield found["path"]
