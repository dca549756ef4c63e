"""Gate 2 as artifacts: tests laid out for editing, and taken back as they are then."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from director.job.receipts import gated_command
from director.job.surroundings import made_by
from director.job.trailers import KIND, NODE, TESTS, single_line
from director.job.workbench import Workbench
from director.model.errors import RequestError
from director.model.plan import Node, Plan
from director.model.receipt import Receipt
from director.planning.authoring import admit, commit_entries, fingerprint
from director.records.events import Kind
from director.records.files import explained, make_folder
from director.workspace.job_repository import ABSENT_MODE, Entry


def lay_out(bench: Workbench, nodes: tuple[Node, ...]) -> None:
    """Write every node's tests, as they are on the branch, into the job's ``tests/`` folder."""
    folder = bench.directory.tests
    shutil.rmtree(folder, ignore_errors=True)
    tip = bench.job.tip()
    for node in nodes:
        for path, content in bench.job.contents(tip, node.tests).items():
            target = folder / path
            with explained(target):
                make_folder(target.parent)
                target.write_bytes(content)


@dataclass(frozen=True)
class Draft:
    """A plan as it is on disk. ``entries`` are its tests, as they are to be on the branch."""

    plan: Plan
    entries: Mapping[str, Entry]


def draft_of(bench: Workbench, plan: Plan, *, edited_only: bool) -> Draft:
    """Return ``plan`` with its tests frozen as they are on disk now.

    ``edited_only``: a test that is not in the job's ``tests/`` folder is as it is on the branch.
    RequestError names one that is missing.
    """
    tip = bench.job.tip()
    paths = [path for node in plan.nodes for path in node.tests]
    kept = bench.job.contents(tip, paths) if edited_only else {}
    contents = {
        path: _content(bench, node, path, kept) for node in plan.nodes for path in node.tests
    }
    known = bench.job.entries(tip, paths)
    entries = {
        path: Entry(path, known[path].mode if path in known else "100644", bench.job.store(content))
        for path, content in contents.items()
    }
    hashes = {path: hashlib.sha256(content).hexdigest() for path, content in contents.items()}
    nodes = (
        node._replace(test_hashes={path: hashes[path] for path in node.tests})
        for node in plan.nodes
    )
    return Draft(plan._replace(nodes=tuple(nodes)), entries)


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


def admit_edited(bench: Workbench, draft: Draft, admitted: Mapping[str, str]) -> None:
    """Check that the tests of each edited node are red.

    ``admitted`` maps node ids to the fingerprints under which they were seen red; others count as
    edited. Tests run on the base with the tests of all nodes: what merged plays no part.
    RequestError names a node whose tests are not red.
    """
    edited = [node for node in draft.plan.nodes if fingerprint(node) != admitted.get(node.id)]
    if not edited:
        return
    base = draft.plan.base_commit
    tree = bench.job.tree_with(base, draft.entries.values())
    commit = bench.job.commit(tree, base, "Edited tests\n")
    to_come = made_by(draft.plan.nodes)
    by_edit = f"edit them in {bench.directory.tests}, or the node in plan.json"
    with bench.pool.lane() as lane:
        for node in edited:
            admission = admit(bench, node, lane.gate, commit, to_come)
            if problem := admission.problem:
                raise RequestError(
                    f"the tests of node {node.id} cannot be admitted: {problem.splitlines()[0]}",
                    f"{admission.next_step or by_edit}; then `director plan --continue`",
                )


def put_contract_on_branch(bench: Workbench, draft: Draft) -> None:
    """Make the branch hold exactly the tests of the plan, besides what merged.

    A notice names the tests that are removed.
    """
    job, base, tip = bench.job, draft.plan.base_commit, bench.job.tip()
    brought = _brought(bench, base, tip)
    before = job.entries(base, brought)
    found = job.entries(tip, {**brought, **draft.entries})
    dropped = {
        path: before.get(path, Entry(path, ABSENT_MODE, "0" * len(base)))
        for path in brought.keys() - draft.entries.keys()
        if found.get(path) != before.get(path)
    }
    if dropped:
        named = ", ".join(f"{path} (of {brought[path]})" for path in sorted(dropped))
        bench.events.emit(
            Kind.NOTICE, message=f"taken off the branch, since the plan does not have them: {named}"
        )
    edited = {path: entry for path, entry in draft.entries.items() if found.get(path) != entry}
    owners = {path: node.id for node in draft.plan.nodes for path in node.tests}
    ids = sorted({brought[path] for path in dropped} | {owners[path] for path in edited})
    if ids:
        commit_entries(bench, "Tests as approved", ids, [*dropped.values(), *edited.values()])


def _brought(bench: Workbench, base: str, tip: str) -> dict[str, str]:
    """Return path → node of what the branch's commits of tests changed."""
    return {
        change.path: commit.trailers[NODE]
        for commit in bench.job.log(base, tip)
        if commit.trailers.get(KIND) == TESTS
        for change in bench.job.changes(commit.parents[0], commit.oid)
    }


def clear_away(bench: Workbench) -> None:
    """Remove the folder of editable tests: from now on they are frozen."""
    shutil.rmtree(bench.directory.tests, ignore_errors=True)


def _content(bench: Workbench, node: Node, path: str, kept: Mapping[str, bytes]) -> bytes:
    place = bench.directory.tests / path
    try:
        return place.read_bytes()
    except OSError:
        if path in kept:
            return kept[path]
        raise RequestError(
            f"node {node.id}: its test {path} is not in {bench.directory.tests}",
            'put the file there, or take it out of the node\'s "tests" in plan.json',
        ) from None
