"""Asking a planning role for a text or for JSON, in a clean checkout of the base."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from director.agents.answers import NoAnswerError, json_object
from director.agents.calls import Assignment, Outcome, Reply
from director.job.again import again_where_lost
from director.job.context import JobContext
from director.model.errors import WorkError
from director.model.roles import Agent, Role

TRIES = 2


@dataclass(frozen=True)
class Question:
    """Whom to ask what; ``name`` names the log files."""

    agent: Agent
    role: Role
    name: str
    prompt: str


def ask(job: JobContext, question: Question, commit: str) -> Reply:
    """Ask in a worktree that holds ``commit``; WorkError when there is no answer twice in a row.

    The call stays noted: the asker drops the note when the answer is safe on disk.
    """
    for _ in range(TRIES):
        reply = _ask_once(job, question, commit)
        if reply.outcome is Outcome.COMPLETED and reply.transcript.text:
            return reply
        job.agents.notes.drop(question.name)
    reason = reply.reason or "an empty answer"
    raise WorkError(
        f"the {question.agent} gave no answer: {reason}",
        f"see {reply.log}; `director plan --continue` asks again",
    )


def _ask_once(job: JobContext, question: Question, commit: str) -> Reply:
    def work() -> Reply:
        with job.pool.lease(commit, bare=True) as worktree:  # planning roles only read
            about = (question.agent, question.role, question.prompt)
            return job.agents.ask(Assignment(*about, worktree.path, question.name))

    return again_where_lost(job, work)


def ask_for_verdict(job: JobContext, question: Question, commit: str) -> list[dict[str, Any]]:
    """Return the problems a critique names (none: approved); one that cannot be read names none."""
    try:
        said = json_object(ask(job, question, commit).transcript.text)
    except NoAnswerError:
        return []
    problems = said.get("problems")
    if said.get("verdict") != "revise" or not isinstance(problems, list):
        return []
    return [one if isinstance(one, dict) else {"node": None, "problem": one} for one in problems]
