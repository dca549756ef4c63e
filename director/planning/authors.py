"""Having the tests of several nodes written, some of them at the same time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from director.job.lanes import pick_lanes
from director.job.scheduler import Schedule, drive
from director.job.views import views_of
from director.model.errors import DirectorError, RequestError, WorkError
from director.model.plan import Node, Plan, topological_order
from director.model.reason import Reason
from director.planning.admission import Admission
from director.planning.authoring import author_tests, drop_notes
from director.planning.context import Planning
from director.planning.current_job import CONTINUE
from director.planning.shared_tests import authors_wait_for
from director.records.events import Kind
from director.records.job_directory import JobDirectory

NAMED = 2  # nodes whose refusal is told in full; of the others their names


def write_tests(planning: Planning, nodes: Sequence[Node]) -> None:
    """Have the tests of ``nodes`` written; all are tried before any is refused.

    The branch is the record of admitted tests: the plan is written once, at the end, and what was
    admitted before an exception counts. RequestError or WorkError names tests that were refused.
    """
    authors = _Authors(planning, nodes)
    try:
        authors.work()
    finally:
        planning.save_nodes(authors.plan.nodes)
    if authors.refused:
        raise _refusal(authors.refused, authors.plan, planning.job.directory)


class _Authors:
    """The authors of the tests of ``nodes``: what was ``refused``; what was not is in ``plan``."""

    def __init__(self, planning: Planning, nodes: Sequence[Node]) -> None:
        self.refused: dict[str, Admission] = {}
        self._job = planning.job
        self._lanes = planning.options.parallel
        self.plan = planning.plan()
        self._by_id = {node.id: node for node in nodes}
        self._background = planning.background()
        self._feedback = planning.stage.plan_feedback
        self._nodes = self._in_order()
        self._schedule = Schedule(self._nodes, finished=())

    def _in_order(self) -> list[Node]:
        """Return the nodes; those that extend a file depend on those that are in there before.

        The others are begun in the order of the dependencies, so that an author sees what there
        is by then: of those that may be next the schedule gives out the last.
        """
        waits_for = authors_wait_for(self.plan, self._by_id.keys())
        ids = [one for one in topological_order(self.plan.nodes) if one in self._by_id]
        return [self._by_id[one]._replace(depends_on=waits_for[one]) for one in reversed(ids)]

    def work(self) -> None:
        lanes = pick_lanes(self._job, self._lanes, self._nodes, self._by_id)
        drive(self._schedule, lanes, self._write, self._settle)

    def _write(self, node_id: str) -> Admission:
        views = views_of(self._job.repository, self.plan)
        self._job.pool.set_up_on(views.of_tip)
        feedback = self._feedback.get(node_id, "")
        node = self._by_id[node_id]
        admission = author_tests(self._job, views, node, self._background, feedback)
        drop_notes(self._job, node)  # the tests are on the branch, or refused
        return admission

    def _settle(self, node_id: str, admission: Admission) -> None:
        if admission.problem:
            self._schedule.fail(node_id)
            self.refused[node_id] = admission
            return
        self._schedule.finish(node_id)
        node = self.plan.node(node_id)
        self._job.events.emit(Kind.TESTS_ADMITTED, node_id, tests=list(node.tests))
        self.plan = self.plan.with_node(node._replace(test_hashes=admission.hashes))


def _refusal(
    refused: Mapping[str, Admission], plan: Plan, directory: JobDirectory
) -> DirectorError:
    """Return the error for refused tests, which says who can solve it: the user, or a retry."""
    said = [f"{name}: {one.problem.splitlines()[0]}" for name, one in refused.items()]
    what = f"tests were refused: {'; '.join(said[:NAMED])}"
    if others := [*refused][NAMED:]:
        what += f"; and those of {', '.join(others)}"
    if steps := [one.next_step for one in refused.values() if one.next_step]:
        correct = f'; or correct "test_cmd" in {directory.plan}'
        step = f"{steps[0]}{correct}; then `{CONTINUE}`{_without(refused, plan)}"
        return RequestError(what, step, Reason.TESTS_REFUSED)
    step = f"see {directory.logs}; `{CONTINUE}` tries again{_without(refused, plan)}"
    return WorkError(what, step, Reason.TESTS_REFUSED)


def _without(refused: Collection[str], plan: Plan) -> str:
    if len(refused) > NAMED or len(refused) == len(plan.nodes):
        return ""
    flags = " ".join(f"--drop {name}" for name in refused)
    return f"; `director plan {flags}` continues without {'it' if len(refused) == 1 else 'them'}"
