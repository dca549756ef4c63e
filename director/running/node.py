"""One node, from its red tests to its merge, in one lane."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from director.agents.calls import Assignment, Outcome, Reply
from director.agents.transcript import watch_it_fail
from director.job.trailers import MERGE, commit_message, tests_hash
from director.job.workbench import Workbench
from director.model.errors import DirectorError
from director.model.plan import Node, Plan
from director.model.receipt import GateRun, Receipt
from director.model.roles import Agent, Role
from director.model.state import NodeStatus, Try, TryOutcome, WatchItFail
from director.records.call_notes import CallNote
from director.records.events import Kind
from director.records.state_keeper import StateKeeper
from director.running.prompts import Feedback, implement_prompt
from director.running.receipts import commit_gated, gate_run, put_on_record
from director.running.review import check_compliance, review_candidate, review_names
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
    """A commit on ``base`` that was green on a clean checkout, and the tier that made it.

    ``gates`` are its green gate runs.
    """

    commit: str
    base: str
    role: Role
    gates: tuple[GateRun, ...]


def _candidate(stored: Mapping[str, Any] | None) -> Candidate | None:
    """Return the candidate in a memo."""
    if not stored:
        return None
    gates = tuple(GateRun.from_json(one) for one in stored["gates"])
    return Candidate(str(stored["commit"]), str(stored["base"]), Role(stored["role"]), gates)


def work_on_node(bench: Workbench, plan: Plan, node: Node, keeper: StateKeeper) -> NodeEnd:
    """Take one node as far as it goes; an outside reason to stop is part of the result."""
    started = time.monotonic()
    earlier = keeper.node(node.id).wall_secs
    note = _left_by_killed_run(bench, node, keeper)
    left_at = Path(note.cwd) if note else None
    try:
        with bench.pool.lease(bench.job.tip(), left_at) as worktree:
            work = _NodeWork(bench, plan, node, keeper, worktree)
            if note:
                work.restore(note.memo)
            return work.run()
    except DirectorError as stop:
        return NodeEnd(NodeStatus.PENDING, stop=stop)
    finally:
        keeper.update(node.id, wall_secs=round(earlier + time.monotonic() - started, 3))


def _left_by_killed_run(bench: Workbench, node: Node, keeper: StateKeeper) -> CallNote | None:
    """Return the note of the call that was under way, or not yet used, when a run was killed."""
    tries = keeper.node(node.id).tries
    role = next_role(tries, bench.config.limits.max_attempts)
    attempt = keeper.node(node.id).attempts + 1
    return bench.crew.notes.get(_call_name(node, role, attempt)) if role else None


def _call_name(node: Node, role: Role, attempt: int) -> str:
    return f"{node.id}-{role}-{attempt}"


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
        self.green: Candidate | None = None  # found by a killed run, which did not get to merge it
        self.green_runs: list[GateRun] = []
        self.watched = WatchItFail()
        self.restored = False

    def run(self) -> NodeEnd:
        """Gate, try, review and merge until the node is done or has had its chances."""
        if not self.restored and (end := self._look_first()):
            return end
        while role := self._next_role():
            if self._try(role):
                return NodeEnd(NodeStatus.DONE, watched=self.watched)
        return self._failed(self.feedback.lesson if self.feedback else "no attempts left")

    def _look_first(self) -> NodeEnd | None:
        """Run the tests before any call; returns the end when there is nothing to do, or no way."""
        while True:
            self.worktree.reset(self.base)
            before = self._gate("before", self.base)
            if before.verdict is Verdict.BROKEN:
                return self._failed(f"gate broken: `{before.command}`: {before.reason}")
            if before.verdict is not Verdict.GREEN or not self._still_green(self.base):
                self.first_output = before.output
                return None
            if self._satisfied():
                return NodeEnd(NodeStatus.DONE)
            self.base = self.start = self.bench.job.tip()  # it moved meanwhile: look again

    def memo(self) -> dict[str, Any]:
        """Return what a run needs to go on with this node when this one is killed."""
        return {
            "base": self.base,
            "start": self.start,
            "first_output": self.first_output,
            "feedback": asdict(self.feedback) if self.feedback else None,
            "fallback": asdict(self.fallback) if self.fallback else None,
        }

    def restore(self, memo: Mapping[str, Any]) -> None:
        """Go on where a killed run was, from its ``memo``."""
        self.restored = True
        self.base, self.start = str(memo["base"]), str(memo["start"])
        self.first_output = str(memo["first_output"])
        self.feedback = Feedback(**memo["feedback"]) if memo["feedback"] else None
        self.fallback = _candidate(memo["fallback"])
        self.green = _candidate(memo.get("green"))

    def _next_role(self) -> Role | None:
        tries = self.keeper.node(self.node.id).tries
        return next_role(tries, self.bench.config.limits.max_attempts)

    def _try(self, role: Role) -> bool:
        """Let ``role`` try once, and merge what can be merged; returns whether that was done."""
        reworked = self.fallback
        attempt = self._announce(role)
        reply = self._ask(role, attempt)
        outcome, candidate = self._examine(reply, role, attempt)
        if outcome is TryOutcome.GREEN and candidate and not reworked:
            outcome = self._review(candidate, attempt)
        self._tell(role, attempt, outcome)
        if outcome is not TryOutcome.GREEN:
            candidate = reworked  # an objection is no veto: what was green before it still merges
        if candidate and self._merge(candidate, attempt, Try(role, outcome)):
            return True
        if not candidate:
            self._conclude(attempt, Try(role, outcome))
        return False

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
        assignment = Assignment(
            agent=Agent.EXECUTOR,
            role=role,
            prompt=implement_prompt(self.node, attempt, self.first_output, self.feedback),
            cwd=self.worktree.path,
            name=_call_name(self.node, role, attempt),
            allowlist=self.node.files,
            node=self.node.id,
            attempt=attempt,
            memo=self.memo(),
        )
        reply = self.bench.crew.recalled(assignment) if self.restored else None
        self.restored = False
        if reply is None:
            self.green = None
            self.worktree.reset(self.start)
            reply = self.bench.crew.ask(assignment)
        self.watched = watch_it_fail(reply.transcript.tools, self.node)
        self.keeper.update(
            self.node.id,
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
        if self.green:
            return TryOutcome.GREEN, self.green
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
        gate = self._gate("candidate", commit)
        if gate.verdict is not Verdict.GREEN:
            lesson = f"{remark}The tests fail: {gate.reason}. {finding.feedback}".strip()
            self.feedback = Feedback(lesson, gate.output)
            return TryOutcome.RED, None
        if not self._still_green(commit):
            self.keeper.update(self.node.id, flake_failed=True)
            return TryOutcome.FLAKY, None
        green = Candidate(commit, self.base, role, self._green_on(commit))
        name = _call_name(self.node, role, attempt)
        self.bench.crew.notes.remember(name, green=asdict(green))
        return TryOutcome.GREEN, green

    def _still_green(self, commit: str) -> bool:
        """Run the tests again, ``flake_runs − 1`` times; a red run is feedback."""
        for _ in range(self.bench.config.limits.flake_runs - 1):
            gate = self._gate("again", commit)
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

    def _tell(self, role: Role, attempt: int, outcome: TryOutcome) -> None:
        if outcome is not TryOutcome.GREEN and self.feedback:
            self.bench.events.emit(
                Kind.ATTEMPT_FAILED,
                self.node.id,
                attempt=attempt,
                tier=role,
                outcome=outcome,
                lesson=self.feedback.lesson,
            )

    def _conclude(self, attempt: int, *tries: Try, **values: Any) -> None:
        """Put a try on record; only then may its calls be forgotten."""
        state = self.keeper.node(self.node.id)
        self.keeper.update(self.node.id, attempts=attempt, tries=(*state.tries, *tries), **values)
        names = [_call_name(self.node, one.role, attempt) for one in tries]
        self.bench.crew.notes.drop(*names, *review_names(self.node, attempt))
        self.green = None

    def _merge(self, candidate: Candidate, attempt: int, one: Try) -> bool:
        """Put the candidate on the branch; on a moved tip, gate the merged tree first.

        A merge that collides is concluded too: the node begins again on the new tip, and that is
        nobody's failed attempt.
        """
        while True:
            tip = self.bench.job.tip()
            runs = candidate.gates
            if tip != candidate.base:
                rebuilt = self._rebuild(candidate, tip, attempt)
                if rebuilt is None:
                    self._collide(tip, attempt, one)
                    return False
                runs += self._green_on(rebuilt)
            receipt = commit_gated(
                self.bench,
                self.node,
                runs,
                base=candidate.base,
                candidate=candidate.commit,
                parent=tip,
                role=candidate.role,
                attempts=attempt,
            )
            if self.bench.job.advance(receipt.merged, tip):
                self._merged(receipt, candidate.role, attempt, one)
                return True

    def _rebuild(self, candidate: Candidate, tip: str, attempt: int) -> str | None:
        """Return a green commit of the candidate's changes on ``tip``, or None."""
        job = self.bench.job
        mine = job.changes(candidate.base, candidate.commit)
        theirs = {change.path for change in job.changes(candidate.base, tip)}
        both = sorted(theirs & {change.path for change in mine})
        if both:
            self.feedback = Feedback(f"Another node changed the same files: {', '.join(both)}.")
            return None
        tree = job.tree_with(tip, [change.new for change in mine])
        commit = self._commit(tree, tip, candidate.role, attempt)
        self.worktree.reset(commit)
        gate = self._gate("merged", commit)
        if gate.verdict is Verdict.GREEN:
            return commit
        self.feedback = Feedback(
            f"The tests passed alone but fail together with what merged meanwhile: {gate.reason}.",
            gate.output,
        )
        return None

    def _collide(self, tip: str, attempt: int, one: Try) -> None:
        self.fallback = None
        self.base = self.start = tip
        self._tell(one.role, attempt, TryOutcome.COLLIDED)
        self._conclude(attempt, one, Try(one.role, TryOutcome.COLLIDED))

    def _satisfied(self) -> bool:
        """Record with an empty commit that the tests pass without a call; False: the tip moved."""
        receipt = commit_gated(
            self.bench,
            self.node,
            self._green_on(self.base),
            base=self.base,
            candidate=self.base,
            parent=self.base,
            role=None,
            attempts=0,
        )
        if not self.bench.job.advance(receipt.merged, self.base):
            return False
        self._merged(receipt, None, self.keeper.node(self.node.id).attempts)
        return True

    def _merged(self, receipt: Receipt, role: Role | None, attempt: int, *tries: Try) -> None:
        put_on_record(self.bench, receipt)
        commit = receipt.merged
        done = {"status": NodeStatus.DONE, "commit": commit, "error": None, "tier_used": role}
        self._conclude(attempt, *tries, **done)
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

    def _green_on(self, commit: str) -> tuple[GateRun, ...]:
        return tuple(run for run in self.green_runs if run.commit == commit)

    def _gate(self, purpose: str, commit: str) -> GateResult:
        """Run the node's tests in the worktree, which holds exactly ``commit``."""
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
        if result.verdict is Verdict.GREEN:
            self.green_runs.append(gate_run(self.bench, purpose, commit, result))
        return result
