"""The commit that a job is to be carried to, and what prevents that."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from director.job.trailers import KIND, NODE, TESTS
from director.model.errors import RequestError, WorkError
from director.model.format import counted
from director.model.plan import Plan
from director.model.reason import Reason
from director.repositories.branch_commits import BranchCommit
from director.repositories.branches import local_branches
from director.repositories.git import split_z
from director.repositories.history import Entry, History
from director.repositories.job_repository import JobRepository
from director.repositories.repository import BRANCH_PREFIX, Repository

HEADS = "refs/heads/"
SHOWN = 3  # commits that are named for a file


class Renamed(NamedTuple):
    """A file of the old base that the new one holds as ``now`` ("": it is deleted), and whose.

    ``nodes`` may change it, by their allowlists.
    """

    path: str
    now: str
    nodes: tuple[str, ...]


@dataclass(frozen=True)
class NewBase:
    """A commit of the user's, called ``name``; the job stands on ``before`` now.

    It has ``newer`` commits that ``before`` does not have, and lacks ``missing`` that it has.
    """

    user: Repository
    name: str
    commit: str
    before: str
    newer: int = 0
    missing: int = 0

    @property
    def nothing_to_do(self) -> bool:
        """Whether the job's base has all of it already."""
        return self.newer == 0

    def moved(self, plan: Plan) -> tuple[Renamed, ...]:
        """Return the allowlisted files that this commit does not have any more by their names."""
        words = split_z(
            self.user.git.output(
                "diff-tree", "-r", "-M", "--diff-filter=DR", "--name-status", "-z",
                self.before, self.commit,
            )
        )  # fmt: skip
        found, left = [], iter(words)
        for status in left:
            path = next(left)
            found.append((path, next(left) if status.startswith("R") else ""))
        nodes = _nodes_by_path(plan)
        return tuple(
            Renamed(path, now, tuple(nodes[path])) for path, now in sorted(found) if path in nodes
        )

    def commits_of(self, path: str) -> list[str]:
        """Return the last commits that changed a file since the job's base: id and subject."""
        told = self.user.git.output(
            "log", f"-{SHOWN}", "-z", "--no-show-signature", "--format=%h %s",
            f"{self.before}..{self.commit}", "--", path,
        )  # fmt: skip
        return split_z(told)


def find_base(user: Repository, plan: Plan, onto: str | None) -> NewBase:
    """Return the commit that ``onto`` names (None: the one that is checked out).

    RequestError where there is no such commit.
    """
    branches = local_branches(user.git)
    current = next((one.name for one in branches.values() if one.current), "")
    if onto is None and current.startswith(BRANCH_PREFIX):
        raise RequestError(
            f"{current}, which is checked out, is a branch of director's",
            "name the new base with --onto, or check a branch of yours out (`git switch BRANCH`)",
        )
    commit = user.head() if onto is None else _named(user, onto)
    newer, missing = _apart(user, plan.base_commit, commit)
    return NewBase(user, onto or current or "HEAD", commit, plan.base_commit, newer, missing)


def _named(user: Repository, onto: str) -> str:
    done = user.git.run(
        "rev-parse", "--verify", "--quiet", "--end-of-options", f"{onto}^{{commit}}"
    )
    if done.code != 0:
        raise RequestError(
            f"there is no commit {onto} in {user.root}", "name a branch or a commit with --onto"
        )
    return done.out.decode().strip()


def _apart(user: Repository, old: str, new: str) -> tuple[int, int]:
    """Return how many commits ``new`` has besides ``old``, and the other way round."""
    counts = user.git.text("rev-list", "--left-right", "--count", f"{new}...{old}").split()
    return int(counts[0]), int(counts[1])


def refuse_published(job: JobRepository, plan: Plan, base: NewBase) -> None:
    """Raise RequestError where the branch in the user's repository cannot, or need not, follow."""
    published = local_branches(base.user.git).get(plan.job_branch)
    if published is None:
        return
    if published.worktree:
        raise RequestError(
            f"{plan.job_branch} is checked out in {published.worktree}",
            f"free it (`git -C {published.worktree} switch --detach`), then run the command again",
        )
    if not job.stood_at(published.tip):
        raise RequestError(
            f"{plan.job_branch} has commits that are not director's",
            f"keep them (`git branch mine {plan.job_branch}`), then remove that branch",
        )
    if published.tip != plan.base_commit and History(base.user.git).descends(
        base.commit, published.tip
    ):
        raise RequestError(
            f"{base.name} holds the work of {plan.job_branch} already: it was merged there",
            "plan what is left as a new task",
        )


def refuse_contract(
    job: JobRepository, plan: Plan, commits: Sequence[BranchCommit], base: NewBase
) -> None:
    """Raise WorkError where the new base changed frozen tests, or files that they extend.

    Their content there is neither that of the old base nor what any commit of tests brought.
    """
    known: defaultdict[str, set[Entry | None]] = defaultdict(set)
    for path, entry in _tests_brought(job, plan, commits):
        known[path].add(entry)
    before = job.entries(base.before, known)
    there = job.entries(base.commit, known)
    clashing = [
        path for path in sorted(known) if there.get(path) not in {*known[path], before.get(path)}
    ]
    if clashing:
        raise _clash(plan, base, clashing)


def _tests_brought(
    job: JobRepository, plan: Plan, commits: Iterable[BranchCommit]
) -> Iterable[tuple[str, Entry]]:
    for commit in commits:
        if commit.trailers.get(KIND) == TESTS and NODE in commit.trailers:
            for change in job.changes(commit.parents[0], commit.oid):
                if change.path in plan.owners:
                    yield change.path, change.new


def _clash(plan: Plan, base: NewBase, paths: Sequence[str]) -> WorkError:
    said = []
    for path in paths:
        changed = "; ".join(base.commits_of(path)) or "no commit since the old base changed it"
        said.append(f"{path} (test of {', '.join(plan.owners[path])}; {changed})")
    files = counted(len(paths), "frozen test")
    return WorkError(
        f"{base.name} has other content in {files} of this job: {', '.join(said)}",
        "move that content to other files there, or plan the task again on the new base; "
        "nothing was changed",
        Reason.CONFLICT,
    )


def _nodes_by_path(plan: Plan) -> dict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for node in plan.nodes:
        for path in node.files:
            found[path].append(node.id)
    return dict(found)
