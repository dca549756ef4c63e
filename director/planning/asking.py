"""Asking a planning role, in a clean checkout of the base."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from director.agents.answers import NoAnswerError, json_object
from director.agents.calls import Assignment, Outcome, Reply
from director.job.retrying import retry_where_lost
from director.model.errors import WorkError
from director.model.reason import Reason
from director.model.roles import Agent, Role
from director.model.values import dataclass
from director.planning.context import Planning
from director.records.events import Kind

ATTEMPTS = 2

Problems = Sequence[tuple[str, str]]
"""What a critique names: the id of a node (or what else it says there), and a sentence."""


@dataclass(frozen=True)
class Question:
    """What to ask whom; ``name`` names its note and, where there is no ``log``, its logs.

    ``commit`` is what the checkout holds ("": the base).
    """

    name: str
    prompt: str
    agent: Agent = Agent.PLANNER
    role: Role = Role.PLANNER
    commit: str = ""
    log: str = ""


def ask(planning: Planning, question: Question) -> Reply:
    """Return the reply; WorkError when there is no answer twice in a row.

    The call stays noted: the asker drops the note when the answer is safe on disk.
    """
    job, agent, role = planning.job, question.agent, question.role

    def work() -> Reply:
        commit = question.commit or planning.stage.base_commit
        with job.pool.lease(commit, bare=True) as worktree:  # only to read
            name = question.name
            log = question.log or f"plan.{name.replace('plan-', 'nodes-')}"
            call = Assignment(agent, role, question.prompt, worktree.path, name, log=log)
            return job.agents.ask(call)

    for _ in range(ATTEMPTS):
        reply = retry_where_lost(job, work)
        if reply.outcome is Outcome.COMPLETED and reply.transcript.text:
            return reply
        planning.forget(question.name)
    reason = reply.reason or "an empty answer"
    raise WorkError(
        f"the {agent} gave no answer: {reason}",
        f"see {reply.log}; `director plan --continue` asks again",
        Reason.NO_ANSWER,
    )


def criticise(planning: Planning, name: str, prompt: str) -> Problems:
    """Return the problems a critique names (none: approved); one that cannot be read names none."""
    try:
        said = json_object(ask(planning, Question(name, prompt)).transcript.text)
    except NoAnswerError:
        said = {}
    named = said.get("problems") if said.get("verdict") == "revise" else None
    problems = list(map(_problem, named)) if isinstance(named, list) else []
    sentences = [sentence for _, sentence in problems]
    planning.job.events.emit(Kind.CRITIQUE, about=name, problems=sentences)
    return problems


def _problem(said: Any) -> tuple[str, str]:
    one = said if isinstance(said, dict) else {"problem": said}
    return str(one.get("node")), str(one.get("problem"))
