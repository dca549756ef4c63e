"""Asking a role: the cost ceiling is checked, the call made and repeated, its cost recorded."""

import itertools
import random
import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from director.agents.calls import Assignment, Outcome, Reply, Spending
from director.agents.judging import reason_of
from director.agents.permissions import WRITING_AGENTS
from director.agents.progress import CallProgress, Doing
from director.agents.reading import CallEnd
from director.agents.transcript import FaultKind, Transcript
from director.model.config import Config
from director.model.cost import DIGITS
from director.model.errors import (
    AGAIN,
    DirectorError,
    InterruptedRunError,
    LostError,
    RequestError,
    StoppedError,
)
from director.model.pricing import cost_of
from director.model.reason import Reason
from director.model.roles import Role
from director.model.state import CallRecord
from director.processes.cancellation import Cancellation
from director.records.call_notes import CallNote, CallNotes
from director.records.clock import now
from director.records.events import Events, Kind
from director.records.ledger import Ledger, Meter, ceiling_reached
from director.records.logs import errors_of, recorded

FIRST_PAUSE_SECS = 4.0
LONGEST_PAUSE_SECS = 120.0
# Outcomes that belong to the model: such a reply is the answer, for better or worse.
CONCLUDED = frozenset(
    {Outcome.COMPLETED, Outcome.INCOMPLETE, Outcome.TIMED_OUT, Outcome.CONTEXT_TOO_LONG}
)


class Caller(Protocol):
    """Whatever can make a call: the CLIs of all tiers (``callers.Callers``), or a fake."""

    def call(self, assignment: Assignment, spending: Spending, events: Path) -> Reply:
        """Make one call, its raw events into the file ``events``."""
        ...

    def new_log(self, name: str) -> Path:
        """Return a fresh path for the events of a call."""
        ...

    def recall(self, events: Path, tier: str) -> Reply:
        """Return what an earlier call of a model of ``[tiers]`` left in its events file."""
        ...

    def prepare(self, role: Role) -> None:
        """Begin in the background what a call to ``role`` would have to wait for."""
        ...

    def check(self, worktree: Path) -> None:
        """Raise RequestError for a model that a call in that worktree cannot name."""
        ...

    def versions(self) -> Mapping[str, str]:
        """Return CLI → version of what makes the calls; those that do not say it are left out."""
        ...


class AgentClient(NamedTuple):
    """All roles of one job. ``pause`` waits so many seconds (or less, when cancelled)."""

    caller: Caller
    config: Config
    ledger: Ledger
    notes: CallNotes
    events: Events
    cancellation: Cancellation
    pause: Callable[[float], None]

    def ask(self, assignment: Assignment) -> Reply:
        """Make a call, record what it cost, and return the reply.

        A role that only reads is not asked again what a killed run has already paid for; an
        agent that writes needs its worktree for that, so its asker calls ``recalled`` itself.
        After a provider fault the call is repeated, with growing pauses; no attempt is spent.
        Raises StoppedError when the fault lasts or the ceiling is reached, InterruptedRunError on
        a signal, RequestError for a model that does not exist, and LostError where what ran the
        call failed.
        """
        if assignment.agent not in WRITING_AGENTS and (kept := self.recalled(assignment)):
            return kept
        self.caller.check(assignment.cwd)
        for retry in itertools.count():
            self.cancellation.check_before_call()
            reply = self._call_once(assignment)
            if reply.outcome is Outcome.CANCELLED:
                raise InterruptedRunError(self.cancellation.signal_number or 2)
            if reply.outcome is Outcome.OVER_BUDGET:
                raise ceiling_reached(self.ledger.spent_usd, self.ledger.ceiling_usd)
            if reply.outcome is Outcome.LOST:
                see = f"see {_told_in(reply.log)}; {AGAIN}"
                raise LostError(f"a call to {assignment.role} is lost: {reply.reason}", see)
            if reply.outcome in CONCLUDED:
                return reply
            self._raise_unless_worth_retrying(assignment, reply, retry)
            pause = pause_secs(retry, random.random())
            self.events.emit(
                Kind.PROVIDER_FAULT,
                assignment.node,
                model=self.config.tiers[assignment.role],
                reason=reply.reason,
                pause_secs=round(pause, 1),
            )
            self.pause(pause)
        raise AssertionError("unreachable")

    def _raise_unless_worth_retrying(
        self, assignment: Assignment, reply: Reply, retry: int
    ) -> None:
        """Raise an error when a retry cannot help, or when there have been enough."""
        model = self.config.tiers[assignment.role]
        if reply.kind is FaultKind.UNKNOWN_MODEL:
            raise RequestError(
                f"there is no model {model} ({assignment.role}): {reply.reason}",
                "correct [tiers] in the configuration, then run the command again",
                Reason.MODEL_UNKNOWN,
            )
        permanent = reply.kind is FaultKind.PERMANENT
        if permanent or retry >= self.config.limits.provider_retries:
            log, again = _told_in(reply.log), "then run the command again"
            raise StoppedError(
                f"{reply.outcome} with {model}: {reply.reason}",
                f"see {log}; fix that, {again}" if permanent else f"wait, {again}; see {log}",
                reason_of(CallEnd(reply.outcome, reply.reason, reply.kind), reply.transcript),
            )

    def _call_once(self, assignment: Assignment) -> Reply:
        model = self.config.tiers[assignment.role]
        told = {
            "role": assignment.role,
            "agent": assignment.agent,
            "model": model,
            "attempt": assignment.attempt,
        }
        expected = self.ledger.expected_usd(assignment.role, model)
        with self.ledger.running(expected) as meter:
            self.events.emit(Kind.CALL_STARTED, assignment.node, **told)
            tell = partial(self._tell_progress, assignment.node, told)
            # Noted before the call starts: what is paid for is found again after a kill.
            log = self.caller.new_log(assignment.log or assignment.name)
            self.note(assignment, str(log))
            watched = assignment._replace(look=CallProgress(tell, assignment.cwd).look)
            spending = partial(self._spending, model, meter)
            try:
                reply = self.caller.call(watched, spending, log)._replace(model=model)
            except DirectorError:  # it was not made
                self.notes.forget_place(assignment.name)
                raise
            if reply.outcome is not Outcome.COMPLETED:  # which the events say by themselves
                counts = reply.outcome in CONCLUDED
                self.notes.end(assignment.name, reply.outcome, reply.reason, counts=counts)
            # Before the meter is gone: no other call may find this money unspent in between.
            record = self._record(assignment, model, reply, meter)
        self._tell_end(assignment.node, told, reply, record)
        return reply

    def _spending(self, model: str, meter: Meter, transcript: Transcript) -> str | None:
        """Count what a call has cost so far; returns why it has to end, if it has."""
        cost = cost_of(model, transcript.usage, self.config.pricing)
        if cost.usd is not None:  # otherwise what was known so far stands
            meter.set(cost.usd)
        return "the cost ceiling is reached" if self.ledger.over_ceiling() else None

    def _tell_progress(self, node: str | None, told: Mapping[str, Any], done: Doing) -> None:
        cost = cost_of(str(told["model"]), done.usage, self.config.pricing)
        self.events.emit(
            Kind.CALL_PROGRESS,
            node,
            **told,
            tool=done.tool,
            argument=done.argument,
            cost=cost.usd,
            tokens=done.tokens,
        )

    def _tell_end(
        self, node: str | None, told: Mapping[str, Any], reply: Reply, record: CallRecord
    ) -> None:
        self.events.emit(
            Kind.CALL_ENDED,
            node,
            **told,
            outcome=reply.outcome,
            reason=reply.reason,
            cost=record.cost,
            tokens=record.tokens.total,
            wall_secs=round(reply.wall_secs, 2),
            log=recorded(reply.log),
        )

    def note(self, assignment: Assignment, log: str = "") -> None:
        """Note a call whose events go to ``log``; "": one that is to be made."""
        self.notes.begin(
            CallNote(
                assignment.name,
                log,
                str(assignment.cwd) if log else "",
                assignment.memo,
                model=self.config.tiers[assignment.role],
                writes=bool(log) and assignment.agent in WRITING_AGENTS,
                role=assignment.role,
                node=assignment.node,
                attempt=assignment.attempt,
            )
        )

    def bill_left(self) -> None:
        """Put on record what the calls of a killed run cost, whoever asks for their answers."""
        for note in self.notes.left():
            if not note.role or not note.log or self.ledger.knows(recorded(Path(note.log))):
                continue
            reply = self.caller.recall(Path(note.log), note.model)
            self._record(note, note.model, reply)
            if reply.outcome is not Outcome.COMPLETED and note.outcome not in CONCLUDED:
                self.notes.forget_place(note.name)

    def recalled(self, assignment: Assignment, *, drafted: bool = False) -> Reply | None:
        """Return the reply to a call that an earlier run made and did not get to use, or None.

        What such a call cost is on record afterwards, also when it was cut short. For an agent
        that writes, the reply counts only in the very worktree where it wrote, unless that is
        ``drafted``: a commit already.
        """
        note = self.notes.get(assignment.name)
        if note is None or not note.log:
            return None
        model = note.model or self.config.tiers[assignment.role]
        reply = self.caller.recall(Path(note.log), model)._replace(model=model)
        if not self.ledger.knows(recorded(reply.log)):
            self._record(assignment, model, reply)
        if note.outcome in CONCLUDED:
            reply = reply._replace(outcome=Outcome(note.outcome), reason=note.reason)
        elif reply.outcome is not Outcome.COMPLETED:
            return None
        if drafted or assignment.agent not in WRITING_AGENTS:
            return reply
        return reply if note.cwd == str(assignment.cwd) else None

    def _record(
        self, asked: Assignment | CallNote, model: str, reply: Reply, meter: Meter | None = None
    ) -> CallRecord:
        transcript = reply.transcript
        cost = cost_of(model, transcript.usage, self.config.pricing)
        record = CallRecord(
            ts=now(),
            role=asked.role,
            model=model,
            tokens=transcript.tokens,
            cost=None if cost.usd is None else round(cost.usd, DIGITS),
            cost_source=cost.source,
            node=asked.node,
            attempt=asked.attempt,
            ok=reply.outcome is Outcome.COMPLETED,
            log=recorded(reply.log),
        )
        self.ledger.record(record, meter)
        return record


def pause_secs(retry: int, chance: float) -> float:
    """Return how long to wait before retry number ``retry`` (from 0), in seconds.

    Exponential back-off with full jitter on its upper half; ``chance`` is in [0, 1).
    """
    longest: float = min(LONGEST_PAUSE_SECS, FIRST_PAUSE_SECS * 2 ** min(retry, 32))
    return longest * (0.5 + chance / 2)


def _told_in(log: Path) -> Path:
    """Return the file that says most about a call: a session on a server has no other."""
    errors = errors_of(log)
    return errors if errors.exists() else log


def interruptible_sleep(cancellation: Cancellation) -> Callable[[float], None]:
    """Return a pause that a cancellation ends early, or the request for no more calls."""
    never = threading.Event()

    def pause(secs: float) -> None:
        slices = int(secs / 0.1) + 1
        for _ in range(slices):
            if cancellation.requested or cancellation.draining:
                return
            never.wait(secs / slices)

    return pause


def unpriced_models(config: Config) -> Mapping[str, list[str]]:
    """Return the models without a configured price → the roles that use them."""
    found: dict[str, list[str]] = {}
    for role, model in config.tiers.items():
        if model not in config.pricing:
            found.setdefault(model, []).append(role.value)
    return found
