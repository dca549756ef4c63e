"""What ``director status`` shows (``reporting.status``), and its JSON.

With it: what it counts (``rates``).
"""

from __future__ import annotations

from tests.support.fake_opencode import write
from tests.support.jobs import JobCase, node


class TestStatus(JobCase):
    def test_shows_every_node_the_rates_and_the_costs(self) -> None:
        self.plan(node("a"), node("b", depends_on=["a"]))
        self.implement("a")
        self.implement("b", write("b.txt", "bad\n"))
        self.implement("b", write("b.txt", "bad\n"))
        self.ends(1, "run", "--max-attempts", "1")
        shown = self.ends(0, "status").out
        self.assertRegex(shown, r"a +done +executor +1 +\$0\.0012")
        self.assertRegex(shown, r"b +failed +escalation +2")
        self.assertIn("executor-tier completion  50.0 % (hypothesis target > 70 %)", shown)
        self.assertIn("escalation rate           50.0 %", shown)
        self.assertIn("watched it fail first     1 of 2", shown)
        self.assertRegex(shown, r"by role +calls")
        self.assertRegex(shown, r"fake/cheap +2")

    def test_json_is_one_object(self) -> None:
        self.plan(node("a"))
        said = self.ends(0, "status", "--json").json
        self.assertEqual(said["stage"], "ready")
        self.assertEqual(said["nodes"]["a"]["status"], "pending")
        self.assertEqual(set(said["by_role"]), {"explorer", "planner", "test_author"})

    def test_while_planning_it_says_where_planning_stands(self) -> None:
        self.script_planning(node("a"))
        self.ends(0, "plan", "make a")
        self.assertIn("(gate_spec)", self.ends(0, "status").out)

    def test_damaged_lines_are_skipped_and_said(self) -> None:
        self.plan(node("a"))
        with (self.home / "costs.jsonl").open("a") as stream:
            stream.write('{"role": "exec')
        self.assertIn("1 damaged line(s) in costs.jsonl", self.ends(0, "status").out)

    def test_it_writes_nothing(self) -> None:
        self.plan(node("a"))
        before = {p: p.stat().st_mtime_ns for p in self.home.rglob("*")}
        self.ends(0, "status")
        self.assertEqual({p: p.stat().st_mtime_ns for p in self.home.rglob("*")}, before)

    def test_in_a_plain_checkout_git_is_not_asked(self) -> None:
        self.plan(node("a"))
        folder = self.repo.root / "deep" / "er"
        folder.mkdir(parents=True)
        shown = self.ends(0, "status", cwd=folder, env={**self.env, "PATH": ""}).out
        self.assertEqual(shown, self.ends(0, "status").out)
