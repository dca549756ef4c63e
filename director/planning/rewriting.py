"""Having one node of an approved plan rewritten by models, in the words of the user.

The planner says what changes, and whether the tests do; then their author writes them again. Each
step is on record before the next, so that a killed command pays for none of them twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from director.agents.answers import NoAnswerError, json_object
from director.agents.markdown import fenced
from director.job.amendment import Amendment, write_amendment
from director.job.forbidden import provided_paths, submodule_paths
from director.job.views import views_of
from director.model.codec.encoding import encode
from director.model.errors import RequestError, WorkError
from director.model.plan import Node, Plan
from director.model.plan_reader import InvalidPlanError, read_plan
from director.model.reason import Reason
from director.model.testing.support_files import support_problems
from director.planning.asking import Question, ask
from director.planning.authoring import author_tests, drop_notes
from director.planning.context import Planning
from director.planning.editing import extended_by_others
from director.planning.prompts import amend_prompt
from director.records.events import Kind
from director.records.logs import recorded

CALLS = 2  # the first answer, and a corrected one
CHANGEABLE = (
    "title", "spec", "files", "test_cmd", "tests", "test_support", "estimated_difficulty", "type",
)  # fmt: skip


@dataclass(frozen=True)
class Rewriting:
    """The work on one amendment, whose ``words`` say what the user wants."""

    planning: Planning
    amendment: Amendment

    def rewrite(self, plan: Plan) -> Plan:
        """Return ``plan`` with the node rewritten; it is in plan.json, its tests on the branch.

        Raises WorkError where the models' answers cannot be used, RequestError where tests were to
        be rewritten that others extend.
        """
        amendment = self.amendment
        if not amendment.planned:
            plan, amendment = self._planned(plan)
        node = plan.node(amendment.node)
        if amendment.rewrites_tests:
            feedback = f"{amendment.words}\n\n{amendment.problem}".strip()
            node = self._with_new_tests(plan, node, feedback)
            plan = plan.with_node(node)
            self.planning.save_nodes(plan.nodes)
        write_amendment(self.planning.job.directory, amendment.asking(""))
        drop_notes(self.planning.job, node)
        return plan

    def _planned(self, plan: Plan) -> tuple[Plan, Amendment]:
        """Have the planner say what changes, and put that on disk."""
        answer, plan = self._answer(plan)
        node = plan.node(self.amendment.node)
        rewrites = not node.repairs and (answer.get("tests") == "rewrite" or not node.admitted)
        self.planning.save_nodes(plan.nodes)
        problem = str(answer.get("problem") or "")
        amendment = self.amendment._replace(planned=True, rewrites_tests=rewrites, problem=problem)
        write_amendment(self.planning.job.directory, amendment)
        self.planning.forget(*self._calls())
        return plan, amendment

    def _answer(self, plan: Plan) -> tuple[Mapping[str, Any], Plan]:
        """Return the planner's answer, and the plan with what it changes."""
        job, node = self.planning.job, plan.node(self.amendment.node)
        commit = views_of(job.repository, plan).of(job.repository.tip(), node)
        circumstances = dict(self._circumstances(plan, node))
        for name in self._calls():
            prompt = amend_prompt(node, circumstances, self.amendment.words)
            question = Question(name, prompt, commit=commit, log=f"{node.id}.amend")
            reply = ask(self.planning, question)
            said = reply.transcript.text
            try:
                answer = json_object(said)
                return answer, self._changed(plan, node, answer)
            except (NoAnswerError, InvalidPlanError) as error:
                problems = str(error)
                job.events.emit(Kind.PLAN_REJECTED, problems=[problems], log=recorded(reply.log))
                circumstances |= {"Your last answer": fenced(said), "What is wrong in it": problems}
        self.planning.forget(*self._calls())
        raise WorkError(
            f"the planner's answer cannot be used: {problems}",
            f"it is in {reply.log}; `director amend {node.id} --revise` in other words asks again",
            Reason.PLAN_INVALID,
        )

    def _changed(self, plan: Plan, node: Node, answer: Mapping[str, Any]) -> Plan:
        """Return the plan with the fields that an answer changes; InvalidPlanError for others."""
        given = answer.get("node")
        if not isinstance(given, dict):
            raise InvalidPlanError(('"node" must be an object',))
        fields = {name: given[name] for name in CHANGEABLE if name in given}
        document = encode(plan)
        for one in document["nodes"]:
            if one["id"] == node.id:
                one.update(fields)
        after = read_plan(document)
        changed = after.node(node.id)
        known = node.test_hashes
        hashes = {path: known[path] for path in changed.tests if path in known}
        after = after.with_node(changed._replace(test_hashes=hashes))
        job = self.planning.job
        problems = [*provided_paths(job, [changed]), *submodule_paths(job, [changed])]
        if problems := [*problems, *support_problems(after.nodes)]:
            raise InvalidPlanError(tuple(problems))
        return after

    def _circumstances(self, plan: Plan, node: Node) -> Iterator[tuple[str, str]]:
        """Give what the planner should know: the tests, why the node failed, how tests run."""
        job = self.planning.job
        commit = views_of(job.repository, plan).of(job.repository.tip(), node)
        shown = job.repository.contents(commit, node.tests).items()
        tests = {path: fenced(content.decode(errors="replace")) for path, content in shown}
        yield "Its tests", "\n\n".join(f"{path}:\n\n{text}" for path, text in tests.items())
        state = job.directory.load_state(plan).nodes[node.id]
        if state.error:
            output = f"\n\n{fenced(state.failure.excerpt)}" if state.failure else ""
            yield "Why it failed", f"{state.error}{output}"
        yield "How tests run here", self.planning.background().how_tests_run

    def _calls(self) -> list[str]:
        """Return the names of the planner's calls: others for other words."""
        digest = hashlib.sha256(self.amendment.words.encode(errors="replace")).hexdigest()[:8]
        return [f"{self.amendment.node}-amend-{digest}-{call + 1}" for call in range(CALLS)]

    def _with_new_tests(self, plan: Plan, node: Node, feedback: str) -> Node:
        """Have the tests written again; returns the node with their hashes."""
        job = self.planning.job
        if shared := extended_by_others(plan, node):
            path, other = shared
            raise RequestError(
                f"{path} cannot be rewritten for {node.id}: {other} has tests that build on them",
                f"amend {other}, or `director amend {node.id} --revise` something else",
                Reason.TESTS_REFUSED,
            )
        fresh = node._replace(test_hashes={})
        views = views_of(job.repository, plan.with_node(fresh))
        job.pool.set_up_on(views.of_tip)
        admission = author_tests(job, views, fresh, self.planning.background(), feedback)
        if admission.problem:
            drop_notes(job, fresh)
            raise WorkError(
                f"the new tests of {node.id} were refused: {admission.problem.splitlines()[0]}",
                f"see {job.directory.logs}; `director amend {node.id}` and write them yourself, or "
                "`--revise` in other words",
                Reason.TESTS_REFUSED,
            )
        job.events.emit(Kind.TESTS_ADMITTED, node.id, tests=list(node.tests))
        return node._replace(test_hashes=admission.hashes)
