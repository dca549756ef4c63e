"""One node, from its red tests to its merge, in one lane."""

from __future__ import annotations

import time
from pathlib import Path

from director.agents.calls import Assignment, Reply
from director.agents.registry import tier_of
from director.agents.watch_it_fail import watch_it_fail
from director.job.attempts import CurrentAttempt
from director.job.evidence import find_missing, run_of
from director.job.feedback import Feedback, without_gate
from director.job.merge_queue import Place
from director.job.reconciling import merges_by_node
from director.job.retrying import retry_where_lost
from director.model.errors import DirectorError
from director.model.node_digest import digest_of
from director.model.receipt import Receipt
from director.model.roles import Agent, Role
from director.model.state import Attempt, AttemptOutcome, NodeStatus
from director.model.testing.output_digest import output_digest
from director.records.call_notes import CallNote
from director.records.files import full_disk_stops
from director.records.logs import recorded
from director.records.state_keeper import StateKeeper
from director.running.control_run import AS_BEFORE, GREEN_BEFORE_WORK
from director.running.examining import Author, Examined, Examiner
from director.running.former import begun_with_former
from director.running.merging import Collision, merge, merge_satisfied
from director.running.node_gates import NodeGates
from director.running.node_record import NodeEnd, NodeRecord
from director.running.node_work import NodeWork
from director.running.progress import Progress
from director.running.prompts import implement_prompt
from director.running.repairing import blamed_diff
from director.running.review import OBJECTS, ask_reader, forget_readers, readers_of
from director.worktrees.gates import Verdict
from director.worktrees.worktree import Worktree

ASKED = "asked"  # in a memo: the digest of the node that the call was about
MISSING = "missing"  # the kind of a failure: the worktree lacks what the tests need


def work_on_node(work: NodeWork, keeper: StateKeeper) -> NodeEnd:
    """Take one node as far as it goes; an outside reason to stop is part of the result."""
    started = time.monotonic()
    record = NodeRecord(work, keeper)
    earlier = record.state.wall_secs

    def in_a_lane() -> NodeEnd:
        # Of a call that was under way, or not yet used, when a run was killed; or when something
        # was lost, which is as if this lane had been killed.
        left = record.attempt_left()
        with work.job.pool.lane(Path(left[1].cwd) if left else None) as lane:
            node = _NodeRun(work, record, lane.work, NodeGates(work, lane.gate))
            return node.resume(*left) if left else node.begin()

    try:
        with full_disk_stops():
            return retry_where_lost(work.job, in_a_lane, work.node.id)
    except DirectorError as stop:
        return NodeEnd(NodeStatus.PENDING, stop=stop)
    finally:
        keeper.note(work.node.id, wall_secs=round(earlier + time.monotonic() - started, 3))


class _NodeRun:
    """Work on a node in a lane: ``worktree`` is the agent's, ``gates`` are in the other one."""

    def __init__(
        self, work: NodeWork, record: NodeRecord, worktree: Worktree, gates: NodeGates
    ) -> None:
        self.work = work
        self.record = record
        self.worktree = worktree
        self.gates = gates

    def begin(self) -> NodeEnd:
        """Look whether there is work to do and a way to do it, then work."""
        found = self._look()
        if isinstance(found, NodeEnd):
            return found
        return self._go_on(begun_with_former(self.work, self.record.state, found))

    def resume(self, attempt: CurrentAttempt, note: CallNote) -> NodeEnd:
        """Continue in the ``attempt`` where a killed run was; the answer it had got is used.

        Not where the node was amended since: what was done was for other words or other tests.
        """
        if not self._is_about_this(note):
            agents = self.work.job.agents
            agents.recalled(
                self._assignment(attempt, Progress("", ""))
            )  # what it cost is on record
            forget_readers(self.work, attempt, self.worktree.path)
            agents.notes.drop(attempt.call)
            return self.begin()
        progress = Progress.from_memo(self.work, note.memo)
        call, drafted = self._assignment(attempt, progress), progress.drafted is not None
        reply = self.work.job.agents.recalled(call, drafted=drafted)
        return self._go_on(progress, (attempt, reply) if reply else None)

    def _is_about_this(self, note: CallNote) -> bool:
        """Whether a call was for the node as it is now; versions before this one did not say."""
        node, asked = self.work.node, note.memo.get(ASKED)
        return asked == digest_of(node) if asked is not None else not node.amended

    def _go_on(
        self, progress: Progress, made: tuple[CurrentAttempt, Reply] | None = None
    ) -> NodeEnd:
        """Make attempts until the node is done or has had its chances.

        ``made``: the first one, and the reply to its call, which was made before.
        """
        attempt, reply = made or (self.record.next_attempt(), None)
        while attempt:
            step = self._attempt(attempt, progress, reply)
            if isinstance(step, NodeEnd):
                return step
            progress, reply, attempt = step, None, self.record.next_attempt()
        environment = any(
            one.outcome is AttemptOutcome.AS_BEFORE for one in self.record.state.past_attempts
        )
        otherwise = AS_BEFORE if environment else "no attempts left"
        lesson = progress.feedback.lesson if progress.feedback else otherwise
        past = self.record.state.past_attempts
        failure = past[-1].failure if past else None
        return self.record.failed(lesson, failure, progress.watched, environment=environment)

    def _look(self) -> Progress | NodeEnd:
        """Run the tests before any call; returns the end when there is nothing to do, or no way."""
        repository, plan = self.work.job.repository, self.work.views.plan
        self.work.job.agents.caller.prepare(Role.EXECUTOR)  # beside the gate
        while True:
            base = repository.tip()
            before = self.gates.run_before(base)
            if before.verdict is Verdict.BROKEN:
                broken = f"gate broken: `{before.command}`: {before.reason}"
                environment = before.code is not None
                return self.record.failed(broken, before.why(), environment=environment)
            lacks = find_missing(repository, self.work.view(base), before, plan.nodes)
            # What merged may have brought it: then the repair is to do without.
            if (missing := lacks) and not self.work.node.repairs:
                reason = f"something is missing in the worktree: {missing.words}"
                return self.record.failed(reason, before.why(MISSING), environment=True)
            green = before.verdict is Verdict.GREEN
            failure = self.gates.confirm(base) if green else None
            if failure or not green:
                why = f"({before.reason})\n" if before.no_test_ran else ""
                feedback = failure.feedback if failure else None
                digest = output_digest(run_of(before))
                return Progress(base, base, f"{why}{before.output}", digest, feedback)
            if not merges_by_node(repository.log(plan.base_commit, base)):
                seen = before.why(AttemptOutcome.AS_BEFORE)
                said = without_gate(AttemptOutcome.AS_BEFORE, GREEN_BEFORE_WORK)
                seen = seen._replace(headline=said.headline)
                return self.record.failed(GREEN_BEFORE_WORK, seen, environment=True)
            end = merge_satisfied(self.work, self.gates, base)
            if isinstance(end, Collision):
                digest = output_digest(run_of(before))
                return Progress(base, base, before.output, digest, end.feedback)
            if end:
                self.record.merged(end)
                return NodeEnd(NodeStatus.DONE)
            # The tip moved meanwhile: look again.

    def _attempt(
        self, attempt: CurrentAttempt, progress: Progress, reply: Reply | None
    ) -> Progress | NodeEnd:
        """Let a tier work once, and merge what can be merged; returns the state of the node."""
        self.record.began(attempt)
        self.gates.attempt = attempt.number
        if reply is None:
            progress = progress._replace(drafted=None)
            reply = self._ask(attempt, progress)
        told = tier_of(reply.model).backend.promises.exit_codes
        watched = watch_it_fail(reply.transcript.tools, self.work.node, complete=told)
        self.record.answered(attempt, watched, reply.model)
        with self.work.job.queue.place() as place:
            return self._examine(attempt, progress._replace(watched=watched), reply, place)

    def _examine(
        self, attempt: CurrentAttempt, progress: Progress, reply: Reply, place: Place
    ) -> Progress | NodeEnd:
        """Gate what a tier left, and merge what can be merged from its ``place`` in line."""
        reworked = progress.fallback
        examiner = Examiner(self.work, self.worktree, self.gates, place)
        found = examiner.examine(Author.of(reply, attempt), progress)
        if found.outcome is AttemptOutcome.FLAKY:
            self.record.update(flake_failed=True)
        if found.candidate and not reworked:
            found = self._review(found, attempt)
        self.record.ended(attempt, found.outcome, found.progress.feedback)
        entry = self._entry(attempt, reply, found)
        if not found.candidate:  # without a veto, what was green before an objection merges
            found = found._replace(candidate=reworked)
        if found.candidate:
            return self._merge(found, attempt, entry, place)
        self.record.conclude(attempt, entry)
        return found.progress

    def _entry(self, attempt: CurrentAttempt, reply: Reply, found: Examined) -> Attempt:
        """Return what state.json says of an attempt."""
        green = found.outcome is AttemptOutcome.GREEN
        feedback = None if green else found.progress.feedback
        size = self.work.diff_size(found.progress.base, found.commit)
        call, failure = recorded(reply.log), feedback.failure if feedback else None
        return Attempt(
            attempt.role, found.outcome, attempt.number, reply.model, call, failure, *size
        )

    def _assignment(self, attempt: CurrentAttempt, progress: Progress) -> Assignment:
        node, feedback = self.work.node, progress.feedback
        diff = blamed_diff(self.work) if node.repairs else ""
        return Assignment(
            agent=Agent.EXECUTOR,
            role=attempt.role,
            prompt=implement_prompt(node, attempt.number, progress.first_output, feedback, diff),
            cwd=self.worktree.path,
            name=attempt.call,
            allowlist=node.files,
            node=node.id,
            attempt=attempt.number,
            memo={**progress.to_memo(), ASKED: digest_of(node)},
            log=attempt.log,
        )

    def _ask(self, attempt: CurrentAttempt, progress: Progress) -> Reply:
        """Call the executor in a worktree that holds what the attempt begins with."""
        if feedback := progress.feedback:
            kept = feedback._replace(kept=progress.start != progress.base)
            progress = progress._replace(feedback=kept)
        assignment = self._assignment(attempt, progress)
        agents = self.work.job.agents
        if feedback:  # a run that stops before the call (signal, ceiling) keeps it
            agents.note(assignment)
        self.worktree.reset(self.work.view(progress.start))
        return agents.ask(assignment)

    def _review(self, found: Examined, attempt: CurrentAttempt) -> Examined:
        """Let models read the green diff where the configuration asks for it."""
        candidate, policy = found.candidate, self.work.job.config.review
        assert candidate is not None, "only what is green is reviewed"
        repository = self.work.job.repository
        changed = len(repository.changes(candidate.base, candidate.commit))
        readers = readers_of(policy, attempt.role, changed)
        if not readers:
            return found
        # Reviewers read what is around the diff.
        self.worktree.reset(self.work.view(candidate.commit))
        diff = repository.diff(candidate.base, candidate.commit)
        for reader in readers:
            review = ask_reader(self.work, reader, attempt, diff, self.worktree.path)
            noted = {"review_stage_two": True} if reader.objects else {}
            self.record.update(review_summary=review.summary, **noted)
            if reader.objects and review.critical:
                name = self.work.keep(attempt.number, candidate.commit)
                feedback = Feedback(f"{OBJECTS}\n\n{review.objections}", failure=review.why(name))
                fallback = None if policy.veto else candidate
                progress = found.progress._replace(feedback=feedback, fallback=fallback)
                return Examined(AttemptOutcome.BLOCKED, progress, found.commit)
        return found

    def _merge(
        self, found: Examined, attempt: CurrentAttempt, entry: Attempt, place: Place
    ) -> Progress | NodeEnd:
        """Put the candidate on the branch, and on record.

        Where it collides, the node begins again on the new tip; that spends no attempt.
        Where it broke what was done before, it does, and the next begins with what it left.
        """
        candidate, progress = found.candidate, found.progress
        assert candidate is not None, "only a candidate merges"
        if not candidate.gates:  # only the note of a killed run says that it was green
            failure = self.gates.judge(candidate.commit, "candidate")
            if failure:
                self.record.conclude(attempt, entry)
                return progress._replace(fallback=None)
            candidate = candidate._replace(gates=self.gates.green_runs(candidate.commit))
        end = merge(self.work, self.gates, candidate, attempt.number, place)
        if isinstance(end, Receipt):
            self.record.merged(end, attempt, entry)
            return NodeEnd(NodeStatus.DONE, watched=progress.watched)
        feedback, outcome = end.feedback, end.outcome
        if feedback.failure and not feedback.failure.candidate:
            name = self.work.keep(attempt.number, candidate.commit)
            feedback = feedback._replace(failure=feedback.failure._replace(candidate=name))
        self.record.ended(attempt, outcome, feedback)
        again = entry._replace(outcome=outcome, failure=feedback.failure)
        self.record.conclude(attempt, entry, again)
        base, start = end.tip, end.tip
        if outcome is AttemptOutcome.REGRESSION:
            base, start = candidate.base, candidate.commit
        return progress._replace(base=base, start=start, feedback=feedback, fallback=None)
