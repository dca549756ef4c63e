"""Whether the frozen tests are what plan.json says, wherever they stand on the branch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from director.job.trailers import KIND, MERGE, NODE, TESTS
from director.model.plan import Plan
from director.verifying.evidence import Evidence, receipted
from director.verifying.problem import Problem, short


def frozen_tests(evidence: Evidence) -> Iterator[Problem]:
    """The frozen tests are what plan.json says, at every merge and at the tip.

    Before the last commit of tests that is asked of the nodes merged by then: a plan that was
    admitted again may have changed the others. Of a file that several nodes extend it is asked what
    it holds at the last one; what it does at the others is in their views, or, where nothing was
    held back, in the merge. So it is of one whose last node is gone from the plan since.
    """
    yield from _own_tests(evidence)
    kinds = [facts.commit.trailers[KIND] for facts in evidence.commits]
    changed_last = max((place for place, kind in enumerate(kinds) if kind == TESTS), default=-1)
    places = [
        (place, facts.commit.oid, facts.tests)
        for place, facts in enumerate(evidence.commits)
        if kinds[place] == MERGE
    ]
    merged_at = {evidence.commits[place].commit.trailers[NODE]: place for place, _, _ in places}
    if evidence.tip is not None:
        places.append((len(kinds), evidence.tip, evidence.tip_tests))
    owners = {path: ids[-1] for path, ids in evidence.plan.owners.items()}
    looked_at: Mapping[str, str] | None = None
    for place, commit, tests in places:
        if tests is not looked_at:  # most merges hold the same tests
            looked_at, differ = tests, _differing_tests(evidence.plan, tests)
        for path, expected, found in differ:
            owner = owners[path]
            merged = merged_at.get(owner, place + 1) <= place
            seen = place < len(kinds) and path in evidence.commits[place].held_back
            if place > changed_last or (merged and not seen):
                yield _changed_test(commit, path, owner, expected, found)


def _own_tests(evidence: Evidence) -> Iterator[Problem]:
    """Where nothing was held back, a merge holds its node's tests as they are at that node."""
    for facts, node, receipt in receipted(evidence):
        for path, expected in node.test_hashes.items() if receipt.view is None else ():
            found = facts.tests.get(path, "none")
            if found != expected:
                yield _changed_test(facts.commit.oid, path, node.id, expected, found)


def _changed_test(commit: str, path: str, owner: str, expected: str, found: str) -> Problem:
    values = f"expected sha256 {short(expected)}, found {short(found)}"
    what = f"commit {short(commit)}: frozen test {path} of node {owner}: {values}"
    return Problem(what, "", commit, owner, expected, found)


def _differing_tests(plan: Plan, tests: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Return path, expected and found sha256 of each frozen test that is not as planned."""
    found = ((path, digest, tests.get(path, "none")) for path, digest in plan.contract.items())
    return [one for one in found if one[1] != one[2]]
