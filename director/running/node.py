"""One node, from its red tests to its merge, in one lane."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from director.agents.opencode import Assignment, Outcome, Reply
from director.agents.transcript import watch_it_fail
from director.job.trailers import MERGE, commit_message, tests_hash
from director.job.workbench import Workbench
from director.model.errors import DirectorError
from director.model.plan import Node, Plan
from director.model.roles import Agent, Role
from director.model.state import NodeStatus, Try, TryOutcome, WatchItFail
from director.records.events import Kind
from director.records.state_keeper import StateKeeper
from director.running.prompts import Feedback, implement_prompt
from director.running.review import check_compliance, review_candidate
from director.running.tries import judge_snapshot, needs_stage_two, next_role
from director.workspace.gates import GateResult, Verdict
from director.workspace.worktrees import Worktree


@dataclass(frozen=True)
class NodeEnd:
    """What became of a node in this run. ``stop``: an outside reason, the node is pending again."""

    status: NodeStatus
    error: str | None = None
    stop: DirectorError | None = None
    watched: WatchItFail = field(default_factory=WatchItFail)


@dataclass(frozen=True)
class Candidate:
    """A commit on ``base`` that was green on a clean checkout, and the tier that made it."""

    commit: str
    base: str
    role: Role


def work_on_node(bench: Workbench, plan: Plan, node: Node, keeper: StateKeeper) -> NodeEnd:
    """Take one node as far as it goes; an outside reason to stop is part of the result."""
    started = time.monotonic()
    earlier = keeper.node(node.id).wall_secs
    try:
        with bench.pool.lease(bench.job.tip()) as worktree:
            return _NodeWork(bench, plan, node, keeper, worktree).run()
    except DirectorError as stop:
        return NodeEnd(NodeStatus.PENDING, stop=stop)
    finally:
        keeper.update(node.id, wall_secs=round(earlier + time.monotonic() - started, 3))


class _NodeWork:
    """The state of one node while a lane works on it."""

    def __init__(
        self,
        bench: Workbench,
        plan: Plan,
        node: Node,
        keeper: StateKeeper,
        worktree: Worktree,
    ) -> None:
        self.bench = bench
        self.node = node
        self.keeper = keeper
        self.worktree = worktree
        self.contract = plan.contract
        self.base = bench.job.tip()
        self.start = self.base  # what the worktree holds when the next try begins
        self.first_output = ""
        self.feedback: Feedback | None = None
        self.fallback: Candidate | None = None
        self.watched = WatchItFail()

    def run(self) -> NodeEnd:
        """Gate, try, review and merge until the node is done or has had its chances."""
        self.worktree.reset(self.base)
        before = self._gate("before")
        if before.verdict is Verdict.BROKEN:
            return self._failed(f"gate broken: `{before.command}`: {before.reason}")
        if before.verdict is Verdict.GREEN and self._still_green():
            return self._satisfied()
        self.first_output = before.output
        while role := self._next_role():
            candidate = self._try(role)
            if candidate and self._merge(candidate):
                return NodeEnd(NodeStatus.DONE, watched=self.watched)
        return self._failed(self.feedback.lesson if self.feedback else "no attempts left")

    def _next_role(self) -> Role | None:
        tries = self.keeper.node(self.node.id).tries
        return next_role(tries, self.bench.config.limits.max_attempts)

    def _try(self, role: Role) -> Candidate | None:
        """Let ``role`` try once; returns what can be merged, or None."""
        reworked = self.fallback
        attempt = self._announce(role)
        self.worktree.reset(self.start)
        reply = self._ask(role, attempt)
        outcome, candidate = self._examine(reply, role, attempt)
        if outcome is TryOutcome.GREEN and candidate and not reworked:
            outcome = self._review(candidate, attempt)
        self._note(role, outcome)
        if outcome is TryOutcome.GREEN:
            return candidate
        return reworked  # an objection is no veto: what was green before it still merges

    def _announce(self, role: Role) -> int:
        state = self.keeper.node(self.node.id)
        if role is Role.ESCALATION and not state.escalated:
            self.bench.events.emit(Kind.ESCALATED, self.node.id, attempts=state.attempts)
        attempt = state.attempts + 1
        model = self.bench.config.tiers[role]
        self.bench.events.emit(
            Kind.ATTEMPT_STARTED, self.node.id, attempt=attempt, tier=role, model=model
        )
        return attempt

    def _ask(self, role: Role, attempt: int) -> Reply:
        reply = self.bench.crew.ask(
            Assignment(
                agent=Agent.EXECUTOR,
                role=role,
                prompt=implement_prompt(self.node, attempt, self.first_output, self.feedback),
                cwd=self.worktree.path,
                name=f"{self.node.id}-{role}-{attempt}",
                allowlist=self.node.files,
                node=self.node.id,
                attempt=attempt,
            )
        )
        self.watched = watch_it_fail(reply.transcript.tools, self.node)
        self.keeper.update(
            self.node.id,
            attempts=attempt,
            tier_used=role,
            model_used=self.bench.config.tiers[role],
            escalated=role is Role.ESCALATION or self.keeper.node(self.node.id).escalated,
            watch_it_fail=self.watched.verdict,
        )
        return reply

    def _examine(
        self, reply: Reply, role: Role, attempt: int
    ) -> tuple[TryOutcome, Candidate | None]:
        """Turn what the worktree holds into a candidate, and gate it on a clean checkout."""
        job = self.bench.job
        snapshot = self.worktree.snapshot(self.base, self.node.files)
        base_tree = job.tree(self.base)
        commit = self.base
        if snapshot.tree != base_tree:
            commit = self._commit(snapshot.tree, self.base, role, attempt)
        self.start = commit
        finding = judge_snapshot(snapshot, base_tree, self.node.files, self.contract)
        remark = f"The turn ended early ({reply.reason}). " if reply.reason else ""
        if finding.outcome is not None:
            self.feedback = Feedback(f"{remark}{finding.feedback}".strip())
            too_long = reply.outcome is Outcome.CONTEXT_TOO_LONG
            return (TryOutcome.CONTEXT_TOO_LONG if too_long else finding.outcome), None
        self.worktree.reset(commit)
        gate = self._gate("candidate")
        if gate.verdict is not Verdict.GREEN:
            lesson = f"{remark}The tests fail: {gate.reason}. {finding.feedback}".strip()
            self.feedback = Feedback(lesson, gate.output)
            return TryOutcome.RED, None
        if not self._still_green():
            self.keeper.update(self.node.id, flake_failed=True)
            return TryOutcome.FLAKY, None
        return TryOutcome.GREEN, Candidate(commit, self.base, role)

    def _still_green(self) -> bool:
        """Run the tests again, ``flake_runs − 1`` times; a red run is feedback."""
        for _ in range(self.bench.config.limits.flake_runs - 1):
            gate = self._gate("again")
            if gate.verdict is not Verdict.GREEN:
                lesson = f"The tests passed, then failed on the same tree: {gate.reason}."
                self.feedback = Feedback(f"{lesson} They are flaky.", gate.output)
                return False
        return True

    def _review(self, candidate: Candidate, attempt: int) -> TryOutcome:
        """Let models read the green diff where the configuration asks for it."""
        policy = self.bench.config.review
        changed = len(self.bench.job.changes(candidate.base, candidate.commit))
        stage_two = needs_stage_two(policy, candidate.role, changed)
        if not (stage_two or policy.stage_one_llm):
            return TryOutcome.GREEN
        diff = self.bench.job.diff(candidate.base, candidate.commit)
        about = (self.bench, self.node, self.worktree, diff, attempt)
        if policy.stage_one_llm:
            self.keeper.update(self.node.id, review_summary=check_compliance(*about).summary)
        if not stage_two:
            return TryOutcome.GREEN
        review = review_candidate(*about)
        state = self.keeper.node(self.node.id)
        self.keeper.update(
            self.node.id,
            review_stage_two=True,
            review_blocks=state.review_blocks + review.blocked,
            review_summary=review.summary,
        )
        if not review.blocked:
            return TryOutcome.GREEN
        self.fallback = candidate
        self.feedback = Feedback(f"The tests pass, but a reviewer objects:\n\n{review.objections}")
        return TryOutcome.BLOCKED

    def _note(self, role: Role, outcome: TryOutcome) -> None:
        state = self.keeper.node(self.node.id)
        self.keeper.update(self.node.id, tries=(*state.tries, Try(role, outcome)))
        if outcome is not TryOutcome.GREEN and self.feedback:
            self.bench.events.emit(
                Kind.ATTEMPT_FAILED,
                self.node.id,
                attempt=state.attempts,
                tier=role,
                outcome=outcome,
                lesson=self.feedback.lesson,
            )

    def _merge(self, candidate: Candidate) -> bool:
        """Put the candidate on the branch; on a moved tip, gate the merged tree first."""
        while True:
            tip = self.bench.job.tip()
            merged = candidate.commit
            if tip != candidate.base:
                rebuilt = self._rebuild(candidate, tip)
                if rebuilt is None:
                    self._collide(candidate.role, tip)
                    return False
                merged = rebuilt
            if self.bench.job.advance(merged, tip):
                self._merged(merged, candidate.role)
                return True

    def _rebuild(self, candidate: Candidate, tip: str) -> str | None:
        """Return a green commit of the candidate's changes on ``tip``, or None."""
        job = self.bench.job
        mine = job.changes(candidate.base, candidate.commit)
        theirs = {change.path for change in job.changes(candidate.base, tip)}
        both = sorted(theirs & {change.path for change in mine})
        if both:
            self.feedback = Feedback(f"Another node changed the same files: {', '.join(both)}.")
            return None
        tree = job.tree_with(tip, [change.new for change in mine])
        attempt = self.keeper.node(self.node.id).attempts
        commit = self._commit(tree, tip, candidate.role, attempt)
        self.worktree.reset(commit)
        gate = self._gate("merged")
        if gate.verdict is Verdict.GREEN:
            return commit
        self.feedback = Feedback(
            f"The tests passed alone but fail together with what merged meanwhile: {gate.reason}.",
            gate.output,
        )
        return None

    def _collide(self, role: Role, tip: str) -> None:
        """Begin again on the new tip; this is nobody's failed attempt."""
        self.fallback = None
        self.base = self.start = tip
        self._note(role, TryOutcome.COLLIDED)

    def _satisfied(self) -> NodeEnd:
        """The tests pass without a call: an empty commit records it."""
        job = self.bench.job
        while True:
            tip = job.tip()
            commit = self._commit(job.tree(tip), tip, None, 0)
            if job.advance(commit, tip):
                self._merged(commit, None)
                return NodeEnd(NodeStatus.DONE)

    def _merged(self, commit: str, role: Role | None) -> None:
        self.keeper.update(self.node.id, status=NodeStatus.DONE, commit=commit, error=None)
        self.bench.events.emit(Kind.MERGED, self.node.id, commit=commit, tier=role)
        self.bench.publish()

    def _failed(self, reason: str) -> NodeEnd:
        self.keeper.update(self.node.id, status=NodeStatus.FAILED, error=reason)
        return NodeEnd(NodeStatus.FAILED, reason, watched=self.watched)

    def _commit(self, tree: str, parent: str, role: Role | None, attempts: int) -> str:
        message = commit_message(
            self.node.title,
            {
                "Job": self.bench.job_id,
                "Node": self.node.id,
                "Kind": MERGE,
                "Tier": role or "none",
                "Attempts": attempts,
                "Tree": tree,
                "Tests": tests_hash(self.node),
            },
        )
        return self.bench.job.commit(tree, parent, message)

    def _gate(self, purpose: str) -> GateResult:
        result = self.bench.gates.run(
            self.node.test_cmd, self.worktree.path, f"{self.node.id}-{purpose}"
        )
        self.bench.events.emit(
            Kind.GATE,
            self.node.id,
            purpose=purpose,
            verdict=result.verdict,
            reason=result.reason,
            wall_secs=round(result.wall_secs, 3),
            log=result.log.name,
        )
        return result
