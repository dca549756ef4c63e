"""The checks, in their order: pure functions of the evidence, each names the first thing wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from director.job.trailers import JOB, KIND, MERGE, NODE, TESTS
from director.model.plan import Node, Plan
from director.verifying.agreement import agreement
from director.verifying.evidence import CommitFacts, Evidence, merges
from director.verifying.problem import Problem, differing, restore, short, shorts

Check = Callable[[Evidence], Iterator[Problem]]


def run_checks(evidence: Evidence) -> tuple[tuple[str, ...], Problem | None]:
    """Return the names of the checks that hold, up to the first that does not, and its problem."""
    held: list[str] = []
    for name, check in CHECKS.items():
        if problem := next(check(evidence), None):
            return tuple(held), problem
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


def _commits(evidence: Evidence) -> Iterator[Problem]:
    """Every commit is director's own, on the one before it; tests come before merges."""
    before, merging = evidence.plan.base_commit, False
    for facts in evidence.commits:
        commit = facts.commit
        strange = _strangeness(evidence.plan, facts, before, merging)
        if strange:
            yield Problem(
                "commits",
                f"foreign commit {short(commit.oid)}: {strange}",
                f"look at it with `git show {short(commit.oid)}`; to keep it: "
                f"`git branch mine {short(commit.oid)}`. {restore(evidence.plan)}",
                commit=commit.oid,
                node=commit.trailers.get(NODE),
            )
        before, merging = commit.oid, merging or commit.trailers.get(KIND) == MERGE


def _strangeness(plan: Plan, facts: CommitFacts, before: str, merging: bool) -> str | None:
    commit, said = facts.commit, facts.commit.trailers
    if commit.parents != (before,):
        return f"expected the one parent {short(before)}, found {shorts(commit.parents)}"
    if said.get(JOB) != plan.job_id:
        return f"expected {JOB}: {plan.job_id}, found {said.get(JOB, 'none')}"
    if said.get(KIND) not in (MERGE, TESTS) or NODE not in said:
        return f"it is neither a merge nor a node's tests ({KIND}: {said.get(KIND, 'none')})"
    if said[KIND] == MERGE:
        known = plan.has(said[NODE])
        return None if known else f"it merges node {said[NODE]}, which is not in the plan"
    if merging:
        return "it changes tests after the first merge"
    implements = sorted(plan.allowlisted.intersection(facts.changed))
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


def _tests(evidence: Evidence) -> Iterator[Problem]:
    """The frozen tests are what plan.json says, at every merge and at the tip."""
    places = [(facts.commit.oid, facts.tests) for facts in merges(evidence)]
    if evidence.tip is not None:
        places.append((evidence.tip, evidence.tip_tests))
    owners = {path: node.id for node in evidence.plan.nodes for path in node.test_hashes}
    for commit, tests in places:
        for path, expected in evidence.plan.contract.items():
            found = tests.get(path, "none")
            if found != expected:
                yield Problem(
                    "tests",
                    f"commit {short(commit)}: frozen test {path} of node {owners[path]}: "
                    f"expected sha256 {short(expected)}, found {short(found)}",
                    restore(evidence.plan),
                    commit, owners[path], expected, found,
                )  # fmt: skip


def _trees(evidence: Evidence) -> Iterator[Problem]:
    """Each merge commit's tree is the one on its receipt, which is the one that was gated."""
    receipts = {receipt.node: receipt for receipt in evidence.receipts}
    for facts in merges(evidence):
        expected, found = receipts[facts.commit.trailers[NODE]].tree, facts.commit.tree
        if found != expected:
            about = "the tree that was gated"
            yield differing("trees", evidence.plan, facts.commit, about, expected, found)


CHECKS: dict[str, Check] = {
    "branch": _branch,
    "commits": _commits,
    "receipts": _receipts,
    "agreement": agreement,
    "scope": _scope,
    "tests": _tests,
    "trees": _trees,
}
