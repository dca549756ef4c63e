"""A job that is switched to another base: after a kill at each step the next command finishes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.running.test_rebasing import RebaseCase

STEPS = (
    "plan.json",
    "sealed.json",
    "plan_stage.json",
    "state.json",
    "receipts.jsonl",
    "tips.jsonl",
)
"""The records in the order in which they are replaced."""


class TestSwitching(RebaseCase):
    """``old`` is the job before a rebase, ``self.home`` what a rebase made of it."""

    def setUp(self) -> None:
        super().setUp()
        self.done("a")
        self.base = self.commit(more="x\n")
        self.old = self.tmp / "old"
        shutil.copytree(self.home, self.old, symlinks=True)
        self.before = self.tip()
        self.rebase()
        self.after = self.tip()
        self.new = {name: (self.home / name).read_bytes() for name in STEPS}

    def killed_after(self, replaced: int, *, left: int = 0) -> None:
        """Make the records what a kill leaves that comes after ``replaced`` were replaced.

        Of those that were built ``left`` are removed already.
        """
        objects = self.tmp / "objects"
        shutil.copytree(self.home / "job.git" / "objects", objects, dirs_exist_ok=True)
        shutil.rmtree(self.home)
        shutil.copytree(self.old, self.home, symlinks=True)
        shutil.copytree(objects, self.home / "job.git" / "objects", dirs_exist_ok=True)
        (self.home / "worktrees.json").unlink(missing_ok=True)
        (self.home / "rebasing").mkdir()
        for number, name in enumerate(STEPS):
            if number < replaced:
                (self.home / name).write_bytes(self.new[name])
            if number >= left:
                (self.home / "rebasing" / name).write_bytes(self.new[name])
        plan = json.loads(self.new["plan.json"])
        intent = {key: plan[key] for key in ("job_id", "job_branch")}
        before = json.loads((self.old / "plan.json").read_text())["base_commit"]
        record = {"since": "2026-01-02T03:04:05Z", **intent, "before": before, "base": self.base}
        (self.home / "rebasing.json").write_text(json.dumps(record))
        self.repo.git("update-ref", f"refs/heads/{self.branch}", self.before)

    def is_the_new_job(self, *argv: str) -> None:
        """Demand that the command ``argv`` finishes the switch, and that all of the job holds."""
        self.ends(0, *argv)
        self.assertEqual(self.tip(), self.after)
        self.assertEqual({name: (self.home / name).read_bytes() for name in STEPS}, self.new)
        self.assertEqual(list(self.home.glob("rebasing*")), [])
        told = [line for line in self.lines("metrics.jsonl") if line["kind"] == "rebase"]
        self.assertEqual(len(told), 1)
        self.ends(0, "verify")

    def test_a_kill_before_the_switch_leaves_the_old_job(self) -> None:
        self.killed_after(0)
        (self.home / "rebasing.json").unlink()
        self.ends(0, "verify")
        self.assertEqual(self.tip(), self.before)
        told = self.rebase()
        self.assertEqual(self.stored("plan.json")["base_commit"], told["base"])
        self.ends(0, "verify")

    def test_the_next_command_finishes_it_wherever_it_was_killed(self) -> None:
        for replaced in range(len(STEPS) + 1):
            with self.subTest(replaced=replaced):
                self.killed_after(replaced)
                self.is_the_new_job("verify")

    def test_also_where_what_was_built_was_being_removed(self) -> None:
        for left in (1, len(STEPS)):
            with self.subTest(left=left):
                self.killed_after(len(STEPS), left=left)
                self.is_the_new_job("verify")

    def test_a_run_finishes_it_and_continues(self) -> None:
        self.killed_after(3)
        self.finish("b", "c")
        self.assertEqual(self.repo.git("merge-base", self.branch, "main"), self.base)

    def test_another_rebase_finishes_it(self) -> None:
        self.killed_after(2)
        self.is_the_new_job("rebase", "--yes")

    def test_one_of_an_archived_job_is_finished_too(self) -> None:
        self.killed_after(2)
        place = self.home / "jobs" / str(self.stored("plan.json")["job_id"])
        place.mkdir(parents=True)
        for one in self.home.iterdir():
            if one.name not in (".gitignore", "config.toml", "jobs", "lock"):
                one.rename(place / one.name)
        self.ends(0, "verify", "--job", place.name)
        self.assertEqual(list(place.glob("rebasing*")), [])

    def test_a_damaged_record_is_named(self) -> None:
        self.killed_after(2)
        (self.home / "rebasing.json").write_text("{}")
        self.assertIn("rebasing.json", self.ends(2, "run").err)

    def test_a_branch_that_is_checked_out_meanwhile_follows_later(self) -> None:
        self.killed_after(1)
        place = self.tmp / "beside"
        self.repo.git("worktree", "add", "--quiet", str(place), self.branch)
        self.ends(1, "verify")
        self.assertEqual(self.tip(), self.before)
        self.repo.git("worktree", "remove", str(place))
        self.finish("b", "c")

    def test_the_journal_remembers_where_the_branch_stood(self) -> None:
        lines = [json.loads(line) for line in self.new["tips.jsonl"].splitlines()]
        self.assertEqual(lines[0], {"tip": self.base})
        self.assertIn(self.before, lines[1]["former"])
        self.assertFalse(
            (Path(self.home) / "job.git/refs/heads" / f"{self.branch}-rebasing").exists()
        )
