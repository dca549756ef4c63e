"""What the program of an agent CLI says when it is asked something while no job is open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from director.agents.backend import Asking
from director.agents.recorder import read_whole
from director.processes.command import Command, Ending

ASK_SECS: Final = 60.0


def asked(asking: Asking, argv: Sequence[str], env: Mapping[str, str]) -> str:
    """Return what a command prints; "" where it cannot be started, fails, or does not end.

    It prints into a file: what goes into a pipe may be cut.
    """
    out, err = asking.scratch / "out", asking.scratch / "err"
    for path in (out, err):
        path.unlink(missing_ok=True)
    command = Command(argv, asking.scratch, env, out, ASK_SECS, stderr=err)
    ended = asking.processes.run(command)
    asking.processes.cancellation.check()
    return read_whole(out) if (ended.ending, ended.code) == (Ending.EXITED, 0) else ""
