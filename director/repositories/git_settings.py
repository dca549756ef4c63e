"""The user's git configuration, as it was before any agent ran.

Otherwise an agent that can write ``~/.gitconfig`` could decide what gates and director see of a
commit.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from director.processes.installed import named_in
from director.records.files import os_errors_stop
from director.repositories.git import Git, split_z
from director.repositories.restoring import restore_file

FILE = "file:"  # before a file's name where git shows an origin
FILES = {"core.attributesfile": "attributes", "core.excludesfile": "ignore"}
"""Setting that names a file → the file's name where none is named (gitattributes(5))."""
RUN = frozenset({
    "allowedsignersfile", "askpass", "clean", "cmd", "command", "defaultkeycommand", "driver",
    "editor", "external", "fsmonitor", "gitproxy", "helper", "hookspath", "pager", "process",
    "program", "receivepack", "smudge", "sshcommand", "templatedir", "textconv", "uploadpack",
})  # fmt: skip
"""Ends of the settings that name what git runs."""


class FrozenSettings(NamedTuple):
    """A copy of the user's global git configuration in a folder of director's.

    ``contents`` are its files, ``config`` is that which names the others. ``everywhere`` is what
    git knows from all its configurations, by key; ``sources`` are their files, ``named`` is what
    they name of what git includes and runs. ``local`` are the settings of the repository's own
    file, key and value, in its order.
    """

    contents: Mapping[Path, bytes]
    config: Path
    everywhere: Mapping[str, str]
    sources: tuple[Path, ...] = ()
    named: tuple[Path, ...] = ()
    local: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        """Return it without settings, which may hold keys."""
        return f"FrozenSettings({self.config!r})"

    @property
    def variables(self) -> dict[str, str]:
        """The variables that make git read the copy."""
        return {"GIT_CONFIG_GLOBAL": str(self.config)}

    @property
    def attributes(self) -> bytes:
        """What the user's own attributes file holds."""
        return self.contents.get(self.config.with_name(FILES["core.attributesfile"]), b"")

    def restore(self) -> None:
        """Restore the copy where it was changed."""
        for path, content in self.contents.items():
            with os_errors_stop(path):
                restore_file(path, content)


def freeze_settings(git: Git, home: Path, folder: Path) -> FrozenSettings:
    """Copy what ``git`` reads of the user's global configuration into ``folder``.

    Files that it includes become part of it; the attributes and ignore files that it names, or
    that are read by default, are copied beside it.
    """
    listed = split_z(git.output("config", "--list", "--null", "--show-scope", "--show-origin"))
    lines = list(zip(listed[::3], listed[1::3], listed[2::3], strict=True))
    settings = dict.fromkeys(text for scope, _, text in lines if scope == "global")
    origins = dict.fromkeys(origin for _, origin, _ in lines if origin.startswith(FILE))
    sources = [git.cwd / origin.removeprefix(FILE) for origin in origins]
    known = [setting_of(text) for text in settings]
    kept = [(k, v) for k, v in known if not k.startswith("include") and k not in FILES]
    contents: dict[Path, bytes] = {}
    usual = Path(git.env.get("XDG_CONFIG_HOME") or home / ".config") / "git"
    for key, name in FILES.items():
        said = next((value for k, value in reversed(known) if k == key), "")
        source = _at_home(said, home) if said else usual / name
        contents[folder / name] = _content(source)
        sources.append(source)
        kept.append((key, str(folder / name)))
    config = folder / "config"
    contents[config] = config_text(kept).encode(errors="surrogateescape")
    everywhere = dict(setting_of(text) for *_, text in lines)
    own = [(origin, text) for scope, origin, text in lines if scope == "local"]
    # What a file includes is listed with another origin, and after the line that includes it.
    local = tuple(setting_of(text) for origin, text in own if origin == own[0][0])
    files = [(origin, setting_of(text)) for _, origin, text in lines if origin.startswith(FILE)]
    named = tuple(
        path
        for origin, (key, value) in files
        for path in _named(key, value, home, git.cwd / origin.removeprefix(FILE))
    )
    frozen = FrozenSettings(contents, config, everywhere, tuple(sources), named, local)
    frozen.restore()
    return frozen


def setting_of(text: str) -> tuple[str, str]:
    """Return key and value of a setting as ``git config --null`` prints it."""
    key, newline, value = text.partition("\n")
    return key, value if newline else "true"  # a key alone means true


def config_text(settings: Iterable[tuple[str, str]]) -> str:
    """Return settings as a configuration file has them (git-config(1), "Syntax")."""
    return "".join(_lines(key, value) for key, value in settings)


def _named(key: str, value: str, home: Path, file: Path) -> Iterator[Path]:
    """Give the paths in a setting in ``file`` that names what git includes, or what it runs."""
    if key.startswith("include"):
        yield file.parent / _at_home(value, home)
    elif key.rpartition(".")[2] in RUN:
        yield from named_in(value, home)


def _at_home(path: str, home: Path) -> Path:
    return Path(f"{home}{path[1:]}" if path.startswith("~/") else path)


def _lines(key: str, value: str) -> str:
    section, _, name = key.rpartition(".")
    section, dot, subsection = section.partition(".")
    quoted = f' "{_escaped(subsection)}"' if dot else ""
    return f'[{section}{quoted}]\n\t{name} = "{_escaped(value)}"\n'


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
