"""Paths of the user's checkout in what a gate printed, which tests a worktree instead.

A test that imports from the checkout says nothing about the worktree: it stays red
whatever is done, or turns green when the user writes the feature meanwhile.
"""

import re
from collections.abc import Iterable, Iterator
from os.path import normpath
from pathlib import Path
from typing import NamedTuple

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
_UP = "../"
_UPWARDS = r"(?:\.\./)+[^\s:'\"()]+"  # pytest names what lies elsewhere by a relative path


class Checkout(NamedTuple):
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


def used_path(output: str, worktree: Path, checkout: Checkout) -> Path | None:
    """Return the first path of the checkout that what ran in ``worktree`` took code from.

    Only places count where code was run, imported or refused: a path that a message quotes may
    be anything. A dependency that is installed in the checkout is not its code.
    """
    if _UP not in output and not any(str(root) in output for root in checkout.roots):
        return None
    inside = rf"(?:{_roots(checkout)})(?:/[^\n:'\"()]*)?"
    path = f"(?:{inside}|{_UPWARDS})"
    forms = (form.replace("{path}", path) for form in _FORMS)
    found = (one["path"] for form in forms for one in re.finditer(form, output, re.MULTILINE))
    named = _held(found, worktree, checkout)
    return next((path for path in named if DEPENDENCIES.isdisjoint(path.parts)), None)


def named_path(lines: Iterable[str], worktree: Path, checkout: Checkout) -> Path | None:
    """Return the first path of the checkout that ``lines`` name in whatever way, without spaces."""
    roots = [str(root) for root in checkout.roots]
    telling = [line for line in lines if any(root in line for root in roots)]
    path = rf"(?:{_roots(checkout)})(?:/[^\s:'\"`(),]*)?"
    found = (one for line in telling for one in re.findall(path, line))
    return next(_held(found, worktree, checkout), None)


def _roots(checkout: Checkout) -> str:
    return "|".join(re.escape(str(root)) for root in checkout.roots)


def _held(found: Iterable[str], worktree: Path, checkout: Checkout) -> Iterator[Path]:
    for name in found:
        path = Path(normpath(worktree / name))
        if checkout.holds(path) and not path.is_relative_to(worktree):
            yield path
