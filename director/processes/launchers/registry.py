"""Which launchers there are: ``[launcher] kind``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches

from director.model.errors import RequestError
from director.model.launcher_policy import LauncherPolicy
from director.processes.launchers.launcher import Launcher, Surroundings
from director.processes.launchers.local import Local
from director.processes.launchers.slurm import Slurm
from director.processes.launchers.user_command import UserCommand

LAUNCHERS: Mapping[str, Callable[[LauncherPolicy, Surroundings], Launcher]] = {
    "local": lambda _policy, _found: Local(),
    "command": lambda policy, found: UserCommand(policy.command, found.places),
    "slurm": Slurm,
}


def launcher_of(policy: LauncherPolicy, found: Surroundings) -> Launcher:
    """Return the launcher that ``policy`` names; RequestError where there is none of that kind."""
    if make := LAUNCHERS.get(policy.kind):
        return make(policy, found)
    guess = get_close_matches(policy.kind, LAUNCHERS, n=1)
    hint = f"did you mean {guess[0]!r}?" if guess else f"known: {', '.join(LAUNCHERS)}"
    raise RequestError(
        f"[launcher] kind = {policy.kind!r} is no launcher ({hint})",
        "correct [launcher] in the configuration",
    )
