"""What is put on record of a node while it is worked on: its state, events, and its receipt."""

from typing import Any, NamedTuple

from director.job.attempts import CurrentAttempt, next_role
from director.job.feedback import Feedback
from director.model.codec.encoding import encode, encode_any
from director.model.errors import DirectorError
from director.model.failure import Failure
from director.model.receipt import Receipt
from director.model.roles import Role, Tier
from director.model.state import Attempt, AttemptOutcome, NodeState, NodeStatus, WatchItFail
from director.records import json_lines
from director.records.call_notes import CallNote
from director.records.events import Kind
from director.records.state_keeper import StateKeeper
from director.running.node_work import NodeWork
from director.running.progress import UNSEEN
from director.running.review import calls_of_readers

TIERS = (Role.EXECUTOR, Role.ESCALATION)  # that make attempts


class NodeEnd(NamedTuple):
    """What became of a node in this run. ``stop``: an outside reason, the node is pending again."""

    status: NodeStatus
    error: str | None = None
    stop: DirectorError | None = None
    watched: WatchItFail = UNSEEN


class NodeRecord:
    """The records of one node, of which ``keeper`` has the state."""

    def __init__(self, work: NodeWork, keeper: StateKeeper) -> None:
        self.work = work
        self.keeper = keeper

    @property
    def state(self) -> NodeState:
        """The state of the node."""
        return self.keeper.node(self.work.node.id)

    def update(self, **values: Any) -> None:
        """Change fields of the state; a power cut may take that, a kill does not."""
        self.keeper.update(self.work.node.id, durable=False, **values)

    def next_attempt(self) -> CurrentAttempt | None:
        """Return the attempt that is due, or None when the node has had its chances."""
        config, state = self.work.job.config, self.state
        role = next_role(state.past_attempts, config.limits.max_attempts, veto=config.review.veto)
        return CurrentAttempt(self.work.node.id, role, state.attempts + 1) if role else None

    def attempt_left(self) -> tuple[CurrentAttempt, CallNote] | None:
        """Return the attempt in which an earlier run was, and the note of its call, if any.

        It counts for the tier that was asked, even where another is due by now.
        """
        due, number = self.next_attempt(), self.state.attempts + 1
        for role in dict.fromkeys([due.role if due else Role.EXECUTOR, *TIERS]):
            attempt = CurrentAttempt(self.work.node.id, role, number)
            if note := self.work.job.agents.notes.get(attempt.call):
                return attempt, note
        return None

    def began(self, attempt: CurrentAttempt) -> None:
        """Say that an attempt begins, and whether the node escalates with it."""
        if attempt.role is Role.ESCALATION and not self.state.escalated:
            self.work.emit(Kind.ESCALATED, attempts=self.state.attempts)
        model = self.work.job.config.tiers[attempt.role]
        self.work.emit(Kind.ATTEMPT_STARTED, attempt=attempt.number, tier=attempt.role, model=model)

    def answered(self, attempt: CurrentAttempt, watched: WatchItFail, model: str) -> None:
        """Note who made an attempt, and whether it saw the test fail first."""
        self.keeper.note(
            self.work.node.id,
            tier_used=attempt.role,
            model_used=model,
            escalated=attempt.role is Role.ESCALATION or self.state.escalated,
            watch_it_fail=watched.verdict,
        )

    def ended(
        self, attempt: CurrentAttempt, outcome: AttemptOutcome, feedback: Feedback | None
    ) -> None:
        """Say why an attempt that was not accepted was not."""
        if outcome is not AttemptOutcome.GREEN and feedback:
            self.work.emit(
                Kind.ATTEMPT_FAILED,
                attempt=attempt.number,
                tier=attempt.role,
                outcome=outcome,
                lesson=feedback.lesson,
                failure=encode_any(feedback.failure),
            )

    def conclude(self, attempt: CurrentAttempt, *tries: Attempt, **values: Any) -> None:
        """Put an attempt on record; only then may its calls be forgotten.

        ``tries`` are two where it was green, and its merge collided with another.
        """
        # A power cut would give back what was paid for; a merge the journal of tips has already.
        merged = values.get("status") is NodeStatus.DONE
        state = self.state
        blocks = sum(one.outcome is AttemptOutcome.BLOCKED for one in tries)
        self.keeper.update(
            self.work.node.id,
            durable=not merged,
            attempts=attempt.number,
            past_attempts=(*state.past_attempts, *tries),
            review_blocks=state.review_blocks + blocks,
            **values,
        )
        self.work.job.agents.notes.drop(attempt.call, *calls_of_readers(attempt))

    def merged(
        self, receipt: Receipt, attempt: CurrentAttempt | None = None, *tries: Attempt
    ) -> None:
        """Put a merge on record, and the attempt that it ends (None: it took none)."""
        # The branch has moved already: after a crash here the journal of tips restores this line,
        # and the state of the node.
        receipts = self.work.job.directory.receipts
        json_lines.append_line(receipts, encode(receipt), durable=False)
        tier = Tier(receipt.tier) if receipt.tier else None
        done = {
            "status": NodeStatus.DONE,
            "commit": receipt.merged,
            "error": None,
            "failure": None,
            "tier_used": tier,
        }
        if attempt:
            self.conclude(attempt, *tries, **done)
        else:
            self.update(**done)
        self.work.emit(Kind.MERGED, commit=receipt.merged, tier=tier)
        self.work.job.publisher.soon()

    def failed(
        self,
        reason: str,
        failure: Failure | None,
        watched: WatchItFail = UNSEEN,
        *,
        environment: bool = False,
    ) -> NodeEnd:
        """Put on record that the node failed: its ``environment``, or the models."""
        if environment:
            self.work.job.pool.doubt()
        status = NodeStatus.FAILED
        self.update(status=status, error=reason, environment=environment, failure=failure)
        return NodeEnd(NodeStatus.FAILED, reason, watched=watched)
