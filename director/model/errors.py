"""Every end that is not success, as an error that knows its exit code and what to do next."""

from __future__ import annotations

import signal
from enum import IntEnum

from director.model.reason import Reason

AGAIN = "run the same command again to continue"


class ExitCode(IntEnum):
    """The documented exit codes of the ``director`` command."""

    DONE = 0
    WORK_FAILED = 1
    REQUEST = 2
    STOPPED = 3
    BUG = 70
    INTERRUPTED = 130
    TERMINATED = 143


class DirectorError(Exception):
    """An end the user can act on: one line says what happened, one says what to do next.

    ``reason``: the same for programs (None: the usual one of the kind of error).
    """

    exit_code = ExitCode.WORK_FAILED
    reason = Reason.NODE_FAILED

    def __init__(self, what: str, next_step: str, reason: Reason | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.next_step = next_step
        self.reason = reason or self.reason


class WorkError(DirectorError):
    """The work itself failed: a node, or the integration gate."""

    exit_code = ExitCode.WORK_FAILED


class RequestError(DirectorError):
    """The request cannot be carried out as it stands (usage, config, repository, plan)."""

    exit_code = ExitCode.REQUEST
    reason = Reason.REQUEST


class StoppedError(DirectorError):
    """Stopped for an outside reason; everything is on record and the run can be resumed."""

    exit_code = ExitCode.STOPPED
    reason = Reason.STOPPED


class BugError(DirectorError):
    """director itself is wrong."""

    exit_code = ExitCode.BUG
    reason = Reason.BUG


AGAIN = "run the command again"


class LostError(StoppedError):
    """What ran a command failed (a node of a cluster): no attempt, to be done again.

    Not in the same worktree: what runs there may continue, out of reach.
    """

    reason = Reason.LOST


class DrainedError(StoppedError):
    """An end after the calls under way was asked for; those have ended, and are used."""

    reason = Reason.INTERRUPTED

    def __init__(self) -> None:
        super().__init__("stopped as asked, after the calls under way", AGAIN)


class InterruptedRunError(DirectorError):
    """A signal ended the run; everything is on record and the run can be resumed."""

    reason = Reason.INTERRUPTED

    def __init__(self, signal_number: int) -> None:
        name = signal.Signals(signal_number).name
        super().__init__(f"stopped by {name}", AGAIN)
        self.exit_code = (
            ExitCode.INTERRUPTED if signal_number == signal.SIGINT else ExitCode.TERMINATED
        )
