"""What gates trust on this machine: the settings and programs that nothing they judge may change.

A shell's start-up file, git's configuration, a package in the user's site-packages or a program
in front on PATH could each make a gate say green.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from os.path import dirname, join, normpath
from pathlib import Path

ROOT = Path("/")
MOST_STEPS = 1000  # links may lead in a circle
SYSTEM = ("/bin", "/boot", "/etc", "/lib", "/lib32", "/lib64", "/opt", "/sbin", "/usr")
OF_SHELLS = (
    ".bashrc", ".bash_login", ".bash_logout", ".bash_profile", ".cshrc", ".inputrc", ".kshrc",
    ".login", ".pam_environment", ".profile", ".tcshrc", ".xprofile", ".zlogin", ".zprofile",
    ".zshenv", ".zshrc",
)  # fmt: skip
OF_TOOLS = (
    ".condarc", ".git-credentials", ".gitconfig", ".gnupg", ".netrc", ".npmrc", ".pip",
    ".pydistutils.cfg", ".pypirc", ".ssh", ".yarnrc", ".yarnrc.yml",
)  # fmt: skip
IN_CONFIG_HOME = ("autostart", "environment.d", "fish", "git", "pip", "systemd")
OF_PACKAGES = (".local/bin", ".local/lib")
FILE_VARIABLES = ("BASH_ENV", "ENV", "GIT_CONFIG_GLOBAL", "PYTHONSTARTUP")
FOLDER_VARIABLES = ("CONDA_PREFIX", "PYTHONHOME", "VIRTUAL_ENV")
LIST_VARIABLES = (
    "LD_LIBRARY_PATH", "LD_PRELOAD", "NODE_PATH", "PATH", "PERL5LIB", "PYTHONPATH", "RUBYLIB",
)  # fmt: skip
LIBRARIES = ("node_modules", "perl5", "ruby")  # in the folder "lib" beside that of programs
LIBRARIES_BEGIN = ("libpython", "python3")
INTERPRETERS = ("node", "perl", "python", "python3", "ruby")  # in another place, where a link is


def trusted_paths(
    env: Mapping[str, str], home: Path, more: Iterable[Path] = (), needed: Iterable[Path] = ()
) -> tuple[Path, ...]:
    """Return the files and folders, including those that do not exist (yet).

    Links are followed to what they stand for, and count themselves. A folder that holds the home
    folder, caches, temporary files or what is ``needed`` is left out: it has to stay writable.
    """
    places = filter(None, map(env.get, ("TMPDIR", "XDG_CACHE_HOME")))
    stays_open = [home, *needed, *(Path(place).resolve() for place in places)]
    named = chain(map(Path, SYSTEM), _in_home(env, home), _named_by(env), more)
    absolute = dict.fromkeys(str(path) for path in named if path.is_absolute())
    found = {Path(place) for path in absolute for place in _with_target(path)}
    writable = {folder for path in stays_open for folder in (path, *path.parents)}
    return tuple(sorted(found - writable))


def _in_home(env: Mapping[str, str], home: Path) -> Iterator[Path]:
    yield Path(env.get("HOME") or home)  # for the links on the way to it
    yield from (home / name for name in (*OF_SHELLS, *OF_TOOLS, *OF_PACKAGES))
    config = Path(env.get("XDG_CONFIG_HOME") or home / ".config")
    yield from (config / name for name in IN_CONFIG_HOME)
    if base := env.get("PYTHONUSERBASE"):
        yield Path(base) / "lib"


def _named_by(env: Mapping[str, str]) -> Iterator[Path]:
    """Give what variables name: files that are read at the start, folders that are searched."""
    yield from map(Path, filter(None, map(env.get, (*FILE_VARIABLES, *FOLDER_VARIABLES))))
    for name in LIST_VARIABLES:
        yield from map(Path, filter(None, env.get(name, "").split(":")))
    for folder in filter(None, env.get("PATH", "").split(":")):
        yield from _beside(Path(folder))


def _beside(programs: Path) -> Iterator[Path]:
    """Give the libraries that belong to the programs of a folder on PATH.

    An interpreter there may be a link to another place (of a virtual environment it is), which
    then counts, with its libraries.
    """
    if not programs.is_absolute() or not programs.is_dir():
        return
    there = [programs / name for name in INTERPRETERS]
    targets = [path.resolve() for path in there if path.is_symlink()]
    yield from targets
    for folder in dict.fromkeys((programs, *(target.parent for target in targets))):
        yield from _libraries(folder.parent / "lib")


def _libraries(folder: Path) -> Iterator[Path]:
    try:
        names = os.listdir(folder)  # noqa: PTH208 (of some folders it is thousands)
    except OSError:
        return
    for name in names:
        if name in LIBRARIES or name.startswith(LIBRARIES_BEGIN):
            yield folder / name


def _with_target(path: str) -> Iterator[str]:
    """Give every link on the way to where an absolute path leads, and that place.

    What can replace a link decides what is found behind it.
    """
    place, left = "/", _parts(path)
    for _ in range(MOST_STEPS):
        if not left:
            break
        place = normpath(join(place, left.pop()))  # noqa: PTH118
        try:
            target = os.readlink(place)  # noqa: PTH115 (a thousand times)
        except OSError:
            continue  # no link
        yield place
        left += _parts(target)
        place = "/" if target.startswith("/") else dirname(place)  # noqa: PTH120
    yield place


def _parts(path: str) -> list[str]:
    """Return the names in a path, the last one first."""
    return [name for name in reversed(path.split("/")) if name not in ("", ".")]
