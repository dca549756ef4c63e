"""Slots: the numbered worktrees of a pool, what lies beside them, and what tells tests apart."""

from __future__ import annotations

from pathlib import Path

PREFIX = "slot-"
SLOT_VARIABLE = "DIRECTOR_SLOT"
PORT_VARIABLE = "DIRECTOR_PORT_BASE"
OWN_VARIABLES = (SLOT_VARIABLE, PORT_VARIABLE)
FIRST_PORT = 20_000  # below what systems give out by themselves (Linux: from 32768)
PORTS = 100


def name_of_slot(number: int) -> str:
    """Return the name of the worktrees of that number."""
    return f"{PREFIX}{number}"


def slot_number(worktree: Path) -> int | None:
    """Return the number of a worktree of a pool, from 1; None for any other folder."""
    prefix, number = worktree.name[: len(PREFIX)], worktree.name[len(PREFIX) :]
    return int(number) if prefix == PREFIX and number.isdecimal() else None


def slot_variables(worktree: Path) -> dict[str, str]:
    """Return the variables for what runs in ``worktree``: its number, and the first of its ports.

    No two slots of a pool share one of their PORTS ports.
    """
    number = slot_number(worktree)
    if number is None:
        return {}
    port = FIRST_PORT + PORTS * (number - 1)
    return {SLOT_VARIABLE: str(number), PORT_VARIABLE: str(port)}


def scratch_folder(worktree: Path) -> Path:
    """Return the folder beside a worktree for the temporary files of what works there."""
    return worktree.with_name(f"{worktree.name}.tmp")


def repository_of(worktree: Path) -> Path:
    """Return the folder beside a worktree that is its git folder."""
    return worktree.with_name(f"{worktree.name}.git")
