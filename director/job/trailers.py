"""The trailers of director's commits: git itself is the record that a resumed run believes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from director.model.plan import Node, Plan
from director.repositories.branch_commits import BranchCommit

PREFIX = "Director-"
JOB = "Director-Job"
NODE = "Director-Node"
KIND = "Director-Kind"
VIEW = "Director-View"
MERGE, TESTS, CANDIDATE = "merge", "tests", "candidate"
SIGNED_OFF = "Signed-off-by"  # git-commit(1), --signoff


def commit_message(text: str, trailers: Mapping[str, object], signed_off: str = "") -> str:
    """Return a commit message: ``text``, then ``Director-*`` trailers, in the order given.

    A value that is a tuple gives one trailer for each of its elements. The last says who
    ``signed_off`` ("": not signed off). They form the last paragraph, where git looks for trailers.
    """
    lines = [f"{key}: {value}" for key, value in trailer_pairs(trailers)]
    lines += [f"{SIGNED_OFF}: {single_line(signed_off)}"] if signed_off else []
    return f"{text}\n\n" + "\n".join(lines) + "\n"


def trailer_pairs(trailers: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """Return the trailers as git gives them back: full keys, values on one line."""
    return tuple(
        (f"{PREFIX}{name}", single_line(str(value)))
        for name, given in trailers.items()
        for value in (given if isinstance(given, tuple) else (given,))
    )


def single_line(text: str) -> str:
    """Return ``text`` on one line; white space is collapsed, lone surrogates are escaped."""
    return " ".join(text.encode(errors="backslashreplace").decode().split())


def attempts_said(trailers: Mapping[str, str]) -> int:
    """Return how many attempts a merge took, as its trailers say it; 0 where they do not."""
    said = trailers.get(f"{PREFIX}Attempts", "")
    return int(said) if said.isdecimal() else 0


def tests_hash(node: Node) -> str:
    """Return one sha256 (hex) over the node's frozen tests: paths and hashes, sorted."""
    lines = "".join(f"{path}\0{digest}\n" for path, digest in sorted(node.test_hashes.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def why_foreign(plan: Plan, commit: BranchCommit, before: str) -> str | None:
    """Say why ``commit`` cannot be one that director put on the commit ``before``; None: it can.

    Nothing but its parents and trailers is looked at, which can be copied.
    """
    said = commit.trailers
    if commit.parents != (before,):
        parents = ", ".join(parent[:12] for parent in commit.parents) or "none"
        return f"expected the one parent {before[:12]}, found {parents}"
    if said.get(JOB) != plan.job_id and not _planned_for(plan, said):
        return f"expected {JOB}: {plan.job_id}, found {said.get(JOB, 'none')}"
    if said.get(KIND) not in (MERGE, TESTS) or NODE not in said:
        return f"it is neither a merge nor a node's tests ({KIND}: {said.get(KIND, 'none')})"
    if said[KIND] == MERGE and said[NODE] not in plan:
        return f"it merges node {said[NODE]}, which is not in the plan"
    return None


def _planned_for(plan: Plan, said: Mapping[str, str]) -> bool:
    """Whether these are trailers of tests from which a bench made jobs, one for each profile."""
    return said.get(KIND) == TESTS and plan.job_id.startswith(f"{said.get(JOB)}-")
