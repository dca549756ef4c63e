"""What an agent does while its call runs: its last tool, told now and then."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from director.agents.transcript import Transcript
from director.model.printable import one_line
from director.model.usage import Usage

LEAST_SECS = 2.0  # between two tellings of one call
LONGEST_ARGUMENT = 300  # characters


class Doing(NamedTuple):
    """What a call is at: its last tool ("": none yet), what that is about, what was used so far."""

    tool: str
    argument: str
    usage: Usage
    tokens: int


class CallProgress:
    """Looks at the transcript of one call, and tells what is new: at most once in LEAST_SECS.

    What comes sooner is told when the time is up. ``cwd`` is the call's folder: paths are told
    relative to it. ``clock`` gives seconds.
    """

    def __init__(
        self, tell: Callable[[Doing], None], cwd: Path, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._tell = tell
        self._folder = f"{cwd}/"
        self._clock = clock
        self._told: tuple[object, ...] = (None, 0, 0)
        self._due = -LEAST_SECS

    def look(self, transcript: Transcript) -> None:
        """Tell what the call is at, where that is new and due."""
        latest = transcript.latest
        # Cheap on purpose: several times a second for each lane, and most often nothing is new.
        now = latest, len(transcript.tools), transcript.steps
        if now == self._told or self._clock() < self._due:
            return
        self._told, self._due = now, self._clock() + LEAST_SECS
        tool = latest.word if latest else ""
        argument = self._shown(latest.argument) if latest else ""
        self._tell(Doing(tool, argument, transcript.usage, transcript.tokens.total))

    def _shown(self, argument: str) -> str:
        line = one_line(argument[: 4 * LONGEST_ARGUMENT].replace(self._folder, ""))
        return line if len(line) <= LONGEST_ARGUMENT else f"{line[: LONGEST_ARGUMENT - 1]}…"
