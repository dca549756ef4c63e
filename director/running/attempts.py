"""Decisions about one node, without effects: who tries next, and what a candidate is."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from director.model.config import ReviewPolicy
from director.model.roles import Role
from director.model.state import Attempt, AttemptOutcome
from director.worktrees.worktrees import Snapshot

SPENDING = frozenset(
    {
        AttemptOutcome.RED,
        AttemptOutcome.NO_TEST_RAN,
        AttemptOutcome.UNCHANGED,
        AttemptOutcome.OUT_OF_SCOPE,
        AttemptOutcome.CONTRACT_VIOLATED,
        AttemptOutcome.CONTEXT_TOO_LONG,
    }
)
FLAKES_TOLERATED = 1
# What the coding agent itself writes into a worktree is not the model's edit.
AGENTS_OWN_FILES = frozenset(
    {
        "opencode.json",
        "opencode.jsonc",
        ".opencode/opencode.json",
        ".opencode/opencode.jsonc",
        ".opencode/.gitignore",
        ".opencode/package.json",
        ".opencode/package-lock.json",
        ".opencode/bun.lock",
    }
)
AGENTS_OWN_FOLDERS = (".opencode/node_modules/", ".opencode/")


@dataclass(frozen=True)
class Judgement:
    """What a candidate is, before any gate: its outcome (None: fit for the gate) and why."""

    outcome: AttemptOutcome | None
    feedback: str


def next_role(tries: Sequence[Attempt], max_attempts: int, *, veto: bool) -> Role | None:
    """Return the tier that tries next, or None when the node has had its chances.

    Only what the model did spends an attempt: a flaky test and a merge that collided do not, nor
    does a reviewer's objection unless it is a ``veto``. The executor has ``max_attempts``; a
    prompt too long for its model ends its turn at once. The escalation tier has one. Where the
    tests fail whatever the work is, nobody tries again.
    """
    if any(one.outcome is AttemptOutcome.AS_BEFORE for one in tries):
        return None
    if sum(one.outcome is AttemptOutcome.FLAKY for one in tries) > FLAKES_TOLERATED:
        return None
    spending = SPENDING | {AttemptOutcome.BLOCKED} if veto else SPENDING
    spent = [one for one in tries if one.outcome in spending]
    if any(one.role is Role.ESCALATION for one in spent):
        return None
    too_long = any(one.outcome is AttemptOutcome.CONTEXT_TOO_LONG for one in spent)
    return Role.ESCALATION if too_long or len(spent) >= max_attempts else Role.EXECUTOR


def judge_snapshot(
    snapshot: Snapshot,
    base_tree: str,
    allowlist: Collection[str],
    contract: Collection[str],
    rewritten: Collection[str] = (),
    to_come: Collection[str] = (),
) -> Judgement:
    """Say whether a worktree holds a candidate: within the allowlist, the contract untouched.

    ``base_tree`` is what the worktree held before. ``rewritten`` is what the test command itself
    changes: it is not the agent's doing. ``to_come`` are those new files that stand where frozen
    tests of other nodes will.
    """
    outside = sorted(snapshot.changed - {*allowlist, *rewritten} - AGENTS_OWN_FILES)
    broken = sorted(snapshot.changed & set(contract) - set(rewritten))
    strays = [
        path
        for path in snapshot.strays
        if path not in AGENTS_OWN_FILES and path not in AGENTS_OWN_FOLDERS
    ]
    said = listed(outside) + _of_submodules(snapshot.submodules) if outside else ""
    dropped = f"New files outside the allowlist were dropped: {listed(strays)}." if strays else ""
    if to_come:
        named = listed(sorted(to_come))
        dropped += f" At {named} frozen tests of other nodes will stand, which you do not see."
    contract_violated, out_of_scope = AttemptOutcome.CONTRACT_VIOLATED, AttemptOutcome.OUT_OF_SCOPE
    for outcome, lesson, named in (
        (contract_violated, "You changed or deleted frozen tests", listed(broken)),
        (out_of_scope, "You changed or deleted files outside the allowlist", said),
        (out_of_scope, "You replaced files by symbolic links", listed(snapshot.links)),
        (out_of_scope, "git cannot take in what you left", snapshot.refused),
    ):
        if named:
            return Judgement(outcome, f"{lesson}: {named}. {dropped}")
    if snapshot.tree == base_tree:
        return Judgement(
            AttemptOutcome.UNCHANGED, f"None of the files you may change was changed. {dropped}"
        )
    return Judgement(None, dropped)


def _of_submodules(paths: Sequence[str]) -> str:
    """Return the remark about files of the submodules at ``paths``, if any."""
    return f" (of the submodule {listed(paths)}, a repository of its own)" if paths else ""


def needs_stage_two(policy: ReviewPolicy, role: Role, files_changed: int) -> bool:
    """Whether a reviewer reads this diff: it came from an escalation, or it is wide."""
    wide = files_changed > policy.stage_two_file_threshold
    return policy.stage_two and (role is Role.ESCALATION or wide)


def listed(paths: Sequence[str], most: int = 20) -> str:
    """Return the first paths in a line, ``most`` of them, and how many more there are."""
    shown = ", ".join(paths[:most])
    return shown if len(paths) <= most else f"{shown} and {len(paths) - most} more"
