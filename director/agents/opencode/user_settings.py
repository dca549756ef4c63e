"""The settings and plugins of the user's own OpenCode, which calls only read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from director.model.config import Config

FOLDERS = ("OPENCODE_CONFIG", "OPENCODE_CONFIG_DIR")  # variables that name more of them
IGNORED = "node_modules\npackage.json\npackage-lock.json\nbun.lock\n.gitignore"


def user_settings(_config: Config, env: Mapping[str, str]) -> Iterator[str]:
    """Give where they are, below HOME or as paths."""
    yield _usual(env)
    yield ".opencode"
    yield from filter(None, map(env.get, FOLDERS))


def complete_folder(env: Mapping[str, str], home: Path) -> None:
    """Write into the folder of settings what OpenCode would at its first start.

    On a file system that is read-only to it, it would end with that.
    """
    rules = home / _usual(env) / ".gitignore"
    with suppress(OSError), rules.open("x", encoding="utf-8") as stream:
        stream.write(IGNORED)


def _usual(env: Mapping[str, str]) -> str:
    return f"{env.get('XDG_CONFIG_HOME') or '.config'}/opencode"
