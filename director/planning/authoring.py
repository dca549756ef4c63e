"""Tests before code: written by the test author, admitted when red, committed, frozen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from director.agents.calls import Assignment
from director.agents.markdown import fenced
from director.job.context import JobContext
from director.job.environment import files_of, find_missing, run_of
from director.job.evidence import with_evidence
from director.job.leaks import leaks
from director.job.trailers import KIND, NODE, TESTS
from director.job.views import Views
from director.model.plan import Node
from director.model.roles import Agent, Role
from director.model.testing.not_started import NOT_EXECUTABLE, NOT_FOUND
from director.model.testing.test_names import lost_tests
from director.planning.admission import never_green
from director.planning.prompts import Background, tests_prompt
from director.records.call_notes import CallNote
from director.records.events import Kind
from director.repositories.job_repository import ABSENT_MODE, Entry
from director.repositories.objects import LINK_MODE
from director.worktrees.gates import GateResult, Verdict
from director.worktrees.worktrees import Worktree

ROUNDS = 2
SHOWN_TESTS = 5
ON_PATH = (
    "put it on PATH or, where it is part of your checkout only, into worktrees "
    "(`setup` or `link` of [worktree])"
)
OF_ITS_OWN = "a test must be a file of its own, in folders of their own"


@dataclass(frozen=True)
class Admission:
    """What became of one node's tests: their hashes, or what is wrong with them.

    ``hopeless``: asking the author again cannot help. ``next_step``: what the user can do, where
    it is for the user to do ("": not known, or the author's).
    """

    hashes: Mapping[str, str]
    problem: str = ""
    hopeless: bool = False
    next_step: str = ""


def author_tests(
    job: JobContext, views: Views, node: Node, background: Background, feedback: str
) -> Admission:
    """Let the author write the node's tests and put them on the branch when they are admitted.

    The author sees the tests of the nodes that this one depends on, and extends a file of theirs.
    ``feedback`` is what a critique said of earlier tests, or "". Tests that are not admitted go
    back to the author once, with the output. RequestError where no test could be about the
    worktree.
    """
    note = _left_by_killed_run(job, node)
    memo = note.memo if note else {}
    first = 2 if memo.get("round") == 2 else 1
    admission = Admission({}, str(memo.get("problem", feedback)))
    candidate = start = str(memo.get("start", ""))
    if not job.repository.holds(job.repository.tip(), start):
        candidate = job.repository.tip()
    reuse_path = Path(note.cwd) if note else None
    with job.pool.lane(reuse_path) as lane:
        if job.import_check.applies_to(node.test_cmd):
            lane.gate.reset(views.of(candidate, node))
            job.import_check.refuse(node.test_cmd, lane.gate.path)
        for round_number in range(first, ROUNDS + 1):
            work = _Round(job, views, node, lane.work, round_number, candidate, admission.problem)
            candidate, links = work.write(background)
            admission = work.drops_tests(candidate) or admit(
                job, views, node, lane.gate, candidate, links
            )
            if not admission.problem:
                put_on_branch(job, node, candidate)
                break
            job.events.emit(Kind.TESTS_REJECTED, node.id, problem=admission.problem)
            if admission.hopeless:
                break
    drop_notes(job, node)
    return admission


def drop_notes(job: JobContext, node: Node) -> None:
    """Drop the notes of the author's calls: the tests are on the branch, or refused."""
    job.agents.notes.drop(*(_name(node, number) for number in range(1, ROUNDS + 1)))


def _left_by_killed_run(job: JobContext, node: Node) -> CallNote | None:
    notes = (job.agents.notes.get(_name(node, number)) for number in range(ROUNDS, 0, -1))
    return next((note for note in notes if note), None)


def _name(node: Node, round_number: int) -> str:
    return f"{node.id}-tests-{round_number}"


def admit(
    job: JobContext,
    views: Views,
    node: Node,
    worktree: Worktree,
    commit: str,
    links: Sequence[str] = (),
) -> Admission:
    """Say whether the node's tests in ``commit`` exist, run, are red, and can turn green.

    They run in the node's view of it, so that tests of nodes to come do not make them red. Nor may
    those of the nodes it depends on: without them they must not be green. That a file which a node
    of the plan makes is not there yet is the right reason for red. ``links`` are tests that were
    written as symbolic links, which ``commit`` does not hold. RequestError where what ran is not
    the worktree's.
    """
    found = job.repository.entries(commit, node.tests)
    if linked := [*links, *(path for path, entry in found.items() if entry.mode == LINK_MODE)]:
        return Admission({}, f"{linked[0]} is a symbolic link: {OF_ITS_OWN}")
    absent = sorted(set(node.tests) - set(found))
    if absent:
        return Admission({}, f"these test files are missing: {', '.join(absent)}")
    if leaking := leaks(job, job.repository.tip(), commit, node.tests):
        return Admission({}, f"a key from the environment stands in {', '.join(leaking)}")
    view = views.of(commit, node)
    gate = _gate(job, node, worktree, view)
    job.events.emit(
        Kind.GATE,
        node.id,
        purpose="tests",
        verdict=gate.verdict,
        reason=gate.reason,
        tests_run=gate.tests_run,
    )
    job.import_check.check(gate, worktree.path)
    if refusal := _refusal(job, views, node, view, gate, worktree.path):
        return refusal
    if _is_green_alone(job, views, node, worktree, commit):
        problem = (
            f"`{node.test_cmd}` passes although nothing is implemented yet: it is red only because "
            "of the tests of nodes that this one depends on"
        )
        return Admission({}, problem)
    return Admission(job.repository.hashes(view, node.tests))


def _refusal(
    job: JobContext, views: Views, node: Node, view: str, gate: GateResult, worktree: Path
) -> Admission | None:
    """Return what is wrong with tests of which ``gate`` is a run on ``view``.

    None: they are red, and for all that is known because the work is to be done.
    """
    command = f"`{node.test_cmd}`"
    output = f"\n\n{fenced(gate.output)}" if gate.output.strip() else ""
    match gate.verdict:
        case Verdict.RED if gate.no_test_ran:
            return Admission({}, f"{command} must fail: {gate.reason}{output}")
        case Verdict.RED:
            if missing := find_missing(job.repository, view, gate, files_of(views.plan.nodes)):
                why = f"the worktree lacks something: {missing.words}"
                problem = f"{command} is red because {why}{output}"
                return Admission({}, problem, not missing.avoidable, missing.next_step)
            if reason := never_green(run_of(gate), node.tests):
                return Admission({}, f"no implementation can make {command} pass: {reason}{output}")
            return None
        case Verdict.GREEN:
            why = job.import_check.explanation(node.test_cmd, worktree)
            return Admission(
                {}, f"{command} passes although nothing is implemented yet{why}{output}"
            )
    problem = f"gate broken: {command}: {gate.reason}{output}"
    if gate.code in (NOT_EXECUTABLE, NOT_FOUND):
        return Admission({}, problem, hopeless=True, next_step=ON_PATH)
    return Admission({}, problem)


def _is_green_alone(
    job: JobContext, views: Views, node: Node, worktree: Worktree, commit: str
) -> bool:
    """Whether the node's tests, red in its view, are green without those that it depends on."""
    alone = views.of_tests(commit, [node.id])
    if job.repository.tree(alone) == job.repository.tree(views.of(commit, node)):
        return False
    return _gate(job, node, worktree, alone).verdict is Verdict.GREEN


def _gate(job: JobContext, node: Node, worktree: Worktree, commit: str) -> GateResult:
    worktree.reset(commit)
    gate = job.gates.run(node.test_cmd, worktree.path, f"{node.id}-tests")
    return with_evidence(job.repository, node, commit, gate)


def put_on_branch(job: JobContext, node: Node, commit: str) -> None:
    """Commit the node's tests, as they are in ``commit``, on the tip of the job branch."""
    found = job.repository.entries(commit, node.tests)
    commit_entries(job, f"Tests of {node.id}", [node.id], list(found.values()))


def commit_entries(
    job: JobContext, title: str, node_ids: Sequence[str], entries: Sequence[Entry]
) -> None:
    """Put test files of nodes on the tip of the job branch (ABSENT_MODE takes one out)."""
    while True:
        tip = job.repository.tip()
        tree = job.repository.tree_with(tip, entries)
        if tree == job.repository.tree(tip) and not entries:
            return
        if job.repository.advance(job.commits.tests(title, node_ids, tree, tip), tip):
            return


def remove_from_branch(job: JobContext, node_id: str, paths: Sequence[str], base: str) -> None:
    """Take the test files of a node that is no longer planned off the branch.

    A file that was there before the job gets its content at ``base`` back.
    """
    before = job.repository.entries(base, paths)
    found = job.repository.entries(job.repository.tip(), paths)
    gone = [Entry(path, ABSENT_MODE, "0" * len(entry.oid)) for path, entry in found.items()]
    entries = [before.get(entry.path, entry) for entry in gone]
    commit_entries(job, f"Tests of {node_id}", [node_id], entries)


def recovered(job: JobContext, nodes: Sequence[Node], since: str) -> tuple[Node, ...]:
    """Return the nodes, those admitted before a crash with their hashes filled in.

    Tests get on the branch only when they are admitted, so the branch is the record: each node's
    own commit, since a later one may have extended its files.
    """
    on_branch = {
        commit.trailers.get(NODE): commit.oid
        for commit in job.repository.log(since, job.repository.tip())
        if commit.trailers.get(KIND) == TESTS
    }
    return tuple(
        node._replace(test_hashes=job.repository.hashes(on_branch[node.id], node.tests))
        if not node.admitted and node.id in on_branch
        else node
        for node in nodes
    )


def fingerprint(node: Node) -> str:
    """Return what an admission was about: the command and the tests' content (sha256, hex)."""
    about = json.dumps([node.test_cmd, sorted(node.test_hashes.items())])
    return hashlib.sha256(about.encode()).hexdigest()


@dataclass(frozen=True)
class _Round:
    """One call of the author. ``start`` is what the worktree holds when it begins."""

    job: JobContext
    views: Views
    node: Node
    worktree: Worktree
    number: int
    start: str
    problem: str

    def write(self, background: Background) -> tuple[str, tuple[str, ...]]:
        """Return a commit on the tip that holds what the author wrote in the node's tests.

        And those of them that are symbolic links now, which it does not hold.
        """
        assignment = Assignment(
            agent=Agent.TEST_AUTHOR,
            role=Role.TEST_AUTHOR,
            prompt=tests_prompt(self.node, background, self.problem, self._extended()),
            cwd=self.worktree.path,
            name=_name(self.node, self.number),
            allowlist=self.node.tests,
            node=self.node.id,
            attempt=self.number,
            memo={"round": self.number, "problem": self.problem, "start": self.start},
        )
        if self.job.agents.recalled(assignment) is None:
            self.worktree.reset(self.views.of(self.start, self.node))
            self.job.agents.ask(assignment)
        repository, base = self.job.repository, self.job.repository.tip()
        view = self.views.of(base, self.node)
        seen = self.worktree.snapshot(view, self.node.tests)
        changed = [change.new for change in repository.changes(view, seen.tree)]
        tree = repository.tree_with(base, changed)
        return repository.commit(tree, base, f"Draft of the tests of {self.node.id}\n"), seen.links

    def drops_tests(self, candidate: str) -> Admission | None:
        """Refuse a draft in which tests of an earlier node are gone from a file it extends."""
        repository, extended = self.job.repository, self._extended()
        before = repository.contents(repository.tip(), extended)
        after = repository.contents(candidate, extended)
        for path, content in before.items():
            now = after.get(path, b"").decode(errors="replace")
            if lost := lost_tests(content.decode(errors="replace"), now):
                named = ", ".join(lost[:SHOWN_TESTS])
                return Admission({}, f"tests of earlier nodes are gone from {path}: {named}")
        return None

    def _extended(self) -> list[str]:
        """Return the test files that a node before this one began."""
        owners = self.views.plan.owners
        return [path for path in self.node.tests if owners[path][0] != self.node.id]
