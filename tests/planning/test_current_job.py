"""One job at a time: an unfinished one is not pushed aside, unless that is asked for."""

from __future__ import annotations

import json

from tests.support.fake_opencode import Step, exit_with, say, write
from tests.support.jobs import Done, JobCase, node, script_of_test


class CurrentJobCase(JobCase):
    def job_id(self) -> str:
        return str(self.stored("plan_stage.json")["job_id"])

    def refused(self, *argv: str) -> Done:
        """Demand that a command is refused and that nothing is moved or asked by it."""
        before, calls = self.job_id(), len(self.fake.calls())
        done = self.ends(2, *argv, "--json")
        self.assertEqual((self.job_id(), len(self.fake.calls())), (before, calls))
        return done

    def archived(self) -> list[str]:
        return sorted(path.name for path in (self.home / "jobs").glob("*"))


class TestUnfinished(CurrentJobCase):
    def test_while_planning_waits_another_task_is_refused(self) -> None:
        self.script_planning(node("a"))
        self.ends(0, "plan", "make a")
        self.repo.write("task", "another")
        for argv in (("plan", "other"), ("plan", "other", "--auto"), ("plan", "--file", "task")):
            said = self.refused(*argv).json
            self.assertIn(f"job {self.job_id()} (make a) is not finished", said["error"])
            self.assertIn("the spec waits for approval", said["error"])
            self.assertIn("director plan --continue", said["next"])
            self.assertIn("director plan --new", said["next"])

    def test_while_nodes_are_left_another_task_is_refused(self) -> None:
        self.plan(node("a"), node("b"))
        said = self.refused("plan", "other", "--no-critique").json
        self.assertIn("0 of 2 nodes are done", said["error"])
        self.assertIn("`director run` continues it", said["next"])
        self.implement("a")
        self.ends(0, "run", "--node", "a")
        self.assertIn("1 of 2 nodes", self.refused("plan", "make things").json["error"])

    def test_the_same_task_on_another_commit_is_another_job(self) -> None:
        self.script_planning(node("a"))
        self.ends(0, "plan", "make a")
        self.repo.write("README", "changed\n")
        self.repo.commit()
        self.refused("plan", "make a")

    def test_records_that_cannot_be_read_are_not_taken_for_a_finished_job(self) -> None:
        self.plan(node("a"))
        (self.home / "plan.json").write_text("{")
        said = self.refused("plan", "other").json
        self.assertIn("plan.json is damaged", said["error"])
        self.assertIn("director plan --new", said["next"])

    def test_a_finished_job_is_archived_without_a_word(self) -> None:
        self.plan(node("a"))
        self.implement("a")
        self.ends(0, "run")
        first = self.job_id()
        done = self.ends(0, "plan", "other", "--no-critique")
        self.assertEqual(self.archived(), [first])
        self.assertNotIn("--resume", done.err)

    def test_a_job_that_nothing_was_paid_for_yet_is_in_no_ones_way(self) -> None:
        self.configure('[worktree]\ncopy = ["not-there"]\n')
        self.script_planning(node("a"))
        self.ends(2, "plan", "make a")
        first = self.job_id()
        self.configure()
        self.ends(0, "plan", "other", "--no-critique")
        self.assertEqual(self.archived(), [first])


class TestNew(CurrentJobCase):
    def test_the_unfinished_job_is_set_aside_and_can_be_brought_back(self) -> None:
        self.plan(node("a"), node("b"))
        self.implement("a")
        self.ends(0, "run", "--node", "a")
        first, branch = self.job_id(), self.branch
        self.fake.always("planner", say(json.dumps({"nodes": [node("c")]})), heading="Plan")
        self.fake.always("test-author", *self.script_of("c"), node="c")
        done = self.ends(0, "plan", "other", "--no-critique", "--new")
        self.assertIn(f"`director plan --resume {first}` comes back to it", done.err)
        second = self.job_id()
        said = self.refused("plan", "--resume", first).json
        self.assertIn(f"director plan --resume {first} --new", said["next"])
        self.implement("c")
        self.ends(0, "run")
        self.assertEqual(self.archived(), [first])

        back = self.ends(0, "plan", "--resume", first)
        self.assertIn(f"Job {first} (make things) is the current one again", back.out)
        self.assertIn("1 of 2 nodes are done", back.out)
        self.assertIn("Next: director run", back.out)
        self.assertEqual((self.archived(), self.branch), ([second], branch))
        self.implement("b")
        self.ends(0, "run")
        self.assertEqual((self.on_branch("a.txt"), self.on_branch("b.txt")), ("good", "good"))
        asked = [call.node for call in self.fake.calls() if call.heading == "Implement"]
        self.assertEqual(asked, ["a", "c", "b"])
        self.ends(0, "verify")
        self.assertEqual(self.left_behind(), [])

    def script_of(self, name: str) -> tuple[Step, ...]:
        return (write(f"tests/{name}.sh", script_of_test(name)), say("written"))

    def test_two_unfinished_jobs_can_be_swapped(self) -> None:
        self.script_planning(node("a"))
        self.ends(0, "plan", "make a")
        first = self.job_id()
        self.ends(0, "plan", "--new", "other")
        second = self.job_id()
        said = self.ends(0, "plan", "--resume", first, "--new", "--json").json
        self.assertEqual(
            (said["job_id"], said["stage"], said["paused"]), (first, "gate_spec", True)
        )
        self.assertEqual(said["next"], "director plan --continue")
        self.assertEqual(self.archived(), [second])
        self.ends(0, "plan", "--continue", "--no-critique")
        self.implement("a")
        self.ends(0, "run")
        self.ends(0, "plan", "--resume", second)
        self.ends(0, "plan", "--continue", "--no-critique")

    def test_planning_that_stopped_in_the_middle_goes_on_after_a_detour(self) -> None:
        self.configure("[limits]\nprovider_retries = 0\n")
        self.script_planning(node("a"))
        self.fake.queue("planner", exit_with(1), heading="Plan")
        self.ends(3, "plan", "make a", "--no-critique")
        first = self.job_id()
        self.ends(0, "plan", "--new", "other")
        back = self.ends(0, "plan", "--resume", first, "--new")
        self.assertIn("nodes and their tests are being written", back.out)
        self.assertIn("Next: director plan --continue", back.out)
        self.ends(0, "plan", "--continue", "--no-critique")
        headings = [call.heading for call in self.fake.calls()]
        self.assertEqual(headings, ["Recon", "Spec", "Plan", "Recon", "Spec", "Plan", "Tests"])

    def test_the_same_task_starts_over_where_that_is_asked_for(self) -> None:
        self.script_planning(node("a"))
        self.ends(0, "plan", "make a")
        first = self.job_id()
        self.ends(0, "plan", "make a")
        self.assertEqual(self.job_id(), first)
        self.ends(0, "plan", "make a", "--new")
        self.assertEqual(self.archived(), [first])

    def test_only_a_job_that_is_there_can_be_brought_back(self) -> None:
        self.plan(node("a"))
        current = self.job_id()
        self.assertIn("job not found: x", self.refused("plan", "--resume", "x").json["error"])
        self.refused("plan", "--resume", "../jobs")
        self.refused("plan", "--resume", current, "a task")
        self.refused("plan", "--continue", "--new")
        (self.home / "jobs" / "unknown-1").mkdir(parents=True)
        self.refused("plan", "--resume", "unknown-1")
        self.assertIn("is the current one", self.ends(0, "plan", "--resume", current).out)

    def test_what_is_not_a_record_of_a_job_is_not_brought_back(self) -> None:
        self.script_planning(node("a"))
        self.ends(0, "plan", "make a")
        first = self.job_id()
        self.ends(0, "plan", "--new", "other")
        config = (self.home / "config.toml").read_text()
        (self.home / "jobs" / first / "config.toml").write_text("forged")
        self.ends(0, "plan", "--resume", first, "--new")
        self.assertEqual((self.home / "config.toml").read_text(), config)


class TestKilledWhileMoving(CurrentJobCase):
    """A kill in the middle of moving records leaves a job in two places."""

    def setUp(self) -> None:
        super().setUp()
        self.script_planning(node("a"))
        self.ends(0, "plan", "make a")
        self.first = self.job_id()

    def move(self, *names: str) -> None:
        place = self.home / "jobs" / self.first
        place.mkdir(parents=True)
        for name in names:
            (self.home / name).rename(place / name)

    def test_archiving_that_was_cut_short_is_undone(self) -> None:
        self.move("costs.jsonl", "job.git", "spec.md")
        self.refused("plan", "other")
        self.ends(0, "plan", "--continue", "--no-critique")
        self.assertEqual(self.archived(), [])
        self.assertEqual([call.heading for call in self.fake.calls()][-2:], ["Plan", "Tests"])

    def test_bringing_back_that_was_cut_short_is_finished(self) -> None:
        self.move("job.git", "recon.md", "spec.md")
        self.ends(0, "plan", "--resume", self.first)
        self.assertEqual((self.archived(), (self.home / "spec.md").exists()), ([], True))
