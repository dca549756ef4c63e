"""What a merge rests on, put on record: the trailers of its commit and a line of receipts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from director.job.context import JobContext
from director.job.tools import tool_versions
from director.job.trailers import tests_hash
from director.model.codec.encoding import encode
from director.model.plan import Node
from director.model.receipt import GateRun, Receipt
from director.model.roles import Role
from director.records import files
from director.records.clock import now
from director.records.events import Kind
from director.worktrees.gates import GateResult


def gate_run(purpose: str, commit: str, tree: str, result: GateResult) -> GateRun:
    """Return what a receipt says of a gate of ``commit``, of which ``tree`` was checked out."""
    return GateRun(
        purpose=purpose,
        command=result.command,
        verdict=result.verdict.value,
        exit_code=result.code,
        wall_secs=round(result.wall_secs, 3),
        commit=commit,
        tree=tree,
        tests_run=result.tests_run,
    )


@dataclass(frozen=True)
class Origin:
    """Where a merge comes from: ``base`` and ``candidate`` as in the receipt.

    ``role`` None: nobody was asked.
    """

    base: str
    candidate: str
    role: Role | None = None
    attempts: int = 0


def commit_gated(
    job: JobContext, node: Node, tree: str, runs: Sequence[GateRun], origin: Origin, parent: str
) -> Receipt:
    """Commit ``tree`` on ``parent``; the last of ``runs`` was green on the node's view of it.

    Returns the receipt; its ``merged`` is the new commit, not on the branch yet.
    """
    gated = runs[-1].tree
    draft = Receipt(
        ts=now(),
        job_id=job.job_id,
        node=node.id,
        base=origin.base,
        candidate=origin.candidate,
        merged="",
        tree=tree,
        parent=parent,
        tests=dict(node.test_hashes),
        tests_hash=tests_hash(node),
        gates=tuple(runs),
        files=(),
        tier=origin.role.value if origin.role else None,
        model=job.config.tiers[origin.role] if origin.role else None,
        attempts=origin.attempts,
        tools=tool_versions(job.repository.git, job.agents.caller.versions()),
        confinement=job.confinement,
        view=gated if gated != tree else None,
    )
    return job.commits.merge(node, draft)


def append_receipt(job: JobContext, receipt: Receipt) -> None:
    """Append a receipt; on disk when this returns."""
    files.append_line(job.directory.receipts, encode(receipt), durable=True)


def restore_receipts(job: JobContext) -> None:
    """Make ``receipts.jsonl`` hold the receipts that were noted when the branch moved.

    A crash may have kept some from being written; what others wrote is said and undone.
    """
    noted = [encode(receipt) for receipt in job.repository.receipts.values()]
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
