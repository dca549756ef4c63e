"""Which launchers there are: ``[launcher] kind``."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from director.model.errors import RequestError
from director.model.launcher_policy import LauncherPolicy
from director.processes.launchers.launcher import Launcher, Surroundings
from director.processes.launchers.local import Local


def _user_command(policy: LauncherPolicy, found: Surroundings) -> Launcher:
    from director.processes.launchers.user_command import UserCommand  # few have one

    return UserCommand(policy.command, found.places)


def _slurm(policy: LauncherPolicy, found: Surroundings) -> Launcher:
    from director.processes.launchers.slurm import Slurm  # few have one

    return Slurm(policy, found)


LAUNCHERS: Mapping[str, Callable[[LauncherPolicy, Surroundings], Launcher]] = {
    "local": lambda _policy, _found: Local(),
    "command": _user_command,
    "slurm": _slurm,
}


def launcher_of(policy: LauncherPolicy, found: Surroundings) -> Launcher:
    """Return the launcher that ``policy`` names; RequestError where there is none of that kind."""
    if make := LAUNCHERS.get(policy.kind):
        return make(policy, found)
    from difflib import get_close_matches

    guess = get_close_matches(policy.kind, LAUNCHERS, n=1)
    hint = f"did you mean {guess[0]!r}?" if guess else f"known: {', '.join(LAUNCHERS)}"
    raise RequestError(
        f"[launcher] kind = {policy.kind!r} is no launcher ({hint})",
        "correct [launcher] in the configuration",
    )
