"""A symptom of something missing in the environment, as data.

It is what a tool prints then, what the user can do, and which files may provide what is missing.
"""

from enum import StrEnum
from typing import NamedTuple


class Remedy(StrEnum):
    """What the user can do, by the kind of thing that is missing."""

    PACKAGE = (
        "provide it in the worktrees with `setup`, `copy` or `link` of [worktree] in config.toml "
        "(a worktree holds only what is committed)"
    )
    PROGRAM = (
        "install it and put it on the PATH that director is started with, or provide it in "
        "the worktrees with `setup`, `copy` or `link` of [worktree] in config.toml"
    )
    NETWORK = (
        "let `setup` of [worktree] in config.toml download what is needed, where the network can "
        "be reached, or provide it with `copy` or `link`"
    )
    COMMAND = (
        "provide what is only in your checkout in the worktrees with `copy`, `link` or `setup` of "
        "[worktree] in config.toml"
    )


class NameKind(StrEnum):
    """What the pattern's group ``name`` holds, and so how it is looked for in the work."""

    NOTHING = "nothing"  # there may be no such group
    PYTHON = "a Python module"
    MODULE = "a package of another language"
    PATH = "a file"
    FOLDER = "a folder"


class Symptom(NamedTuple):
    """Output that means something is missing: ``words`` is a pattern, its group ``said`` is quoted.

    ``sign`` stands in all that the pattern finds. It is looked for first: a pattern costs a hundred
    times as much, most of it before its first use, and most outputs have few of the signs.
    ``fixed_by`` is a pattern of base names: where the work may change such a file, it may itself
    provide what is missing. ``beside_tests``: it counts even where tests ran. ``avoidable``: other
    tests may do without what is missing.
    """

    sign: str
    words: str
    remedy: Remedy = Remedy.PACKAGE
    named: NameKind = NameKind.NOTHING
    fixed_by: str = ""
    beside_tests: bool = False
    avoidable: bool = False
