"""Where agents and gates run, and what each of them asks for there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Resources:
    """What one agent, gate or setup asks of a cluster. ``mem_mb`` 0: what the cluster gives.

    ``extra`` are words for whatever starts it there (``--account=…``), as they are.
    """

    partition: str = ""
    cpus: int = 1
    mem_mb: int = 0
    extra: tuple[str, ...] = ()


@dataclass(frozen=True)
class LauncherPolicy:
    """What stands in front of agents, gates and setup. ``kind`` names one of the launchers.

    ``root`` is a folder that all machines see, for worktrees ("": the usual one). ``command`` is
    that of the kind "command".
    """

    kind: str = "local"
    root: str = ""
    command: tuple[str, ...] = ()
    agent: Resources = Resources()
    gate: Resources = Resources()
    setup: Resources = Resources()
