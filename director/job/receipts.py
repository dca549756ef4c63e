"""A merge's receipt and its commit's trailers: the same facts, each made from the other."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from director import __version__
from director.job.trailers import (
    JOB,
    MERGE,
    NODE,
    PREFIX,
    attempts_said,
    single_line,
    tests_hash,
    trailer_pairs,
)
from director.model.merge_policy import CONTRACT, is_of_contract
from director.model.plan import Node
from director.model.receipt import GateRun, Receipt
from director.records.clock import now
from director.repositories.branch_commits import BranchCommit
from director.repositories.git import Git, said_by_git
from director.repositories.history import History

NO_TIER = "none"


def expected_trailers(receipt: Receipt) -> tuple[tuple[str, str], ...]:
    """Return the trailers that the merge commit of ``receipt`` must carry, in their order."""
    return trailer_pairs(merge_trailers(receipt))


def gated_command(receipt: Receipt) -> str:
    """Return the command of the tests that a merge rests on, on one line."""
    return single_line(receipt.gates[0].command) if receipt.gates else ""


def rebuilt_receipt(
    history: History, commit: BranchCommit, node: Node, gates: Sequence[GateRun]
) -> Receipt:
    """Return a receipt of a merge commit that has none, from its trailers.

    ``gates`` are its green gate runs now. What the trailers do not hold (tools) stays empty.
    """
    parent = commit.parents[0]
    said = commit.trailers
    gated = gates[-1].tree if gates else None
    return Receipt(
        ts=now(),
        job_id=said.get(JOB, ""),
        node=said.get(NODE, ""),
        base=said.get(f"{PREFIX}Base", parent),
        candidate=said.get(f"{PREFIX}Candidate", commit.oid),
        merged=commit.oid,
        tree=commit.tree,
        parent=parent,
        tests=dict(node.test_hashes),
        tests_hash=said.get(f"{PREFIX}Tests", tests_hash(node)),
        gates=tuple(gates),
        files=changed_files(history, parent, commit.oid),
        tier=_or_none(said.get(f"{PREFIX}Tier", NO_TIER)),
        model=_or_none(said.get(f"{PREFIX}Model", NO_TIER)),
        attempts=attempts_said(said),
        rebuilt=True,
        view=gated if gated != commit.tree else None,
        amended=f"{PREFIX}Amended" in said,
        rebased=said.get(f"{PREFIX}Rebased", ""),
        repairs=node.repairs.gate if node.repairs else "",
    )


def changed_files(history: History, old: str, new: str) -> tuple[str, ...]:
    """Return the paths in which two commits differ."""
    return tuple(change.path for change in history.changes(old, new))


def merge_trailers(receipt: Receipt) -> Mapping[str, object]:
    """Return the trailers of the merge commit of ``receipt``, for ``commit_message``.

    Of the contract they name the tree only: its runs are as many as there are nodes done.
    """
    seen = {"View": receipt.view} if receipt.view else {}
    amended = {"Amended": "yes"} if receipt.amended else {}
    rebased = {"Rebased": receipt.rebased} if receipt.rebased else {}
    repairs = {"Repairs": receipt.repairs} if receipt.repairs else {}
    own = [run for run in receipt.gates if not is_of_contract(run)]
    held = next((run.tree for run in receipt.gates if run.purpose == CONTRACT), None)
    contract = {"Contract": held} if held else {}
    return {
        "Job": receipt.job_id,
        "Node": receipt.node,
        "Kind": MERGE,
        "Tier": receipt.tier or NO_TIER,
        "Model": receipt.model or NO_TIER,
        "Attempts": receipt.attempts,
        "Base": receipt.base,
        "Candidate": receipt.candidate,
        "Tree": receipt.tree,
        **seen,
        "Tests": receipt.tests_hash,
        **amended,
        **rebased,
        **repairs,
        "Gate": tuple(f"{run.exit_code} {run.purpose} {run.command}" for run in own),
        **contract,
    }


def _or_none(value: str) -> str | None:
    return None if value == NO_TIER else value


def tool_versions(git: Git, clis: Mapping[str, str]) -> dict[str, str]:
    """Return name → version of what works here; what does not say its version is left out.

    ``clis`` are the versions of the agent CLIs that make the calls.
    """
    known = {
        "director": __version__,
        "git": said_by_git(git.env).removeprefix("git version "),
        **clis,
        "python": sys.version.split()[0],
        "platform": "-".join(_platform()),
    }
    return {name: version for name, version in known.items() if version}


def _platform() -> Iterator[str]:
    """Give what `platform.platform` is made of, which starts a process for what it leaves out."""
    yield from (os.uname().sysname, os.uname().release, os.uname().machine)
    with suppress(ValueError, OSError):  # of other systems
        if libc := os.confstr("CS_GNU_LIBC_VERSION"):
            yield f"with-{libc.replace(' ', '')}"
