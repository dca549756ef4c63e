"""What belongs to programs: libraries, environments, versions to choose from; director's own code.

What a program on PATH does is decided by more than its file: a link there leads to another place,
an interpreter reads libraries, and the program of a version manager starts another one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterator
from itertools import takewhile
from os.path import dirname, isdir, join, normpath, realpath
from pathlib import Path

PROGRAM_FOLDERS = ("bin", "sbin")
CHOOSERS = "shims"  # a version manager's: they start what is anywhere in its folder
PARTS = (
    "Cellar", "conf", "etc", "jmods", "lib", "lib64", "libexec", "pyvenv.cfg", "tools",
)  # fmt: skip
"""What lies beside the folder of programs in an installation."""
COMPILER, SOURCES = "pkg/tool", "src"  # of Go: without the first, the second is the user's
LIBRARIES = ("node_modules", "perl5", "ruby")  # in a folder "lib" that others use as well
LIBRARIES_BEGIN = ("libpython", "python3")
INTERPRETERS = ("node", "perl", "python", "python3", "ruby")  # in another place, where a link is


def own_code() -> Iterator[Path]:
    """Give what this very process imports from: director is confined by nothing.

    It imports while agents work, and every start runs what is in the first folders (site.py).
    """
    yield from map(Path, (sys.prefix, sys.base_prefix, sys.executable))
    yield Path(__file__).parents[1]
    yield from (Path(place) for place in sys.path if place.startswith("/") and place != _here())


def _here() -> str:
    """Return where `python -m` searches first, which is no place of director's."""
    try:
        return os.getcwd()  # noqa: PTH109
    except OSError:
        return ""


def is_linked() -> bool:
    """Whether director's files have other names, by which they can be written as well.

    uv gives them to what it keeps in its cache.
    """
    found = os.stat(__file__)  # noqa: PTH116
    return found.st_nlink > 1 and found.st_uid == os.getuid()


def named_in(command: str, home: Path) -> Iterator[Path]:
    """Give the paths of the programs and scripts of a command line: those before an option.

    What its output goes to is none of them: it has to be written.
    """
    words = command.lstrip("!").replace("'", " ").replace('"', " ").split()
    before = ""
    for word in takewhile(lambda word: not word.startswith("-"), words):
        path = Path(f"{home}{word[1:]}" if word.startswith("~/") else word)
        if path.is_absolute() and not before.endswith((">", ">|")):
            yield path
        before = word


def belonging(
    folders: Collection[Path], system: tuple[str, ...], shared: Collection[Path]
) -> Iterator[Path]:
    """Give what belongs to the programs in the folders on PATH.

    ``shared`` are folders that hold what has to stay writable. What is in those of the ``system``
    is kept anyway, and thousands: of their links only those of interpreters are followed.
    """
    left, seen = list(folders), set[Path]()
    while left:
        programs = left.pop()
        if programs in seen or not programs.is_absolute() or not isdir(programs):  # noqa: PTH112
            continue
        seen.add(programs)
        yield from _beside(programs, shared)
        followed = programs in folders and not str(programs).startswith(system)
        for target in _targets(programs, _entries(programs) if followed else INTERPRETERS):
            yield target
            left.append(target.parent)


def _beside(programs: Path, shared: Collection[Path]) -> Iterator[Path]:
    """Give what belongs to a folder of programs, of what is in the one that holds it."""
    place = Path(realpath(programs)).parent
    if programs.name == CHOOSERS and place not in shared:
        yield place
    elif programs.name in PROGRAM_FOLDERS and place not in shared:
        yield from (place / name for name in _entries(str(place)) if name in PARTS)
        if isdir(place / COMPILER):  # noqa: PTH112
            yield from (place / COMPILER, place / SOURCES)
    else:
        names = _entries(place / "lib")
        own = (one for one in names if one in LIBRARIES or one.startswith(LIBRARIES_BEGIN))
        yield from (place / "lib" / name for name in own)


def _targets(programs: Path, names: Collection[str]) -> Iterator[Path]:
    """Give where links of these names lead to, outside of the folder."""
    for name in names:
        try:
            target = os.readlink(programs / name)  # noqa: PTH115 (often)
        except OSError:
            continue
        first = normpath(join(programs, target))  # noqa: PTH118
        if dirname(first) != str(programs):  # noqa: PTH120
            yield Path(realpath(first))  # a link may lead in a circle


def _entries(folder: str | Path) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 (of some folders it is thousands)
    except OSError:
        return []
