"""The plan: the planner's answer becomes a DAG with red tests, is criticised, and revised.

An answer that is no valid plan goes back with what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from director.agents.answers import NoAnswerError, json_object
from director.job.context import JobContext
from director.job.forbidden import provided_paths, submodule_paths
from director.model.errors import WorkError
from director.model.plan import Node, Plan
from director.model.plan_reader import InvalidPlanError, read_nodes
from director.model.reason import Reason
from director.planning.asking import Problems, Question, criticise
from director.planning.authoring import drop_notes
from director.planning.authors import write_tests
from director.planning.context import Done, Planning
from director.planning.deciding import ask_for_work, steering
from director.planning.editing import (
    edited_tests,
    fingerprints,
    lay_out_missing,
    withdraw_tests,
)
from director.planning.prompts import plan_critique_prompt, plan_prompt
from director.planning.shared_tests import kept_tests, restore_shared_tests
from director.planning.tests_on_branch import recovered, remove_from_branch
from director.records import files
from director.records.events import Kind
from director.records.logs import recorded

PLAN_CALLS = ("plan-1", "plan-2", "plan-3")  # the first answer, and two corrections
CRITIQUE = "plan-critique"  # the name of its call


def draft_plan(planning: Planning) -> Done:
    """The stage that needs ``spec.md``, and makes ``plan.json`` and red tests of all nodes.

    They are on the branch, and in the job's ``tests/`` folder to be edited.
    """
    job = planning.job
    if not job.directory.plan.exists():
        planning.save_nodes(_decompose(planning))
    elif planning.stage.wishes:
        planning.save(**_revise(planning, planning.plan(), ()), wishes="")
    planning.forget(*PLAN_CALLS)  # also those of a killed run: none answers another question
    nodes = recovered(job, planning.plan().nodes, planning.stage.authored_from)
    for node in nodes:
        if node.admitted:
            drop_notes(job, node)
    planning.save_nodes(nodes)
    write_tests(planning, [node for node in nodes if not node.admitted])
    plan = planning.plan()
    lay_out_missing(job, plan.owners.keys())
    job.publisher.now()
    # Of tests that stayed that holds for which they were seen red: a person may have edited them.
    return Done({"admitted": {**fingerprints(plan), **planning.stage.admitted}})


def critique_plan(planning: Planning) -> Done | None:
    """Have plan and tests criticised; what is wrong with the plan is planned again at once.

    The plan no longer has tests that are to be rewritten. None: the critique was made before.
    """
    if planning.stage.plan_critiqued:
        return None
    plan, repository = planning.plan(), planning.job.repository
    tests = repository.contents(repository.tip(), plan.owners)
    prompt = plan_critique_prompt(planning.spec(), plan.nodes, tests)
    problems = criticise(planning, CRITIQUE, prompt)
    if not problems:
        return Done({"plan_critiqued": True}, partial(planning.forget, CRITIQUE))
    changes = {**_revise(planning, plan, problems), "plan_critiqued": True}
    return Done(changes, partial(planning.forget, *PLAN_CALLS, CRITIQUE), rejected=True)


def _revise(planning: Planning, plan: Plan, problems: Problems) -> dict[str, Any]:
    """Plan again where a critique, or a person, wants another plan; return what is to be noted.

    That is what the critique says of the tests of nodes, from which commit on tests on the branch
    count, and which of them were seen red. Tests stay in their folder, edits included, but for
    those that are written again.
    """
    job, wishes = planning.job, planning.stage.wishes
    named = {node_id: problem for node_id, problem in problems if node_id in plan}
    general = [problem for node_id, problem in problems if node_id not in plan]
    nodes = plan.nodes
    if general or wishes:
        nodes = _decompose(planning, general, files.read_text(job.directory.plan) or "")
    kept = kept_tests(plan, planning.plan_of(nodes), named.keys())
    after = planning.plan_of(node._replace(test_hashes=kept.get(node.id, {})) for node in nodes)
    for node in plan.nodes:
        if gone := [path for path in node.tests if path not in after.owners]:
            remove_from_branch(job, node.id, gone, planning.stage.base_commit)
    stay = {node_id for node_id, hashes in kept.items() if hashes}
    again = [path for path, ids in after.owners.items() if not stay.issuperset(ids)]
    _tell_of_edits(planning, again)
    restore_shared_tests(job, plan, after)
    withdraw_tests(job.directory, again)
    planning.save_nodes(after.nodes)
    if wishes:
        named = {node.id: wishes for node in plan.nodes if node.id in after and node.id not in stay}
    seen = {one: mark for one, mark in planning.stage.admitted.items() if one in stay}
    tip = job.repository.tip()
    return {"plan_feedback": named, "authored_from": tip, "admitted": seen}


def _tell_of_edits(planning: Planning, paths: Sequence[str]) -> None:
    """Say which tests that a person edited are written again."""
    if edited := edited_tests(planning.job, paths):
        named = ", ".join(edited)
        planning.job.events.notice(f"these tests are written again, without your edits: {named}")


def _decompose(
    planning: Planning, problems: Sequence[str] = (), draft: str = ""
) -> tuple[Node, ...]:
    """Return the nodes of the planner's answer.

    ``problems`` and ``draft`` belong to an earlier plan that is to be revised. An invalid answer
    goes back with every problem named, twice at most; then WorkError names the log. The
    caller forgets PLAN_CALLS when the nodes are safe on disk.
    """
    job, spec, background = planning.job, planning.spec(), planning.background()
    said = steering(planning)
    for name in PLAN_CALLS:
        prompt = plan_prompt(spec, background, job.config.gates, said, problems, draft)
        reply = ask_for_work(planning, Question(name, prompt))
        try:
            return _read(reply.transcript.text, job)
        except InvalidPlanError as error:
            problems, draft = error.problems, reply.transcript.text
            job.events.emit(Kind.PLAN_REJECTED, problems=list(problems), log=recorded(reply.log))
    planning.forget(*PLAN_CALLS)
    raise WorkError(
        f"the planner's plan is invalid: {'; '.join(problems)}",
        f"its answer is in {reply.log}; `director plan --continue` asks again",
        Reason.PLAN_INVALID,
    )


def _read(answer: str, job: JobContext) -> tuple[Node, ...]:
    try:
        nodes = read_nodes(json_object(answer))
    except NoAnswerError as error:
        raise InvalidPlanError((str(error),)) from None
    if problems := [*provided_paths(job, nodes), *submodule_paths(job, nodes)]:
        raise InvalidPlanError(tuple(problems))
    return tuple(node._replace(amended=False) for node in nodes)  # which is not for it to say
