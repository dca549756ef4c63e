"""What a sign of something missing in the environment is.

A sign is data: words of a tool, what is missing then, and how the work itself may bring it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Lack(StrEnum):
    """What kind of thing is missing; its value says what to do about it."""

    PACKAGE = (
        "bring it into the worktrees: `setup`, `copy` or `link` of [worktree] in config.toml "
        "(a worktree holds what is committed, nothing else)"
    )
    PROGRAM = (
        "install it and put it on the PATH that director is started with, or bring it into the "
        "worktrees: `setup`, `copy` or `link` of [worktree] in config.toml"
    )
    NETWORK = (
        "let `setup` of [worktree] in config.toml download what is needed, where the network can "
        "be reached, or bring it with `copy` or `link`"
    )
    COMMAND = (
        "bring what is in your checkout only into the worktrees: `copy`, `link` or `setup` of "
        "[worktree] in config.toml"
    )


class Named(StrEnum):
    """What a pattern's group ``name`` holds, which says how it is looked for in the work."""

    NOTHING = "nothing"  # there may be no such group
    PYTHON = "a Python module"
    MODULE = "a package of another language"
    PATH = "a file"
    FOLDER = "a folder"


@dataclass(frozen=True)
class Sign:
    """Words that tell of something missing: ``words`` is a pattern, its group ``said`` is told.

    ``cure``: a pattern of the base names of files with which the work itself may bring what is
    missing. ``beside_tests``: these words count where tests ran, too. ``avoidable``: other tests
    may do without what is missing.
    """

    words: str
    lack: Lack = Lack.PACKAGE
    named: Named = Named.NOTHING
    cure: str = ""
    beside_tests: bool = field(default=False, kw_only=True)
    avoidable: bool = field(default=False, kw_only=True)
