"""How a call ended: read from its events and standard error, never from an exit code alone."""

from __future__ import annotations

from director.agents.calls import Outcome
from director.agents.reading import PERMISSION_ASKED, CallEnd, EventReader
from director.agents.transcript import Fault, FaultKind, Finish, Transcript
from director.processes.command import Ended, Ending


def judge(ended: Ended, transcript: Transcript, reader: EventReader, errors: str) -> CallEnd:
    """Say how a call ended, from how its process ended, its events and its standard error."""
    end = _judge(ended, transcript, reader, errors)
    if end.kind is FaultKind.PASSING and transcript.faults:
        return end._replace(kind=transcript.faults[-1].kind)
    return end


def stopped(ended: Ended, transcript: Transcript, outcome: Outcome) -> CallEnd:
    """Say how a call ended that director itself has stopped."""
    kind = transcript.faults[-1].kind if transcript.faults else FaultKind.PASSING
    return CallEnd(outcome, ended.reason, FaultKind.LASTING if transcript.asked_for else kind)


def _judge(ended: Ended, transcript: Transcript, reader: EventReader, errors: str) -> CallEnd:
    match ended.ending:
        case Ending.CANCELLED:
            return CallEnd(Outcome.CANCELLED)
        case Ending.NOT_STARTED:
            reason = f"{reader.title} could not be started: {ended.reason}"
            return CallEnd(Outcome.AGENT_FAULT, reason)
        case Ending.TIMED_OUT:
            return CallEnd(Outcome.TIMED_OUT, ended.reason)
        case Ending.LOST:
            return CallEnd(Outcome.LOST, ended.reason)
    if end := reader.conclude(transcript, errors):
        return end
    if transcript.ended_in_fault:
        return _judge_fault(transcript.faults[-1])
    if transcript.asked_for:
        reason = f"{PERMISSION_ASKED}: {transcript.asked_for}"
        return CallEnd(Outcome.AGENT_FAULT, reason, FaultKind.LASTING)
    return _judge_finish(transcript.last_finish, ended, f"{reader.title} ended", errors)


def _judge_finish(finish: Finish | None, ended: Ended, it_ended: str, errors: str) -> CallEnd:
    code = "" if ended.code is None else f"exit code {ended.code}, "
    match finish:
        case Finish.DONE:
            return CallEnd(Outcome.COMPLETED)
        case Finish.EMPTY:
            return CallEnd(Outcome.PROVIDER_FAULT, "the provider sent an empty answer")
        case Finish.LENGTH | Finish.REFUSED:
            return CallEnd(Outcome.INCOMPLETE, f"the answer broke off ({finish})")
        case None:
            last = errors.strip().splitlines()[-1:] or [f"{code}no message"]
            return CallEnd(Outcome.AGENT_FAULT, f"{it_ended} without an answer: {last[0][:300]}")
    return CallEnd(Outcome.AGENT_FAULT, f"{code}{it_ended} in the middle of a turn")


def _judge_fault(fault: Fault) -> CallEnd:
    code = f" (HTTP {fault.status_code})" if fault.status_code else ""
    sentence = f"{fault.name}{code}: {' '.join(fault.message.split())[:300]}"
    outcomes = {
        FaultKind.CONTEXT: Outcome.CONTEXT_TOO_LONG,
        FaultKind.LENGTH: Outcome.INCOMPLETE,
    }
    return CallEnd(outcomes.get(fault.kind, Outcome.PROVIDER_FAULT), sentence, fault.kind)
