"""A bench of several repeats or tasks: what is run, paid for, kept, continued and said.

With it: the command (``commands.bench``, ``bench_result``), ``one_run``, ``records``, ``report``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tests.support.fake_opencode import answer, exit_with, finish, hang, mark, say, shell, write
from tests.support.jobs import CONFIG, PRICING, JobCase, node

CHEAP = CONFIG + PRICING + "[limits]\nprovider_retries = 0\n"
FRONTIER = CHEAP.replace('executor = "fake/cheap"', 'executor = "fake/big"')
PROFILES = ("--profiles", "all-frontier,cheap")


class RepeatCase(JobCase):
    def setUp(self) -> None:
        super().setUp()
        (self.home / "profiles").mkdir()
        for name, text in (("all-frontier", FRONTIER), ("cheap", CHEAP)):
            (self.home / "profiles" / f"{name}.toml").write_text(text)
        self.script_planning(node("a"))
        self.fake.always("executor", *self.work(), node="a")
        for about in ("spec", "plan"):
            approved = answer({"verdict": "approve", "problems": []})
            self.fake.always("planner", approved, heading=f"Critique of the {about}")

    def work(self) -> Sequence[dict[str, Any]]:
        return (
            shell("sh tests/a.sh"),
            write("a.txt", "good\n"),
            say("done"),
            finish(input=100_000, output=1000),
        )

    def executors(self) -> list[str]:
        return [call.argv[call.argv.index("--model") + 1] for call in self.fake.calls()
                if call.agent == "executor"]  # fmt: skip

    def headings(self, name: str) -> int:
        return [call.heading for call in self.fake.calls()].count(name)

    def turns(self) -> list[str]:
        lines = self.lines("bench/repeats.jsonl")
        return [f"{line['profile']} {line['repeat']}" for line in lines]


class TestRepeats(RepeatCase):
    def test_in_turns_on_one_plan_and_more_of_it_afterwards(self) -> None:
        before = self.repo.fingerprint()
        done = self.ends(
            0, "bench", "make", *PROFILES, "--repeat", "2", env={**self.env, "COLUMNS": "60"}
        )
        order = ["all-frontier 1", "cheap 1", "cheap 2", "all-frontier 2"]
        self.assertEqual(self.turns(), order)
        self.assertEqual((self.headings("Plan"), len(self.executors())), (1, 4))
        self.assertIn("2 repeats × 2 profiles", done.out)
        self.assertIn("inconclusive", done.out)
        self.assertLessEqual(max(map(len, done.out.split("\n\nFull report")[0].splitlines())), 60)
        page = (self.home / "bench" / "report.html").read_text()
        self.assertIn("default-src &#x27;none&#x27;; style-src &#x27;sha256-", page)
        self.assertNotIn("<script", page)

        more = self.ends(0, "bench", "--more", "1", "--json").json
        self.assertEqual((self.headings("Plan"), len(self.executors())), (1, 6))
        self.assertEqual(self.turns(), [*order, "all-frontier 3", "cheap 3"])
        self.assertEqual((more["repeat"], more["complete"], len(more["repeats"])), (3, True, 6))
        self.assertEqual([row["profile"] for row in more["rows"]], ["all-frontier", "cheap"])
        self.assertEqual([one["solved"] for one in more["profiles"]], [3, 3])
        self.assertAlmostEqual(more["cost_reduction_pct"]["cheap"], 87.9, delta=0.5)
        jobs = [one["job_id"] for one in more["repeats"]]
        self.assertEqual(len(set(jobs)), 6)
        for job in jobs:
            self.assertEqual(self.repo.git("show", f"director/job-{job}:a.txt"), "good")
        self.ends(0, "verify", "--job", jobs[2])
        self.assertEqual(self.repo.fingerprint(), before)
        self.assertEqual(self.left_behind(), [])

        calls = len(self.fake.calls())
        self.assertEqual(self.ends(0, "bench", "--show", "--json").json["repeats"], more["repeats"])
        markdown = self.ends(0, "bench", "--show", "--markdown").out
        self.assertIn("| all-frontier | 3/3 (44–100 %) |", markdown)
        plain = self.ends(0, "bench", "--show", env={**self.env, "PYTHONIOENCODING": "ascii"})
        self.assertTrue(plain.out.isascii())
        self.assertEqual(len(self.fake.calls()), calls)

    def test_a_killed_bench_pays_for_nothing_twice(self) -> None:
        reached = self.tmp / "reached"
        for _ in range(3):
            self.fake.queue("executor", *self.work(), node="a")
        self.fake.queue("executor", mark(reached), hang(), node="a")
        argv = ("bench", "make", *PROFILES, "--repeat", "3")
        self.kill_at(reached, *argv)
        self.assertEqual(self.turns(), ["all-frontier 1", "cheap 1", "cheap 2"])
        shown = self.ends(0, "bench", "--show").out
        self.assertIn("3 of 6 runs count so far", shown)
        done = self.ends(0, *argv, "--json").json
        self.assertEqual(done["complete"], True)
        self.assertEqual((self.headings("Plan"), len(self.executors())), (1, 7))
        self.assertEqual(len(self.turns()), 6)
        resumed = [one["resumed"] for one in done["repeats"]]
        self.assertEqual(resumed, [False, False, False, True, False, False])
        self.assertEqual(self.left_behind(), [])

    def test_again_begins_from_the_beginning(self) -> None:
        first = self.ends(0, "bench", "make", *PROFILES, "--repeat", "2", "--json").json
        second = self.ends(0, "bench", "--again", "--repeat", "1", "--json").json
        self.assertNotEqual(first["job_id"], second["job_id"])
        self.assertEqual((second["task"], second["repeat"]), ("make", 1))
        self.assertTrue((self.home / "bench" / "jobs" / first["job_id"] / "report.html").exists())

    def test_what_is_stopped_from_outside_does_not_count_and_is_done_again(self) -> None:
        self.fake.queue("executor", *self.work(), node="a")
        self.fake.queue("executor", exit_with(1), node="a")
        argv = ("bench", "make", *PROFILES, "--repeat", "2")
        done = self.ends(3, *argv, "--json").json
        self.assertEqual([one["lost"] for one in done["profiles"]], [0, 1])
        self.assertEqual([one["repeats"] for one in done["profiles"]], [2, 1])
        self.assertFalse(done["complete"])
        again = self.ends(0, *argv, "--json").json
        self.assertTrue(again["complete"])
        self.assertEqual((self.headings("Plan"), len(self.executors())), (1, 5))

    def test_one_that_had_not_ended_gives_way_to_another_aloud(self) -> None:
        self.fake.queue("executor", exit_with(1), node="a")
        first = self.ends(3, "bench", "make", *PROFILES, "--repeat", "2", "--json").json
        done = self.ends(0, "bench", "make", *PROFILES, "--json", "--max-attempts", "2")
        self.assertIn(f"it is kept in {self.home}/bench/jobs/{first['job_id']}", done.err)

    def test_a_profile_that_changed_makes_another_experiment(self) -> None:
        self.ends(0, "bench", "make", *PROFILES, "--repeat", "2")
        path = self.home / "profiles" / "cheap.toml"
        path.write_text(path.read_text() + "max_attempts = 2\n")
        said = self.ends(2, "bench", "--more", "1").err
        self.assertIn("changed since the last bench: cheap", said)


class TestMaxCost(RepeatCase):
    def test_a_repeat_begins_only_where_there_is_room_for_it(self) -> None:
        # A repeat costs $0.84 + $0.102 and planning next to nothing: two fit, a third does not.
        argv = ("bench", "make", *PROFILES, "--repeat", "4", "--json", "--max-cost")
        done = self.ends(3, *argv, "2.5").json
        self.assertEqual(done["reason"], "ceiling")
        self.assertEqual(len(done["repeats"]), 4)
        self.assertLess(done["cost_total"], 2.5)
        self.assertIn("raise --max-cost", done["next"])
        self.assertEqual([one["repeats"] for one in done["profiles"]], [2, 2])
        more = self.ends(0, *argv, "9").json
        self.assertTrue(more["complete"])
        self.assertEqual((self.headings("Plan"), len(self.executors())), (1, 8))

    def test_the_first_run_cannot_pass_the_limit_either(self) -> None:
        self.fake.always("executor", write("a.txt", "bad\n"), finish(input=100_000), node="a")
        argv = ("bench", "make", *PROFILES, "--repeat", "2", "--json", "--max-cost")
        done = self.ends(3, *argv, "1").json
        self.assertEqual((done["reason"], done["repeats"]), ("ceiling", []))
        self.assertEqual(len(self.executors()), 1)


class TestTasks(RepeatCase):
    def test_each_task_is_planned_once_and_run_in_each_repeat(self) -> None:
        tasks = self.tmp / "tasks"
        tasks.mkdir()
        (tasks / "one.md").write_text("make one\n")
        (tasks / "two.txt").write_text("make two\n")
        done = self.ends(
            0, "bench", "--tasks", str(tasks), *PROFILES, "--repeat", "1", "--json"
        ).json
        self.assertEqual(done["tasks"], {"one": "make one", "two": "make two"})
        self.assertEqual((self.headings("Plan"), len(self.executors())), (2, 4))
        turns = [(one["task"], one["profile"]) for one in done["repeats"]]
        self.assertEqual(turns, [("one", "all-frontier"), ("one", "cheap"),
                                 ("two", "cheap"), ("two", "all-frontier")])  # fmt: skip
        self.ends(0, "status", "--job", done["repeats"][3]["job_id"])
        shown = self.ends(0, "bench", "--show").out
        self.assertRegex(shown, r"solved of each task +all-frontier +cheap\none +1/1 +1/1\n")


class TestUsage(RepeatCase):
    def test_what_does_not_go_together(self) -> None:
        for argv, said in (
            (["x"], "--profiles is missing"),
            (["--profiles", "cheap"], "there is no task"),
            (["x", "--tasks", ".", "--profiles", "cheap"], "a task and --tasks"),
            (["--tasks", "nowhere", "--profiles", "cheap"], "no folder nowhere"),
            (["x", "--show"], "about the last bench"),
            (["--more", "2"], "no bench on record"),
            (["--show"], "no bench on record"),
            (["--again"], "no bench on record"),
            (["--show", "--json", "--markdown"], "two forms"),
            (["x", "--profiles", "cheap", "--repeat", "0"], "1 or more"),
            (["x", "--profiles", "cheap", "--max-cost", "-1"], "US dollars"),
        ):
            with self.subTest(argv):
                self.assertIn(said, self.ends(2, "bench", *argv).err)
        self.assertEqual(self.fake.calls(), [])

    def test_one_run_says_that_it_decides_nothing(self) -> None:
        done = self.ends(0, "bench", "make", *PROFILES)
        self.assertIn("One run of each profile decides nothing", done.out)
        summary = json.loads((self.home / "bench" / "summary.json").read_text())
        self.assertEqual(len(summary["rows"]), 2)
