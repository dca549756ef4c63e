"""A kind of check that exists here only, declared where all are: in model/checks.py.

It is gated, stands on the receipt and is demanded by ``verify`` without anything else being told.
"""

from __future__ import annotations

from director.command_line.workspace import load_config
from director.job.context import Opened, Workspace
from director.model.checks import Check, Checks, checks_of
from director.model.config import Limits
from director.model.plan import Node
from director.model.secrets import NOTHING_SECRET
from director.processes.cancellation import Cancellation
from director.records.events import Events
from director.records.job_directory import Home
from director.repositories.repository import open_repository
from director.running.run import RunOptions, RunReport, run_job
from director.verifying.verify import Verification, verify_again, verify_job
from tests.support.fake_opencode import mark, wait_for, write
from tests.support.jobs import JobCase, node


def with_lint(node: Node, limits: Limits) -> Checks:
    """Return the checks of a version that has one more: no line may say "later"."""
    return (*checks_of(node, limits), Check("lint", "! grep -n later *.txt"))


class TestAnotherCheck(JobCase):
    def workspace(self) -> Workspace:
        repository = open_repository(self.repo.root, self.env)
        home = Home(self.home, NOTHING_SECRET)
        known = (repository, home, self.env, Events([]), Cancellation(), set[str](), list[Opened]())
        return Workspace(*known, checks=with_lint)

    def run_with_lint(self, lanes: int = 1) -> RunReport:
        workspace = self.workspace()
        config = load_config(workspace.home.config)
        return run_job(workspace, workspace.home.job, config, RunOptions(parallel=lanes))

    def verify_with_lint(self) -> str:
        """Return what does not hold ("": everything does)."""
        workspace = self.workspace()
        problem = verify_job(workspace.repository, workspace.home.job, workspace.checks).problem
        return problem.what if problem else ""

    def verify_again_with_lint(self) -> Verification:
        workspace = self.workspace()
        return verify_again(workspace, workspace.home.job, load_config(workspace.home.config))

    def purposes(self) -> dict[str, list[str]]:
        return {
            line["node"]: [gate["purpose"] for gate in line["gates"]]
            for line in self.lines("receipts.jsonl")
        }

    def test_work_that_fails_it_is_fed_back_and_only_what_passes_it_merges(self) -> None:
        self.plan(node("a"))
        self.implement("a", write("a.txt", "good, better later\n"))
        self.implement("a")
        self.assertTrue(self.run_with_lint().ok)
        self.assertEqual([t["outcome"] for t in self.node_state("a")["tries"]], ["red", "green"])
        told = self.fake.calls()[-1].prompt
        self.assertIn("Runs of `! grep -n later *.txt` fail (exit code 1): 1:good, better", told)
        self.assertEqual(self.on_branch("a.txt"), "good")
        self.assertEqual(self.purposes(), {"a": ["candidate", "again", "lint"]})
        said = self.repo.git("log", "-1", "--format=%(trailers:only)", self.branch)
        self.assertIn("Director-Gate: 0 lint ! grep -n later *.txt", said)
        self.assertEqual(self.verify_with_lint(), "")
        again = self.verify_again_with_lint()
        self.assertEqual((again.problem, again.gates_run), (None, 2))

    def test_verify_demands_it(self) -> None:
        self.plan(node("a"))
        self.implement("a", write("a.txt", "good, better later\n"))
        self.ends(0, "run")
        self.assertIn("the gate runs by lint on its receipt", self.verify_with_lint())
        self.assertIn("the gate runs by lint", str(self.verify_again_with_lint().problem))

    def test_every_way_to_merge_goes_through_it(self) -> None:
        waiting = node("c", depends_on=["a", "b"], test_cmd="sh tests/c.sh", files=["c", "d"])
        self.plan(node("a", files=["a.txt", "c.txt"]), node("b"), waiting)
        for mine, other in (("a", "b"), ("b", "a")):
            work = self.good_work(mine)
            more = (write("c.txt", "good\n"),) if mine == "a" else ()
            self.implement(mine, mark(self.tmp / mine), wait_for(self.tmp / other), *more, *work)
        self.assertTrue(self.run_with_lint(2).ok)
        first, second, last = self.purposes().values()
        self.assertEqual(first, ["candidate", "again", "lint"])
        self.assertEqual(second, ["candidate", "again", "lint"])
        self.assertEqual(last, ["before", "again", "lint"])
        for name in ("receipts.jsonl", "tips.jsonl"):
            (self.home / name).unlink()
        self.run_with_lint()
        expected = ["rebuilt", "again", "lint"]
        self.assertEqual(self.purposes(), dict.fromkeys("abc", expected))
        self.assertEqual(self.verify_with_lint(), "")
