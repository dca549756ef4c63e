"""What a job left behind, read without changing anything: branch, plan, state and receipts."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field

from director.job.receipts import changed_files
from director.job.seal import Seal, read_seal
from director.job.stage import Stage, read_stage
from director.job.trailers import KIND, MERGE, NODE, TESTS
from director.job.views import HeldBack, ViewReader
from director.model.checks import ChecksOf, checks_of
from director.model.codec.decoding import decode
from director.model.codec.mistakes import MismatchError, dotted
from director.model.plan import Node, Plan
from director.model.receipt import Receipt
from director.model.state import NodeStatus
from director.records import json_lines
from director.records.job_directory import JobDirectory
from director.repositories.branch_commits import BranchCommit
from director.repositories.git import Git
from director.repositories.history import History
from director.repositories.repository import Repository
from director.repositories.soundness import Soundness
from director.repositories.tips import Tips


@dataclass(frozen=True)
class CommitFacts:
    """A commit of the job branch, the paths it changes, and the frozen tests a merge holds.

    ``tests`` maps paths to sha256; a missing test is not in it. Merges that hold the
    same tests share one mapping, so that it need not be looked at for each of them. ``view`` is the
    tree that the node of a merge saw of it, without the tests of nodes that were to come (None: it
    is no merge), ``held_back`` are the paths in which that differs.
    """

    commit: BranchCommit
    changed: tuple[str, ...]
    tests: Mapping[str, str]
    view: str | None = None
    held_back: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Journal:
    """What ``tips.jsonl`` says: where the branch was moved to, and merge commit → receipt."""

    tips: frozenset[str]
    receipts: Mapping[str, Receipt]


@dataclass(frozen=True)
class Evidence:
    """Everything that the checks look at.

    ``tip`` None: there is no job branch. ``commits`` are those after the plan's base commit,
    oldest first; none where the branch does not begin there. ``unreadable`` says what is wrong
    with lines of ``receipts.jsonl`` that are no receipts. ``damaged`` is the first object of the
    branch that is missing or not what its id says; there are no commits then. ``ownerless`` maps
    the test files on the branch that no node has to the node they were written for. ``seal`` and
    ``journal`` None: there is no such record; ``at_home``: it should be, director worked here.
    ``checks`` says what candidates had to pass.
    """

    plan: Plan
    done: frozenset[str]
    tip: str | None
    begins_at_base: bool
    commits: tuple[CommitFacts, ...]
    tip_tests: Mapping[str, str]
    receipts: tuple[Receipt, ...]
    unreadable: tuple[str, ...]
    damaged: str | None = None
    ownerless: Mapping[str, str] = field(default_factory=dict)
    seal: Seal | None = None
    journal: Journal | None = None
    at_home: bool = False
    checks: ChecksOf = checks_of


def gather(repository: Repository, directory: JobDirectory) -> Evidence:
    """Return the evidence of a job; RequestError when there is no plan, or it cannot be read.

    The branch is the one in the user's repository; where that is not published, the one in the
    job repository.
    """
    plan = directory.load_plan()
    state = directory.load_state(plan)
    receipts, unreadable = _receipts(directory)
    history, tip = _branch(repository, directory, plan.job_branch)
    base = plan.base_commit
    begins = tip is not None and history.descends(tip, base)
    damaged = None
    if tip is not None and begins:
        soundness = Soundness(
            history.objects, history.trees, repository.objects, repository.object_format
        )
        damaged = soundness.first_damage(base, tip)
    readable = tip if begins and not damaged else None
    frozen = _FrozenTests(history, plan.contract.keys(), base if readable else None)
    log = history.log(base, readable) if readable else []
    in_line = [base, *(commit.oid for commit in log)] == [
        *(commit.parents[0] for commit in log if len(commit.parents) == 1),
        readable,
    ]
    reader = ViewReader(history, plan, rule=HeldBack.TO_COME_AT_MERGE) if in_line else None
    commits = tuple(_facts(history, frozen, reader, commit) for commit in log)
    return Evidence(
        plan=plan,
        done=frozenset(state.ids(NodeStatus.DONE)),
        tip=tip,
        begins_at_base=begins,
        commits=commits,
        tip_tests=frozen.held,
        receipts=receipts,
        unreadable=unreadable,
        damaged=damaged,
        ownerless=_ownerless(history, plan, commits, readable) if readable else {},
        seal=read_seal(directory),
        journal=_journal(directory),
        at_home=_at_home(directory),
    )


def _at_home(directory: JobDirectory) -> bool:
    """Whether director worked on this job here, and it is past the second approval."""
    stage = read_stage(directory)
    return directory.repository.is_dir() and (stage is None or stage.stage is Stage.READY)


def _journal(directory: JobDirectory) -> Journal | None:
    if not directory.tips.exists():
        return None
    tips = Tips(directory.tips)
    return Journal(frozenset(tips.commits), tips.receipts)


def _ownerless(
    history: History, plan: Plan, commits: Collection[CommitFacts], tip: str
) -> dict[str, str]:
    """Return path → node of what commits of tests brought, no node has, and is still there."""
    brought = {
        path: facts.commit.trailers.get(NODE, "no node")
        for facts in commits
        if facts.commit.trailers.get(KIND) == TESTS
        for path in facts.changed
        if path not in plan.contract
    }
    before = history.entries(plan.base_commit, brought)
    found = history.entries(tip, brought)
    return {path: brought[path] for path in sorted(brought) if found.get(path) != before.get(path)}


def merges(evidence: Evidence) -> list[CommitFacts]:
    """Return the merge commits of the branch, oldest first."""
    return [facts for facts in evidence.commits if facts.commit.trailers.get(KIND) == MERGE]


def receipted(evidence: Evidence) -> Iterator[tuple[CommitFacts, Node, Receipt]]:
    """Give the merges with their nodes and receipts, where each is known to have one."""
    receipts = {receipt.node: receipt for receipt in evidence.receipts}
    for facts in merges(evidence):
        node = evidence.plan.node(facts.commit.trailers[NODE])
        yield facts, node, receipts[node.id]


def _branch(
    repository: Repository, directory: JobDirectory, branch: str
) -> tuple[History, str | None]:
    """Return the repository that has the branch, and its tip."""
    published = History(_as_it_is(repository.git))
    tip = published.tip_of(branch)
    if tip is not None or not directory.repository.is_dir():
        return published, tip
    place = directory.repository
    variables = {"GIT_DIR": str(place), "GIT_ALTERNATE_OBJECT_DIRECTORIES": _quoted(repository)}
    own = History(_as_it_is(Git.at(place, repository.caller_env, **variables)))
    return own, own.tip_of(branch)


def _quoted(repository: Repository) -> str:
    """Return where the user's objects are now, as git reads it: the repository may have moved."""
    place = str(repository.objects).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{place}"'


def _as_it_is(git: Git) -> Git:
    """Return git without grafts, which make commits seem to have other parents."""
    return git.with_variables(GIT_GRAFT_FILE=os.devnull)


def _facts(
    history: History, frozen: _FrozenTests, reader: ViewReader | None, commit: BranchCommit
) -> CommitFacts:
    """Return what there is to know of a commit; ``frozen`` stands at the one before it.

    ``reader`` None: the commits do not stand on each other, so what a node saw is unknown.
    """
    changed = changed_files(history, commit.parents[0], commit.oid) if commit.parents else ()
    frozen.move(commit.oid, changed)
    if commit.trailers.get(KIND) != MERGE:
        return CommitFacts(commit, changed, {})
    if reader is None:
        return CommitFacts(commit, changed, frozen.held)
    held_back = reader.differing(commit.oid, reader.done(commit.oid))
    view = history.id_of_tree_with(commit.oid, held_back) if held_back else commit.tree
    paths = frozenset(entry.path for entry in held_back)
    return CommitFacts(commit, changed, frozen.held, view, paths)


def _receipts(directory: JobDirectory) -> tuple[tuple[Receipt, ...], tuple[str, ...]]:
    """Return the receipts, and what is wrong with the lines that are none."""
    known, unreadable = [], []
    for line in json_lines.read_lines(directory.receipts):
        try:
            known.append(decode(Receipt, line))
        except MismatchError as error:
            wrong = "; ".join(f"{dotted(path)!r} {problem}" for path, problem in error.mistakes)
            unreadable.append(f"the line of node {line.get('node')!r} is not a receipt: {wrong}")
    return tuple(known), tuple(unreadable)


class _FrozenTests:
    """The frozen tests along a branch: read where they change.

    ``held`` maps paths to sha256 at the commit that was moved to; it is the same mapping until a
    test changes. A branch whose commits do not stand on each other fails another check before the
    tests count.
    """

    def __init__(self, history: History, paths: Set[str], base: str | None) -> None:
        self._history = history
        self._paths = paths
        self.held: Mapping[str, str] = {}
        if base is not None:
            self.move(base, paths)

    def move(self, commit: str, changed: Iterable[str]) -> None:
        """Move to ``commit``, in which ``changed`` differ from the commit before it."""
        if touched := self._paths & set(changed):
            kept = {path: digest for path, digest in self.held.items() if path not in touched}
            self.held = kept | self._history.hashes(commit, touched)
