"""What a run of the existing tests shows: whether they ran, or could not."""

from __future__ import annotations

from collections.abc import Collection

from director.model.testing.command_run import CommandRun
from director.model.testing.environment import missing_in_environment
from director.model.testing.not_started import NOT_EXECUTABLE, NOT_FOUND
from director.model.testing.preflight import Observation, Outcome


def judge(run: CommandRun, reason: str, log: str, tracked: Collection[str]) -> Observation:
    """Return what a run shows of the tests; one that was ended has no exit code.

    ``reason`` is how it ended in words, ``tracked`` are the files of the commit.
    """
    tests = run.executed
    if run.code is None:
        return Observation(run.command, Outcome.ENDED, reason, tests, log)
    if run.code == 0:
        return Observation(run.command, Outcome.GREEN, "", tests, log)
    missing = missing_in_environment(run, (), tracked)
    could_not_start = run.code in (NOT_EXECUTABLE, NOT_FOUND)
    cannot = could_not_start or (missing and not run.executed)
    outcome = Outcome.CANNOT_RUN if cannot else Outcome.RED
    return Observation(run.command, outcome, missing.words if missing else reason, tests, log)
