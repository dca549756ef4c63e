"""The sample job holds together: its nodes (``nodes``) and the files they lie in (``texts``)."""

import unittest

from director.agents.registry import BACKENDS
from director.demo.nodes import ScriptedNode, scripted_nodes
from director.demo.sample import CONFIG
from director.demo.texts import sample_files
from director.model.config_reader import read_config
from director.model.dag import dag_problems
from director.model.testing.not_started import NOT_EXECUTABLE
from tests.demo.folders import WithFolder

SAMPLE_CONFIG = CONFIG.format(base_url="http://127.0.0.1:9/v1", server="off")


class EveryNode(WithFolder):
    """Its tests are red without it and after every wrong attempt, and green at the end."""

    def setUp(self) -> None:
        super().setUp()
        self.put(sample_files())

    def code(self, scripted: ScriptedNode) -> int:
        return self.shell(scripted.node.test_cmd).code

    def assert_red(self, scripted: ScriptedNode) -> None:
        code = self.code(scripted)
        self.assertTrue(0 < code < NOT_EXECUTABLE, code)

    def test_is_red_until_the_right_attempt(self) -> None:
        for scripted in scripted_nodes():  # in the order of the dependencies
            with self.subTest(node=scripted.node.id):
                self.put(scripted.tests)
                self.assert_red(scripted)
                for attempt in scripted.attempts[:-1]:
                    self.put(attempt)
                    self.assert_red(scripted)
                self.put(scripted.solution)
                self.assertEqual(self.code(scripted), 0)
        whole = read_config(SAMPLE_CONFIG, "c", BACKENDS).gates["test"]
        self.assertEqual(self.shell(whole).code, 0)

    def test_writes_its_own_files_only(self) -> None:
        for scripted in scripted_nodes():
            with self.subTest(node=scripted.node.id):
                self.assertEqual(set(scripted.tests), set(scripted.node.tests))
                self.assertFalse(set(scripted.tests) & set(sample_files()))
                for attempt in scripted.attempts:
                    self.assertLessEqual(set(attempt), set(scripted.node.files))


class TheJob(unittest.TestCase):
    def test_the_nodes_are_a_valid_dag(self) -> None:
        self.assertEqual(dag_problems([scripted.node for scripted in scripted_nodes()]), [])

    def test_two_can_run_side_by_side(self) -> None:
        self.assertGreaterEqual(sum(1 for s in scripted_nodes() if not s.node.depends_on), 2)

    def test_it_shows_a_retry_and_an_escalation(self) -> None:
        retried = [s.node.id for s in scripted_nodes() if s.by_executor == len(s.attempts) == 2]
        escalated = [s.node.id for s in scripted_nodes() if s.by_executor < len(s.attempts)]
        self.assertEqual((retried, escalated), (["reading-time"], ["headings"]))

    def test_the_executor_uses_up_the_attempts_of_the_configuration(self) -> None:
        limits = read_config(SAMPLE_CONFIG, "c", BACKENDS).limits
        for scripted in scripted_nodes():
            if scripted.by_executor < len(scripted.attempts):
                self.assertEqual(scripted.by_executor, limits.max_attempts)
