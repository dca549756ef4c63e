"""What a run believes when it begins: merges that director noted, or gated again; then the state.

Any process can write trailers and refs; a merge counts when the journal of tips has its
receipt. One without (the journal was lost, or a commit was forged) is gated again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from director.job.context import JobContext
from director.job.receipts import changed_files, rebuilt_receipt
from director.job.reconciling import merges_by_node, rebuilt, reconciled
from director.job.seal import Seal
from director.job.trailers import KIND, MERGE, NODE, VIEW, why_foreign
from director.job.views import HeldBack, views_of
from director.model.codec.encoding import encode
from director.model.errors import RequestError, StoppedError
from director.model.plan import Plan
from director.model.repairing import repairs_in
from director.model.state import RunState
from director.records import files, json_lines
from director.records.events import Kind
from director.repositories.branch_commits import BranchCommit
from director.running.node_gates import NodeGates
from director.running.node_work import NodeWork


def believed_state(job: JobContext, plan: Plan, seal: Seal, *, retry_failed: bool) -> RunState:
    """Return the state to begin with; a damaged ``state.json`` is put aside and rebuilt.

    What is done has a merge with a receipt in the journal of tips. Raises StoppedError when the
    branch does not hold the frozen tests, RequestError for a commit that is not director's.
    """
    state = _stored_state(job, plan)
    commits = [*job.repository.steps(plan.base_commit, job.repository.tip())][::-1]
    _check_contract(job, plan, seal, commits)
    _check_lineage(job, plan, seal, commits)
    merges = merges_by_node(commits)
    views = views_of(job.repository, plan, rule=HeldBack.TO_COME_AT_MERGE)
    for node_id, commit in merges.items():
        if not _noted(job, commit):
            _gate_again(NodeWork(job, views, plan.node(node_id)), commit)
    restore_receipts(job)
    state = reconciled(state, merges, retry_failed=retry_failed)
    for node in repairs_in(plan):
        assert node.repairs is not None
        state = state.changed(node.id, repairs=node.repairs.gate)
    return state


def restore_receipts(job: JobContext) -> None:
    """Make ``receipts.jsonl`` hold the receipts that were noted when the branch moved.

    A crash may have kept some from being written; what others wrote is said and undone. There may
    be thousands: of each only a digest is kept.
    """
    noted = job.repository.receipts.values()
    known = {_digest(encode(receipt)) for receipt in noted}
    found = [_digest(line) for line in json_lines.each_line(job.directory.receipts)]
    if strange := len(found) - len(known & set(found)):
        said = f"held lines that director did not write ({strange}): it was restored"
        job.events.notice(f"{job.directory.receipts} {said}")
    if strange or len(found) != len(noted):
        json_lines.write_lines(job.directory.receipts, map(encode, noted))


def _digest(line: Mapping[str, Any]) -> bytes:
    return sha256(json.dumps(line, sort_keys=True).encode()).digest()


def _stored_state(job: JobContext, plan: Plan) -> RunState:
    directory = job.directory
    try:
        return directory.load_state(plan)
    except files.DamagedFileError as error:
        aside = directory.state.with_suffix(".damaged")
        directory.state.replace(aside)
        job.events.notice(f"{error.what}; put aside as {aside} and rebuilt")
        return rebuilt(plan, json_lines.read_lines(directory.metrics))


def _check_contract(
    job: JobContext, plan: Plan, seal: Seal, commits: Sequence[BranchCommit]
) -> None:
    """Raise StoppedError unless the tip holds the frozen tests."""
    tip = job.repository.tip()
    if seal.contract in (plan.base_commit, *(commit.oid for commit in commits)):
        found = job.repository.hashes(tip, plan.contract)
        if found == plan.contract:
            return
    raise StoppedError(
        f"the job branch in {job.repository.path} is at {tip}, "
        "which does not hold the frozen tests",
        f"see {job.directory.tips}; where nothing can be restored, plan the task again",
    )


def _check_lineage(
    job: JobContext, plan: Plan, seal: Seal, commits: Sequence[BranchCommit]
) -> None:
    """Raise RequestError for a commit of another job, a second merge of a node, or late tests."""
    merged: set[str] = set()
    before, sealed = plan.base_commit, plan.base_commit == seal.contract
    for commit in commits:
        said = commit.trailers
        strange = why_foreign(plan, commit, before)
        if not strange and said[KIND] == MERGE:
            strange = f"node {said[NODE]} is merged already" if said[NODE] in merged else None
            merged.add(said[NODE])
        elif not strange and sealed:
            strange = "it changes tests, which are frozen"
        if strange:
            raise _foreign(job, commit, strange)
        before, sealed = commit.oid, sealed or commit.oid == seal.contract


def _noted(job: JobContext, commit: BranchCommit) -> bool:
    """Whether the journal has a receipt of this very merge."""
    receipt = job.repository.receipts.get(commit.oid)
    return receipt is not None and (receipt.node, receipt.tree, (receipt.parent,)) == (
        commit.trailers[NODE],
        commit.tree,
        commit.parents,
    )


def _gate_again(work: NodeWork, commit: BranchCommit) -> None:
    """Gate a merge on a clean checkout, and note a receipt of that; RequestError unless green.

    What was gated is the node's view if the commit says so, else all of it: an earlier version
    held nothing back.
    """
    job, node, plan = work.job, work.node, work.views.plan
    if VIEW not in commit.trailers:
        views = views_of(job.repository, plan, rule=HeldBack.NOTHING)
        work = NodeWork(work.job, views, work.node)
    elif commit.trailers[VIEW] != (view := work.tree(commit.oid)):
        strange = (
            f"director recorded no such merge of {node.id}, which saw {view} of it, not its {VIEW}"
        )
        raise _foreign(job, commit, strange)
    changed = set(changed_files(job.repository, commit.parents[0], commit.oid))
    if beyond := sorted(changed - (set(node.files) - set(plan.contract))):
        raise _foreign(job, commit, f"it changes {beyond[0]}, outside of node {node.id}")
    with job.pool.lane() as lane:
        gates = NodeGates(work, lane.gate)
        failure = gates.judge(commit.oid, "rebuilt")
        runs = gates.green_runs(commit.oid)
    if failure:
        lacking = f"its {failure.check.name} are not green: {failure.gate.failure}"
        raise _foreign(job, commit, f"director recorded no such merge of {node.id}, and {lacking}")
    receipt = rebuilt_receipt(job.repository, commit, node, runs)
    job.repository.accept(receipt._replace(confinement=job.confinement))
    message = f"there was no receipt of {node.id} ({commit.oid}): gated again, it is green"
    work.emit(Kind.NOTICE, message=message)


def _foreign(job: JobContext, commit: BranchCommit, strange: str) -> RequestError:
    return RequestError(
        f"commit {commit.oid} on the job branch is not director's: {strange}",
        f"look at it with `git --git-dir {job.repository.path} show {commit.oid}`; "
        f"take its line out of {job.directory.tips}, then run the command again",
    )
