"""One node, from its red tests to its merge, in one lane."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from director.agents.calls import Assignment, Outcome, Reply
from director.agents.watch_it_fail import watch_it_fail
from director.job.again import again_where_lost
from director.job.context import JobContext
from director.job.environment import files_of, find_missing, run_of
from director.job.leaks import leaks
from director.job.runner_settings import runner_settings_changed
from director.job.views import Views
from director.model.errors import DirectorError
from director.model.plan import Node
from director.model.receipt import GateRun, Receipt
from director.model.roles import Agent, Role
from director.model.state import Attempt, AttemptOutcome, NodeStatus, WatchItFail
from director.model.testing.output_digest import output_digest
from director.records.call_notes import CallNote
from director.records.events import Kind
from director.records.state_keeper import StateKeeper
from director.running.attempts import Judgement, judge_snapshot, needs_stage_two, next_role
from director.running.control_run import (
    AS_BEFORE,
    GREEN_BEFORE_WORK,
    anything_merged,
    fails_independently,
)
from director.running.merging import draft, merge, merge_satisfied, rebased
from director.running.node_gates import Candidate, NodeGates, UngatedCandidate
from director.running.prompts import Feedback, implement_prompt, no_test_ran, red
from director.running.receipts import append_receipt
from director.running.remembered import remembered
from director.running.review import check_compliance, review_candidate, review_names
from director.worktrees.gates import GateResult, Verdict
from director.worktrees.pool import Lane
from director.worktrees.worktrees import Snapshot


@dataclass(frozen=True)
class NodeEnd:
    """What became of a node in this run. ``stop``: an outside reason, the node is pending again."""

    status: NodeStatus
    error: str | None = None
    stop: DirectorError | None = None
    watched: WatchItFail = field(default_factory=WatchItFail)


def work_on_node(job: JobContext, views: Views, node: Node, keeper: StateKeeper) -> NodeEnd:
    """Take one node as far as it goes; an outside reason to stop is part of the result."""
    started = time.monotonic()
    earlier = keeper.node(node.id).wall_secs

    def work() -> NodeEnd:
        note = _left_by_killed_run(job, node, keeper)
        reuse_path = Path(note.cwd) if note else None
        with job.pool.lane(reuse_path) as lane:
            state = _NodeWork(job, views, node, keeper, lane)
            if note:
                state.restore(note)
            return state.run()

    try:
        return again_where_lost(job, work, node.id)
    except DirectorError as stop:
        return NodeEnd(NodeStatus.PENDING, stop=stop)
    finally:
        keeper.note(node.id, wall_secs=round(earlier + time.monotonic() - started, 3))


def _left_by_killed_run(job: JobContext, node: Node, keeper: StateKeeper) -> CallNote | None:
    """Return the note of the call that was under way, or not yet used, when a run was killed.

    Or when what ran a command was lost, which is as if this lane had been killed.
    """
    role = _next_role(job, node, keeper)
    attempt = keeper.node(node.id).attempts + 1
    return job.agents.notes.get(_call_name(node, role, attempt)) if role else None


def _next_role(job: JobContext, node: Node, keeper: StateKeeper) -> Role | None:
    config = job.config
    tries = keeper.node(node.id).past_attempts
    return next_role(tries, config.limits.max_attempts, veto=config.review.veto)


def _call_name(node: Node, role: Role, attempt: int) -> str:
    return f"{node.id}-{role}-{attempt}"


class _NodeWork:
    """The state of one node while a lane works on it.

    Commits are those of the branch and candidates for it, with the tests of all nodes; worktrees
    hold the node's views of them.
    """

    def __init__(
        self,
        job: JobContext,
        views: Views,
        node: Node,
        keeper: StateKeeper,
        lane: Lane,
    ) -> None:
        self.job = job
        self.node = node
        self.keeper = keeper
        self.worktree = lane.work
        self.views = views
        self.contract = views.plan.contract
        self.gates = NodeGates(job, views, node, lane.gate)
        self.base = job.repository.tip()
        self.start = self.base  # what the worktree holds when the next try begins
        self.first_output = ""
        self.first_digest = ""  # of what the tests print before the work, see output_digest.py
        self.feedback: Feedback | None = None
        self.fallback: Candidate | None = None  # green; the reviewer objected, without a veto
        self.drafted: UngatedCandidate | None = None  # of this attempt, perhaps by a killed run
        self.watched = WatchItFail()
        self.restored = False
        self.wrote_in = lane.work.path

    def run(self) -> NodeEnd:
        """Gate, try, review and merge until the node is done or has had its chances."""
        if not self.restored and (end := self._look_first()):
            return end
        while role := _next_role(self.job, self.node, self.keeper):
            if self._attempt(role):
                return NodeEnd(NodeStatus.DONE, watched=self.watched)
        if any(
            one.outcome is AttemptOutcome.AS_BEFORE
            for one in self.keeper.node(self.node.id).past_attempts
        ):
            lesson = self.feedback.lesson if self.feedback else AS_BEFORE
            return self._failed(lesson, environment=True)
        return self._failed(self.feedback.lesson if self.feedback else "no attempts left")

    def _look_first(self) -> NodeEnd | None:
        """Run the tests before any call; returns the end when there is nothing to do, or no way."""
        while True:
            before = self.gates.run_before(self.base)
            self.first_output = before.output
            if before.no_test_ran:
                self.first_output = f"({before.reason})\n{before.output}"
            if before.verdict is Verdict.BROKEN:
                broken = f"gate broken: `{before.command}`: {before.reason}"
                return self._failed(broken, environment=before.code is not None)
            to_come = files_of(self.views.plan.nodes)
            view = self.gates.view(self.base)
            if missing := find_missing(self.job.repository, view, before, to_come):
                reason = f"something is missing in the worktree: {missing.words}"
                return self._failed(reason, environment=True)
            if before.verdict is not Verdict.GREEN or self._is_flaky(self.base):
                self.first_digest = output_digest(run_of(before))
                return None
            if not anything_merged(self.job.repository, self.views.plan.base_commit, self.base):
                return self._failed(GREEN_BEFORE_WORK, environment=True)
            receipt = merge_satisfied(self.job, self.node, self.gates, self.base)
            if receipt is not None:
                self._merged(receipt, None, self.keeper.node(self.node.id).attempts)
                return NodeEnd(NodeStatus.DONE)
            self.base = self.start = self.job.repository.tip()  # it moved meanwhile: look again

    def memo(self) -> dict[str, Any]:
        """Return what the next run needs to continue this node when this one is killed."""
        return {
            "base": self.base,
            "start": self.start,
            "first_output": self.first_output,
            "first_digest": self.first_digest,
            "feedback": asdict(self.feedback) if self.feedback else None,
            "fallback": asdict(self.fallback) if self.fallback else None,
        }

    def restore(self, note: CallNote) -> None:
        """Go on where a killed run was, from the ``note`` of its call."""
        self.restored = True
        self.wrote_in = Path(note.cwd)
        known = remembered(self.job, self.node, note.memo)
        self.base, self.start = known.base, known.start
        self.first_output, self.feedback = known.first_output, known.feedback
        self.first_digest = known.first_digest
        self.drafted = known.drafted
        if not self.job.config.review.veto:  # which may have been set since
            self.fallback = known.fallback

    def _attempt(self, role: Role) -> bool:
        """Let ``role`` try once, and merge what can be merged; returns whether that was done."""
        reworked = self.fallback
        attempt = self._announce(role)
        reply = self._ask(role, attempt)
        outcome, candidate = self._examine(reply, role, attempt)
        if outcome is AttemptOutcome.GREEN and candidate and not reworked:
            outcome = self._review(candidate, attempt)
        self._tell(role, attempt, outcome)
        if outcome is not AttemptOutcome.GREEN:
            candidate = reworked  # without a veto, what was green before an objection merges
        if candidate and self._merge(candidate, attempt, Attempt(role, outcome)):
            return True
        if not candidate:
            self._conclude(attempt, Attempt(role, outcome))
        return False

    def _announce(self, role: Role) -> int:
        state = self.keeper.node(self.node.id)
        if role is Role.ESCALATION and not state.escalated:
            self.job.events.emit(Kind.ESCALATED, self.node.id, attempts=state.attempts)
        attempt = state.attempts + 1
        model = self.job.config.tiers[role]
        self.job.events.emit(
            Kind.ATTEMPT_STARTED, self.node.id, attempt=attempt, tier=role, model=model
        )
        return attempt

    def _ask(self, role: Role, attempt: int) -> Reply:
        if self.feedback:
            self.feedback = replace(self.feedback, kept=self.start != self.base)
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
        reply = self._recalled(assignment) if self.restored else None
        self.restored = False
        if reply is None:
            self.drafted = None
            if self.feedback:  # a run that stops before the call (signal, ceiling) keeps it
                noted = CallNote(assignment.name, "", str(assignment.cwd), assignment.memo)
                self.job.agents.notes.begin(noted)
            self.worktree.reset(self.gates.view(self.start))
            reply = self.job.agents.ask(assignment)
        self.watched = watch_it_fail(reply.transcript.tools, self.node)
        self.keeper.note(
            self.node.id,
            tier_used=role,
            model_used=self.job.config.tiers[role],
            escalated=role is Role.ESCALATION or self.keeper.node(self.node.id).escalated,
            watch_it_fail=self.watched.verdict,
        )
        return reply

    def _recalled(self, assignment: Assignment) -> Reply | None:
        """Return the reply of a killed run; what it left as a commit needs no worktree any more."""
        if self.drafted:
            assignment = replace(assignment, cwd=self.wrote_in)
        return self.job.agents.recalled(assignment)

    def _examine(
        self, reply: Reply, role: Role, attempt: int
    ) -> tuple[AttemptOutcome, Candidate | None]:
        """Turn what the worktree holds into a candidate, and gate it on a clean checkout."""
        name = _call_name(self.node, role, attempt)
        if self.drafted is None:
            read = self._read_worktree(reply)
            if isinstance(read, AttemptOutcome):
                return read, None
            self.drafted = read
            self.job.agents.notes.remember(name, drafted=asdict(read))
        commit = self.start = self.drafted.commit
        gate = self._gate(commit)
        if gate.verdict is not Verdict.GREEN:
            failing = f"`{gate.command}`, which prepares the worktree, fails"
            what = failing if commit in self.gates.unprepared else "The tests fail"
            lesson = no_test_ran(gate.reason) if gate.no_test_ran else red(what, gate)
            said = f"{self.drafted.before}{lesson} {self.drafted.after}"
            self.feedback = Feedback(said.strip(), gate.output)
            if commit in self.gates.unprepared:
                self.start = self.base  # nobody can work where setup fails
            elif self._is_independent(gate):
                self.feedback = Feedback(f"{AS_BEFORE} ({gate.failure})", gate.output)
                return AttemptOutcome.AS_BEFORE, None
            return AttemptOutcome.NO_TEST_RAN if gate.no_test_ran else AttemptOutcome.RED, None
        if self._is_flaky(self.start):
            self.keeper.update(self.node.id, flake_failed=True)
            return AttemptOutcome.FLAKY, None
        runs = self.gates.green_runs(self.start)
        return AttemptOutcome.GREEN, Candidate(self.start, self.base, role, runs)

    def _read_worktree(self, reply: Reply) -> UngatedCandidate | AttemptOutcome:
        """Return what the turn left as a commit, or what is wrong with it; that is feedback."""
        repository, view = self.job.repository, self.gates.view(self.base)
        snapshot = self.worktree.snapshot(view, self.node.files)
        commit = self.base
        if work := [change.new for change in repository.changes(view, snapshot.tree)]:
            commit = draft(self.job, self.node, repository.tree_with(self.base, work), self.base)
        self.start = commit
        judgement = self._judge(snapshot, commit)
        remark = f"The turn ended early ({reply.reason}). " if reply.reason else ""
        if judgement.outcome is not None:
            self.feedback = Feedback(f"{remark}{judgement.feedback}".strip())
            too_long = reply.outcome is Outcome.CONTEXT_TOO_LONG
            return AttemptOutcome.CONTEXT_TOO_LONG if too_long else judgement.outcome
        if leaking := leaks(self.job, self.base, commit, self.node.files):
            lesson = f"A key from the environment stands in {', '.join(leaking)}: take it out."
            self.feedback, self.start = Feedback(lesson), self.base
            return AttemptOutcome.OUT_OF_SCOPE
        if settings := runner_settings_changed(repository, self.node, self.base, commit):
            lesson = f"You changed how the tests are run: {', '.join(settings)}. Put that back."
            self.feedback = Feedback(lesson)
            return AttemptOutcome.OUT_OF_SCOPE
        return UngatedCandidate(commit, remark, judgement.feedback)

    def _judge(self, snapshot: Snapshot, commit: str) -> Judgement:
        """Judge what a turn left; files outside the allowlist may be the test command's doing."""
        about = (snapshot, self.gates.tree(self.base), self.node.files, self.contract)
        to_come = self._to_come(snapshot.strays)
        judgement = judge_snapshot(*about, self.gates.rewritten, to_come)
        if judgement.outcome is AttemptOutcome.OUT_OF_SCOPE and snapshot.changed - set(
            self.node.files
        ):
            self.gates.run_for_scope(commit)
            judgement = judge_snapshot(*about, self.gates.rewritten, to_come)
        return judgement

    def _to_come(self, strays: Sequence[str]) -> list[str]:
        """Return the frozen tests of nodes to come that a turn made files of its own of."""
        if not strays:
            return []
        folders = tuple(path for path in strays if path.endswith("/"))
        held_back = self.contract.keys() - self.job.repository.entries(
            self.gates.view(self.base), self.contract
        )
        return [
            path
            for path in held_back
            if path in strays
            or (path.startswith(folders) and os.path.lexists(self.worktree.path / path))
        ]

    def _gate(self, commit: str) -> GateResult:
        """Gate a candidate on the tip, where it will merge; red there, on its own base.

        The one spares a second gate where others merged meanwhile; the other tells whose fault it
        is. ``start`` and ``base`` are what was gated last.
        """
        tip = self.job.repository.tip()
        moved = rebased(self.job, self.views, self.node, self.base, commit, tip)
        if moved and moved != commit:
            gate = self.gates.run(moved, "candidate")
            if gate.verdict is Verdict.GREEN:
                self.start, self.base = moved, tip
                return gate
        return self.gates.run(commit, "candidate")

    def _is_independent(self, gate: GateResult) -> bool:
        """Whether the tests failed on a candidate whatever the work is."""
        about = (self.job, self.node, self.gates)
        return fails_independently(*about, gate, self.first_digest, self.base)

    def _is_flaky(self, commit: str) -> bool:
        """Whether tests that were green once on ``commit`` are not so again; that is feedback."""
        gate = self.gates.flake(commit)
        if gate is None:
            return False
        lesson = red("The tests are flaky: they passed, then failed on the same tree", gate)
        self.feedback = Feedback(lesson, gate.output)
        return True

    def _review(self, candidate: Candidate, attempt: int) -> AttemptOutcome:
        """Let models read the green diff where the configuration asks for it."""
        policy = self.job.config.review
        changed = len(self.job.repository.changes(candidate.base, candidate.commit))
        stage_two = needs_stage_two(policy, candidate.role, changed)
        if not (stage_two or policy.stage_one_llm):
            return AttemptOutcome.GREEN
        self.worktree.reset(
            self.gates.view(candidate.commit)
        )  # reviewers read what is around the diff
        diff = self.job.repository.diff(candidate.base, candidate.commit)
        about = (self.job, self.node, self.worktree, diff, attempt)
        if policy.stage_one_llm:
            self.keeper.update(self.node.id, review_summary=check_compliance(*about).summary)
        if not stage_two:
            return AttemptOutcome.GREEN
        review = review_candidate(*about)
        self.keeper.update(self.node.id, review_stage_two=True, review_summary=review.summary)
        if not review.critical:
            return AttemptOutcome.GREEN
        if not policy.veto:
            self.fallback = candidate
        self.feedback = Feedback(f"The tests pass, but a reviewer objects:\n\n{review.objections}")
        return AttemptOutcome.BLOCKED

    def _tell(self, role: Role, attempt: int, outcome: AttemptOutcome) -> None:
        if outcome is not AttemptOutcome.GREEN and self.feedback:
            self.job.events.emit(
                Kind.ATTEMPT_FAILED,
                self.node.id,
                attempt=attempt,
                tier=role,
                outcome=outcome,
                lesson=self.feedback.lesson,
            )

    def _conclude(self, attempt: int, *tries: Attempt, **values: Any) -> None:
        """Put a try on record; only then may its calls be forgotten."""
        state = self.keeper.node(self.node.id)
        blocks = state.review_blocks + sum(one.outcome is AttemptOutcome.BLOCKED for one in tries)
        now: dict[str, Any] = {"attempts": attempt, "past_attempts": (*state.past_attempts, *tries)}
        self.keeper.update(self.node.id, **now, review_blocks=blocks, **values)
        names = [_call_name(self.node, one.role, attempt) for one in tries]
        self.job.agents.notes.drop(*names, *review_names(self.node, attempt))
        self.drafted = None

    def _merge(self, candidate: Candidate, attempt: int, one: Attempt) -> bool:
        """Put the candidate on the branch, and on record; False when it collides.

        Then the node begins again on the new tip, and that is nobody's failed attempt.
        """
        if not candidate.gates:  # only the note of a killed run says that it was green
            runs = self._green_again(candidate.commit)
            if not runs:
                self._conclude(attempt, one)
                return False
            candidate = replace(candidate, gates=runs)
        end = merge(self.job, self.views, self.node, self.gates, candidate, attempt)
        if isinstance(end, Receipt):
            self._merged(end, candidate.role, attempt, one)
            return True
        self.fallback = None
        self.base = self.start = end.tip
        self.feedback = end.feedback
        self._tell(one.role, attempt, AttemptOutcome.COLLIDED)
        self._conclude(attempt, one, Attempt(one.role, AttemptOutcome.COLLIDED))
        return False

    def _green_again(self, commit: str) -> tuple[GateRun, ...]:
        """Return the green runs of the tests on ``commit``; none where they are not green."""
        gate = self.gates.run(commit, "candidate")
        if gate.verdict is not Verdict.GREEN or self._is_flaky(commit):
            return ()
        return self.gates.green_runs(commit)

    def _merged(self, receipt: Receipt, role: Role | None, attempt: int, *tries: Attempt) -> None:
        append_receipt(self.job, receipt)
        commit = receipt.merged
        done = {"status": NodeStatus.DONE, "commit": commit, "error": None, "tier_used": role}
        self._conclude(attempt, *tries, **done)
        self.job.events.emit(Kind.MERGED, self.node.id, commit=commit, tier=role)
        self.job.publisher.soon()

    def _failed(self, reason: str, *, environment: bool = False) -> NodeEnd:
        if environment:
            self.job.pool.doubt()
        failed = NodeStatus.FAILED
        self.keeper.update(self.node.id, status=failed, error=reason, environment=environment)
        return NodeEnd(NodeStatus.FAILED, reason, watched=self.watched)
