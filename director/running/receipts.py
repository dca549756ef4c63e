"""What a merge rests on, put on record: the trailers of its commit and a line of receipts."""

from __future__ import annotations

import json

from director.job.context import JobContext
from director.job.tools import tool_versions
from director.job.trailers import tests_hash
from director.model.receipt import Receipt
from director.records import files
from director.records.clock import now
from director.records.events import Kind
from director.running.node_work import NodeWork
from director.running.progress import Candidate


def commit_gated(
    work: NodeWork, candidate: Candidate, attempts: int, tree: str, parent: str
) -> Receipt:
    """Commit ``tree`` on ``parent``; the candidate's last gate was green on the node's view of it.

    Returns the receipt; its ``merged`` is the new commit, not on the branch yet.
    """
    job, node = work.job, work.node
    gated = candidate.gates[-1].tree
    draft = Receipt(
        ts=now(),
        job_id=job.job_id,
        node=node.id,
        base=candidate.base,
        candidate=candidate.commit,
        merged="",
        tree=tree,
        parent=parent,
        tests=dict(node.test_hashes),
        tests_hash=tests_hash(node),
        gates=candidate.gates,
        files=(),
        tier=candidate.role.value if candidate.role else None,
        model=job.config.tiers[candidate.role] if candidate.role else None,
        attempts=attempts,
        tools=tool_versions(job.repository.git, job.agents.caller.versions()),
        confinement=job.confinement,
        view=gated if gated != tree else None,
    )
    return job.commits.merge(node, draft)


def restore_receipts(job: JobContext) -> None:
    """Make ``receipts.jsonl`` hold the receipts that were noted when the branch moved.

    A crash may have kept some from being written; what others wrote is said and undone.
    """
    noted = [receipt.to_json() for receipt in job.repository.receipts.values()]
    known = {json.dumps(line, sort_keys=True) for line in noted}
    found = [json.dumps(x, sort_keys=True) for x in files.read_lines(job.directory.receipts)]
    if strange := len(found) - len(known & set(found)):
        job.events.emit(
            Kind.NOTICE,
            message=f"{job.directory.receipts} held lines that director did not write "
            f"({strange}): it was restored",
        )
    if strange or len(found) != len(noted):
        files.write_lines(job.directory.receipts, noted)
