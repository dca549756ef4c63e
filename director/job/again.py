"""Work whose machine failed is done again: that is nobody's attempt."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeVar

from director.agents.client import pause_secs
from director.job.context import JobContext
from director.model.errors import LostError
from director.records.events import Kind

MOST_TRIES = 6
Result = TypeVar("Result")


def again_where_lost(
    job: JobContext, work: Callable[[], Result], node: str | None = None
) -> Result:
    """Return what ``work`` returns, which leases a worktree of its own each time it is called.

    The worktree in which something was lost is not used again (``Pool.lane``). LostError where it
    was lost MOST_TRIES times, with pauses between.
    """
    for lost in range(MOST_TRIES - 1):
        try:
            return work()
        except LostError as error:
            message = f"{error.what}; it is done again in a fresh worktree"
            job.events.emit(Kind.NOTICE, node, message=message)
        job.agents.pause(pause_secs(lost, random.random()))
        job.agents.cancellation.check()
    return work()
