"""The planner's answer becomes a DAG, or goes back with what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence

from director.agents.answers import NoAnswerError, json_object
from director.job.context import JobContext
from director.job.out_of_reach import provided_paths, submodule_paths
from director.model.errors import WorkError
from director.model.plan import Node
from director.model.plan_reader import InvalidPlanError, read_nodes
from director.planning.asking import Question, ask
from director.planning.context import Planning
from director.planning.prompts import plan_prompt
from director.records.events import Kind

PLAN_CALLS = ("plan-1", "plan-2", "plan-3")  # the first answer, and two corrections


def decompose(
    planning: Planning, problems: Sequence[str] = (), draft: str = ""
) -> tuple[Node, ...]:
    """Return the nodes of the planner's answer.

    ``problems`` and ``draft`` belong to an earlier plan that is to be revised. An invalid answer
    goes back with every problem named, twice at most; then WorkError names the log. The
    caller forgets PLAN_CALLS when the nodes are safe on disk.
    """
    job, spec, background = planning.job, planning.spec(), planning.background()
    for name in PLAN_CALLS:
        prompt = plan_prompt(spec, background, job.config.gates, problems, draft)
        reply = ask(planning, Question(name, prompt))
        try:
            return _read(reply.transcript.text, job)
        except InvalidPlanError as error:
            problems, draft = error.problems, reply.transcript.text
            job.events.emit(Kind.PLAN_REJECTED, problems=list(problems), log=reply.log.name)
    planning.forget(*PLAN_CALLS)
    raise WorkError(
        f"the planner's plan is invalid: {'; '.join(problems)}",
        f"its answer is in {reply.log}; `director plan --continue` asks again",
    )


def _read(answer: str, job: JobContext) -> tuple[Node, ...]:
    try:
        nodes = read_nodes(json_object(answer))
    except NoAnswerError as error:
        raise InvalidPlanError((str(error),)) from None
    if problems := [*provided_paths(job, nodes), *submodule_paths(job, nodes)]:
        raise InvalidPlanError(tuple(problems))
    return nodes
