"""What the tools of a job are made of, found out before any of them is there."""

from __future__ import annotations

import os
from dataclasses import dataclass

from director.job.context import Setting
from director.model.config import Config
from director.model.secrets import secrets_in
from director.processes.processes import Processes
from director.records.events import Events
from director.records.job_directory import JobDirectory
from director.worktrees.given import Sources, find_sources


@dataclass(frozen=True)
class Materials:
    """Who asks, for which job, and how it is configured.

    ``sources`` are what worktrees are given of the user's files. Neither ``directory`` nor
    ``events`` lets a secret of these, of the environment or of the configuration through.
    """

    setting: Setting
    directory: JobDirectory
    config: Config
    sources: Sources
    events: Events
    processes: Processes

    @classmethod
    def of(
        cls, setting: Setting, directory: JobDirectory, config: Config, job_id: str
    ) -> Materials:
        """Return the materials; RequestError for files that cannot be given to worktrees."""
        sources = find_sources(setting.repository, config.worktree)
        found = secrets_in(setting.env, os.path.exists, config.secret_variables)
        redactor = directory.redactor.also({**sources.secrets, **config.secrets, **found})
        clean = JobDirectory(directory.path, redactor)
        events = setting.events.without(redactor)
        return cls(setting, clean, config, sources, events, Processes(job_id, setting.cancellation))
