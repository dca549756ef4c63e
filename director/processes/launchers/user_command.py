"""A command of the user's as a launcher: it starts what follows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from director.model.slots import scratch_folder
from director.processes.confinement import Launch
from director.processes.launchers.launcher import Errand
from director.processes.launchers.local import Local
from director.processes.process_table import MARKER

TRIAL = f"""\
test -n "${MARKER}" || {{ echo "the variable {MARKER} does not get through it"; exit 1; }}
test "$(pwd -P)" = "$1" || {{ echo "it does not start in the worktree"; exit 1; }}
: > written || {{ echo "the worktree cannot be written in it"; exit 1; }}
"""


class UserCommand(Local):
    """Puts a command of the user's in front of everything that is started.

    ``places`` is what the ``{places}`` in it stand for; ``{worktree}`` and ``{scratch}`` differ
    from process to process and are filled in here.
    """

    per_worktree = True
    trial = TRIAL

    def __init__(self, command: Sequence[str], places: Mapping[str, str]) -> None:
        self.name = "the command of [sandbox]"
        self._command = command
        self._places = places

    def launch(self, errand: Errand) -> Launch:
        """Return how an errand is started."""
        return Launch([*self._words(errand.worktree), *errand.argv])

    def _words(self, worktree: Path) -> list[str]:
        places = {**self._places, "worktree": worktree, "scratch": scratch_folder(worktree)}
        return [_filled(word, places) for word in self._command]


def _filled(word: str, places: Mapping[str, object]) -> str:
    for name, place in places.items():
        word = word.replace(f"{{{name}}}", str(place))
    return word
