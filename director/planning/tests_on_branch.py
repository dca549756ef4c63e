"""Tests on the job branch, which is the record of what was admitted: put there, and taken off."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from director.job.context import JobContext
from director.job.trailers import KIND, NODE, TESTS
from director.model.plan import Node, Plan
from director.repositories.history import Entry
from director.repositories.objects import ABSENT_MODE


def put_on_branch(job: JobContext, node: Node, commit: str) -> None:
    """Commit the node's tests, as they are in ``commit``, on the tip of the job branch."""
    found = job.repository.entries(commit, node.tests)
    commit_entries(job, f"Tests of {node.id}", [node.id], found.values())


def commit_entries(
    job: JobContext, title: str, node_ids: Sequence[str], entries: Collection[Entry]
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
    entries = [before.get(path, _absent(path, base)) for path in found]
    commit_entries(job, f"Tests of {node_id} removed", [node_id], entries)


def recovered(job: JobContext, nodes: Sequence[Node], since: str) -> tuple[Node, ...]:
    """Return the nodes, those admitted before a crash with their hashes filled in.

    Tests get on the branch only when they are admitted. What counts is each node's own commit,
    since a later one may have extended its files.
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


def bringers(job: JobContext, base: str) -> dict[str, set[str]]:
    """Return path → nodes of the last commit of tests that changed it since ``base``."""
    return {
        change.path: {value for key, value in commit.pairs if key == NODE}
        for commit in job.repository.log(base, job.repository.tip())
        if commit.trailers.get(KIND) == TESTS
        for change in job.repository.changes(commit.parents[0], commit.oid)
    }


class ContractChanges(NamedTuple):
    """What has to change on the tip for it to hold the tests of a plan: path → entry.

    ``dropped`` are those that the plan does not have, as they were before the job. ``brought`` says
    for which nodes tests are on the branch.
    """

    dropped: dict[str, Entry]
    edited: dict[str, Entry]
    brought: Mapping[str, set[str]]


def contract_changes(job: JobContext, plan: Plan, entries: Mapping[str, Entry]) -> ContractChanges:
    """Return what ``entries``, the tests of ``plan``, change on the tip of the branch."""
    repository, base = job.repository, plan.base_commit
    brought = bringers(job, base)
    before = repository.entries(base, brought)
    found = repository.entries(repository.tip(), {**brought, **entries})
    dropped = {
        path: before.get(path, _absent(path, base))
        for path in brought.keys() - entries.keys()
        if found.get(path) != before.get(path)
    }
    edited = {path: entry for path, entry in entries.items() if found.get(path) != entry}
    return ContractChanges(dropped, edited, brought)


def put_contract_on_branch(job: JobContext, plan: Plan, entries: Mapping[str, Entry]) -> None:
    """Make the branch hold exactly ``entries`` for the tests of ``plan``, besides what merged.

    A notice names the tests that are removed.
    """
    dropped, edited, brought = contract_changes(job, plan, entries)
    if dropped:
        named = ", ".join(
            f"{path} (of {', '.join(sorted(brought[path]))})" for path in sorted(dropped)
        )
        job.events.notice(f"taken off the branch, since the plan does not have them: {named}")
    owners = {path: plan.owners[path][-1] for path in edited}
    extended = edited.keys() & plan.shared_tests
    alone = edited.keys() - extended
    if ids := {one for path in dropped for one in brought[path]} | {owners[one] for one in alone}:
        changed = [*dropped.values(), *(edited[path] for path in sorted(alone))]
        commit_entries(job, "Tests as approved", sorted(ids), changed)
    for path in sorted(extended):  # apart, so that it is known for which node it was written
        commit_entries(job, f"Tests of {owners[path]}", [owners[path]], [edited[path]])


def _absent(path: str, oid: str) -> Entry:
    """Return what takes ``path`` out of a tree; ``oid`` is any object id of the repository."""
    return Entry(path, ABSENT_MODE, "0" * len(oid))
