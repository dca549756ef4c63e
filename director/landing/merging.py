"""Merging a job's work with the branch that it lands on, without any checkout."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from director.model.errors import RequestError
from director.model.plan import Plan
from director.repositories.git import Git, split_z
from director.repositories.users_git import last_words

CONFLICTS = 1  # exit code of git-merge-tree(1)


class Conflict(NamedTuple):
    """A file that both sides changed; ``nodes`` are those whose work it is part of."""

    path: str
    nodes: tuple[str, ...]


class Merged(NamedTuple):
    """The ``tree`` that both make together; with ``conflicts`` it is none that anybody wants."""

    tree: str
    conflicts: tuple[Conflict, ...] = ()


def merge_trees(git: Git, plan: Plan, ours: str, theirs: str) -> Merged:
    """Merge two commits as `git merge` would; RequestError where git cannot.

    ``git`` finds the objects of both, and gets the tree.
    """
    attributes = git.with_settings(f"attr.tree={ours}")  # git 2.43: how files are merged
    done = attributes.run("merge-tree", "--write-tree", "--name-only", "--no-messages", "-z",
                          ours, theirs)  # fmt: skip
    if done.code not in (0, CONFLICTS) or not done.out:
        raise RequestError(
            f"git cannot merge {theirs[:12]} into {ours[:12]}: {last_words(done)}",
            "director needs git 2.38 or later to land work, and commits with a common ancestor",
        )
    tree, *paths = split_z(done.out)
    if done.code == 0:
        return Merged(tree)
    found = dict.fromkeys(path for path in paths if path)
    return Merged(tree, tuple(Conflict(path, nodes_of(plan, path)) for path in found))


def nodes_of(plan: Plan, path: str) -> tuple[str, ...]:
    """Return the nodes that may have changed a file: by their allowlists, or as their test."""
    return tuple(node.id for node in plan.nodes if path in (*node.files, *node.tests))


def named(conflicts: Iterable[Conflict]) -> str:
    """Return conflicts in words."""
    return ", ".join(
        f"{one.path} (node {', '.join(one.nodes)})" if one.nodes else one.path for one in conflicts
    )
