from __future__ import annotations

from director.model.cost import Cost
from director.model.plan import Node, Plan
from director.model.state import NodeStatus
from director.records.events import Event, Kind
from director.records.job_directory import JobDirectory
from director.reporting.live.live_progress import following, nodes_in, spent_in
from director.reporting.live.progress import Progress
from tests.support.hermetic import TemporaryCase
from tests.support.told import call, event, opened


class TestFollowing(TemporaryCase):
    def setUp(self) -> None:
        super().setUp()
        self.directory = JobDirectory(self.tmp)
        nodes = tuple(
            Node(
                name,
                name.upper(),
                "do",
                ("src",),
                needs,
                "true",
                (f"t/{name}",),
                test_hashes=hashes,
            )
            for name, needs, hashes in (
                ("a", (), {"t/a": "0" * 64}),
                ("b", ("a",), {"t/b": "0" * 64}),
            )
        )
        plan = Plan("j", "task", "/r", "0" * 40, "now", "director/job-j", nodes)
        self.directory.save_plan(plan)
        self.directory.state.write_text('{"job_id": "j", "nodes": {"a": {"status": "done"}}}')
        self.progress = Progress("run")
        self.heard: list[Event] = []
        self.listen = following(self.progress, self.heard.append)

    def test_a_run_begins_with_the_nodes_as_the_records_have_them(self) -> None:
        self.listen(opened(directory=str(self.tmp)))
        self.listen(event(Kind.RUN_STARTED, parallel=2))
        self.assertEqual(list(self.progress.nodes), ["a", "b"])
        self.assertIs(self.progress.nodes["a"].status, NodeStatus.DONE)
        self.assertEqual(self.progress.nodes["b"].depends_on, ("a",))
        self.assertEqual(len(self.heard), 2)

    def test_planning_learns_of_the_nodes_with_the_first_tests(self) -> None:
        self.listen(opened(directory=str(self.tmp), planned=False))
        self.assertEqual(self.progress.nodes, {})
        self.listen(call("b", 5, "test_author"))
        self.assertEqual(self.progress.admitted(), 2)

    def test_what_was_spent_before_counts(self) -> None:
        self.directory.costs.write_text("")
        self.assertEqual(spent_in(self.tmp), Cost())
        self.listen(opened()._replace(data={**opened().data, "directory": str(self.tmp)}))
        self.assertEqual(self.progress.spent, Cost())

    def test_records_that_cannot_be_read_are_no_reason_to_stop(self) -> None:
        self.directory.plan.write_text("{")
        self.assertEqual(nodes_in(self.tmp), [])
        self.assertEqual(nodes_in(self.tmp / "nowhere"), [])
