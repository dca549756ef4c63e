"""Having the tests of several nodes written, some of them at the same time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from director.job.context import JobContext
from director.job.lanes import pick_lanes
from director.job.scheduler import Schedule, drive
from director.job.views import views_of
from director.model.errors import DirectorError, RequestError, WorkError
from director.model.plan import Node, Plan, topological_order
from director.planning.authoring import Admission, author_tests
from director.planning.current_job import GO_ON
from director.planning.prompts import Background
from director.planning.shared_tests import authors_wait_for
from director.records.events import Kind
from director.records.job_directory import JobDirectory


class Authoring:
    """The tests of ``nodes`` of a plan: what was ``refused``, and the hashes of what was admitted.

    ``feedback`` maps node ids to what a critique said of their earlier tests. What was admitted
    before an exception stopped the others counts.
    """

    def __init__(
        self,
        job: JobContext,
        plan: Plan,
        nodes: Sequence[Node],
        background: Background,
        feedback: Mapping[str, str],
    ) -> None:
        self.refused: dict[str, Admission] = {}
        self._job = job
        self._plan = plan
        self._by_id = {node.id: node for node in nodes}
        self._background = background
        self._feedback = feedback
        self._hashes: dict[str, Mapping[str, str]] = {}
        self._nodes = self._in_order()
        self._schedule = Schedule(self._nodes, finished=())

    def _in_order(self) -> list[Node]:
        """Return the nodes; those that extend a file depend on those that are in there before.

        The others are begun in the order of the dependencies, so that an author sees what there
        is by then: of those that may be next the schedule gives out the last.
        """
        waits_for = authors_wait_for(self._plan, self._by_id.keys())
        ids = [one for one in topological_order(self._plan.nodes) if one in self._by_id]
        return [self._by_id[one]._replace(depends_on=waits_for[one]) for one in reversed(ids)]

    def run(self, parallel: int | None) -> None:
        """Let the authors work, ``parallel`` at a time (None: chosen here)."""
        lanes = pick_lanes(self._job, parallel, self._nodes, self._by_id)
        drive(self._schedule, lanes, self._work, self._settle)

    def with_hashes(self, plan: Plan) -> Plan:
        """Return ``plan`` with the hashes of the tests that were admitted."""
        known = ((node, self._hashes.get(node.id, node.test_hashes)) for node in plan.nodes)
        return plan._replace(nodes=tuple(n._replace(test_hashes=own) for n, own in known))

    def _work(self, node_id: str) -> Admission:
        views = views_of(self._job.repository, self.with_hashes(self._plan))
        self._job.pool.set_up_on(views.of_tip)
        feedback = self._feedback.get(node_id, "")
        return author_tests(self._job, views, self._by_id[node_id], self._background, feedback)

    def _settle(self, node_id: str, admission: Admission) -> None:
        if admission.problem:
            self._schedule.fail(node_id)
            self.refused[node_id] = admission
            return
        self._schedule.finish(node_id)
        tests = list(self._by_id[node_id].tests)
        self._job.events.emit(Kind.TESTS_ADMITTED, node_id, tests=tests)
        self._hashes[node_id] = admission.hashes


def refusal(refused: Mapping[str, Admission], directory: JobDirectory) -> DirectorError:
    """Return the error for refused tests, which says who can solve it: the user, or a retry."""
    named = "; ".join(
        f"{node_id}: {admission.problem.splitlines()[0]}" for node_id, admission in refused.items()
    )
    what = f"tests were refused: {named}"
    if steps := [one.next_step for one in refused.values() if one.next_step]:
        correct = f'; or correct "test_cmd" in {directory.plan}'
        return RequestError(what, f"{steps[0]}{correct}; then `{GO_ON}`")
    return WorkError(what, f"see {directory.logs}; `{GO_ON}` tries again")
