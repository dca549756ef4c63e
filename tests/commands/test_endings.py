"""How commands end: one message, one JSON object, advice that holds.

With it: ``errors``, ``context``, and what ``run`` and ``plan`` print, ``cli``.
"""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta

from tests.support.fake_opencode import answer
from tests.support.jobs import CONFIG, JobCase, node


class TestEndings(JobCase):
    def test_the_examples_placeholders_are_refused_before_anything_is_asked(self) -> None:
        (self.home / "config.toml").write_text(CONFIG.replace("fake/cheap", "PROVIDER/CHEAP-MODEL"))
        said = self.ends(2, "plan", "x").err
        self.assertIn("tiers.executor", said)
        self.assertIn("put one of your models there", said)
        self.assertEqual(self.fake.calls(), [])

    def test_a_branch_that_could_not_be_published_is_part_of_the_ending(self) -> None:
        self.plan(node("a"))
        self.implement("a")
        self.repo.git("checkout", "-q", self.branch)
        done = self.ends(0, "run")
        self.assertIn("could not be updated in your repository", done.in_one_line)
        self.assertIn(f"git fetch {self.home / 'job.git'} {self.branch}", done.in_one_line)
        self.repo.git("fetch", "-q", str(self.home / "job.git"), self.branch)
        self.assertEqual(self.repo.git("show", "FETCH_HEAD:a.txt"), "good")

    def test_commits_that_were_added_to_the_branch_are_never_lost(self) -> None:
        self.plan(node("a"))
        self.implement("a")
        self.repo.git("checkout", "-q", self.branch)
        self.repo.write("mine.txt", "my own\n")
        self.repo.git("add", "mine.txt")
        self.repo.git("commit", "-qm", "mine")
        self.repo.git("checkout", "-q", "main")
        mine = self.repo.git("rev-parse", self.branch)
        said = self.ends(0, "run", "--json").json
        self.assertIn("non-fast-forward", said["unpublished"])
        self.assertEqual(self.repo.git("rev-parse", self.branch), mine)

    def test_advice_in_json_is_a_plain_command(self) -> None:
        self.plan(node("a"), node("b"))
        self.implement("a")
        self.assertEqual(self.ends(0, "run", "--node", "a", "--json").json["next"], "director run")

    def test_a_task_after_a_damaged_stage_starts_over(self) -> None:
        self.plan(node("a"))
        (self.home / "plan_stage.json").write_text("{")
        self.ends(2, "plan", "--continue")
        self.ends(0, "plan", "another", "--no-critique")
        self.assertEqual(len(list((self.home / "jobs").glob("unknown-*"))), 1)

    def test_two_jobs_that_were_cut_short_in_one_second_do_not_collide(self) -> None:
        self.plan(node("a"))
        (self.home / "plan_stage.json").write_text("{")
        now = datetime.now(UTC)
        for secs in range(60):
            moment = f"{now + timedelta(seconds=secs):%Y%m%d-%H%M%S}"
            shutil.copytree(self.home / "job.git", self.home / "jobs" / f"unknown-{moment}/job.git")
        self.ends(0, "plan", "another", "--no-critique")

    def test_leftovers_of_an_unknown_job_are_not_taken_for_the_new_one(self) -> None:
        self.script_planning(node("a"))
        (self.home / "spec.md").write_text("an old spec")
        (self.home / "recon.md").write_text("an old recon")
        self.ends(0, "plan", "make a")
        self.assertEqual((self.home / "spec.md").read_text().strip(), "the spec")

    def test_a_job_that_cannot_begin_leaves_the_one_before_in_place(self) -> None:
        self.plan(node("a"))
        before = (self.home / "plan.json").read_text()
        (self.repo.root / ".opencode" / "agents").mkdir(parents=True)
        (self.repo.root / ".opencode" / "agents" / "planner.md").write_text("---\nx\n---\n")
        self.assertIn("planner.md", self.ends(2, "plan", "another", "--new").err)
        self.assertEqual((self.home / "plan.json").read_text(), before)

    def test_status_says_when_a_run_was_killed(self) -> None:
        self.plan(node("a"))
        job_id = self.stored("plan.json")["job_id"]
        state = {"job_id": job_id, "nodes": {"a": {"status": "running"}}}
        (self.home / "state.json").write_text(json.dumps(state))
        self.assertIn("the run was killed", self.ends(0, "status").out)

    def test_everything_that_happened_is_in_the_journal(self) -> None:
        self.plan(node("a"))
        self.implement("a")
        self.ends(0, "run")
        kinds = [line["kind"] for line in self.lines("events.jsonl")]
        self.assertEqual(kinds[0], "job_started")
        for kind in ("stage_entered", "call_started", "call_ended", "gate", "merged", "published"):
            self.assertIn(kind, kinds)
        self.assertEqual(kinds.count("call_started"), kinds.count("call_ended"))

    def test_a_word_that_is_nearly_a_command_is_guessed(self) -> None:
        done = self.ends(2, "plna", "x", "--json")
        self.assertEqual(done.json["next"], "did you mean `director plan`?")

    def test_a_bench_keeps_the_one_before(self) -> None:
        (self.home / "profiles").mkdir()
        (self.home / "profiles" / "cheap.toml").write_text((self.home / "config.toml").read_text())
        self.script_planning(node("a"))
        self.fake.always("executor", *self.good_work("a"))
        for about in ("spec", "plan"):
            approved = answer({"verdict": "approve", "problems": []})
            self.fake.always("planner", approved, heading=f"Critique of the {about}")
        for _ in range(2):
            self.ends(0, "bench", "make", "--profiles", "cheap")
        (kept,) = (self.home / "bench" / "jobs").iterdir()
        self.assertTrue((kept / "summary.json").exists())
        self.assertTrue((kept / "runs" / "cheap" / "costs.jsonl").exists())
