"""How the tests of a repository run before any work: what was seen, and what follows from it."""

from enum import StrEnum
from typing import NamedTuple


class Outcome(StrEnum):
    """How a command ended: tests ran (green, red), none could run, or it was stopped."""

    GREEN = "green"
    RED = "red"
    CANNOT_RUN = "cannot_run"
    ENDED = "ended"


class Observation(NamedTuple):
    """One run of a command on the base.

    ``reason`` is what its output says of what is missing, else how it ended; ``tests``: how many
    ran (None: not known); ``log`` is the file that holds its output.
    """

    command: str
    outcome: Outcome
    reason: str = ""
    tests: int | None = None
    log: str = ""

    @property
    def ran_tests(self) -> bool:
        """Whether tests ran: green unless it shows that none did, red where it shows some."""
        if self.outcome is Outcome.GREEN:
            return self.tests != 0
        return self.outcome is Outcome.RED and bool(self.tests)


class Difference(NamedTuple):
    """A command's run in a fresh worktree and, where there was one, in the user's checkout."""

    worktree: Observation
    checkout: Observation | None = None

    @property
    def description(self) -> str:
        """The difference in words, "" where there is none to speak of."""
        here, there = self.worktree, self.checkout
        if there is None or not there.ran_tests or here.outcome == there.outcome:
            return ""
        how = "is green" if there.outcome is Outcome.GREEN else "runs"
        other = "" if here.command == there.command else f"`{here.command}` "
        what = "red" if here.outcome is Outcome.RED else "does not run"
        return (
            f"`{there.command}` {how} in your checkout but {other}{what} in a fresh worktree: "
            f"{here.reason}"
        )


class Preflight(NamedTuple):
    """What is known of how tests run.

    ``runs`` are the commands that were tried, or ``[gates]``; ``example`` is a test file, and the
    run that was seen of it alone (None: no command is known to run); ``runners`` name interpreters
    and runners in words.
    """

    runs: tuple[Difference, ...] = ()
    runners: tuple[str, ...] = ()
    example: str = ""
    example_run: Observation | None = None

    @property
    def blocked(self) -> bool:
        """Whether there are tests, and none of them can run in a worktree."""
        outcomes = {one.worktree.outcome for one in self.runs}
        return outcomes == {Outcome.CANNOT_RUN}
