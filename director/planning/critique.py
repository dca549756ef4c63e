"""A planner's critique of spec and plan, which takes a person's place, and what is revised then."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from director.agents.answers import NoAnswerError, json_object
from director.model.plan import Plan
from director.planning.asking import Question, ask
from director.planning.context import Done, Planning
from director.planning.decomposing import PLAN_CALLS, decompose
from director.planning.prompts import plan_critique_prompt, spec_critique_prompt
from director.planning.shared_tests import kept_tests, restore_shared_tests
from director.planning.tests_on_branch import remove_from_branch
from director.records import files
from director.records.events import Kind

OF_SPEC, OF_PLAN = "spec-critique", "plan-critique"  # the names of the calls

Problems = Sequence[tuple[str, str]]
"""What a critique names: the id of a node (or what else it says there), and a sentence."""


def critique_spec(planning: Planning) -> Done:
    """Have the spec criticised: what is wrong with it is for who writes it again."""
    prompt = spec_critique_prompt(planning.stage.task, planning.spec())
    feedback = tuple(problem for _, problem in _criticise(planning, OF_SPEC, prompt))
    changes = {"spec_feedback": feedback, "spec_critiqued": True}
    return Done(changes, partial(planning.forget, OF_SPEC), rejected=bool(feedback))


def critique_plan(planning: Planning) -> Done:
    """Have plan and tests criticised; what is wrong with the plan is planned again at once.

    Tests that are to be written again are off the plan then.
    """
    plan, repository = planning.plan(), planning.job.repository
    tests = repository.contents(repository.tip(), plan.owners)
    prompt = plan_critique_prompt(planning.spec(), plan.nodes, tests)
    problems = _criticise(planning, OF_PLAN, prompt)
    if not problems:
        return Done({"plan_critiqued": True}, partial(planning.forget, OF_PLAN))
    feedback = _revise(planning, plan, problems)
    since = repository.tip()  # tests on the branch count that come after this
    changes = {"plan_feedback": feedback, "plan_critiqued": True, "authored_from": since}
    return Done(changes, partial(planning.forget, *PLAN_CALLS, OF_PLAN), rejected=True)


def _criticise(planning: Planning, name: str, prompt: str) -> Problems:
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


def _revise(planning: Planning, plan: Plan, problems: Problems) -> dict[str, str]:
    """Plan again where the critique is of the plan; return what it says of the tests of nodes."""
    job = planning.job
    named = {node_id: problem for node_id, problem in problems if node_id in plan}
    general = [problem for node_id, problem in problems if node_id not in plan]
    nodes = plan.nodes
    if general:
        nodes = decompose(planning, general, files.read_text(job.directory.plan) or "")
    kept = kept_tests(plan, planning.plan_of(nodes), named.keys())
    after = planning.plan_of(node._replace(test_hashes=kept.get(node.id, {})) for node in nodes)
    for node in plan.nodes:
        if gone := [path for path in node.tests if path not in after.owners]:
            remove_from_branch(job, node.id, gone, planning.stage.base_commit)
    restore_shared_tests(job, plan, after)
    planning.save_nodes(after.nodes)
    return named
