"""The sandbox: what agents, gates and setup may touch, and how the machine enforces it."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from itertools import chain, product
from pathlib import Path

from director.model.checkout_paths import Checkout, named_path
from director.model.config import SandboxPolicy
from director.model.errors import InterruptedRunError, RequestError, StoppedError
from director.records.files import explained, make_folder
from director.workspace.confinement import (
    Domain,
    Landlock,
    Launch,
    Mechanism,
    find_mechanism,
    outermost,
)
from director.workspace.processes import MARKER, Command, Ended, Ending, Processes
from director.workspace.removal import discard
from director.workspace.slots import repository_of, scratch_folder
from director.workspace.trusted import trusted_paths

TRIAL_SECS = 60.0
TRIAL = f"""\
test -n "${MARKER}" || {{ echo "the variable {MARKER} does not get through it"; exit 1; }}
test "$(pwd -P)" = "$1" || {{ echo "it does not start in the worktree"; exit 1; }}
: > written || {{ echo "the worktree cannot be written in it"; exit 1; }}
"""
AUTO = SandboxPolicy()
NO_CHECKOUT = Checkout()
ADVICE = "correct [sandbox] in the configuration"
NOTHING = "none"
REFUSED = re.compile("permission denied|EACCES|read-only file system|EROFS", re.IGNORECASE)
PATHS = re.compile(r"(?<![\w./])/[\w./@+=~-]+")
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


class Part(StrEnum):
    """Who is confined."""

    AGENT = "agent"
    GATE = "gate"
    SETUP = "setup"
    SERVER = "server"
    CHECKOUT = "checkout"  # a command in the user's own, which it only reads


@dataclass(frozen=True)
class SandboxPaths:
    """What a sandbox is about: the repository, what director works with, what gates trust.

    ``repository`` are the folders of the user's repository and of the job's, ``work`` the folder
    that holds all worktrees of director's, ``agents`` the part of it that holds those of agents,
    ``agent_folders`` those in which the coding agent keeps its data. ``write`` and ``hide`` are
    what the configuration names. ``checkout`` is what gates are kept from reading.
    """

    repository: tuple[Path, ...]
    work: Path
    agents: Path
    trusted: tuple[Path, ...]
    agent_folders: tuple[Path, ...]
    write: tuple[Path, ...] = ()
    hide: tuple[Path, ...] = ()
    checkout: Checkout = NO_CHECKOUT

    @cached_property
    def kept(self) -> tuple[Path, ...]:
        """What agents and gates are kept from."""
        return outermost((*self.repository, self.work, *self.trusted))

    @cached_property
    def kept_from_setup(self) -> tuple[Path, ...]:
        """What the setup command is kept from: it is the user's own."""
        return outermost(self.repository)


@dataclass(frozen=True)
class Sandbox:
    """The sandbox of one job. ``mechanism`` None: a ``command`` of the user's, or nothing.

    ``places`` is what the ``{places}`` of the command stand for; ``{worktree}`` and ``{scratch}``
    differ from process to process and are filled in here.
    """

    policy: SandboxPolicy = AUTO
    places: Mapping[str, str] = field(default_factory=dict)
    mechanism: Mechanism | None = None
    paths: SandboxPaths | None = None

    @property
    def name(self) -> str:
        """What confines, in words: for receipts and for the first line of a run."""
        if self.mechanism:
            return f"{self.policy.effective_mode} by {self.mechanism.name}"
        return "the command of [sandbox]" if self.policy.command else NOTHING

    @property
    def missing(self) -> str:
        """The notice for where nothing confines and nobody asked for that; else ""."""
        if self.policy.mode != "auto" or self.policy.command or self.mechanism:
            return ""
        return "agents and gates are not confined: neither Landlock nor bubblewrap works here"

    @property
    def binds_threads(self) -> bool:
        """Whether a process can confine itself further (Landlock)."""
        return isinstance(self.mechanism, Landlock)

    @property
    def keeps_contents(self) -> bool:
        """Whether nothing that is kept can be written, in any way."""
        return self.mechanism is not None and self.mechanism.keeps_contents

    @property
    def for_one_worktree(self) -> bool:
        """Whether it is made for one worktree at a time, so that calls cannot share a server."""
        strict = self.mechanism is not None and self.policy.mode == "strict"
        return bool(self.policy.command) or strict

    def launch(self, part: Part, argv: Sequence[str], worktree: Path) -> Launch:
        """Return how ``argv`` is started for ``part`` in ``worktree`` (a server: its folder).

        Raises StoppedError when the kernel refuses to confine it.
        """
        if self.mechanism is None:
            return Launch([*self._command(worktree), *argv])
        try:
            return self.mechanism.launch(argv, self.domain(part, worktree))
        except OSError as error:
            raise StoppedError(
                f"cannot confine a process ({self.mechanism.name}): {error}",
                'run the command again, or set [sandbox] mode = "off"',
            ) from None

    def domain(self, part: Part, worktree: Path) -> Domain:
        """Return what ``part`` may write and read when it works in ``worktree``."""
        assert self.paths is not None
        paths, strict = self.paths, self.policy.mode == "strict"
        own = paths.agents if part is Part.SERVER else worktree
        mine = (own, repository_of(own), scratch_folder(own), *paths.write)
        if part is Part.CHECKOUT:
            mine = (scratch_folder(own), *paths.write)
        if strict and part in (Part.AGENT, Part.SERVER):
            mine += paths.agent_folders
        kept = paths.kept_from_setup if part is Part.SETUP else paths.kept
        checkout = paths.checkout if part is Part.GATE else NO_CHECKOUT
        return Domain(kept, mine, paths.hide, strict, checkout.roots, checkout.shared)

    def denied(self, part: Part, worktree: Path, output: str) -> Path | None:
        """Return what ``part`` was not let write, as it says in ``output`` itself.

        None: nothing of the kind, or nothing that ``write`` of the configuration could open.
        """
        if self.mechanism is None or self.paths is None:
            return None
        domain, closed = self.domain(part, worktree), (*self.paths.repository, self.paths.work)
        lines = (line for line in output.splitlines() if REFUSED.search(line))
        named = (Path(name) for line in lines for name in PATHS.findall(line))
        return next(
            (
                path
                for path in named
                if domain.denies(path) and not any(path.is_relative_to(one) for one in closed)
            ),
            None,
        )

    def unread(self, part: Part, worktree: Path, output: str) -> Path | None:
        """Return what of the user's checkout ``part`` was not let read, as ``output`` says."""
        if self.mechanism is None or self.paths is None or part is not Part.GATE:
            return None
        refused = [line for line in output.splitlines() if REFUSED.search(line)]
        return named_path(refused, worktree, self.paths.checkout)

    def variables(self, part: Part, worktree: Path, env: Mapping[str, str]) -> dict[str, str]:
        """Return the variables with which ``part`` finds a place for temporary files.

        Where nothing new can be made in the usual one, that is a folder beside its worktree.
        """
        if self.mechanism is None:
            return {}
        usual = Path(env.get("TMPDIR") or tempfile.gettempdir()).resolve()
        if not self.domain(part, worktree).closes(usual):
            return {}
        scratch = scratch_folder(worktree)
        if scratch.is_symlink() or not scratch.is_dir():  # an agent may have put a file there
            discard(scratch)
            scratch.mkdir(parents=True)
        return {"TMPDIR": str(scratch)}

    def _command(self, worktree: Path) -> list[str]:
        places = {**self.places, "worktree": worktree, "scratch": scratch_folder(worktree)}
        return [_filled(word, places) for word in self.policy.command]

    def try_out(self, processes: Processes, env: Mapping[str, str], pool: Path, logs: Path) -> None:
        """Check that the user's own command works, in a folder of ``pool``.

        RequestError says why not.
        """
        if not self.policy.command:
            return
        with tempfile.TemporaryDirectory(dir=pool, prefix="trial-") as folder:
            worktree = Path(folder).resolve()
            words = ["/bin/sh", "-c", TRIAL, "sh", str(worktree)]
            argv = self.launch(Part.GATE, words, worktree).argv
            if shutil.which(argv[0], path=env.get("PATH")) is None:
                raise RequestError(
                    f"the sandbox program {argv[0]!r} is not there, or not on PATH", ADVICE
                )
            make_folder(logs)
            log = logs / f"sandbox-{secrets.token_hex(4)}.log"
            ended = processes.run(Command(argv, worktree, env, log, TRIAL_SECS))
            if ended.ending is Ending.CANCELLED:
                raise InterruptedRunError(processes.cancellation.signal_number or 2)
            if (ended.ending, ended.code) != (Ending.EXITED, 0):
                raise RequestError(f"the sandbox does not work: {_problem(ended, log)}", ADVICE)
        log.unlink()


def choose_mechanism(policy: SandboxPolicy, env: Mapping[str, str]) -> Mechanism | None:
    """Return what confines under ``policy``; None: nothing, or the command of the user's.

    RequestError when confinement is demanded and cannot be had here.
    """
    if policy.command or policy.mode == "off":
        return None
    found = find_mechanism(env)
    if found is None and policy.mode != "auto":
        raise RequestError(
            f'[sandbox] mode = "{policy.mode}" needs Landlock (Linux 5.19 or later) or a working '
            "bubblewrap (bwrap), and there is neither",
            'install bubblewrap, or set mode = "auto" or "off"',
        )
    return found


def sandbox_paths(
    policy: SandboxPolicy,
    repository: Iterable[Path],
    pool: Path,
    env: Mapping[str, str],
    settings: Iterable[Path] = (),
    checkout: Checkout = NO_CHECKOUT,
) -> SandboxPaths:
    """Return the paths of a sandbox; the folders that a coding agent needs are made.

    So are the caches of build tools: they would make all these themselves, but may not where they
    are confined. RequestError when ``write`` of the configuration names what holds, or lies in,
    what is to be kept, or ``hide`` what holds the worktrees; nothing is made then. ``settings``
    are the files of the user's git configuration, ``checkout`` is what gates cannot read.
    """
    home = home_of(env)
    bases = [Path(env.get(name) or home / usual) for name, usual in AGENTS_FOLDERS.items()]
    folders = tuple(base / "opencode" for base in bases)
    write = paths_in(policy.write, home)
    hide = paths_in(policy.hide, home)
    kept = tuple(dict.fromkeys(path.resolve() for path in repository))
    work = pool.resolve()
    _refuse_open_ground(write, (*kept, work.parent))
    _refuse_hidden_work(hide, work)
    caches = [home / name for name in _caches(env)]
    for folder in (*folders, *caches, *(path for path in write if not path.exists())):
        with explained(folder):
            make_folder(folder)
    resolved = tuple(folder.resolve() for folder in folders)
    trusted = trusted_paths(env, home, settings)
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


def _filled(word: str, places: Mapping[str, object]) -> str:
    for name, place in places.items():
        word = word.replace(f"{{{name}}}", str(place))
    return word


def _problem(ended: Ended, log: Path) -> str:
    said = log.read_text(encoding="utf-8", errors="replace").split("\n") if log.exists() else []
    last = [line.strip() for line in said if line.strip()][-1:]
    reason = ended.reason or f"exit code {ended.code}"
    return f"{last[0]} ({reason})" if last else reason
