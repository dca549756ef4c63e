"""Putting what one commit changed on another one, without any checkout.

As ``git cherry-pick`` would, but for renames: what a commit changed stays where it changed it.
"""

from typing import NamedTuple

from director.model.errors import RequestError
from director.repositories.git import split_z
from director.repositories.job_objects import JobObjects
from director.repositories.users_git import last_words

CONFLICTS = 1  # exit code of git-merge-tree(1)


class Picked(NamedTuple):
    """The ``tree`` that came of it; with ``conflicts`` (paths) it is of no use."""

    tree: str
    conflicts: tuple[str, ...] = ()


def pick(job: JobObjects, commit: str, onto: str) -> Picked:
    """Put what ``commit`` changed in its parent on ``onto``; RequestError where git cannot.

    Where ``onto`` has the files as the parent has them no git process is needed.
    """
    parent = job.step(commit).parents[0]
    changes = job.changes(parent, commit)
    moved = {change.path for change in job.changes(parent, onto)}
    if not any(change.path in moved for change in changes):
        return Picked(job.tree_with(onto, [change.new for change in changes]))
    return _merged(job, commit, onto, parent)


def _merged(job: JobObjects, commit: str, onto: str, parent: str) -> Picked:
    # git 2.40 takes the base of a merge as an option; a commit on that base does for all.
    ours = job.commit(job.tree(onto), parent, "What another commit is put on\n")
    git = job.git.with_settings("merge.renames=false", f"attr.tree={ours}")
    done = git.run("merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", ours, commit)
    if done.code not in (0, CONFLICTS) or not done.out:
        raise RequestError(
            f"git cannot put {commit[:12]} on {onto[:12]}: {last_words(done)}",
            "director needs git 2.38 or later to rebase a job",
        )
    tree, *paths = split_z(done.out)
    return Picked(tree, tuple(dict.fromkeys(filter(None, paths))) if done.code else ())
