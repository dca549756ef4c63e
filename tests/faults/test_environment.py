"""What is missing in the environment costs no attempts, and is the failure of nothing else.

With it: ``job.evidence``, ``running.control_run``.
"""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

from tests.faults.test_crashes import KilledCase
from tests.support.fake_opencode import answer, finish, hang, say, wait_for, write
from tests.support.jobs import Done, JobCase, node

NOT_THERE = "python3 -m runner_that_is_not_there"
IMPORTS = (
    "import unittest\n{}\n\n\nclass T(unittest.TestCase):\n    def test_a(self):\n        {}\n"
)
BELOW = '\n\nif __name__ == "__main__":\n    unittest.main()\n'


def python_node(name: str = "a", **changes: Any) -> dict[str, Any]:
    """Return a node that makes ``<name>.py``, with a test by unittest."""
    test = f"checks/test_{name}.py"
    command = f"python3 -B -m unittest {test}"
    about = {"files": [f"{name}.py"], "tests": [test], "test_cmd": command, **changes}
    return node(name, **about)


class EnvironmentCase(JobCase):
    def author(self, *texts: str, name: str = "a") -> None:
        """Let the author write these as the node's test, one after the other."""
        for text in texts:
            path = f"checks/test_{name}.py"
            self.fake.queue("test-author", write(path, text), say("written"), node=name)

    def planning(self, *nodes: dict[str, Any]) -> None:
        self.fake.always("explorer", say("the recon"))
        self.fake.always("brainstorm", say("the spec"))
        self.fake.always("planner", answer({"nodes": list(nodes)}), heading="Plan")

    def planned(self, text: str, one: dict[str, Any] | None = None) -> None:
        """Make a ready plan of one node with this test."""
        self.planning(one or python_node())
        self.author(text)
        self.ends(0, "plan", "make a", "--no-critique")

    def asked(self, agent: str) -> list[str]:
        return [call.prompt for call in self.fake.calls() if call.agent == agent]

    def outcomes(self, name: str = "a") -> list[str]:
        return [one["outcome"] for one in self.node_state(name)["tries"]]

    def purposes(self) -> list[str]:
        return [one["purpose"] for one in self.lines("events.jsonl") if one["kind"] == "gate"]

    def metrics(self, kind: str) -> dict[str, Any]:
        return [line for line in self.lines("metrics.jsonl") if line["kind"] == kind][-1]


class TestAdmission(EnvironmentCase):
    def test_a_runner_that_is_missing_stops_before_the_author_is_asked_again(self) -> None:
        self.planning(python_node(test_cmd=f"{NOT_THERE} tests"))
        self.author(IMPORTS.format("import a", "self.fail()"))
        done = self.ends(2, "plan", "make a", "--no-critique")
        self.assertEqual(len(self.asked("test-author")), 1)
        self.assertIn("is red because the worktree lacks something: ", done.err)
        self.assertIn("No module named runner_that_is_not_there", done.err)
        for word in ("[worktree]", "`setup`", "test_cmd", "director plan --continue"):
            self.assertIn(word, done.err)

    def test_a_package_that_another_test_can_do_without_goes_back_once(self) -> None:
        self.planning(python_node())
        self.author(
            IMPORTS.format("import not_there_xyz", "self.fail()"),
            IMPORTS.format("import a", "self.assertEqual(a.value, 3)"),
        )
        self.ends(0, "plan", "make a", "--no-critique")
        self.assertIn("No module named 'not_there_xyz'", self.asked("test-author")[1])

    def test_a_package_that_stays_missing_is_the_user_s_to_bring(self) -> None:
        self.planning(python_node())
        missing = IMPORTS.format("import not_there_xyz", "self.fail()")
        self.author(missing, missing)
        done = self.ends(2, "plan", "make a", "--no-critique")
        self.assertEqual(len(self.asked("test-author")), 2)
        self.assertIn("No module named 'not_there_xyz'", done.err)
        self.assertIn("[worktree]", done.err)

    def test_a_feature_that_is_not_there_yet_is_right(self) -> None:
        other = python_node("b", depends_on=["a"])
        self.planning(python_node(), other)
        self.author(IMPORTS.format("import a", "self.assertEqual(a.value, 3)"))
        self.author(IMPORTS.format("import a, b", "self.assertEqual(b.value, 3)"), name="b")
        self.ends(0, "plan", "make a", "--no-critique")
        self.assertEqual(len(self.asked("test-author")), 2)

    def test_a_command_that_cannot_start_speaks_of_path_and_worktrees(self) -> None:
        self.planning(python_node(test_cmd="program-that-is-not-there"))
        self.author(IMPORTS.format("import a", "self.fail()"))
        done = self.ends(2, "plan", "make a", "--no-critique")
        self.assertIn("PATH", done.err)
        self.assertIn("[worktree]", done.err)

    def test_an_edited_command_is_refused_with_the_same_advice(self) -> None:
        self.planning(python_node())
        self.author(IMPORTS.format("import a", "self.assertEqual(a.value, 3)"))
        self.ends(0, "plan", "make a", "--no-critique")
        plan = self.stored("plan.json")
        plan["nodes"][0]["test_cmd"] = f"{NOT_THERE} tests"
        (self.home / "plan.json").write_text(json.dumps(plan))
        done = self.ends(2, "plan", "--continue")
        self.assertIn("No module named runner_that_is_not_there", done.err)
        self.assertIn("[worktree]", done.err)


class TestBeforeTheWork(EnvironmentCase):
    def test_what_went_missing_since_costs_no_call(self) -> None:
        runner = self.tmp / "run"
        runner.write_text("exec python3 -B -m unittest checks/test_a.py\n")
        test = IMPORTS.format("import a", "self.assertEqual(a.value, 3)")
        self.planned(test, python_node(test_cmd=f"sh {runner}"))
        found = runner.read_text()
        runner.write_text(f"exec {NOT_THERE} tests\n")
        done = self.ends(1, "run")
        self.assertEqual(self.asked("executor"), [])
        self.assertIn("no attempt was spent on it", done.in_one_line)
        self.assertIn("something is missing in the worktree: ", self.node_state("a")["error"])
        self.assertIn("runner_that_is_not_there", done.out)
        self.assertIn("[worktree]", done.out)
        self.assertEqual(self.node_state("a")["attempts"], 0)
        self.assertTrue(self.node_state("a")["environment"])
        runner.write_text(found)
        self.implement("a", write("a.py", "value = 3\n"))
        self.ends(0, "run", "--retry-failed")
        self.assertFalse(self.node_state("a")["environment"])


class TestTheSameOutput(EnvironmentCase):
    def setUp(self) -> None:
        super().setUp()
        (self.repo.root / "a.py").write_text("value = 2\n")
        (self.repo.root / "a.txt").write_text("bad\n")
        self.repo.commit()

    def tried(self, *texts: str, path: str = "a.py") -> None:
        for text in texts:
            self.implement("a", write(path, text))

    def stopped(self) -> Done:
        """Run, and demand that the spending stops after one attempt."""
        done = self.ends(1, "run")
        self.assertEqual(len(self.asked("executor")), 1)
        self.assertEqual(self.outcomes(), ["as_before"])
        self.assertIn("the tests fail whatever the work is", done.in_one_line)
        self.assertIn("[worktree]", done.out)
        return done

    def test_what_fails_whatever_the_work_is_stops_after_one_attempt(self) -> None:
        reads = f"text = open({str(self.place / 'settings.ini')!r}).read()"
        self.planned(IMPORTS.format(f"import os\n{reads}\nimport a", "self.fail()"))
        self.tried("value = 3\n", "value = 4\n")
        done = self.stopped()
        self.assertIn("whatever the work is", done.in_one_line)
        self.assertEqual(self.purposes()[-3:], ["before", "candidate", "control"])
        self.assertFalse(self.node_state("a")["escalated"])
        self.assertTrue(self.metrics("node")["environment"])
        run = self.metrics("run")
        self.assertEqual((run["failed"], run["failed_by_environment"]), (1, 1))

    def test_that_spends_no_attempt_and_can_be_tried_again(self) -> None:
        settings = self.tmp / "settings.ini"
        reads = f"text = open({str(settings)!r}).read()"
        self.planned(IMPORTS.format(f"{reads}\nimport a", "self.assertEqual(a.value, 3)"))
        self.tried("value = 1\n")
        self.stopped()
        calls = len(self.fake.calls())
        self.ends(1, "run")
        self.assertEqual(len(self.fake.calls()), calls)
        settings.write_text("")
        self.tried("value = 3\n")
        self.ends(0, "run", "--retry-failed")

    def test_a_program_that_cannot_go_on_stops_it_too(self) -> None:
        gone = self.place / "gone.conf"
        self.planning(node("a"))
        self.fake.queue("test-author", write("tests/a.sh", f"cat {gone}\n"), node="a")
        self.ends(0, "plan", "make a", "--no-critique")
        self.implement("a", write("a.txt", "good\n"))
        self.stopped()

    def test_what_the_work_was_to_write_is_the_model_s(self) -> None:
        """The test sees nothing of why it did not: unreadable work says the same."""
        self.planning(node("a"))
        quiet = "sh a.txt >/dev/null 2>&1; cat out/report.txt\n"
        self.fake.queue("test-author", write("tests/a.sh", quiet), node="a")
        self.ends(0, "plan", "make a", "--no-critique")
        writing = "mkdir -p out; echo x > out/"
        self.tried(f"{writing}reports.txt\n", f"{writing}report.txt\n", path="a.txt")
        self.ends(0, "run")
        self.assertEqual(self.outcomes(), ["red", "green"])

    def test_an_assertion_that_stays_as_it_was_is_the_model_s(self) -> None:
        self.planned(IMPORTS.format("import a", "self.assertEqual(a.value, 3)"))
        self.tried("value = 2  # better\n", "value = 3\n")
        self.ends(0, "run")
        self.assertEqual(self.outcomes(), ["red", "green"])
        self.assertNotIn("control", self.purposes())

    def test_a_name_that_the_work_does_not_bring_is_the_model_s(self) -> None:
        self.planned(IMPORTS.format("from a import slug", "self.assertEqual(slug(), 3)"))
        # Nothing like it: Python 3.13 would name what is nearly right, and the words would differ.
        other, right = "def total():\n    return 3\n", "def slug():\n    return 3\n"
        self.tried(other, right)
        self.ends(0, "run")
        self.assertEqual(self.outcomes(), ["red", "green"])
        self.assertIn("control", self.purposes())

    def test_a_script_s_own_words_are_the_model_s(self) -> None:
        self.planning(node("a"))
        text = 'grep -q good a.txt || { echo "no good a"; exit 1; }\n'
        self.fake.queue("test-author", write("tests/a.sh", text), node="a")
        self.ends(0, "plan", "make a", "--no-critique")
        self.tried("still bad\n", "good\n", path="a.txt")
        self.ends(0, "run")
        self.assertEqual(self.outcomes(), ["red", "green"])


class TestAfterAKill(EnvironmentCase, KilledCase):
    def test_what_the_tests_said_before_the_work_is_known_to_the_next_run(self) -> None:
        self.configure('[sandbox]\nmode = "off"\n')  # the agent itself kills director
        reads = f"text = open({str(self.place / 'settings.ini')!r}).read()"
        self.planned(IMPORTS.format(f"{reads}\nimport a", "self.fail()"))
        kill = self.kill_once_written(".agent")
        there = wait_for(self.tmp / "pid-is-there")
        self.implement("a", write("a.py", "value = 3\n"), finish(), there, kill, hang())
        process = self.started("run")
        (self.tmp / "pid").write_text(str(process.pid))
        (self.tmp / "pid-is-there").touch()
        self.assertEqual(process.wait(), -signal.SIGKILL)
        self.ends(1, "run")
        self.assertEqual(len(self.asked("executor")), 1)
        self.assertEqual(self.outcomes(), ["as_before"])


class TestGreenBeforeTheWork(EnvironmentCase):
    def test_what_turned_green_although_nothing_merged_is_not_done(self) -> None:
        copy = self.tmp / "copy"
        copy.mkdir()
        reads = f"import sys\nsys.path.insert(0, {str(copy)!r})\nimport a"
        self.planned(IMPORTS.format(reads, "self.assertEqual(a.value, 3)"))
        (copy / "a.py").write_text("value = 3\n")
        for flags in ((), ("--retry-failed",)):
            done = self.ends(1, "run", *flags)
            self.assertIn("the tests were red when they were admitted and pass now", done.out)
            self.assertIn("although nothing merged in between", done.out)
            self.assertEqual(self.asked("executor"), [])
            self.assertTrue(self.node_state("a")["environment"])
            self.assertEqual(Path(self.home / "receipts.jsonl").exists(), False)
        (copy / "a.py").unlink()
        self.implement("a", write("a.py", "value = 3\n"))
        self.ends(0, "run", "--retry-failed")
