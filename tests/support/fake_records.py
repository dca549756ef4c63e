"""What the fake ``opencode`` shares with the test that queues its behaviours.

The program imports this at every call, and little else: what it imports, every call waits for.
"""

from __future__ import annotations

import fcntl
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Step = dict[str, Any]
"""One thing the fake does, as JSON; made by the functions of ``fake_opencode``."""

PREFIX = re.compile("^director-(?:[0-9a-f]{8}-)?")  # of an agent's name


def finish(
    reason: str = "stop",
    input: int = 1000,
    output: int = 100,
    cache_read: int = 0,
    cache_write: int = 0,
    reasoning: int = 0,
    cost: float = 0.0,
) -> Step:
    """End a step (``reason`` "tool-calls": the turn goes on). One is added where none ends it."""
    cache = {"read": cache_read, "write": cache_write}
    tokens = {"input": input, "output": output, "reasoning": reasoning, "cache": cache}
    return {"do": "finish", "reason": reason, "tokens": tokens, "cost": cost}


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other calls out of the files in ``folder``."""
    with (folder / "lock").open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
