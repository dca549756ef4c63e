"""The checks, in their order: pure functions of the evidence, each names the first thing wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

from director.job.seal import differences
from director.job.trailers import KIND, MERGE, NODE, TESTS, why_foreign
from director.verifying.agreement import agreement
from director.verifying.evidence import CommitFacts, Evidence, merges, receipted
from director.verifying.frozen_tests import frozen_tests
from director.verifying.problem import Problem, differing, restore, short

Examine = Callable[[Evidence], Iterator[Problem]]


def run_checks(evidence: Evidence) -> tuple[tuple[str, ...], Problem | None]:
    """Return the names of the checks that hold, up to the first that does not, and its problem."""
    held: list[str] = []
    nothing = unchecked(evidence)
    for name, check in CHECKS.items():
        if problem := next(check(evidence), None):
            next_step = problem.next_step or restore(evidence.plan)
            return tuple(held), replace(problem, check=name, next_step=next_step)
        if name not in nothing:
            held.append(name)
    return tuple(held), None


def _branch(evidence: Evidence) -> Iterator[Problem]:
    plan = evidence.plan
    if evidence.tip is None:
        next_step = "fetch it from where it was pushed, or `director run` to publish it"
        what = f"there is no branch {plan.job_branch}"
        yield Problem(what, next_step, expected=plan.job_branch)
    elif not evidence.begins_at_base:
        at, base = short(evidence.tip), plan.base_commit
        what = f"{plan.job_branch} ({at}) does not begin at the job's base commit {short(base)}"
        yield Problem(what, commit=evidence.tip, expected=base)


def _objects(evidence: Evidence) -> Iterator[Problem]:
    """Every object of the branch is there, and what its id says."""
    if damaged := evidence.damaged:
        what = f"object {damaged} of {evidence.plan.job_branch} is missing or damaged"
        yield Problem(what, commit=evidence.tip, found=damaged)


def _seal(evidence: Evidence) -> Iterator[Problem]:
    """The plan is the one that was approved."""
    if evidence.seal is None:
        if evidence.at_home:
            yield _missing(evidence, "sealed.json", "`director plan --continue` seals it")
        return
    for changed in differences(evidence.seal, evidence.plan):
        next_step = "restore it, or admit it as it is now: `director plan --continue`"
        what = f"plan.json was changed after it was approved: {changed}"
        yield Problem(what, next_step, found=changed)


def _missing(evidence: Evidence, name: str, next_step: str) -> Problem:
    what = f"there is no {name} beside the plan of {evidence.plan.job_id}, which was worked on here"
    return Problem(what, next_step, expected=name)


def _commits(evidence: Evidence) -> Iterator[Problem]:
    """Every commit is director's own, on the one before it; tests come before merges."""
    plan = evidence.plan
    before, merging = plan.base_commit, False
    for facts in evidence.commits:
        commit = facts.commit
        strange = why_foreign(plan, commit, before)
        if not strange and commit.trailers[KIND] == TESTS:
            strange = _strange_tests(evidence, facts, merging)
        if strange:
            oid = short(commit.oid)
            look = f"look at it with `git show {oid}`, keep it with `git branch mine {oid}`"
            what, next_step = f"foreign commit {oid}: {strange}", f"{look}; {restore(plan)}"
            yield Problem(what, next_step, commit.oid, commit.trailers.get(NODE))
        before, merging = commit.oid, merging or commit.trailers.get(KIND) == MERGE


def _strange_tests(evidence: Evidence, facts: CommitFacts, merging: bool) -> str | None:
    """Say what is wrong with a commit of tests; ``merging``: it comes after a merge."""
    if merging and evidence.journal and facts.commit.oid not in evidence.journal.tips:
        return "it changes tests after the first merge"
    implements = sorted(evidence.plan.allowlisted & set(facts.changed))
    return f"it should bring tests but changes {implements[0]}" if implements else None


def _receipts(evidence: Evidence) -> Iterator[Problem]:
    """Every done node has one merge, every merge one receipt, every receipt its merge."""
    merged = Counter(facts.commit.trailers[NODE] for facts in merges(evidence))
    listed = Counter(receipt.node for receipt in evidence.receipts)
    for what in evidence.unreadable:
        yield Problem(f"receipts.jsonl: {what}", "restore that line, or take it out")
    for node_id in (node.id for node in evidence.plan.nodes):
        commits, lines = merged[node_id], listed[node_id]
        if node_id in evidence.done and not commits:
            next_step = "`director run` publishes the branch again, and does what is not on it"
            yield _count(node_id, "a merge commit", 0, next_step)
        if commits > 1:
            yield _count(node_id, "a merge commit", commits)
        if commits and not lines:
            yield _count(node_id, "a receipt", 0, "`director run` rebuilds it from the commit")
        if lines > 1:
            yield _count(node_id, "a receipt", lines, "take the wrong lines out of receipts.jsonl")
        if lines and not commits:
            yield _count(node_id, "a merge commit", 0, "restore the branch, or the receipts")
    for receipt in evidence.receipts:
        if receipt.node not in merged:
            yield _count(receipt.node, "a merge commit", 0, "take its line out of receipts.jsonl")


def _count(node_id: str, thing: str, found: int, next_step: str = "") -> Problem:
    what = f"node {node_id}: expected exactly {thing.replace('a ', 'one ', 1)}, found {found}"
    return Problem(what, next_step, node=node_id, expected="1", found=str(found))


def _scope(evidence: Evidence) -> Iterator[Problem]:
    """Each merge changes files of its node's allowlist only, and no frozen test."""
    tests = evidence.plan.owners
    for facts, node, _ in receipted(evidence):
        oid, allowed = facts.commit.oid, ", ".join(node.files)
        for path in facts.changed:
            if path in tests or path not in node.files:
                frozen = f"changes the frozen test {path}"
                does = frozen if path in tests else f"changes {path}, outside its allowlist"
                what = f"commit {short(oid)} (node {node.id}) {does} ({allowed})"
                yield Problem(what, "", oid, node.id, expected=allowed, found=path)


def _contract(evidence: Evidence) -> Iterator[Problem]:
    """Each test file that was put on the branch belongs to a node."""
    next_step = "plan the task again, or take the file out before you merge the branch"
    for path, node_id in evidence.ownerless.items():
        brought = f"{path} was put on the branch as a test of {node_id}"
        what = f"{brought}, and no node of the plan has it"
        yield Problem(what, next_step, evidence.tip, found=path)


def _trees(evidence: Evidence) -> Iterator[Problem]:
    """Each merge commit's tree is the one on its receipt."""
    for facts, _, receipt in receipted(evidence):
        expected, found = receipt.tree, facts.commit.tree
        if found != expected:
            yield differing(facts.commit, "the tree on its receipt", expected, found)


def _views(evidence: Evidence) -> Iterator[Problem]:
    """What was gated is each merge's tree less exactly the tests of nodes that were to come.

    A receipt of a version that had no views says that nothing was held back.
    """
    about = "its view, the tree without the tests of nodes that were to come"
    for facts, _, receipt in receipted(evidence):
        expected, found = facts.view, receipt.view
        if expected and found is not None and found != expected:
            yield differing(facts.commit, about, expected, found)


def _journal(evidence: Evidence) -> Iterator[Problem]:
    """Director moved the branch to its tip, and each merge's receipt is the one noted then."""
    journal, plan = evidence.journal, evidence.plan
    if journal is None:
        if evidence.at_home:
            yield _missing(evidence, "tips.jsonl", "`director run` gates what merged again")
        return
    for facts, node, receipt in receipted(evidence):
        oid = facts.commit.oid
        noted = journal.receipts.get(oid)
        if noted is None:
            what = f"commit {short(oid)} (node {node.id}): director recorded no such merge"
            next_step = f"`director run` gates it again; else {restore(plan)}"
            yield Problem(what, next_step, oid, node.id, "a receipt in tips.jsonl", "none")
        elif noted != receipt:
            about = "the receipt that was noted when it merged"
            yield differing(facts.commit, about, "the line in receipts.jsonl", "another")
    if evidence.tip not in journal.tips:
        at = short(str(evidence.tip))
        what = f"{plan.job_branch} is at {at}, where director never moved it"
        yield Problem(what, commit=evidence.tip)


CHECKS: dict[str, Examine] = {
    "branch": _branch,
    "objects": _objects,
    "seal": _seal,
    "commits": _commits,
    "receipts": _receipts,
    "agreement": agreement,
    "scope": _scope,
    "tests": frozen_tests,
    "contract": _contract,
    "trees": _trees,
    "views": _views,
    "journal": _journal,
}


def unchecked(evidence: Evidence) -> tuple[str, ...]:
    """Return the names of the checks that had nothing to look at: records that are not here."""
    there = {"seal": evidence.seal, "journal": evidence.journal}
    return tuple(name for name, record in there.items() if record is None)
