"""One plan under several profiles, and what they cost.

With it: the command (``commands.bench``), the numbers (``comparison``), ``bench_table``.
"""

from __future__ import annotations

import json

from tests.support.fake_opencode import exit_with, finish, say, shell, write
from tests.support.jobs import CONFIG, PRICING, JobCase, node

CHEAP = CONFIG + PRICING + "[limits]\nprovider_retries = 0\n"
FRONTIER = CHEAP.replace('executor = "fake/cheap"', 'executor = "fake/big"')


class TestBench(JobCase):
    def setUp(self) -> None:
        super().setUp()
        (self.home / "profiles").mkdir()
        for name, text in (("all-frontier", FRONTIER), ("cheap", CHEAP)):
            (self.home / "profiles" / f"{name}.toml").write_text(text)
        self.script_planning(node("a"), node("b"))
        for name in "ab":
            self.fake.always(
                "executor",
                shell(f"sh tests/{name}.sh"),
                write(f"{name}.txt", "good\n"),
                say("done"),
                finish(input=100_000, output=1000),
                node=name,
            )
        self.fake.always("planner", say('{"verdict": "approve", "problems": []}'))
        self.fake.always("planner", *self.plan_answer(), heading="Plan")

    def plan_answer(self) -> list[dict[str, object]]:
        return [say(json.dumps({"nodes": [node("a"), node("b")]}))]

    def bench(self, code: int, *argv: str) -> str:
        return self.ends(
            code, "bench", "make things", "--profiles", "cheap,all-frontier", *argv
        ).out

    def test_plans_once_and_runs_each_profile_on_the_same_tests(self) -> None:
        before = self.repo.fingerprint()
        shown = self.bench(0)
        self.assertIn("planned once with all-frontier", shown)
        self.assertRegex(
            shown, r"cost reduction of cheap against all-frontier: 87\.\d % \(target > 80 %\)"
        )
        summary = json.loads((self.home / "bench" / "summary.json").read_text())
        self.assertEqual([row["profile"] for row in summary["rows"]], ["cheap", "all-frontier"])
        self.assertEqual({row["done"] for row in summary["rows"]}, {2})
        headings = [call.heading for call in self.fake.calls()]
        self.assertEqual((headings.count("Plan"), headings.count("Tests")), (1, 2))
        for name in ("cheap", "all-frontier"):
            lines = (self.home / "bench" / f"{name}.metrics.jsonl").read_text().splitlines()
            self.assertEqual([json.loads(line)["kind"] for line in lines], ["node", "node", "run"])
            branch = f"director/job-{summary['job_id']}-{name}"
            self.assertEqual(self.repo.git("show", f"{branch}:a.txt"), "good")
        self.assertEqual(self.repo.fingerprint(), before)
        self.assertEqual(self.left_behind(), [])

    def test_one_failing_profile_does_not_sink_the_rest(self) -> None:
        self.fake.queue("executor", exit_with(1), node="a")
        shown = self.bench(1, "--json")
        rows = {row["profile"]: row for row in json.loads(shown)["rows"]}
        self.assertIn("agent fault", rows["cheap"]["error"])
        self.assertIsNone(rows["all-frontier"]["error"])
        self.assertEqual(rows["all-frontier"]["done"], 2)

    def test_an_agent_cli_that_is_not_there_is_told_before_anything_is_paid_for(self) -> None:
        profile = self.home / "profiles" / "cheap.toml"
        profile.write_text(profile.read_text().replace('"fake/cheap"', '"codex/m"'))
        done = self.ends(2, "bench", "make things", "--profiles", "all-frontier,cheap")
        self.assertIn("Codex (`codex`) is not on PATH", done.err)
        self.assertEqual(self.fake.calls(), [])

    def test_the_first_profile_plans_when_there_is_no_all_frontier(self) -> None:
        done = self.ends(0, "bench", "make", "--profiles", "cheap", "--json")
        self.assertEqual(done.json["plan_profile"], "cheap")
        self.assertEqual(done.json["cost_reduction_pct"], {})

    def test_a_bench_starts_over_after_one_that_ended(self) -> None:
        first = json.loads(self.bench(0, "--json"))
        second = json.loads(self.bench(0, "--json"))
        self.assertNotEqual(first["job_id"], second["job_id"])
        self.assertEqual([row["done"] for row in second["rows"]], [2, 2])

    def test_what_is_to_be_noticed_is_said_once_and_not_for_each_profile(self) -> None:
        self.repo.git("config", "--global", "user.useConfigOnly", "true")
        self.repo.git("config", "--global", "--unset", "user.email")
        done = self.ends(0, "bench", "make things", "--profiles", "cheap,all-frontier")
        self.assertEqual(done.err.count("git does not know who you are"), 1)

    def test_the_current_job_is_not_touched(self) -> None:
        self.ends(0, "plan", "something else", "--no-critique")
        before = (self.home / "plan.json").read_text()
        self.bench(0)
        self.assertEqual((self.home / "plan.json").read_text(), before)
