"""Which jobs ``clean`` is to remove, what goes with each, and what is lost with it."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from director.job.removing import Removal
from director.model.errors import StoppedError
from director.model.reason import Reason
from director.records.job_directory import Home
from director.records.known_jobs import known_job, known_jobs
from director.records.taken_nodes import TakenNode
from director.reporting.job_list import ListedJob, list_jobs
from director.reporting.status.times import seconds_of
from director.repositories.git import Git, GitError, split_z


class Wanted(NamedTuple):
    """The jobs that are meant: named ones, or all that are landed, or older (in seconds)."""

    names: tuple[str, ...] = ()
    landed: bool = False
    older_secs: float | None = None


class Taken(NamedTuple):
    """A node that a person has; ``changed`` files of its worktree differ (None: unknown)."""

    node: TakenNode
    changed: int | None


class Leaving(NamedTuple):
    """A job that goes. ``loses`` says what is nowhere else then, in a few words each."""

    listed: ListedJob
    taken: tuple[Taken, ...]
    loses: tuple[str, ...]

    @property
    def id(self) -> str:
        """Its id."""
        return self.listed.id

    @property
    def bytes(self) -> int:
        """What goes with it takes so much of the disk."""
        return self.listed.disk_bytes + self.listed.worktree_bytes

    @property
    def removal(self) -> Removal:
        """What is to be removed."""
        listed, branch = self.listed, self.listed.branch
        taken = tuple(one.node for one in self.taken)
        if branch is None:
            return Removal(listed.job, "", "", taken=taken)
        out = f"it is checked out in {branch.worktree}" if branch.worktree else ""
        return Removal(listed.job, branch.name, branch.tip, out, taken)


class Choice(NamedTuple):
    """The jobs that go, and those that were meant and stay: job id → why."""

    leaving: tuple[Leaving, ...]
    staying: dict[str, str]


def choose(home: Home, git: Git, wanted: Wanted, now: float) -> Choice:
    """Return which jobs go; ``now`` in seconds since 1970.

    Raises RequestError for a name that no job has, StoppedError where a process works on one.
    """
    listed = list_jobs(known_jobs(home), git)
    if wanted.names:
        return _named(home, git, wanted.names, listed)
    meant = [one for one in listed if _is_meant(one, wanted, now)]
    staying = {one.id: why for one in meant if (why := _stays(one, git))}
    chosen = [one for one in meant if one.id not in staying]
    going = {one.id for one in chosen}
    for plan in [one for one in chosen if one.job.is_bench_plan]:
        if any(one.id not in going for one in listed if one.job.group == plan.job.group):
            chosen.remove(plan)
            staying[plan.id] = "other jobs of its bench read its objects"
    return Choice(tuple(_leaving(one, git) for one in chosen), staying)


def _named(home: Home, git: Git, names: Sequence[str], listed: Iterable[ListedJob]) -> Choice:
    """Return the jobs that are named; the plan of a bench takes all jobs of the bench along."""
    meant = {known_job(home, name).id for name in names}
    known = list(listed)
    whole = {one.job.group for one in known if one.id in meant and one.job.is_bench_plan}
    chosen = [one for one in known if one.id in meant or one.job.group in whole]
    for one in chosen:
        if one.standing == "working":
            raise StoppedError(
                f"a command works on job {one.id}",
                f"wait for it to end, or end it with `director stop --job {one.id}`",
                Reason.LOCKED,
            )
    return Choice(tuple(_leaving(one, git) for one in chosen), {})


def _is_meant(one: ListedJob, wanted: Wanted, now: float) -> bool:
    if wanted.landed and one.landed is None:
        return False
    if wanted.older_secs is None:
        return True
    last = seconds_of(one.last_event or one.created_at)
    return last is not None and now - last >= wanted.older_secs


def _stays(one: ListedJob, git: Git) -> str:
    """Return why a job that was not named is not removed, or ""."""
    if one.standing == "working":
        return "a command is working on it"
    if one.current and not one.finished:
        return "it is the current job and not finished; name it to remove it"
    if taken := [taken.node.node for taken in _taken(one, git)]:
        is_or_are = "is" if len(taken) == 1 else "are"
        return f"{', '.join(taken)} {is_or_are} taken by a person; name the job to remove it"
    return ""


def _leaving(one: ListedJob, git: Git) -> Leaving:
    taken = tuple(_taken(one, git))
    return Leaving(one, taken, tuple(_losses(one, taken)))


def _losses(one: ListedJob, taken: Iterable[Taken]) -> Iterator[str]:
    if one.landed is None:
        yield "not landed"
    if not one.finished:
        yield "not finished"
    for each in taken:
        yield f"what was written in the worktree taken for {each.node.node}"
    if one.killed and one.worktrees:
        yield "what a killed command left in its worktrees"


def _taken(one: ListedJob, git: Git) -> Iterator[Taken]:
    for node in one.taken:
        if os.path.lexists(node.folder):
            yield Taken(node, _changed(node.worktree, git))


def _changed(worktree: Path, git: Git) -> int | None:
    """Return how many files of a worktree differ from what it was made with."""
    if not worktree.is_dir():
        return None
    try:
        lines = Git.at(worktree, git.env).output("status", "--porcelain=v1", "-z", "--no-renames")
    except GitError:
        return None
    return len(split_z(lines))
