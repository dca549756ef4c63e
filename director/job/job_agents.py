"""The agent CLIs of one job, and what asks roles of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from director.agents.backend import AgentContext, WantedModel, wanted_models
from director.agents.callers import open_callers
from director.agents.client import AgentClient, interruptible_sleep
from director.agents.recorder import CallRecorder
from director.agents.registry import AGENT_FOLDERS
from director.agents.templates import load_template
from director.job.context import JobInputs
from director.job.job_worktrees import JobWorktrees
from director.model.roles import Agent
from director.records.call_notes import CallNotes
from director.records.ledger import Ledger


def agent_context(
    inputs: JobInputs, worktrees: JobWorktrees, memory: Path, wanted: Sequence[WantedModel] = ()
) -> AgentContext:
    """Return what agent CLIs work with in these worktrees; RequestError for an agent file."""
    directory, config = inputs.directory, inputs.config
    root, pool = worktrees.site.repository.root, worktrees.pool
    stall_secs = config.limits.stall_timeout_secs
    return AgentContext(
        processes=inputs.processes,
        env=inputs.workspace.env,
        root=root,
        config=config,
        templates={agent: load_template(agent, root, AGENT_FOLDERS) for agent in Agent},
        sandbox=worktrees.site.sandbox,
        recorder=CallRecorder(directory.logs, stall_secs, directory.redactor),
        events=inputs.events,
        beside=pool.agents / "server",
        notes=pool.notes / "shell",
        memory=memory,
        wanted=wanted,
    )


@contextmanager
def open_agents(
    inputs: JobInputs, worktrees: JobWorktrees, wanted_later: Sequence[WantedModel] = ()
) -> Iterator[AgentClient]:
    """Give what asks roles. It reads the notes of a killed run, before any agent runs."""
    workspace, directory, config = inputs.workspace, inputs.directory, inputs.config
    wanted = (*wanted_models(config), *wanted_later)
    context = agent_context(inputs, worktrees, workspace.home.models, wanted)
    with open_callers(context) as callers:
        client = AgentClient(
            callers,
            config,
            Ledger(directory.costs, config.limits.cost_ceiling_usd),
            CallNotes(directory.calls),
            inputs.events,
            workspace.cancellation,
            interruptible_sleep(workspace.cancellation),
        )
        client.bill_left()
        callers.begin()
        yield client
