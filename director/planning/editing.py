"""The second approval as artifacts: tests laid out for editing, and taken back as they are then."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from director.job.context import JobContext
from director.job.receipts import gated_command
from director.job.trailers import KIND, NODE, TESTS, single_line
from director.job.views import Contents, views_of
from director.model.errors import RequestError
from director.model.plan import Node, Plan
from director.model.receipt import Receipt
from director.planning.authoring import admit, commit_entries, fingerprint
from director.records.events import Kind
from director.records.files import make_folder, os_errors_stop
from director.repositories.job_repository import ABSENT_MODE, Entry


def export_tests(job: JobContext, nodes: tuple[Node, ...]) -> None:
    """Write every node's tests, as they are on the branch, into the job's ``tests/`` folder."""
    folder = job.directory.tests
    shutil.rmtree(folder, ignore_errors=True)
    tip = job.repository.tip()
    for node in nodes:
        for path, content in job.repository.contents(tip, node.tests).items():
            target = folder / path
            with os_errors_stop(target):
                make_folder(target.parent)
                target.write_bytes(content)


@dataclass(frozen=True)
class Draft:
    """A plan as it is on disk. ``entries`` are its tests, as they are to be on the branch.

    ``contents`` are all contents that a test file has at one of its nodes.
    """

    plan: Plan
    entries: Mapping[str, Entry]
    contents: Contents


def draft_of(job: JobContext, plan: Plan, *, edited_only: bool) -> Draft:
    """Return ``plan`` with its tests frozen as they are on disk now.

    Of a file that several nodes extend that is what it holds at the last one; at the others it
    stays as it was written. ``edited_only``: a test that is not in the job's ``tests/`` folder is
    as it is on the branch. RequestError names one that is missing.
    """
    drafting = _Drafting(job, plan, edited_only)
    hashes: dict[str, dict[str, str]] = {node.id: {} for node in plan.nodes}
    entries: dict[str, Entry] = {}
    contents: dict[tuple[str, str], Entry] = {}
    for path, owners in plan.owners.items():
        entry = entries[path] = drafting.last(path)
        for owner in reversed(owners):
            if owner != owners[-1]:
                entry = drafting.earlier(path, owner) or entry
            digest = drafting.digest(entry)
            hashes[owner][path] = digest
            contents[path, digest] = entry
    nodes = (
        node._replace(test_hashes={path: hashes[node.id][path] for path in node.tests})
        for node in plan.nodes
    )
    return Draft(plan._replace(nodes=tuple(nodes)), entries, contents)


class _Drafting:
    """What test files hold: on disk, on the branch, and at earlier nodes."""

    def __init__(self, job: JobContext, plan: Plan, edited_only: bool) -> None:
        self._job = job
        self._plan = plan
        self._edited_only = edited_only
        self._tip = job.repository.tip()
        self._on_branch = job.repository.contents(self._tip, plan.owners)
        self._entries = job.repository.entries(self._tip, plan.owners)
        self._brought = _brought(job, plan.base_commit, self._tip)
        self._views = views_of(job.repository, plan)

    def last(self, path: str) -> Entry:
        """Return what a test file is to hold on the branch: what it does at its last node."""
        owners = self._plan.owners[path]
        owner, now = self._plan.node(owners[-1]), self._on_branch.get(path)
        content = self._on_disk(owner, path)
        ours = set(owners) & self._brought.get(path, set(owners))
        if content in (None, now) and not ours:  # it was written for a node that was dropped
            own = self._views.content_at(self._tip, owner, path)
            if own is not None:
                return own
        content = now if content is None else content
        assert content is not None
        mode = self._entries[path].mode if path in self._entries else "100644"
        return Entry(path, mode, self._job.repository.store(content))

    def earlier(self, path: str, owner: str) -> Entry | None:
        """Return what a test file holds at a node that others follow; None: nobody knows."""
        return self._views.content_at(self._tip, self._plan.node(owner), path)

    def digest(self, entry: Entry) -> str:
        """Return the sha256 of a content."""
        return hashlib.sha256(self._job.repository.objects.get(entry.oid).data).hexdigest()

    def _on_disk(self, node: Node, path: str) -> bytes | None:
        """Return what is in the job's ``tests/`` folder; None: what is on the branch is meant."""
        try:
            return (self._job.directory.tests / path).read_bytes()
        except OSError:
            if self._edited_only and path in self._on_branch:
                return None
            raise RequestError(
                f"node {node.id}: its test {path} is not in {self._job.directory.tests}",
                'put the file there, or take it out of the node\'s "tests" in plan.json',
            ) from None


def refuse_merged(plan: Plan, receipts: Iterable[Receipt]) -> None:
    """Raise RequestError where ``plan`` is at odds with the receipts of what merged."""
    for receipt in receipts:
        if changed := _changed_since(plan, receipt):
            raise RequestError(
                f"node {receipt.node} is merged: {changed} cannot change any more",
                "restore that in plan.json, then `director plan --continue`; "
                "plan what is to be different as a new task",
            )


def _changed_since(plan: Plan, receipt: Receipt) -> str:
    if receipt.node not in plan:
        return "it"
    node = plan.node(receipt.node)
    if gated_command(receipt) != single_line(node.test_cmd):
        return "its test_cmd"
    if dict(receipt.tests) != dict(node.test_hashes):
        return "its tests"
    return "" if set(receipt.files) <= set(node.files) else "its files"


def admit_edited(job: JobContext, draft: Draft, admitted: Mapping[str, str]) -> None:
    """Check that the tests of each edited node are red.

    ``admitted`` maps node ids to the fingerprints under which they were seen red; others count as
    edited. Tests run on the base with the node's view of the tests: what merged plays no part.
    RequestError names a node whose tests are not red.
    """
    edited = [node for node in draft.plan.nodes if fingerprint(node) != admitted.get(node.id)]
    if not edited:
        return
    base = draft.plan.base_commit
    tree = job.repository.tree_with(base, draft.entries.values())
    commit = job.repository.commit(tree, base, "Edited tests\n")
    views = views_of(job.repository, draft.plan, draft.contents)
    job.pool.set_up_on(views.of_tip)
    by_edit = f"edit them in {job.directory.tests}, or the node in plan.json"
    with job.pool.lane() as lane:
        for node in edited:
            admission = admit(job, views, node, lane.gate, commit)
            if problem := admission.problem:
                raise RequestError(
                    f"the tests of node {node.id} cannot be admitted: {problem.splitlines()[0]}",
                    f"{admission.next_step or by_edit}; then `director plan --continue`",
                )


def put_contract_on_branch(job: JobContext, draft: Draft) -> None:
    """Make the branch hold exactly the tests of the plan, besides what merged.

    A notice names the tests that are removed.
    """
    repository, base, tip = job.repository, draft.plan.base_commit, job.repository.tip()
    brought = _brought(job, base, tip)
    before = repository.entries(base, brought)
    found = repository.entries(tip, {**brought, **draft.entries})
    dropped = {
        path: before.get(path, Entry(path, ABSENT_MODE, "0" * len(base)))
        for path in brought.keys() - draft.entries.keys()
        if found.get(path) != before.get(path)
    }
    if dropped:
        named = ", ".join(
            f"{path} (of {', '.join(sorted(brought[path]))})" for path in sorted(dropped)
        )
        job.events.emit(
            Kind.NOTICE, message=f"taken off the branch, since the plan does not have them: {named}"
        )
    edited = {path: entry for path, entry in draft.entries.items() if found.get(path) != entry}
    owners = {path: draft.plan.owners[path][-1] for path in edited}
    extended = {path for path in edited if path in draft.plan.shared_tests}
    alone = edited.keys() - extended
    ids = {one for path in dropped for one in brought[path]} | {owners[path] for path in alone}
    if ids:
        entries = [*dropped.values(), *(edited[path] for path in sorted(alone))]
        commit_entries(job, "Tests as approved", sorted(ids), entries)
    for path in sorted(extended):  # apart, so that it is known for which node it was written
        commit_entries(job, f"Tests of {owners[path]}", [owners[path]], [edited[path]])


def _brought(job: JobContext, base: str, tip: str) -> dict[str, set[str]]:
    """Return path → nodes of the last commit of tests that changed it."""
    return {
        change.path: {value for key, value in commit.pairs if key == NODE}
        for commit in job.repository.log(base, tip)
        if commit.trailers.get(KIND) == TESTS
        for change in job.repository.changes(commit.parents[0], commit.oid)
    }


def remove_exported_tests(job: JobContext) -> None:
    """Remove the folder of editable tests: from now on they are frozen."""
    shutil.rmtree(job.directory.tests, ignore_errors=True)
