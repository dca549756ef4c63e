"""From what an attempt left in its worktree to a candidate: read, judged and gated."""

import os
from collections.abc import Sequence
from typing import NamedTuple

from director.agents.calls import Outcome, Reply
from director.job.attempts import CurrentAttempt, Judgement, Scope, judge_snapshot
from director.job.feedback import Feedback, without_gate
from director.job.forbidden import leaks, runner_settings_changed
from director.job.merge_queue import Place
from director.model.roles import Role, Tier
from director.model.state import AttemptOutcome
from director.running.control_run import AS_BEFORE, fails_independently
from director.running.merging import take_place
from director.running.node_gates import GateFailure, NodeGates
from director.running.node_work import NodeWork
from director.running.progress import Candidate, Progress, UngatedCandidate
from director.running.review import readers_of
from director.worktrees.snapshot import Snapshot
from director.worktrees.worktree import Worktree


class Author(NamedTuple):
    """Who left something in a worktree, on which attempt.

    ``model`` None: it was a person. ``call`` is the name of the call, ``ended`` says why it ended
    early ("": it did not); ``too_long``: its prompt was too long for the model.
    """

    tier: Tier
    number: int
    model: str | None = None
    call: str = ""
    ended: str = ""
    too_long: bool = False

    @classmethod
    def of(cls, reply: Reply, attempt: CurrentAttempt) -> "Author":
        """Return the model that was called in an attempt."""
        too_long = reply.outcome is Outcome.CONTEXT_TOO_LONG
        tier = Tier(attempt.role)
        return cls(tier, attempt.number, reply.model, attempt.call, reply.reason, too_long)


class Examined(NamedTuple):
    """What an attempt came to, and the state of the node then. ``candidate``: what is green.

    ``commit`` is what it left, on the base of ``progress``, even where nothing of that is used.
    """

    outcome: AttemptOutcome
    progress: Progress
    commit: str
    candidate: Candidate | None = None


class _Gated(NamedTuple):
    """A candidate ``commit`` on ``base``, gated as ``on``; ``failure`` is what stands against it.

    ``on`` holds what the candidate changed on what the branch will be by then.
    """

    base: str
    commit: str
    on: str
    failure: GateFailure | None


class Examiner:
    """Examines attempts at a node: ``worktree`` is the agent's, ``gates`` are in another.

    What is green has taken ``place`` in the merge queue, unless models are to read it first.
    """

    def __init__(self, work: NodeWork, worktree: Worktree, gates: NodeGates, place: Place) -> None:
        self.work = work
        self.worktree = worktree
        self.gates = gates
        self.place = place

    def examine(self, author: Author, progress: Progress) -> Examined:
        """Turn what the worktree holds into a candidate, and gate it on a clean checkout.

        What a killed run has read already (``progress.drafted``) is not read again.
        """
        draft = progress.drafted
        if draft is None:
            read = self._read(author, progress)
            if isinstance(read, Examined):
                return read
            draft = read
            self.work.job.agents.notes.remember(author.call, drafted=draft._asdict())
        if self._is_read(author, progress, draft.commit):
            gated = self._gate_on_tip(progress.base, draft.commit)
        else:
            gated = self._gate_in_line(progress.base, draft.commit)
        base, commit = gated.base, gated.commit
        progress = progress._replace(base=base, start=commit, drafted=None)
        if gated.failure:
            self.place.leave()
            return self._failed(gated.failure, draft, progress)
        runs = self.gates.green_runs(gated.on)
        candidate = Candidate(commit, base, author.tier, runs, author.model)
        return Examined(AttemptOutcome.GREEN, progress, commit, candidate)

    def _read(self, author: Author, progress: Progress) -> UngatedCandidate | Examined:
        """Return what the attempt left as a commit, or what is wrong with it."""
        node, repository, base = self.work.node, self.work.job.repository, progress.base
        view = self.work.view(base)
        snapshot = self.worktree.snapshot(view, node.files)
        commit = base
        if changes := [change.new for change in repository.changes(view, snapshot.tree)]:
            commit = self.work.draft(repository.tree_with(base, changes), base)

        def rejected(outcome: AttemptOutcome, lesson: str, start: str = commit) -> Examined:
            kept = self.work.keep(author.number, start) if start != base else ""
            feedback = Feedback(lesson, failure=without_gate(outcome, lesson, kept))
            return Examined(outcome, progress._replace(start=start, feedback=feedback), commit)

        judgement = self._judge(snapshot, base, commit)
        remark = f"The attempt ended early ({author.ended}). " if author.ended else ""
        if judgement.outcome is not None:
            outcome = AttemptOutcome.CONTEXT_TOO_LONG if author.too_long else judgement.outcome
            return rejected(outcome, f"{remark}{judgement.feedback}".strip())
        redactor = self.work.job.directory.redactor
        if leaking := leaks(redactor, repository, base, commit, node.files):
            lesson = f"A key from the environment is in {', '.join(leaking)}: take it out."
            return rejected(AttemptOutcome.OUT_OF_SCOPE, lesson, base)
        if settings := runner_settings_changed(repository, node, base, commit):
            lesson = f"You changed how the tests are run: {', '.join(settings)}. Restore it."
            return rejected(AttemptOutcome.OUT_OF_SCOPE, lesson)
        return UngatedCandidate(commit, remark, judgement.feedback)

    def _judge(self, snapshot: Snapshot, base: str, commit: str) -> Judgement:
        """Judge what was left; files outside the allowlist may be the test command's doing."""
        files, contract = self.work.node.files, self.work.views.plan.contract
        to_come = self._to_come(snapshot.strays, base)
        scope = Scope(self.work.tree(base), files, contract, self.gates.rewritten)
        judgement = judge_snapshot(snapshot, scope, to_come)
        out_of_scope = judgement.outcome is AttemptOutcome.OUT_OF_SCOPE
        if out_of_scope and snapshot.changed - set(files):
            self.gates.run_for_scope(commit)
            scope = scope._replace(rewritten=self.gates.rewritten)
            judgement = judge_snapshot(snapshot, scope, to_come)
        return judgement

    def _to_come(self, strays: Sequence[str], base: str) -> list[str]:
        """Return the frozen tests of nodes to come that an agent made files of its own of."""
        if not strays:
            return []
        folders = tuple(path for path in strays if path.endswith("/"))
        contract = self.work.views.plan.contract
        seen = self.work.job.repository.entries(self.work.view(base), contract)
        return [
            path
            for path in contract.keys() - seen
            if path in strays
            or (path.startswith(folders) and os.path.lexists(self.worktree.path / path))
        ]

    def _is_read(self, author: Author, progress: Progress, commit: str) -> bool:
        """Whether models read a candidate when it is green, which takes as long as it takes."""
        if author.tier is Tier.HUMAN or progress.fallback:
            return False
        changed = len(self.work.job.repository.changes(progress.base, commit))
        return bool(readers_of(self.work.job.config.review, Role(author.tier), changed))

    def _gate_in_line(self, base: str, commit: str) -> _Gated:
        """Gate what the branch will be after a candidate's turn; red there, on its own base.

        The one spares a second gate where others merge meanwhile; the other tells whose fault it
        is.
        """
        ahead = take_place(self.work, self.place, base, commit)
        if ahead and ahead != commit:
            failure = self.gates.judge(ahead, "candidate")
            if failure is None or failure.flaky:
                return _Gated(base, commit, ahead, failure)
            self.place.leave()  # before those behind it gate any more of it
        return _Gated(base, commit, commit, self.gates.judge(commit, "candidate"))

    def _gate_on_tip(self, base: str, commit: str) -> _Gated:
        """Gate a candidate on the tip as it is; red there, on its own base."""
        tip = self.work.job.repository.tip()
        moved = self.work.rebased(base, commit, tip)
        if moved and moved != commit:
            failure = self.gates.judge(moved, "candidate")
            if failure is None or failure.flaky:
                return _Gated(tip, moved, moved, failure)
        return _Gated(base, commit, commit, self.gates.judge(commit, "candidate"))

    def _failed(
        self, failure: GateFailure, draft: UngatedCandidate, progress: Progress
    ) -> Examined:
        """Return what a candidate that is not green came to, and what is learnt from it."""
        outcome, lesson, commit = failure.outcome, failure.lesson, progress.start
        if not failure.flaky:
            lesson = f"{draft.before}{lesson} {draft.after}".strip()
            if not failure.unprepared and fails_independently(
                self.work, self.gates, failure, progress
            ):
                outcome = AttemptOutcome.AS_BEFORE
                lesson = f"{AS_BEFORE} ({failure.gate.failure})"
        if failure.unprepared:  # no agent can work where setup fails
            progress = progress._replace(start=progress.base)
        feedback = failure.teaching(outcome, lesson)
        return Examined(outcome, progress._replace(feedback=feedback), commit)
