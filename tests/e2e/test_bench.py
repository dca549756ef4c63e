"""``director bench`` with the real OpenCode: one plan, one row for each profile."""

from __future__ import annotations

from tests.e2e.scene import Scene, gates, local_tiers, prices, succeeded
from tests.e2e.scripted_job import TASK, ScriptedJob, Word
from tests.support.hermetic import ProcessCase

HELLO = Word("hello")
CHEAP = '"local/cheap" = { input = 0.1, output = 0.4 }\n'


class TestBench(ProcessCase):
    def test_one_plan_two_rows_and_what_is_saved(self) -> None:
        scene = Scene.open(self.addCleanup, ScriptedJob((HELLO,)), {"README.md": "words\n"})
        frontier = dict.fromkeys(
            ("planner", "test_author", "executor", "explorer", "reviewer", "escalation"),
            "local/strong",
        )
        for name, tiers in (
            ("all-frontier", frontier),
            ("cheap", frontier | {"executor": "local/cheap"}),
        ):
            common = gates({"test": HELLO.test_cmd}) + prices("local/strong") + CHEAP
            scene.configure(local_tiers(**tiers) + common, name=f"profiles/{name}.toml")
        before = scene.repo.fingerprint()
        benched = succeeded(scene.director("bench", TASK, "--profiles", "all-frontier,cheap"))
        self.assertRegex(benched.out, r"cost reduction of cheap against all-frontier: \d\d\.\d %")
        summary = scene.record("bench/summary.json")
        rows = {row["profile"]: row for row in summary["rows"]}
        self.assertEqual(list(rows), ["all-frontier", "cheap"])
        for row in rows.values():
            self.assertEqual((row["done"], row["n_nodes"]), (1, 1))
            self.assertIs(row["integration_ok"], True)
        self.assertAlmostEqual(summary["cost_reduction_pct"]["cheap"], 90.0, delta=1.0)
        self.assertEqual(len(scene.requests("Plan")), 1)
        asked = [one.model for one in scene.requests("Implement") if one.turn == 0]
        self.assertEqual(asked, ["strong", "cheap"])
        self.assertEqual(scene.repo.fingerprint(), before)
        self.assertEqual(scene.leftovers(), [])
