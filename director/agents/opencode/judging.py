"""How a call is going, and how it ended: read from events and log, never from the exit code."""

from __future__ import annotations

import re
import time
from pathlib import Path

from director.agents.calls import Outcome, Spending
from director.agents.transcript import AgentFault, Retry, Transcript, TranscriptFollower
from director.processes.command import Ended, Ending

EMPTY_FINISHES_TOLERATED = 5
MOST_BYTES = 64 * 1024 * 1024  # of events, and of standard error: more is never meant
STREAM_ERRORS_TOLERATED = 3
STREAM_ERROR = re.compile(rb'message="stream error"[^\n]*')
REJECTED = re.compile(r"permission requested: ([^\n;]+); auto-rejecting")
ASKED = "a permission was asked for and rejected"
FALLBACK = "Falling back to default agent"
UPSTREAM = re.compile(r'error\.error="([^"]*)')
CAUSE = re.compile(r'message=failed [^\n]*?error="([^"\n]+)"')
MODELS_OWN_ENDS = ("length", "content-filter")
CONTEXT_NAMES = ("ContextOverflowError",)


class Watch:
    """Looks at a running call: money, endless empty turns, repeated stream errors, silence."""

    def __init__(
        self, follower: TranscriptFollower, errors: Path, spending: Spending, stall_secs: float
    ) -> None:
        self.outcome: Outcome | None = None
        self._follower = follower
        self._errors = errors
        self._spending = spending
        self._stall_secs = stall_secs
        self._size = 0
        self._read = 0  # bytes of standard error, in whole lines
        self._stream_errors: list[bytes] = []
        self._last_sign: float | None = None  # silence counts from the first look

    def __call__(self) -> str | None:
        """Return why the call must end now, or None."""
        progressed = self._follower.poll()
        size = self._errors.stat().st_size if self._errors.exists() else 0
        transcript = self._follower.transcript
        if max(size, self._follower.size) > MOST_BYTES:
            reason = f"OpenCode said more than {MOST_BYTES >> 20} MiB"
            return self.stop(Outcome.INCOMPLETE, reason)
        if transcript.asked_for:
            return self.stop(Outcome.AGENT_FAULT, f"{ASKED}: {transcript.asked_for}")
        if transcript.retry and (hopeless := self._hopeless(transcript.retry)):
            return self.stop(Outcome.PROVIDER_FAULT, hopeless)
        if progressed:
            # What is finished is paid for: ending it now would save nothing and lose the work.
            if transcript.last_finish != "stop" and (over := self._spending(transcript)):
                return self.stop(Outcome.OVER_BUDGET, over)
            if transcript.empty_finishes >= EMPTY_FINISHES_TOLERATED:
                return self.stop(Outcome.PROVIDER_FAULT, "the provider keeps sending empty answers")
        if size != self._size:
            self._stream_errors += self._new_stream_errors()
            if len(self._stream_errors) >= STREAM_ERRORS_TOLERATED:
                said = UPSTREAM.search(self._stream_errors[-1].decode(errors="replace"))
                detail = said[1] if said else "stream errors"
                return self.stop(Outcome.PROVIDER_FAULT, f"the provider keeps failing: {detail}")
        now = time.monotonic()
        if progressed or size != self._size or self._last_sign is None:
            self._size, self._last_sign = size, now
        elif now - self._last_sign > self._stall_secs:
            return self.stop(Outcome.PROVIDER_FAULT, f"no sign of life for {self._stall_secs:g} s")
        return None

    def _new_stream_errors(self) -> list[bytes]:
        """Return those in the lines of standard error that were not read before."""
        with self._errors.open("rb") as stream:
            stream.seek(self._read)
            new = stream.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._read += len(whole)
        return STREAM_ERROR.findall(whole)

    def sign_of_life(self) -> None:
        """Note that something happens that the transcript does not tell of yet."""
        self._last_sign = time.monotonic()

    def stop(self, outcome: Outcome, reason: str) -> str:
        """Note why the call ends before its time; returns ``reason``."""
        self.outcome = outcome
        return reason

    def _hopeless(self, retry: Retry) -> str | None:
        """Return why there is no use in waiting until a provider is tried again."""
        if retry.attempt >= STREAM_ERRORS_TOLERATED:
            return f"the provider keeps failing: {retry.message}"
        if retry.at > time.time() + self._stall_secs:
            secs = retry.at - time.time()
            return f"the provider wants to be left alone for {secs:.0f} s: {retry.message}"
        return None


def judge(
    ended: Ended, transcript: Transcript, said: str, stopped_for: Outcome | None
) -> tuple[Outcome, str]:
    """Say how a call ended, from how the process ended, its events and its standard error."""
    if stopped_for is not None:
        return stopped_for, ended.reason
    match ended.ending:
        case Ending.CANCELLED:
            return Outcome.CANCELLED, ""
        case Ending.NOT_STARTED:
            return Outcome.AGENT_FAULT, f"OpenCode could not be started: {ended.reason}"
        case Ending.TIMED_OUT:
            return Outcome.TIMED_OUT, ended.reason
        case Ending.LOST:
            return Outcome.LOST, ended.reason
    if FALLBACK in said:
        return Outcome.AGENT_FAULT, "OpenCode did not know the agent and fell back to another"
    if transcript.ended_in_fault:
        return _judge_fault(transcript.faults[-1], said)
    rejected = REJECTED.search(said)
    if asked_for := transcript.asked_for or (rejected and rejected[1]):
        # director's roles never ask: somebody's agent file or plugin does.
        return Outcome.AGENT_FAULT, f"{ASKED}: {asked_for}"
    if transcript.last_finish == "stop":
        return Outcome.COMPLETED, ""
    if transcript.last_finish == "unknown" and transcript.empty_finishes:
        return Outcome.PROVIDER_FAULT, "the provider sent an empty answer"
    if transcript.last_finish is None:
        last = said.strip().splitlines()[-1:] or [f"{_exit_code(ended)}no message"]
        return Outcome.AGENT_FAULT, f"OpenCode ended without an answer: {last[0][:300]}"
    if transcript.last_finish in MODELS_OWN_ENDS:
        return Outcome.INCOMPLETE, f"the answer broke off ({transcript.last_finish})"
    return Outcome.AGENT_FAULT, f"{_exit_code(ended)}OpenCode ended in the middle of a turn"


def _exit_code(ended: Ended) -> str:
    return "" if ended.code is None else f"exit code {ended.code}, "


def _judge_fault(fault: AgentFault, said: str) -> tuple[Outcome, str]:
    code = f" (HTTP {fault.status_code})" if fault.status_code else ""
    sentence = f"{fault.name}{code}: {' '.join(fault.message.split())[:300]}"
    if fault.name == "UnknownError" and (cause := CAUSE.search(said)):
        sentence = cause[1][:300]  # the event only points to the log
    if fault.name in CONTEXT_NAMES:
        return Outcome.CONTEXT_TOO_LONG, sentence
    if fault.name == "MessageOutputLengthError":
        return Outcome.INCOMPLETE, sentence
    return Outcome.PROVIDER_FAULT, sentence
