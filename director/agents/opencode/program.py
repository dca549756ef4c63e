"""OpenCode as a program: with which variables a job starts it, and which models it lists."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from director.agents.backend import AgentContext
from director.agents.opencode.environment import environment
from director.agents.opencode.models import models_in
from director.agents.opencode.project import deep_merge
from director.agents.recorder import read_whole
from director.model.slots import scratch_folder, slot_variables
from director.processes.command import Command, Ending, Watch
from director.processes.launchers.launcher import Part
from director.processes.removal import discard
from director.records.files import make_folder

LISTING_SECS = 60.0  # in a worktree with a plugin OpenCode may have to install its package first


class Program:
    """The OpenCode at ``path``, as one job starts it: with the user's ``settings`` of models."""

    def __init__(self, context: AgentContext, path: str, settings: Mapping[str, Any]) -> None:
        self._context = context
        self._settings = settings
        self.path = path

    def environment(self, config: Mapping[str, Any], scratch: Path) -> dict[str, str]:
        """Return the variables of a process with ``config`` that keeps its files in ``scratch``."""
        return environment(self._context.env, deep_merge(self._settings, config), scratch)

    def listed_models(self, worktree: Path | None, watch: Watch) -> frozenset[str]:
        """Return the models that OpenCode lists for a call in ``worktree``; none: it does not say.

        Without a worktree, what a project adds is left out. ``watch`` may cut it short.
        """
        place = self._context.beside.with_name("models")  # a folder for the time of asking
        scratch = scratch_folder(worktree) if worktree else place
        discard(scratch)  # an agent may have put anything there
        make_folder(scratch)
        command = self._listing(worktree, worktree or place, scratch)
        ended = self._context.processes.run(command, watch)
        answered = (ended.ending, ended.code) == (Ending.EXITED, 0)
        listing = read_whole(command.stdout) if answered else ""
        discard(scratch)
        return models_in(listing)

    def _listing(self, worktree: Path | None, cwd: Path, scratch: Path) -> Command:
        """Return the command that lists models into ``scratch``."""
        launch = self._context.sandbox.launch(Part.AGENT, [self.path, "models"], cwd)
        env = self.environment({}, scratch)
        # An install that it begins in the background and abandons when it ends leaves a lock there,
        # for which the next call would wait a minute.
        env |= {"XDG_STATE_HOME": str(scratch)}
        if worktree:
            env |= {"PWD": str(worktree), **slot_variables(worktree)}
        else:
            env |= {"OPENCODE_DISABLE_PROJECT_CONFIG": "1"}
        return Command(
            argv=launch.argv,
            cwd=cwd,
            env=env,
            stdout=scratch / "models",
            timeout_secs=LISTING_SECS,
            stderr=scratch / "errors",
            bind=launch.bind,
            step=launch.step,
        )
