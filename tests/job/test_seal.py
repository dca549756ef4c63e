"""A plan is what was sealed, or the difference has a name."""

import json

from director.job.seal import check_seal, differences, read_seal, restore_seal, seal_plan
from director.model.errors import RequestError
from director.model.merge_policy import NODE
from director.model.plan import Node, Plan
from director.records.job_directory import JobDirectory
from tests.support.hermetic import TemporaryCase

ONE = Node("a", "A", "spec", ("a",), (), "sh t", ("t",), test_hashes={"t": "0"})
TWO = ONE._replace(id="b", depends_on=("a",))
PLAN = Plan("job", "task", "/repo", "base", "now", "director/job-job", (ONE, TWO))


class TestSeal(TemporaryCase):
    def setUp(self) -> None:
        super().setUp()
        self.directory = JobDirectory(self.tmp / "job")
        seal_plan(self.directory, PLAN, "contract", NODE)

    def different(self, plan: Plan) -> list[str]:
        return list(differences(check_seal(self.directory, PLAN), plan))

    def test_a_plan_is_itself_wherever_the_repository_is(self) -> None:
        self.assertEqual(check_seal(self.directory, PLAN).contract, "contract")
        self.assertEqual(self.different(PLAN._replace(repo="/elsewhere")), [])

    def test_each_difference_is_named(self) -> None:
        cases = {
            "node a: files, test_cmd": PLAN.with_node(ONE._replace(files=("x",), test_cmd="true")),
            "node b: depends_on": PLAN.with_node(TWO._replace(depends_on=())),
            "node a: test_hashes": PLAN.with_node(ONE._replace(test_hashes={"t": "1"})),
            "node c is new": PLAN._replace(nodes=(ONE, TWO, ONE._replace(id="c"))),
            "node b is gone": PLAN._replace(nodes=(ONE,)),
            "base_commit": PLAN._replace(base_commit="other"),
            "job_branch": PLAN._replace(job_branch="other"),
        }
        for words, plan in cases.items():
            self.assertEqual(self.different(plan), [words])
            with self.assertRaisesRegex(RequestError, words):
                check_seal(self.directory, plan)

    def test_none_and_a_damaged_one_are_refused(self) -> None:
        for text in ("{}", "[", json.dumps({"sealed_at": "", "contract": "", "plan": {}})):
            self.directory.sealed.write_text(text)
            with self.assertRaisesRegex(RequestError, "sealed.json") as caught:
                read_seal(self.directory)
            self.assertIn("remove it, check plan.json", caught.exception.next_step)
        self.directory.sealed.unlink()
        with self.assertRaisesRegex(RequestError, "never sealed"):
            check_seal(self.directory, PLAN)

    def test_one_that_was_changed_is_restored(self) -> None:
        seal = check_seal(self.directory, PLAN)
        self.assertFalse(restore_seal(self.directory, seal))
        for text in ("", "{}", json.dumps({**seal._asdict(), "contract": "forged"})):
            self.directory.sealed.write_text(text)
            self.assertTrue(restore_seal(self.directory, seal))
            self.assertEqual(read_seal(self.directory), seal)
