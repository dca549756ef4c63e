"""Watching a call while it runs: its cost, endless empty turns, a failing provider, silence."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from director.agents.calls import Outcome, Spending
from director.agents.events_file import EventsFollower
from director.agents.reading import PERMISSION_ASKED
from director.agents.transcript import Finish, Retry, Transcript

EMPTY_FINISHES_TOLERATED = 5
RETRIES_TOLERATED = 3
MOST_BYTES = 64 * 1024 * 1024  # of events, and of standard error: more is never meant


class Watch:
    """Looks at a running call: money, endless empty turns, a failing provider, silence."""

    def __init__(
        self,
        follower: EventsFollower,
        errors: Path,
        spending: Spending,
        stall_secs: float,
        look: Callable[[Transcript], None] | None = None,
    ) -> None:
        self.outcome: Outcome | None = None
        self.events = follower.path
        self._follower = follower
        self._reader = follower.reader
        self._errors = errors
        self._spending = spending
        self._stall_secs = stall_secs
        self._look = look
        self._size = 0
        self._read = 0  # bytes of standard error, in whole lines
        self._last_sign: float | None = None  # silence counts from the first look

    def __call__(self) -> str | None:
        """Return why the call must end now, or None."""
        progressed = self._follower.poll()
        size = _size_of(self._errors)
        transcript = self._follower.transcript
        if self._look:  # also when nothing is new: what was too early to tell is told later
            self._look(transcript)
        if max(size, self._follower.size) > MOST_BYTES:
            reason = f"{self._reader.title} printed more than {MOST_BYTES >> 20} MiB"
            return self.stop(Outcome.INCOMPLETE, reason)
        if transcript.asked_for:
            return self.stop(Outcome.AGENT_FAULT, f"{PERMISSION_ASKED}: {transcript.asked_for}")
        if transcript.retry and (useless := self._why_not_wait(transcript.retry)):
            return self.stop(Outcome.PROVIDER_FAULT, useless)
        if progressed:
            # What is finished is paid for: ending it now would save nothing and lose the work.
            if transcript.last_finish is not Finish.DONE and (over := self._spending(transcript)):
                return self.stop(Outcome.OVER_BUDGET, over)
            if transcript.empty_finishes >= EMPTY_FINISHES_TOLERATED:
                return self.stop(Outcome.PROVIDER_FAULT, "the provider keeps sending empty answers")
        if size != self._size and (failing := self._reader.failing(self._new_errors())):
            return self.stop(Outcome.PROVIDER_FAULT, f"the provider keeps failing: {failing}")
        now = time.monotonic()
        if progressed or size != self._size or self._last_sign is None:
            self._size, self._last_sign = size, now
        elif now - self._last_sign > self._stall_secs:
            return self.stop(Outcome.PROVIDER_FAULT, f"no output for {self._stall_secs:g} s")
        return None

    def _new_errors(self) -> bytes:
        """Return the whole lines of standard error that were not read before."""
        with self._errors.open("rb") as stream:
            stream.seek(self._read)
            new = stream.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._read += len(whole)
        return whole

    def sign_of_life(self) -> None:
        """Note that something happens that the transcript does not tell of yet."""
        self._last_sign = time.monotonic()

    def stop(self, outcome: Outcome, reason: str) -> str:
        """Note why the call ends before its time; returns ``reason``."""
        self.outcome = outcome
        return reason

    def _why_not_wait(self, retry: Retry) -> str | None:
        """Return why it is no use to wait for the provider's next retry, or None."""
        if retry.attempt >= RETRIES_TOLERATED:
            return f"the provider keeps failing: {retry.message}"
        if retry.at > time.time() + self._stall_secs:
            secs = retry.at - time.time()
            return f"the provider asks for a pause of {secs:.0f} s: {retry.message}"
        return None


def _size_of(path: Path) -> int:
    """Return the size of a file in bytes, 0 where there is none."""
    try:
        return os.stat(path).st_size  # noqa: PTH116 (several times a second)
    except FileNotFoundError:
        return 0
