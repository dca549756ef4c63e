"""What gates trust on this machine: the settings and programs that nothing they judge may change.

A shell's start-up file, git's configuration, a package in the user's site-packages or a program
in front on PATH could each make a gate say green.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path

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
BESIDE_PROGRAMS = ("lib/node_modules", "lib/python3*/site-packages")


def trusted_paths(env: Mapping[str, str], home: Path) -> tuple[Path, ...]:
    """Return the files and folders, including those that do not exist (yet).

    Links are followed to what they stand for. A folder that holds the home folder, caches or
    temporary files is left out: it has to stay writable.
    """
    needed = [home, *map(Path, filter(None, map(env.get, ("TMPDIR", "XDG_CACHE_HOME"))))]
    named = chain(map(Path, SYSTEM), _in_home(env, home), _named_by(env))
    found = {resolved for path in named for resolved in _with_target(path)}
    return tuple(sorted(p for p in found if not any(one.is_relative_to(p) for one in needed)))


def _in_home(env: Mapping[str, str], home: Path) -> Iterator[Path]:
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


def _beside(programs: Path) -> Iterable[Path]:
    """Give the folders of packages that belong to the programs of a folder on PATH."""
    if not programs.is_absolute() or not programs.is_dir():
        return ()
    return chain.from_iterable(programs.parent.glob(pattern) for pattern in BESIDE_PROGRAMS)


def _with_target(path: Path) -> Iterator[Path]:
    """Give a path, and where it leads, without links in its folders; relative ones are passed."""
    if path.is_absolute():
        yield path.parent.resolve() / path.name
        yield path.resolve()
