"""The paths that a sandbox is about: what is to be kept, what is trusted, what may be written."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import chain, product
from pathlib import Path

from director.model.config import SandboxPolicy
from director.model.errors import RequestError
from director.model.testing.checkout_paths import Checkout
from director.processes.domain import outermost
from director.processes.trusted import trusted_paths
from director.records.files import make_folder, os_errors_stop

NO_CHECKOUT = Checkout()
ADVICE = "correct [sandbox] in the configuration"
CACHES = {
    "bun": (".bun/install",),
    "cargo": (".cargo/git", ".cargo/registry"),
    "dotnet": (".dotnet", ".nuget"),
    "go": ("go/pkg",),
    "gradle": (".gradle",),
    "mvn": (".m2",),
    "npm": (".npm",),
    "yarn": (".yarn",),
}
"""Program → what it makes right in the home folder, or beside its programs (``~/.cargo/bin``)."""
AGENTS_FOLDERS = {
    "XDG_CACHE_HOME": ".cache",
    "XDG_CONFIG_HOME": ".config",
    "XDG_DATA_HOME": ".local/share",
    "XDG_STATE_HOME": ".local/state",
}


class SandboxPaths:
    """What a sandbox is about: the repository, what director works with, what gates trust.

    ``repository`` are the folders of the user's repository and of the job's, ``work`` the folder
    that holds all worktrees of director's, ``agents`` the part of it that holds those of agents,
    ``agent_folders`` those in which the coding agent keeps its data. ``write`` and ``hide`` are
    what the configuration names. ``checkout`` is what gates are kept from reading.
    """

    def __init__(
        self,
        repository: tuple[Path, ...],
        work: Path,
        agents: Path,
        trusted: tuple[Path, ...],
        agent_folders: tuple[Path, ...],
        write: tuple[Path, ...] = (),
        hide: tuple[Path, ...] = (),
        checkout: Checkout = NO_CHECKOUT,
    ) -> None:
        self.repository = repository
        self.work = work
        self.agents = agents
        self.trusted = trusted
        self.agent_folders = agent_folders
        self.write = write
        self.hide = hide
        self.checkout = checkout

    @cached_property
    def kept(self) -> tuple[Path, ...]:
        """What agents and gates are kept from."""
        return outermost((*self.repository, self.work, *self.trusted))

    @cached_property
    def kept_from_setup(self) -> tuple[Path, ...]:
        """What the setup command is kept from: it is the user's own."""
        return outermost(self.repository)


def sandbox_paths(
    policy: SandboxPolicy,
    repository: Iterable[Path],
    pool: Path,
    env: Mapping[str, str],
    more_trusted: Iterable[Path] = (),
    checkout: Checkout = NO_CHECKOUT,
    agents_own: Iterable[str] = (),
) -> SandboxPaths:
    """Return the paths of a sandbox; the folders that agent CLIs need are made.

    So are the caches of build tools: they would make all these themselves, but may not where they
    are confined. RequestError when ``write`` of the configuration names what holds, or lies in,
    what is to be kept, or ``hide`` what holds the worktrees; nothing is made then.
    ``more_trusted`` is kept from agents and gates like what is trusted anyway, ``checkout`` is
    what gates cannot read, and ``agents_own`` the names of the CLIs' folders below the user's XDG
    folders.
    """
    home = home_of(env)
    bases = [Path(env.get(name) or home / usual) for name, usual in AGENTS_FOLDERS.items()]
    folders = tuple(base / name for base in bases for name in agents_own)
    write = paths_in(policy.write, home)
    hide = paths_in(policy.hide, home)
    kept = tuple(dict.fromkeys(path.resolve() for path in repository))
    work = pool.resolve()
    _refuse_open_ground(write, (*kept, work.parent))
    _refuse_hidden_work(hide, work)
    caches = [home / name for name in _caches(env)]
    for folder in (*folders, *caches, *(path for path in write if not path.exists())):
        with os_errors_stop(folder):
            make_folder(folder)
    resolved = tuple(folder.resolve() for folder in folders)
    trusted = trusted_paths(env, home, more_trusted)
    agents = work / "agents"
    return SandboxPaths(kept, work.parent, agents, trusted, resolved, write, hide, checkout)


def _refuse_open_ground(write: Iterable[Path], kept: Iterable[Path]) -> None:
    """Refuse paths to write that would open what is to be kept, or a part of it."""
    for path, one in product(write, kept):
        if one.is_relative_to(path):
            raise RequestError(f"[sandbox] write names {path}, which holds {one}", ADVICE)
        if path.is_relative_to(one):
            raise RequestError(f"[sandbox] write names {path}, which is in {one}", ADVICE)


def _refuse_hidden_work(hide: Iterable[Path], work: Path) -> None:
    """Refuse to hide what agents and gates work in."""
    for path in hide:
        if work.is_relative_to(path):
            raise RequestError(f"[sandbox] hide names {path}, which holds {work}", ADVICE)


def _caches(env: Mapping[str, str]) -> Iterator[str]:
    path = env.get("PATH", os.defpath)
    found = (names for program, names in CACHES.items() if shutil.which(program, path=path))
    return chain.from_iterable(found)


def home_of(env: Mapping[str, str]) -> Path:
    """Return the home folder, without links."""
    return Path(env.get("HOME") or Path.home()).resolve()


def paths_in(names: Iterable[str], home: Path) -> tuple[Path, ...]:
    """Return the paths that ``names`` of the configuration stand for; ``~`` is ``home``."""
    return tuple(
        Path(f"{home}{name[1:]}" if name.startswith("~") else name).resolve() for name in names
    )
