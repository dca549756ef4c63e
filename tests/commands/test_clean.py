"""``director clean`` for whole jobs: what goes, what is asked for first, and what stays.

With it: ``clean_words``, ``job.removing``, ``removal_choice``.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from director.records.lock import job_lock
from tests.commands.test_jobs import JobsCase
from tests.support.jobs import node
from tests.support.typist import Typist

LONG_AGO = "2024-01-02T03:04:05.678Z"


class CleanCase(JobsCase):
    def two_jobs(self) -> tuple[str, str]:
        """Return the ids of a finished, archived job and of the current one."""
        return self.finish("a"), self.plan_another("b")

    def land(self, job_id: str) -> None:
        self.repo.git("merge", "--quiet", "--no-edit", f"director/job-{job_id}")

    def branches(self) -> set[str]:
        listed = self.repo.git("for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads")
        return set(listed.split())

    def records_of(self, job_id: str) -> Path:
        return self.home / "jobs" / job_id

    def let_it_be_old(self, job_id: str) -> None:
        events = self.records_of(job_id) / "events.jsonl"
        lines = [json.loads(line) for line in events.read_text().splitlines()]
        events.write_text("".join(f"{json.dumps({**one, 'ts': LONG_AGO})}\n" for one in lines))

    def cleaned(self, *argv: str, code: int = 0) -> dict[str, dict[str, Any]]:
        jobs = self.ends(code, "clean", *argv, "--json").json["jobs"]
        return {one["job_id"]: one for one in jobs}


class TestNamed(CleanCase):
    def test_a_dry_run_says_what_would_go_and_removes_nothing(self) -> None:
        first, _ = self.two_jobs()
        before = self.branches()
        shown = self.ends(0, "clean", first, "--dry-run").out
        tip = self.repo.git("rev-parse", f"director/job-{first}")
        self.assertRegex(shown, r"^1 job would be removed: \d+ kB\.\n")
        self.assertIn(f"{first}  done, NOT LANDED  make things", shown)
        self.assertIn(f"branch     director/job-{first} at {tip[:12]}\n", shown)
        self.assertIn(f"records    {self.records_of(first)}\n", shown)
        self.assertEqual(self.branches(), before)
        self.assertTrue(self.records_of(first).is_dir())

    def test_what_is_not_landed_needs_yes_without_a_terminal(self) -> None:
        first, _ = self.two_jobs()
        refused = self.ends(2, "clean", first, "--json").json
        self.assertEqual(refused["reason"], "decision_needed")
        self.assertIn(f"{first}: not landed", refused["what"])
        self.assertTrue(self.records_of(first).is_dir())
        gone = self.cleaned(first[:-1], "--yes")[first]
        self.assertEqual((gone["removed"], gone["loses"]), (True, ["not landed"]))
        self.assertFalse(self.records_of(first).exists())
        self.assertNotIn(f"director/job-{first}", self.branches())
        self.assertEqual(list(self.listed()), [self.job_id()])
        self.ends(0, "status")

    def test_on_a_terminal_it_asks(self) -> None:
        first, _ = self.two_jobs()
        with Typist(self.repo.root, self.env, "clean", first) as person:
            seen = person.sees("[y]es, [n]o >")
            self.assertIn(f"branch     director/job-{first} at", seen)
            person.types("n")
            code, rest = person.leaves()
        self.assertEqual(code, 0)
        self.assertIn("Nothing was removed.", rest)
        self.assertTrue(self.records_of(first).is_dir())
        with Typist(self.repo.root, self.env, "clean", first) as person:
            person.sees("[y]es, [n]o >")
            person.types("y")
            code, rest = person.leaves()
        self.assertEqual(code, 0)
        self.assertIn("Removed 1 job", rest)
        self.assertFalse(self.records_of(first).exists())

    def test_the_current_job_goes_when_it_is_named_and_confirmed(self) -> None:
        first, current = self.two_jobs()
        refused = self.ends(2, "clean", current, "--json").json["what"]
        self.assertIn(f"{current}: not landed, not finished", refused)
        self.ends(0, "clean", current, "--yes")
        self.assertEqual(list(self.listed()), [first])
        self.assertFalse((self.home / "plan.json").exists())
        self.assertTrue((self.home / "config.toml").exists())
        self.ends(2, "status")
        self.ends(0, "jobs", "--resume", first)

    def test_what_no_job_is_called_is_refused(self) -> None:
        first, _ = self.two_jobs()
        self.assertIn(f"did you mean {first}?", self.ends(2, "clean", f"{first}x", "--yes").err)
        for argv in ((first, "--landed"), (first, "--older", "1d")):
            self.assertEqual(self.ends(2, "clean", *argv, "--json").json["reason"], "usage")
        self.ends(2, "clean", "--older", "soon")
        self.assertTrue(self.records_of(first).is_dir())

    def test_a_branch_that_is_checked_out_stays(self) -> None:
        first, _ = self.two_jobs()
        self.repo.git("worktree", "add", "--quiet", str(self.tmp / "w"), f"director/job-{first}")
        self.assertIn("stays: it is checked out", self.ends(0, "clean", first, "--dry-run").out)
        gone = self.cleaned(first, "--yes")[first]
        self.assertTrue(gone["removed"])
        self.assertIn(str(self.tmp / "w"), gone["branch_stays"])
        self.assertIn(f"director/job-{first}", self.branches())

    def test_a_branch_that_moved_after_it_was_shown_keeps_its_job(self) -> None:
        first, _ = self.two_jobs()
        with Typist(self.repo.root, self.env, "clean", first) as person:
            person.sees("[y]es, [n]o >")
            self.repo.git("branch", "--force", f"director/job-{first}", "main")
            person.types("y")
            code, rest = person.leaves()
        self.assertEqual(code, 3)
        self.assertIn("was moved from", rest)
        self.assertTrue(self.records_of(first).is_dir())
        self.assertIn(f"director/job-{first}", self.branches())

    def test_a_job_that_a_command_works_on_is_refused(self) -> None:
        first, current = self.two_jobs()
        with job_lock(self.home / "lock", "director run"):
            for job_id in (first, current):
                self.assertEqual(
                    self.ends(3, "clean", job_id, "--yes", "--json").json["reason"], "locked"
                )
        with job_lock(self.records_of(first) / "lock", "director verify"):
            self.ends(3, "clean", first, "--yes")
        self.assertTrue(self.records_of(first).is_dir())

    def test_what_lies_in_a_taken_worktree_is_said_first(self) -> None:
        self.finish("a")
        current = self.plan_another("b")
        worktree = Path(self.ends(0, "take", "b", "--json").json["worktree"])
        (worktree / "b.txt").write_text("mine\n")
        refused = self.ends(2, "clean", current)
        self.assertIn(f"{worktree}, taken for b: 1 changed file in it", refused.err)
        self.assertIn("what was written in the worktree taken for b", refused.err)
        self.assertTrue(worktree.is_dir())
        self.ends(0, "clean", current, "--yes")
        self.assertFalse(worktree.exists())
        self.assertEqual(self.left_behind(), [])

    def test_what_a_killed_removal_left_goes_with_the_next(self) -> None:
        first, _ = self.two_jobs()
        left = self.home / "jobs" / ".removed-0011"
        self.records_of(first).rename(left)
        self.assertEqual(list(self.listed()), [self.job_id()])
        self.ends(0, "clean", self.job_id(), "--yes")
        self.assertFalse(left.exists())


class TestChosen(CleanCase):
    def test_landed_ones_go_without_a_question(self) -> None:
        first, current = self.two_jobs()
        self.assertEqual(self.cleaned("--landed"), {})
        self.land(first)
        shown = self.ends(0, "clean", "--landed")
        self.assertIn(f"{first}  done, landed on main", shown.err)
        self.assertRegex(shown.out, r"^Removed 1 job: \d+ kB freed\.\n")
        self.assertEqual(list(self.listed()), [current])
        self.assertEqual(self.branches(), {"main", f"director/job-{current}"})

    def test_old_ones(self) -> None:
        first, current = self.two_jobs()
        self.assertEqual(self.cleaned("--older", "1h"), {})
        self.let_it_be_old(first)
        self.assertEqual(set(self.cleaned("--older", "30d", "--dry-run")), {first})
        self.assertEqual(self.cleaned("--older", "30d", "--landed"), {})
        self.ends(2, "clean", "--older", "30d")
        self.assertTrue(self.cleaned("--older", "30d", "--yes")[first]["removed"])
        self.assertEqual(list(self.listed()), [current])

    def test_the_current_job_stays_while_it_is_not_finished(self) -> None:
        self.plan(node("a"), node("b"))
        self.implement("a")
        self.ends(0, "run", "--node", "a")
        current = self.job_id()
        self.land(current)
        stays = self.cleaned("--landed", "--yes")[current]
        self.assertFalse(stays["removed"])
        self.assertIn("not finished", stays["stays"])
        self.ends(0, "status")
        self.implement("b")
        self.ends(0, "run")
        self.land(current)
        self.assertTrue(self.cleaned("--landed")[current]["removed"])

    def test_one_with_a_taken_node_is_left_alone(self) -> None:
        current = self.plan_another("a")
        self.ends(0, "take", "a")
        self.plan_another("b")
        record = {"commit": self.repo.git("rev-parse", "main"), "onto": "main"}
        (self.records_of(current) / "landed.json").write_text(json.dumps(record))
        self.assertIn("a is taken by a person", self.cleaned("--landed")[current]["stays"])

    def test_records_elsewhere_are_not_touched(self) -> None:
        first, _ = self.two_jobs()
        self.land(first)
        elsewhere = self.tmp / "elsewhere"
        self.records_of(first).rename(elsewhere)
        self.records_of(first).symlink_to(elsewhere)
        self.ends(0, "clean", "--landed")
        self.assertFalse(self.records_of(first).exists())
        self.assertTrue((elsewhere / "plan.json").exists())


class TestBench(CleanCase):
    def test_its_plan_takes_its_runs_along(self) -> None:
        bench = self.bench()
        self.assertEqual(set(self.cleaned(bench, "--dry-run")), {bench, f"{bench}-cheap"})
        self.ends(0, "clean", bench, "--yes")
        self.assertEqual(self.listed(), {})
        self.assertEqual(self.branches(), {"main"})
        self.assertFalse((self.home / "bench" / "summary.json").exists())

    def test_a_task_of_several_goes_with_its_runs(self) -> None:
        bench, other = self.bench(), "20200102-030405-abcd"
        task = self.home / "bench" / "tasks" / "sort"
        for place in ("plan", "runs/cheap"):
            shutil.copytree(self.home / "bench" / place, task / place, symlinks=True)
            for name in ("plan.json", "plan_stage.json"):
                record = task / place / name
                record.write_text(record.read_text().replace(bench, other))
        self.assertEqual(set(self.listed()), {bench, f"{bench}-cheap", other, f"{other}-cheap"})
        self.ends(0, "clean", other, "--yes")
        self.assertEqual(set(self.listed()), {bench, f"{bench}-cheap"})
        self.assertFalse(task.exists())
        self.assertTrue((self.home / "bench" / "summary.json").exists())

    def test_a_run_goes_alone(self) -> None:
        bench = self.bench()
        self.ends(0, "clean", f"{bench}-cheap", "--yes")
        self.assertEqual(list(self.listed()), [bench])
        self.assertTrue((self.home / "bench" / "summary.json").exists())

    def test_its_plan_stays_while_a_run_does(self) -> None:
        bench = self.bench()
        self.repo.git("branch", "side", f"director/job-{bench}")
        said = self.cleaned("--landed", "--yes")[bench]
        self.assertIn("other jobs of its bench", said["stays"])
        with job_lock(self.home / "bench" / "runs" / "cheap" / "lock", "director verify"):
            self.ends(3, "clean", bench, "--yes")
        self.assertEqual(set(self.listed()), {bench, f"{bench}-cheap"})


class TestWithoutArguments(CleanCase):
    def test_only_prepared_worktrees_go(self) -> None:
        self.configure('[worktree]\nsetup = "mkdir -p deps; date > deps/x"\n')
        first, current = self.two_jobs()
        self.land(first)
        folder = self.kept_folder()
        assert folder is not None
        shown = self.ends(0, "clean", "--dry-run")
        self.assertIn(str(folder), shown.out)
        self.assertIn("1 folder would be removed", shown.out)
        self.assertTrue(folder.is_dir())
        said = self.ends(0, "clean", "--json").json
        self.assertEqual([one["folder"] for one in said["removed"]], [str(folder)])
        self.assertFalse(folder.exists())
        self.assertEqual(set(self.listed()), {first, current})
