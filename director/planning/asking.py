"""Asking a planning role, in a clean checkout of the base."""

from __future__ import annotations

from dataclasses import dataclass

from director.agents.calls import Assignment, Outcome, Reply
from director.model.errors import WorkError
from director.model.roles import Agent, Role
from director.planning.context import Planning

ATTEMPTS = 2


@dataclass(frozen=True)
class Question:
    """What to ask whom; ``name`` names the log files."""

    name: str
    prompt: str
    agent: Agent = Agent.PLANNER
    role: Role = Role.PLANNER


def ask(planning: Planning, question: Question) -> Reply:
    """Return the reply; WorkError when there is no answer twice in a row.

    The call stays noted: the asker drops the note when the answer is safe on disk.
    """
    job, agent, role = planning.job, question.agent, question.role
    for _ in range(ATTEMPTS):
        with job.pool.lease(planning.stage.base_commit, bare=True) as worktree:  # only to read
            call = Assignment(agent, role, question.prompt, worktree.path, question.name)
            reply = job.agents.ask(call)
        if reply.outcome is Outcome.COMPLETED and reply.transcript.text:
            return reply
        planning.forget(question.name)
    reason = reply.reason or "an empty answer"
    raise WorkError(
        f"the {agent} gave no answer: {reason}",
        f"see {reply.log}; `director plan --continue` asks again",
    )
