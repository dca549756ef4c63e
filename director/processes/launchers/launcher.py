"""A launcher: how a command gets to where it runs, and how it ends there."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, Protocol

from director.processes.confinement import Confinement, Launch
from director.processes.machine import Machine
from director.processes.sandbox_paths import home_of


class Part(StrEnum):
    """Who is started."""

    AGENT = "agent"
    GATE = "gate"
    SETUP = "setup"
    SERVER = "server"
    READER = "reader"  # an agent that cannot write its worktree
    CHECKOUT = "checkout"  # a command in the user's own, which it only reads


class Surroundings(NamedTuple):
    """What a launcher finds: the job it works for, and the caller's variables.

    ``repository`` is the user's, ``job`` the git folder of the job's.
    """

    job_id: str
    env: Mapping[str, str]
    repository: Path
    job: Path

    @property
    def folder(self) -> Path:
        """The folder for what a launcher notes."""
        return self.job.with_name("steps")

    @property
    def places(self) -> dict[str, str]:
        """What the places of a command of the user's stand for."""
        home = str(home_of(self.env))
        return {"git": str(self.job), "repo": str(self.repository), "home": home}


class Errand(NamedTuple):
    """What is to be started: ``argv`` in ``worktree``, confined as ``confinement`` says."""

    part: Part
    argv: Sequence[str]
    worktree: Path
    confinement: Confinement | None = None


class Launcher(Protocol):
    """Starts agents, gates and setup somewhere. Callable from any thread.

    ``name`` is what receipts say ("": on this machine, as it is). ``per_worktree``: what it starts
    reaches one worktree at a time, so that agents cannot share a server. ``trial`` is a script
    for ``/bin/sh`` that ends with 0 in the worktree, which is its argument, if all is well, and
    otherwise says what is not ("": there is nothing to try out).
    """

    name: str
    per_worktree: bool
    trial: str

    def launch(self, errand: Errand) -> Launch:
        """Return how an errand is started. Raises OSError where it cannot be confined."""
        ...

    def sweep(self) -> int:
        """End what a killed run of the job left elsewhere; returns how much that was."""
        ...

    def machine(self) -> Machine:
        """Return what there is to work on. Raises StoppedError where that is unknown."""
        ...
