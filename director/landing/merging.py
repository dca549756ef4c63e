"""Merging a job's work with the branch that it lands on, without any checkout."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from director.landing.markers import left_markers
from director.model.errors import RequestError
from director.model.plan import Plan
from director.model.printable import one_line
from director.repositories.git import split_z
from director.repositories.history import Entry
from director.repositories.job_repository import JobRepository
from director.repositories.objects import GITLINK_MODE, LINK_MODE
from director.repositories.users_git import last_words

CONFLICTS = 1  # exit code of git-merge-tree(1)
OURS, THEIRS = "target", "job"  # what markers in files call the two sides
BASE_STAGE, OUR_STAGE, THEIR_STAGE = "1", "2", "3"
LOOKED_AT = 8000  # bytes in which git looks for a NUL, to tell what is no text
TEST = "a frozen test"


class Conflict(NamedTuple):
    """A file that both sides changed; ``nodes`` are those whose work it is part of.

    ``unresolvable`` says why no model may resolve it ("": one may).
    """

    path: str
    nodes: tuple[str, ...]
    unresolvable: str = ""


class Merged(NamedTuple):
    """The ``tree`` that both make together; with ``conflicts`` their files hold markers."""

    tree: str
    conflicts: tuple[Conflict, ...] = ()


def merge_trees(job: JobRepository, plan: Plan, ours: str, theirs: str) -> Merged:
    """Merge two commits as `git merge` would; RequestError where git cannot.

    ``job`` finds the objects of both, and gets the tree.
    """
    _name_sides(job, ours, theirs)
    # git 2.43: how files are merged; and the common ancestor's words between those of the sides
    git = job.git.with_settings(f"attr.tree={ours}", "merge.conflictStyle=diff3")
    done = git.run("merge-tree", "--write-tree", "--no-messages", "-z", OURS, THEIRS)
    if done.code not in (0, CONFLICTS) or not done.out:
        raise RequestError(
            f"git cannot merge {theirs[:12]} into {ours[:12]}: {last_words(done)}",
            "director needs git 2.38 or later to land work, and commits with a common ancestor",
        )
    tree, *stages = split_z(done.out)
    if done.code == 0:
        return Merged(tree)
    return Merged(tree, tuple(_conflicts(job, plan, tree, stages)))


def _name_sides(job: JobRepository, ours: str, theirs: str) -> None:
    lines = f"update refs/{OURS} {ours}\nupdate refs/{THEIRS} {theirs}\n"
    job.git.output("update-ref", "--stdin", stdin=lines.encode())


def _conflicts(
    job: JobRepository, plan: Plan, tree: str, stages: Iterable[str]
) -> Iterator[Conflict]:
    found: defaultdict[str, dict[str, Entry]] = defaultdict(dict)
    for line in filter(None, stages):
        said, _, path = line.partition("\t")
        mode, oid, stage = said.split()
        found[path][stage] = Entry(path, mode, oid)
    merged = job.entries(tree, found)
    for path, sides in found.items():
        why = TEST if path in plan.contract else _no_text(job, merged.get(path), sides)
        yield Conflict(path, nodes_of(plan, path), why)


def _no_text(job: JobRepository, merged: Entry | None, sides: Mapping[str, Entry]) -> str:
    """Return why the conflict in a file is not one of its text ("": it is)."""
    entries = [*sides.values(), *([merged] if merged else [])]
    modes = {one.mode for one in entries}
    if GITLINK_MODE in modes:
        return "a submodule"
    if LINK_MODE in modes:
        return "a symbolic link"
    if not (merged and OUR_STAGE in sides and THEIR_STAGE in sides):
        there = BASE_STAGE in sides and len(sides) > 1
        return "changed on one side and removed on the other" if there else "renamed in two ways"
    if one_line(merged.path) != merged.path:
        return "its name cannot be shown"
    texts = [job.objects.get(one.oid).data for one in entries]
    if any(b"\0" in text[:LOOKED_AT] for text in texts):
        return "a binary file"
    sides_text = [job.objects.get(sides[stage].oid).data for stage in (OUR_STAGE, THEIR_STAGE)]
    marked = texts[-1]
    return "" if left_markers(marked, marked, sides_text) else "git cannot merge it as text"


def nodes_of(plan: Plan, path: str) -> tuple[str, ...]:
    """Return the nodes that may have changed a file: by their allowlists, or as their test."""
    return tuple(node.id for node in plan.nodes if path in (*node.files, *node.tests))


def unresolvable(conflicts: Iterable[Conflict]) -> list[Conflict]:
    """Return the conflicts that no model may resolve."""
    return [one for one in conflicts if one.unresolvable]


def named(conflicts: Sequence[Conflict]) -> str:
    """Return conflicts in words."""
    return ", ".join(
        f"{one.path} (node {', '.join(one.nodes)})" if one.nodes else one.path for one in conflicts
    )
