"""What gates trust on this machine: the settings and programs that nothing they judge may change.

A shell's start-up file, git's configuration, a package in the user's site-packages or a program
in front on PATH could each make a gate say green.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from os.path import normpath
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
BESIDE_PROGRAMS = (
    "lib/libpython*", "lib/node_modules", "lib/perl5", "lib/python3*", "lib/ruby",
)  # fmt: skip
INTERPRETERS = ("node", "perl", "python", "python3", "ruby")  # in another place, where a link is


def trusted_paths(
    env: Mapping[str, str], home: Path, more: Iterable[Path] = ()
) -> tuple[Path, ...]:
    """Return the files and folders, including those that do not exist (yet).

    Links are followed to what they stand for, and count themselves. A folder that holds the home
    folder, caches or temporary files is left out: it has to stay writable.
    """
    places = filter(None, map(env.get, ("TMPDIR", "XDG_CACHE_HOME")))
    needed = [home, *(Path(place).resolve() for place in places)]
    named = chain(map(Path, SYSTEM), _in_home(env, home), _named_by(env), more)
    found = {place for path in named for place in _with_target(path)}
    return tuple(sorted(p for p in found if not any(one.is_relative_to(p) for one in needed)))


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
    for folder in (programs, *(target.parent for target in targets)):
        yield from chain.from_iterable(map(folder.parent.glob, BESIDE_PROGRAMS))


def _with_target(path: Path) -> Iterator[Path]:
    """Give every link on the way to where a path leads, and that place; relative ones are passed.

    Whoever can replace a link decides what is found behind it.
    """
    if not path.is_absolute():
        return
    place, left = ROOT, list(reversed(path.parts[1:]))
    for _ in range(MOST_STEPS):
        if not left:
            break
        place = Path(normpath(place / left.pop()))
        if place.is_symlink():
            yield place
            target = place.readlink()
            left += reversed(target.parts[1:] if target.is_absolute() else target.parts)
            place = ROOT if target.is_absolute() else place.parent
    yield place
