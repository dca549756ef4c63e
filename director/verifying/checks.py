"""The checks, in their order: pure functions of the evidence, each names the first thing wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from director.job.lineage import why_foreign
from director.job.seal import differences
from director.job.trailers import KIND, MERGE, NODE, TESTS
from director.model.plan import Node
from director.verifying.agreement import agreement
from director.verifying.evidence import CommitFacts, Evidence, merges
from director.verifying.frozen_tests import frozen_tests
from director.verifying.problem import Problem, differing, restore, short

Check = Callable[[Evidence], Iterator[Problem]]


def run_checks(evidence: Evidence) -> tuple[tuple[str, ...], Problem | None]:
    """Return the names of the checks that hold, up to the first that does not, and its problem."""
    held: list[str] = []
    nothing = unchecked(evidence)
    for name, check in CHECKS.items():
        if problem := next(check(evidence), None):
            return tuple(held), problem
        if name not in nothing:
            held.append(name)
    return tuple(held), None


def _branch(evidence: Evidence) -> Iterator[Problem]:
    plan = evidence.plan
    if evidence.tip is None:
        yield Problem(
            "branch",
            f"there is no branch {plan.job_branch}",
            "fetch it from where it was pushed, or `director run` to publish it",
            expected=plan.job_branch,
        )
    elif not evidence.begins_at_base:
        yield Problem(
            "branch",
            f"{plan.job_branch} ({short(evidence.tip)}) does not begin at the job's base commit "
            f"{short(plan.base_commit)}",
            restore(plan),
            commit=evidence.tip,
            expected=plan.base_commit,
        )


def _objects(evidence: Evidence) -> Iterator[Problem]:
    """Every object of the branch is there, and what its id says."""
    if evidence.damaged:
        yield Problem(
            "objects",
            f"object {evidence.damaged} of {evidence.plan.job_branch} is missing or damaged",
            restore(evidence.plan),
            commit=evidence.tip,
            found=evidence.damaged,
        )


def _seal(evidence: Evidence) -> Iterator[Problem]:
    """The plan is the one that was approved."""
    if evidence.seal is None:
        if evidence.at_home:
            yield _missing(evidence, "seal", "sealed.json", "`director plan --continue` seals it")
        return
    for changed in differences(evidence.seal, evidence.plan):
        yield Problem(
            "seal",
            f"plan.json was changed after it was approved: {changed}",
            "restore it, or `director plan --continue` admits it as it is now",
            found=changed,
        )


def _missing(evidence: Evidence, check: str, name: str, next_step: str) -> Problem:
    what = f"there is no {name} beside the plan of {evidence.plan.job_id}, which was worked on here"
    return Problem(check, what, next_step, expected=name)


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
            yield Problem(
                "commits",
                f"foreign commit {short(commit.oid)}: {strange}",
                f"look at it with `git show {short(commit.oid)}`, keep it with "
                f"`git branch mine {short(commit.oid)}`; {restore(plan)}",
                commit=commit.oid,
                node=commit.trailers.get(NODE),
            )
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
        yield Problem("receipts", f"receipts.jsonl: {what}", "restore that line, or take it out")
    for node_id in (node.id for node in evidence.plan.nodes):
        commits, lines = merged[node_id], listed[node_id]
        if node_id in evidence.done and not commits:
            next_step = "`director run` publishes the branch again, and does what is not on it"
            yield _count(node_id, "a merge commit", 0, next_step)
        if commits > 1:
            yield _count(node_id, "a merge commit", commits, restore(evidence.plan))
        if commits and not lines:
            yield _count(node_id, "a receipt", 0, "`director run` rebuilds it from the commit")
        if lines > 1:
            yield _count(node_id, "a receipt", lines, "take the wrong lines out of receipts.jsonl")
        if lines and not commits:
            yield _count(node_id, "a merge commit", 0, "restore the branch, or the receipts")
    for receipt in evidence.receipts:
        if receipt.node not in merged:
            yield _count(receipt.node, "a merge commit", 0, "take its line out of receipts.jsonl")


def _count(node_id: str, thing: str, found: int, next_step: str) -> Problem:
    what = f"node {node_id}: expected exactly {thing.replace('a ', 'one ', 1)}, found {found}"
    return Problem("receipts", what, next_step, node=node_id, expected="1", found=str(found))


def _scope(evidence: Evidence) -> Iterator[Problem]:
    """Each merge changes files of its node's allowlist only, and no frozen test."""
    tests = {path for node in evidence.plan.nodes for path in node.tests}
    for facts in merges(evidence):
        node = evidence.plan.node(facts.commit.trailers[NODE])
        for path in facts.changed:
            if path in tests:
                yield _outside(evidence, facts, path, f"changes the frozen test {path}", node)
            elif path not in node.files:
                yield _outside(
                    evidence, facts, path, f"changes {path}, outside its allowlist", node
                )


def _outside(evidence: Evidence, facts: CommitFacts, path: str, does: str, node: Node) -> Problem:
    what = f"commit {short(facts.commit.oid)} (node {node.id}) {does} ({', '.join(node.files)})"
    return Problem(
        "scope", what, restore(evidence.plan), facts.commit.oid, node.id,
        expected=", ".join(node.files), found=path,
    )  # fmt: skip


def _contract(evidence: Evidence) -> Iterator[Problem]:
    """Each test file that was put on the branch belongs to a node."""
    for path, node_id in evidence.ownerless.items():
        yield Problem(
            "contract",
            f"{path} was put on the branch as a test of {node_id}, and no node of the plan has it",
            "plan the task again, or take the file out before you merge the branch",
            commit=evidence.tip,
            found=path,
        )


def _trees(evidence: Evidence) -> Iterator[Problem]:
    """Each merge commit's tree is the one on its receipt."""
    receipts = {receipt.node: receipt for receipt in evidence.receipts}
    for facts in merges(evidence):
        expected, found = receipts[facts.commit.trailers[NODE]].tree, facts.commit.tree
        if found != expected:
            about = "the tree on its receipt"
            yield differing("trees", evidence.plan, facts.commit, about, expected, found)


def _views(evidence: Evidence) -> Iterator[Problem]:
    """What was gated is each merge's tree less exactly the tests of nodes that were to come.

    A receipt of a version that had no views says that nothing was held back.
    """
    receipts = {receipt.node: receipt for receipt in evidence.receipts}
    for facts in merges(evidence):
        receipt = receipts[facts.commit.trailers[NODE]]
        expected, found = facts.view, receipt.view
        if expected and found is not None and found != expected:
            about = "its view, the tree without the tests of nodes that were to come"
            yield differing("views", evidence.plan, facts.commit, about, expected, found)


def _journal(evidence: Evidence) -> Iterator[Problem]:
    """Director moved the branch to its tip, and each merge's receipt is the one noted then."""
    journal, plan = evidence.journal, evidence.plan
    if journal is None:
        if evidence.at_home:
            yield _missing(
                evidence, "journal", "tips.jsonl", "`director run` gates what merged again"
            )
        return
    written = {receipt.merged: receipt for receipt in evidence.receipts}
    for facts in merges(evidence):
        noted = journal.receipts.get(facts.commit.oid)
        if noted is None:
            node_id = facts.commit.trailers[NODE]
            yield Problem(
                "journal",
                f"commit {short(facts.commit.oid)} (node {node_id}): director noted no such merge",
                f"`director run` gates it again; else {restore(plan)}",
                facts.commit.oid, node_id, expected="a receipt in tips.jsonl", found="none",
            )  # fmt: skip
        elif noted != written.get(facts.commit.oid):
            about = "the receipt that was noted when it merged"
            yield differing(
                "journal", plan, facts.commit, about, "the line in receipts.jsonl", "another"
            )
    if evidence.tip not in journal.tips:
        yield Problem(
            "journal",
            f"{plan.job_branch} is at {short(str(evidence.tip))}, where director never moved it",
            restore(plan),
            commit=evidence.tip,
        )


CHECKS: dict[str, Check] = {
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
