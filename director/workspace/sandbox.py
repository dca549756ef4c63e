"""The sandbox: a command of the user's that stands in front of every agent and gate."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from director.model.errors import InterruptedRunError, RequestError
from director.records.files import make_folder
from director.workspace.processes import MARKER, Command, Ended, Ending, Processes

TRIAL_SECS = 60.0
TRIAL = f"""\
test -n "${MARKER}" || {{ echo "the variable {MARKER} does not get through it"; exit 1; }}
test "$(pwd -P)" = "$1" || {{ echo "it does not start in the worktree"; exit 1; }}
: > written || {{ echo "the worktree cannot be written in it"; exit 1; }}
"""
ADVICE = "correct [sandbox] in the configuration"


@dataclass(frozen=True)
class Sandbox:
    """The words of the command (none: no sandbox), and what its ``{places}`` stand for.

    ``{worktree}`` and ``{scratch}`` differ from process to process and are filled in here.
    """

    command: tuple[str, ...] = ()
    places: Mapping[str, str] = field(default_factory=dict)

    def around(self, argv: Sequence[str], worktree: Path) -> list[str]:
        """Return ``argv`` with the sandbox in front."""
        places = {**self.places, "worktree": worktree, "scratch": scratch_folder(worktree)}
        return [_filled(word, places) for word in self.command] + list(argv)

    def try_out(self, processes: Processes, env: Mapping[str, str], pool: Path, logs: Path) -> None:
        """See whether a command runs in it, in a folder of ``pool``; RequestError says why not."""
        if not self.command:
            return
        with tempfile.TemporaryDirectory(dir=pool, prefix="trial-") as folder:
            worktree = Path(folder).resolve()
            argv = self.around(["/bin/sh", "-c", TRIAL, "sh", str(worktree)], worktree)
            if shutil.which(argv[0], path=env.get("PATH")) is None:
                raise RequestError(
                    f"the sandbox program {argv[0]!r} is not there, or not on PATH", ADVICE
                )
            make_folder(logs)
            log = logs / f"sandbox-{secrets.token_hex(4)}.log"
            ended = processes.run(Command(argv, worktree, env, log, TRIAL_SECS))
            if ended.ending is Ending.CANCELLED:
                raise InterruptedRunError(processes.cancellation.signal_number or 2)
            if (ended.ending, ended.code) != (Ending.EXITED, 0):
                raise RequestError(f"the sandbox does not work: {_problem(ended, log)}", ADVICE)
        log.unlink()


def scratch_folder(worktree: Path) -> Path:
    """Return the folder beside a worktree that an agent may fill while its call lasts."""
    return worktree.with_name(f"{worktree.name}.tmp")


def _filled(word: str, places: Mapping[str, object]) -> str:
    for name, place in places.items():
        word = word.replace(f"{{{name}}}", str(place))
    return word


def _problem(ended: Ended, log: Path) -> str:
    said = log.read_text(encoding="utf-8", errors="replace").split("\n") if log.exists() else []
    last = [line.strip() for line in said if line.strip()][-1:]
    reason = ended.reason or f"exit code {ended.code}"
    return f"{last[0]} ({reason})" if last else reason
