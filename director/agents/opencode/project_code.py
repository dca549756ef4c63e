"""What a worktree's own OpenCode configuration makes OpenCode run.

OpenCode imports plugins and tools and starts servers as a configuration tells it to. In a server
that all calls share they would be there for the others, and for longer than the call. Agent
files, commands, skills, themes and plain settings are only read.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from director.agents.opencode.project import CONFIG_FILES, parse_settings
from director.model.errors import RequestError
from director.records.files import read_text

OWN_FOLDER = ".opencode"
CODE_KEYS = ("plugin", "plugins", "mcp", "lsp", "formatter")
AGENT_KEYS = ("agent", "mode")
TEXTS = frozenset({".md", ".txt", ".json", ".jsonc", ".toml", ".yaml", ".yml"})
SKILLS = ("skill", "skills")  # what lies beside one is run by an agent's commands, or not at all
WRITTEN_BY_OPENCODE = frozenset({".gitignore", "bun.lock", "package-lock.json"})
OTHERS_FOLDERS, SKILL = (".claude", ".agents"), "SKILL.md"  # where it finds skills, too
MOST_FILES, MOST_BYTES = 1000, 2**20
READS_MORE = ("{file:", '"skills"')  # in settings: what lies elsewhere
MODULES, LOCK = "node_modules", "package-lock.json"
OF_INSTALLING = WRITTEN_BY_OPENCODE | {"package.json"}
OPENCODES_PACKAGE = "@opencode-ai/plugin"
DEPENDENCIES = ("dependencies", "devDependencies", "peerDependencies", "optionalDependencies")


def code_in(worktree: Path) -> str | None:
    """Return what the worktree makes OpenCode run, in words that name the file; None: nothing."""
    return next(_code(worktree), None)


def digest_of_settings(worktree: Path) -> str | None:
    """Return a digest of what OpenCode reads once for a worktree: settings, agents, skills.

    Not of what it writes there itself. None: more may be read, or it is more than settings are.
    """
    found = hashlib.sha256()
    for number, path in enumerate(_read_once(worktree)):
        text = None if number >= MOST_FILES else _short_text(path)
        if text is None or any(word in text for word in READS_MORE):
            return None
        found.update(f"{path.relative_to(worktree)}\0{len(text)}\0{text}".encode())
    return found.hexdigest()


def _read_once(worktree: Path) -> Iterator[Path]:
    """Give the files that OpenCode reads once, if they are files; a link stands for itself."""
    settings = (worktree / name for name in CONFIG_FILES if "/" not in name)
    yield from filter(os.path.lexists, settings)
    folders = (OWN_FOLDER, *OTHERS_FOLDERS, *(f"{one}/{SKILLS[1]}" for one in OTHERS_FOLDERS))
    yield from (worktree / name for name in folders if (worktree / name).is_symlink())
    yield from (one for one in _files(worktree, OWN_FOLDER) if one.name not in OF_INSTALLING)
    for other in OTHERS_FOLDERS:
        found = _files(worktree, f"{other}/{SKILLS[1]}")
        yield from (one for one in found if one.name == SKILL or one.is_symlink())


def _short_text(path: Path) -> str | None:
    """Return the text of a regular file, None for any other and for a long one."""
    try:
        state = path.lstat()
    except OSError:
        return None
    is_short = stat.S_ISREG(state.st_mode) and state.st_size <= MOST_BYTES
    return _text(path) if is_short else None


def defines_agents(worktree: Path) -> bool:
    """Whether the worktree may define agents of any name."""
    if os.path.lexists(worktree / OWN_FOLDER):
        return True
    found = [_settings(worktree, name) for name in CONFIG_FILES]
    return any(one is None or any(key in one for key in AGENT_KEYS) for one in found)


def spare_install(worktree: Path) -> None:
    """Keep OpenCode from installing anything in the worktree's ``.opencode`` (63 MB by npm).

    It does so for the types of plugins that may come, and a call on a server waits for it. It
    does not where a lock file, which OpenCode itself has git ignore, tells that it has been done.
    For a worktree without code in it.
    """
    folder = worktree / OWN_FOLDER
    if not folder.is_dir():
        return
    root = {"dependencies": {OPENCODES_PACKAGE: "*"}}
    lock = {"lockfileVersion": 3, "packages": {"": root}}
    with suppress(OSError):  # it only saves time
        (folder / MODULES).mkdir(exist_ok=True)
        with (folder / LOCK).open("x") as stream:
            json.dump(lock, stream)


def _code(worktree: Path) -> Iterator[str]:
    own = worktree / OWN_FOLDER
    if own.is_symlink() or (os.path.lexists(own) and not own.is_dir()):
        yield OWN_FOLDER
        return
    for name in CONFIG_FILES:
        settings = _settings(worktree, name)
        if settings is None:
            yield name
        else:
            yield from (f'"{key}" in {name}' for key in CODE_KEYS if settings.get(key))
    for path in _files(worktree, OWN_FOLDER):
        if not _is_plain(path, path.relative_to(own)):
            yield path.relative_to(worktree).as_posix()


def _is_plain(path: Path, place: Path) -> bool:
    """Whether OpenCode only reads ``path``, which is at ``place`` in its folder."""
    if path.is_symlink() or not path.is_file():
        return False
    if place.parts[0] in SKILLS or place.as_posix() in WRITTEN_BY_OPENCODE:
        return True
    if place.as_posix() == "package.json":
        return _installs_nothing(_text(path))
    return path.suffix in TEXTS


def _installs_nothing(package: str | None) -> bool:
    try:
        found = parse_settings(package or "", "package.json")
    except RequestError:
        return False
    named = [found.get(key) or {} for key in DEPENDENCIES]
    return all(isinstance(one, dict) and one.keys() <= {OPENCODES_PACKAGE} for one in named)


def _files(worktree: Path, name: str) -> Iterator[Path]:
    """Give what is in such a folder of the worktree, sorted; links are given, not followed."""
    own = worktree / name
    for place, folders, files in os.walk(own):
        folder = Path(place)
        if folder == own and MODULES in folders:
            folders.remove(MODULES)  # what nothing here names is not imported
        folders.sort()
        links = [name for name in folders if (folder / name).is_symlink()]
        yield from (folder / name for name in sorted([*links, *files]))


def _settings(worktree: Path, name: str) -> dict[str, Any] | None:
    """Return what a configuration file says ({} where there is none); None: it cannot be read."""
    path = worktree / name
    if not os.path.lexists(path):
        return {}
    text = _text(path)
    try:
        return None if text is None else parse_settings(text, name)
    except RequestError:
        return None


def _text(path: Path) -> str | None:
    """Return the text of a regular file, else None: reading a pipe would never end."""
    try:
        return read_text(path) if path.is_file() else None
    except RequestError:
        return None
