"""Decisions about one node, without effects: whose attempt is next, and what a candidate is."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from director.agents.registry import own_files
from director.model.config import ReviewPolicy
from director.model.roles import Role
from director.model.state import Attempt, AttemptOutcome
from director.worktrees.snapshot import Snapshot

SPENDING = frozenset(
    {
        AttemptOutcome.RED,
        AttemptOutcome.NO_TEST_RAN,
        AttemptOutcome.UNCHANGED,
        AttemptOutcome.OUT_OF_SCOPE,
        AttemptOutcome.CONTRACT_VIOLATED,
        AttemptOutcome.CONTEXT_TOO_LONG,
        AttemptOutcome.UNRESOLVED,
        AttemptOutcome.REGRESSION,
    }
)
FLAKES_TOLERATED = 1


class CurrentAttempt(NamedTuple):
    """The attempt at a node that is under way: on which tier, and its number (from 1)."""

    node_id: str
    role: Role
    number: int

    @property
    def call(self) -> str:
        """The name of its call."""
        return f"{self.node_id}-{self.role}-{self.number}"

    def read_by(self, reader: str) -> str:
        """Return the name of the call in which ``reader`` reads its candidate."""
        return f"{self.node_id}-{reader}-{self.number}"

    @property
    def log(self) -> str:
        """What the names of its logs begin with."""
        return f"{self.node_id}.{self.number}"


class Scope(NamedTuple):
    """What an attempt may change, of the tree ``base``: ``allowlist``, and nothing of ``contract``.

    ``rewritten`` is what the commands of the gates change themselves: it is not the agent's doing.
    """

    base: str
    allowlist: Collection[str]
    contract: Collection[str]
    rewritten: Collection[str] = ()


class Judgement(NamedTuple):
    """What a candidate is, before any gate: its outcome (None: fit for the gate) and why."""

    outcome: AttemptOutcome | None
    feedback: str


def next_role(attempts: Sequence[Attempt], max_attempts: int, *, veto: bool) -> Role | None:
    """Return the tier of the next attempt, or None when the node has had its chances.

    Only what the model did spends an attempt: a flaky test and a merge that collided do not, nor
    does a reviewer's objection unless it is a ``veto``. The executor has ``max_attempts``; a
    prompt too long for its model ends them at once. The escalation tier has one. Where the tests
    fail whatever the work is, there is no other.
    """
    outcomes = [one.outcome for one in attempts]
    if AttemptOutcome.AS_BEFORE in outcomes:
        return None
    if outcomes.count(AttemptOutcome.FLAKY) > FLAKES_TOLERATED:
        return None
    spending = SPENDING | {AttemptOutcome.BLOCKED} if veto else SPENDING
    spent = [one for one in attempts if one.outcome in spending]
    if any(one.role is Role.ESCALATION for one in spent):
        return None
    too_long = any(one.outcome is AttemptOutcome.CONTEXT_TOO_LONG for one in spent)
    return Role.ESCALATION if too_long or len(spent) >= max_attempts else Role.EXECUTOR


def judge_snapshot(snapshot: Snapshot, scope: Scope, to_come: Collection[str] = ()) -> Judgement:
    """Say whether a worktree holds a candidate: within the allowlist, the contract untouched.

    ``to_come`` are those new files that are where frozen tests of other nodes will be.
    """
    changed = snapshot.changed - set(scope.rewritten)
    own = own_files()
    outside = sorted(changed - set(scope.allowlist) - own.files)
    broken = sorted(changed & set(scope.contract))
    strays = [one for one in snapshot.strays if one not in own.files and one not in own.folders]
    said = listed(outside)
    if outside and snapshot.submodules:
        said += f" (of the submodule {listed(snapshot.submodules)}, a repository of its own)"
    dropped = f"New files outside the allowlist were dropped: {listed(strays)}." if strays else ""
    if to_come:
        named = listed(sorted(to_come))
        dropped += f" At {named} there will be frozen tests of other nodes, which you do not see."
    if broken:
        lesson = f"You changed or deleted frozen tests: {listed(broken)}. {dropped}"
        return Judgement(AttemptOutcome.CONTRACT_VIOLATED, lesson)
    for lesson, named in (
        ("You changed or deleted files outside the allowlist", said),
        ("You replaced files by symbolic links", listed(snapshot.links)),
        ("git cannot take in what you left", snapshot.refused),
    ):
        if named:
            return Judgement(AttemptOutcome.OUT_OF_SCOPE, f"{lesson}: {named}. {dropped}")
    if snapshot.tree == scope.base:
        return Judgement(
            AttemptOutcome.UNCHANGED, f"None of the files you may change was changed. {dropped}"
        )
    return Judgement(None, dropped)


def needs_stage_two(policy: ReviewPolicy, role: Role, files_changed: int) -> bool:
    """Whether a reviewer reads this diff: it came from an escalation, or it is wide."""
    wide = files_changed > policy.stage_two_file_threshold
    return policy.stage_two and (role is Role.ESCALATION or wide)


def listed(paths: Sequence[str], most: int = 20) -> str:
    """Return the first paths in a line, ``most`` of them, and how many more there are."""
    shown = ", ".join(paths[:most])
    return shown if len(paths) <= most else f"{shown} and {len(paths) - most} more"
