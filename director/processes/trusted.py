"""What gates trust on this machine: the settings and programs that nothing they judge may change.

A shell's start-up file, git's configuration, a package in the user's site-packages or a program
in front on PATH could each make a gate say green.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import chain
from os.path import dirname, isfile, join, normpath
from pathlib import Path

from director.processes.installed import belonging, named_in, own_code

ROOT = Path("/")
MOST_STEPS = 1000  # links may lead in a circle
NO_FILES = ("dev", "proc")  # settings may name /dev/null
WRITTEN = ("TMPDIR", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")
SYSTEM = ("/bin", "/boot", "/etc", "/lib", "/lib32", "/lib64", "/opt", "/sbin", "/usr")
OF_SHELLS = (
    ".bashrc", ".bash_login", ".bash_logout", ".bash_profile", ".cshrc", ".inputrc", ".kshrc",
    ".login", ".oh-my-zsh", ".pam_environment", ".profile", ".tcshrc", ".xprofile", ".zlogin",
    ".zprofile", ".zshenv", ".zshrc",
)  # fmt: skip
OF_TOOLS = (
    ".condarc", ".emacs.d", ".git-credentials", ".gitconfig", ".gnupg", ".mvn", ".netrc",
    ".node_libraries", ".node_modules", ".npmrc", ".nvm", ".pip", ".pydistutils.cfg", ".pypirc",
    ".rustup", ".sdkman", ".ssh", ".venv", ".vim", ".yarnrc", ".yarnrc.yml", "node_modules",
)  # fmt: skip
IN_CACHES = (
    ".bundle/config", ".bundle/plugin", ".cargo/config", ".cargo/config.toml", ".cargo/env",
    ".gradle/gradle.properties", ".gradle/init.d", ".gradle/init.gradle",
    ".gradle/init.gradle.kts", ".m2/extensions.xml", ".m2/settings.xml", ".m2/toolchains.xml",
)  # fmt: skip
"""Settings of build tools in folders that have to stay writable."""
IN_CONFIG_HOME = ("autostart", "environment.d", "fish", "git", "pip", "systemd")
NO_SETTINGS = ("Cypress", "Electron", "chromium", "google-chrome-for-testing", "libreoffice")
"""What programs that tests start keep in the folder of settings besides."""
OF_PACKAGES = (".local/bin", ".local/lib")
SEARCHED_ABOVE = (".bundle", ".cargo", ".mvn", ".venv", "node_modules")
"""Folders that tools look for in all that hold a worktree; of files it is any name."""
FILE_VARIABLES = (
    "BASH_ENV", "ENV", "GIT_ASKPASS", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_SSH", "GOENV",
    "NPM_CONFIG_GLOBALCONFIG", "NPM_CONFIG_USERCONFIG", "PIP_CONFIG_FILE", "PYTHONSTARTUP",
    "SSH_ASKPASS", "UV_CONFIG_FILE", "npm_config_userconfig",
)  # fmt: skip
COMMAND_VARIABLES = (
    "DIRECTOR_PAGER", "EDITOR", "GIT_SSH_COMMAND", "PAGER", "SHELL", "VISUAL",
)  # fmt: skip
OPTION_VARIABLES = (
    "CC", "CXX", "GOFLAGS", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "MAVEN_OPTS", "NODE_OPTIONS",
    "PERL5OPT", "PYTEST_ADDOPTS", "RUBYOPT", "RUSTC", "RUSTC_WRAPPER",
)  # fmt: skip
FOLDER_VARIABLES = (
    "CONDA_PREFIX", "GIT_EXEC_PATH", "GIT_TEMPLATE_DIR", "GOROOT", "JAVA_HOME", "NVM_DIR",
    "PYTHONHOME", "PYTHONPYCACHEPREFIX", "RUSTUP_HOME", "SDKMAN_DIR", "VIRTUAL_ENV",
)  # fmt: skip
LIST_VARIABLES = (
    "LD_LIBRARY_PATH", "LD_PRELOAD", "NODE_PATH", "PATH", "PERL5LIB", "PYTHONPATH", "RUBYLIB",
)  # fmt: skip


def trusted_paths(
    env: Mapping[str, str],
    home: Path,
    more: Iterable[Path] = (),
    needed: Iterable[Path] = (),
) -> tuple[Path, ...]:
    """Return the files and folders, including those that do not exist (yet).

    Links are followed to what they stand for, and count themselves. What is ``needed`` stays
    writable, besides the home folder, caches, data and temporary files; of a folder of the system
    that holds such a place all else counts, any other is left out.
    """
    usual = (".cache", ".local/share", ".local/state")
    places = filter(None, map(env.get, WRITTEN))
    open_ones = {home, *needed, *(home / name for name in usual)}
    open_ones |= {Path(place).resolve() for place in places}
    writable = {folder for path in open_ones for folder in (path, *path.parents)}
    system = chain.from_iterable(_around(Path(place), writable, open_ones) for place in SYSTEM)
    named = chain(
        system, own_code(), _in_home(env, home, writable), _named_by(env, home, writable), more
    )
    absolute = dict.fromkeys(str(path) for path in named if path.is_absolute())
    found = {Path(place) for path in absolute for place in _with_target(path)}
    return tuple(sorted(path for path in found - writable if path.parts[1] not in NO_FILES))


def beside_the_way(folder: Path, home: Path) -> Iterator[Path]:
    """Give what tools find in the folders that hold ``folder``: files, and a few folders.

    Nothing new can be made there, so it is enough to know what is there now. Of the home folder
    it is among what is trusted.
    """
    for above in folder.parents:
        if above != home:
            yield from (above / name for name in SEARCHED_ABOVE)
            yield from _files_in(above)


def _files_in(folder: Path) -> Iterator[Path]:
    with suppress(OSError), os.scandir(folder) as entries:
        yield from (Path(entry.path) for entry in entries if entry.is_file())


def _children(folder: Path) -> Iterator[Path]:
    with suppress(OSError):
        yield from folder.iterdir()


def _around(folder: Path, holding: Collection[Path], open_ones: Collection[Path]) -> Iterator[Path]:
    """Give ``folder``, or what is in it besides what has to stay open."""
    if folder not in holding:
        yield folder
    elif folder not in open_ones:
        for path in _children(folder):
            yield from _around(path, holding, open_ones)


def _in_home(env: Mapping[str, str], home: Path, shared: Collection[Path]) -> Iterator[Path]:
    yield Path(env.get("HOME") or home)  # for the links on the way to it
    yield from (home / name for name in (*OF_SHELLS, *OF_TOOLS, *OF_PACKAGES, *IN_CACHES))
    yield from _files_in(home)
    usual = home / ".config"
    for config in dict.fromkeys((usual, Path(env.get("XDG_CONFIG_HOME") or usual))):
        yield from (config / name for name in IN_CONFIG_HOME)
        if config not in shared:
            yield from (path for path in _children(config) if path.name not in NO_SETTINGS)
    if base := env.get("PYTHONUSERBASE"):
        yield Path(base) / "lib"


def _named_by(env: Mapping[str, str], home: Path, shared: Collection[Path]) -> Iterator[Path]:
    """Give what variables name: files that are read at the start, folders that are searched."""
    yield from map(Path, filter(None, map(env.get, (*FILE_VARIABLES, *FOLDER_VARIABLES))))
    for name in COMMAND_VARIABLES:
        yield from named_in(env.get(name, ""), home)
    for name in OPTION_VARIABLES:
        yield from _files_named(env.get(name, ""))
    for name in LIST_VARIABLES:
        yield from map(Path, filter(None, env.get(name, "").split(":")))
    programs = filter(None, env.get("PATH", "").split(":"))
    yield from belonging(tuple(dict.fromkeys(map(Path, programs))), SYSTEM, shared)


def _files_named(options: str) -> Iterator[Path]:
    """Give the files that are there of those that options name; folders may be caches."""
    for word in options.replace("=", " ").split():
        _, slash, rest = word.partition("/")
        if slash and isfile(path := f"/{rest}"):  # noqa: PTH113
            yield Path(path)


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
