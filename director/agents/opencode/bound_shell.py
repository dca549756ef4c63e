"""The shell that agents have on a shared server: it gives up what is not its call's.

A server may write the worktrees of all lanes. OpenCode starts each command of an agent in this
program, which then becomes the shell; so no command reaches into the worktree of another lane.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from director.model.slots import SLOT_VARIABLE, name_of_slot, repository_of, scratch_folder
from director.processes import landlock

SHELLS = ("bash", "zsh", "sh")  # those that OpenCode takes, but not those with another grammar
SCRIPT = """\
#!{python} -IS
import sys
sys.path.insert(0, {source!r})
from director.agents.opencode.bound_shell import become
become({shell!r}, {agents!r}, {open_ones!a})
"""


def write_bound_shell(folder: Path, agents: Path, env: Mapping[str, str]) -> Path:
    """Write the program into ``folder`` for worktrees in ``agents``; returns its path.

    It has the name of the shell that it becomes: the user's, or one that is there. What lies
    beside ``agents`` is listed here: a server that something is hidden from cannot list it.
    """
    shell = _shell(env)
    source = str(Path(__file__).parents[3])
    path = folder / Path(shell).name
    folder.mkdir(parents=True, exist_ok=True)
    open_ones = landlock.all_but((agents,))
    path.write_text(
        SCRIPT.format(
            python=sys.executable,
            source=source,
            shell=shell,
            agents=str(agents),
            open_ones=open_ones,
        )
    )
    path.chmod(0o755)
    return path


def become(shell: str, agents: str, open_ones: Sequence[str]) -> NoReturn:
    """Bind this process to the worktree of its slot in ``agents``, then become ``shell``.

    ``open_ones`` are the files and folders that stay open as well. Where it is not said which slot
    is its own, none is.
    """
    own: tuple[Path, ...] = ()
    if (slot := os.environ.get(SLOT_VARIABLE, "")).isdecimal():
        worktree = Path(agents) / name_of_slot(int(slot))
        own = (worktree, repository_of(worktree), scratch_folder(worktree))
    landlock.Ruleset((*open_ones, *map(str, own))).restrict_thread()
    os.execv(shell, [shell, *sys.argv[1:]])


def _shell(env: Mapping[str, str]) -> str:
    path = env.get("PATH", os.defpath)
    usual = env.get("SHELL", "")
    if Path(usual).name in SHELLS and os.access(usual, os.X_OK):
        return usual
    return next((found for name in SHELLS if (found := shutil.which(name, path=path))), "/bin/sh")
