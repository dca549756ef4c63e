"""The planner's answer becomes a DAG, or goes back with what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence

from director.agents.answers import NoAnswerError, json_object
from director.job.context import JobContext
from director.job.provided import provided_problems
from director.job.submodules import submodule_problems
from director.model.errors import WorkError
from director.model.plan import Node
from director.model.plan_reader import InvalidPlanError, read_nodes
from director.model.roles import Agent, Role
from director.planning.asking import Question, ask
from director.planning.prompts import Background, plan_prompt
from director.records.events import Kind

CORRECTIONS = 2


def decompose(
    job: JobContext,
    commit: str,
    spec: str,
    background: Background,
    problems: Sequence[str] = (),
    draft: str = "",
) -> tuple[Node, ...]:
    """Return the nodes of the planner's answer.

    ``problems`` and ``draft`` belong to an earlier plan that is to be revised. An invalid answer
    goes back with every problem named, twice at most; then WorkError names the log. The
    caller calls ``forget`` when the nodes are safe on disk.
    """
    gates = job.config.gates
    for round_number in range(CORRECTIONS + 1):
        prompt = plan_prompt(spec, background, gates, problems, draft)
        question = Question(Agent.PLANNER, Role.PLANNER, _name(round_number), prompt)
        reply = ask(job, question, commit)
        try:
            return _read(reply.transcript.text, job)
        except InvalidPlanError as error:
            problems, draft = error.problems, reply.transcript.text
            job.events.emit(Kind.PLAN_REJECTED, problems=list(problems), log=reply.log.name)
    forget(job)
    raise WorkError(
        f"the planner's plan is invalid: {'; '.join(problems)}",
        f"its answer is in {reply.log}; `director plan --continue` asks again",
    )


def forget(job: JobContext) -> None:
    """Drop the notes of the planner's calls: their answers are used, or of no use."""
    job.agents.notes.drop(*(_name(number) for number in range(CORRECTIONS + 1)))


def _name(round_number: int) -> str:
    return f"plan-{round_number + 1}"


def _read(answer: str, job: JobContext) -> tuple[Node, ...]:
    try:
        nodes = read_nodes(json_object(answer))
    except NoAnswerError as error:
        raise InvalidPlanError((str(error),)) from None
    provided = provided_problems(job.pool.provisions, nodes)
    if problems := [*provided, *submodule_problems(job.repository, nodes)]:
        raise InvalidPlanError(tuple(problems))
    return nodes
