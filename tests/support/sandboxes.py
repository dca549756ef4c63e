"""Sandboxes as a configuration makes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from director.model.config import SandboxPolicy
from director.processes.launchers.user_command import UserCommand
from director.processes.sandbox import Sandbox


def sandbox_of(command: Sequence[str], places: Mapping[str, str] | None = None) -> Sandbox:
    """Return the sandbox that is a command of the user's."""
    policy = SandboxPolicy(command=tuple(command))
    return Sandbox(policy, launcher=UserCommand(command, places or {}))
