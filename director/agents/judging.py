"""How a call ended: read from its events and standard error, never from an exit code alone."""

from __future__ import annotations

import re

from director.agents.calls import Outcome
from director.agents.reading import PERMISSION_ASKED, CallEnd, EventReader
from director.agents.transcript import Fault, FaultKind, Finish, Transcript
from director.model.patterns import lazy_pattern
from director.model.reason import Reason
from director.processes.command import Ended, Ending

STATUS = lazy_pattern(r"\b(?:HTTP|status:?) (\d{3})\b")
REASONS = {401: Reason.AUTH, 403: Reason.AUTH, 402: Reason.RATE_LIMIT, 429: Reason.RATE_LIMIT,
           529: Reason.RATE_LIMIT}  # fmt: skip
# Providers use the plain 400 for these, too, and the CLIs do not always pass a status on.
USED_UP = lazy_pattern(
    r"rate.?limit|too many requests|quota|overloaded|at capacity|credit balance|no credits?\b"
    r"|billing|usage limit|insufficient.(?:funds|credits?|balance)",
    re.IGNORECASE,
)
NOT_ADMITTED = lazy_pattern(
    r"(?:invalid|incorrect|missing|wrong|expired|no) (?:api.?)?(?:key|token|credentials?)\b"
    r"|api key (?:is |was )?(?:not|invalid|expired|missing)|not logged in|\blog ?in\b"
    r"|unauthori[sz]ed|missing environment variable|authentication|ProviderAuthError"
    r"|permission_error",
    re.IGNORECASE,
)


def judge(ended: Ended, transcript: Transcript, reader: EventReader, errors: str) -> CallEnd:
    """Return how a call ended, judged by its process, its events and its standard error."""
    end = _judge(ended, transcript, reader, errors)
    if end.kind is FaultKind.TRANSIENT and transcript.faults:
        return end._replace(kind=transcript.faults[-1].kind)
    return end


def stopped(ended: Ended, transcript: Transcript, outcome: Outcome) -> CallEnd:
    """Return the end of a call that director itself stopped."""
    kind = transcript.faults[-1].kind if transcript.faults else FaultKind.TRANSIENT
    return CallEnd(outcome, ended.reason, FaultKind.PERMANENT if transcript.asked_for else kind)


def reason_of(end: CallEnd, transcript: Transcript) -> Reason:
    """Return what kept a provider from answering, for a call that ended in a fault.

    The status decides, where there is one that says it, then the words. PROVIDER: anything else.
    """
    if end.kind is FaultKind.UNKNOWN_MODEL:
        return Reason.MODEL_UNKNOWN
    fault = transcript.faults[-1] if transcript.faults else Fault("", "")
    told = f"{end.reason} {fault.name} {fault.message}"
    named = STATUS.search(told)
    status = fault.status_code or (int(named[1]) if named else None)
    if status in REASONS:
        return REASONS[status]
    if USED_UP.search(told):
        return Reason.RATE_LIMIT
    return Reason.AUTH if NOT_ADMITTED.search(told) else Reason.PROVIDER


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
        return CallEnd(Outcome.AGENT_FAULT, reason, FaultKind.PERMANENT)
    return _judge_finish(transcript.last_finish, ended, f"{reader.title} ended", errors)


def _judge_finish(finish: Finish | None, ended: Ended, it_ended: str, errors: str) -> CallEnd:
    code = "" if ended.code is None else f"exit code {ended.code}, "
    match finish:
        case Finish.DONE:
            return CallEnd(Outcome.COMPLETED)
        case Finish.EMPTY:
            return CallEnd(Outcome.PROVIDER_FAULT, "the provider sent an empty answer")
        case Finish.LENGTH | Finish.REFUSED:
            return CallEnd(Outcome.INCOMPLETE, f"the answer was cut off ({finish})")
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
