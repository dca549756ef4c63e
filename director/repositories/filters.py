"""Filters (gitattributes(5)): programs of the user's that git runs on files of a worktree.

git starts them there, and what they run may be a script of the repository, which an agent can
change. So in a worktree they may write no more than what works in it.
"""

from __future__ import annotations

import re
import shlex
import threading
from collections.abc import Mapping
from pathlib import Path

from director.model.patterns import lazy_pattern
from director.processes.launchers.launcher import Part
from director.processes.sandbox import Sandbox
from director.records.files import make_folder

COMMANDS = lazy_pattern(r"filter\..*\.(clean|smudge|process)", re.DOTALL)
HARMLESS = ("", "cat")
LARGE_FILES = "lfs"  # of a git folder: where git-lfs keeps what it fetched


class Filters:
    """The filters of one job. ``commands`` is setting → command line, ``folder`` is director's own.

    ``job`` is the git folder that git works with. Callable from any thread.
    """

    def __init__(
        self, commands: Mapping[str, str], sandbox: Sandbox, job: Path, folder: Path
    ) -> None:
        self._commands = {k: v for k, v in commands.items() if v not in HARMLESS}
        self._sandbox = sandbox
        self._job = job
        self._folder = folder
        self._known: dict[Path, tuple[str, ...]] = {}
        self._turn = threading.Lock()

    def settings(self, worktree: Path) -> tuple[str, ...]:
        """Return the settings (``name=value``) with which git confines them in ``worktree``."""
        if not self._commands or self._sandbox.mechanism is None:
            return ()
        with self._turn:
            if worktree not in self._known:
                words = self._words(worktree)
                found = (f"{k}={_confined(k, words, v)}" for k, v in self._commands.items())
                self._known[worktree] = tuple(found)
            return self._known[worktree]

    def _words(self, worktree: Path) -> list[str]:
        """Return the words that confine the command behind them."""
        domain = self._sandbox.domain(Part.GATE, worktree)._replace(unread=())
        if any(LARGE_FILES in command for command in self._commands.values()):
            make_folder(self._job / LARGE_FILES)
            domain = domain._replace(own=(*domain.own, self._job / LARGE_FILES))
        assert self._sandbox.mechanism is not None
        return self._sandbox.mechanism.words(domain, self._folder)


def _confined(key: str, words: list[str], command: str) -> str:
    """Return a command line that does the same as ``command``, confined by ``words``.

    In those of single files git puts the path in place of ``%f``, quoted, and ``%`` for ``%%``.
    """
    if key.endswith(".process"):
        return shlex.join([*words, "/bin/sh", "-c", command])
    before = shlex.join([*words, "/bin/sh", "-c"]).replace("%", "%%")
    inner = shlex.quote(command.replace("%f", '"$1"'))
    return f"{before} {inner} sh{' %f' if '%f' in command else ''}"
