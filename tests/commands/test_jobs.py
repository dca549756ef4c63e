"""``director jobs``: all jobs at a glance, and as other commands name them.

With it: ``records.known_jobs``, ``landings``, ``branches``, ``job_list``, ``job_table``,
``processes.disk_use``.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.support.fake_opencode import answer, say, write
from tests.support.jobs import CONFIG, NO_REPAIR, PRICING, JobCase, node


class JobsCase(JobCase):
    def job_id(self) -> str:
        return str(self.stored("plan_stage.json")["job_id"])

    def finish(self, name: str) -> str:
        """Plan a job that makes ``<name>.txt``, in place of the current one, and run it."""
        self.plan(node(name))
        self.implement(name)
        self.ends(0, "run")
        return self.job_id()

    def plan_another(self, name: str) -> str:
        """Plan another job, whatever the current one is."""
        self.script_planning(node(name))
        self.ends(0, "plan", f"make {name}", "--new", "--no-critique")
        return self.job_id()

    def listed(self) -> dict[str, dict[str, Any]]:
        jobs = self.ends(0, "jobs", "--json").json["jobs"]
        return {one["job_id"]: one for one in jobs}

    def bench(self) -> str:
        """Run a bench of one profile; return the id of its plan."""
        (self.home / "profiles").mkdir(exist_ok=True)
        profile = self.home / "profiles" / "cheap.toml"
        profile.write_text(f'{CONFIG}{PRICING}\n[opencode]\nserver = "{self.server}"\n')
        self.script_planning(node("b"))
        self.fake.always("planner", say('{"verdict": "approve", "problems": []}'))
        self.fake.always("planner", answer({"nodes": [node("b")]}), heading="Plan")
        self.implement("b")
        self.ends(0, "bench", "make b", "--profiles", "cheap")
        return str(json.loads((self.home / "bench" / "summary.json").read_text())["job_id"])


class TestJobs(JobsCase):
    def test_without_any(self) -> None:
        self.assertIn("There are no jobs yet", self.ends(0, "jobs").out)
        self.assertEqual(self.ends(0, "jobs", "--json").json["jobs"], [])

    def test_the_current_one_and_archived_ones(self) -> None:
        first = self.finish("a")
        second = self.plan_another("b")
        said = self.ends(0, "jobs", "--json").json
        self.assertEqual(said["job_id"], second)
        jobs = {one["job_id"]: one for one in said["jobs"]}
        self.assertEqual(list(jobs), [second, first])
        one, other = jobs[first], jobs[second]
        self.assertEqual((one["where"], one["standing"]), ("archived", "done"))
        self.assertEqual((one["done"], one["nodes"]), (1, 1))
        self.assertEqual((other["current"], other["standing"]), (True, "ready"))
        self.assertEqual((other["done"], other["nodes"], other["landed"]), (0, 1, None))
        self.assertTrue(one["branch_exists"])
        self.assertGreater(one["disk_bytes"], 4096)
        shown = self.ends(0, "jobs", env={**self.env, "COLUMNS": "120"}).out
        self.assertRegex(shown, rf"● {second} +ready +0/1 +\$0\.\d\d +0 min .* no +make b\n")
        self.assertRegex(shown, rf"\n  {first} +done +1/1 ")
        self.assertRegex(shown, r"\n2 jobs, \$\S+, \d+ kB on disk\.")

    def test_says_the_same_as_status(self) -> None:
        self.script_planning(node("a"))
        self.ends(0, "plan", "make a")
        waits = self.job_id()
        self.plan_another("e")
        self.configure(pricing=False)
        for _ in range(4):
            self.implement("e", write("e.txt", "bad\n"))
        self.ends(1, "run")
        failed = self.job_id()
        self.configure(NO_REPAIR + '[gates]\nwhole = "! test -e c.txt"\n')
        self.plan_another("c")
        self.implement("c")
        self.ends(1, "run")
        red, ready = self.job_id(), self.plan_another("d")
        bench = self.bench()
        jobs = self.listed()
        self.assertEqual(set(jobs), {waits, failed, red, ready, bench, f"{bench}-cheap"})
        for job_id, one in jobs.items():
            status = self.ends(0, "status", "--job", job_id, "--json").json
            for key in ("standing", "cost_total", "cost_known", "unpriced_calls", "task"):
                self.assertEqual(one[key], status[key], (job_id, key))
            self.assertEqual(one["done"], status["done"], job_id)
            self.assertEqual(one["nodes"], len(status["nodes"]), job_id)
        self.assertEqual(jobs[waits]["standing"], "approving")
        self.assertEqual(jobs[failed]["standing"], "failed")
        self.assertGreater(jobs[failed]["unpriced_calls"], 0)
        self.assertEqual(jobs[red]["standing"], "integration_red")
        self.assertEqual(jobs[f"{bench}-cheap"]["where"], "bench")

    def test_landed_where_another_branch_holds_the_tip(self) -> None:
        first = self.finish("a")
        self.assertIsNone(self.listed()[first]["landed"])
        self.repo.git("branch", "director/mine", f"director/job-{first}")
        self.assertIsNone(self.listed()[first]["landed"])
        self.repo.git("branch", "side", f"director/job-{first}")
        landed = self.listed()[first]["landed"]
        self.assertEqual((landed["onto"], landed["how"]), (None, "merged"))
        self.repo.git("merge", "--quiet", "--no-edit", f"director/job-{first}")
        self.assertEqual(self.listed()[first]["landed"]["onto"], "main")
        self.repo.git("branch", "-D", f"director/job-{first}")
        one = self.listed()[first]
        self.assertEqual((one["branch_exists"], one["landed"]["onto"]), (False, "main"))
        self.assertRegex(self.ends(0, "jobs").out, rf"{first} .* main +make things")

    def test_landed_where_that_is_on_record(self) -> None:
        first = self.finish("a")
        commit = self.repo.commit("the work")
        record = {"onto": "main", "commit": commit, "how": "squash", "at": "2026-11-21T08:00Z"}
        (self.home / "landed.json").write_text(json.dumps(record))
        self.assertEqual(self.listed()[first]["landed"], record)
        self.plan_another("b")
        self.assertEqual(self.listed()[first]["landed"], record)  # it is archived with the job
        self.repo.git("reset", "--quiet", "--keep", "HEAD^")
        self.assertIsNone(self.listed()[first]["landed"])  # no branch has it any more

    def test_a_branch_without_anything_on_it_is_not_landed(self) -> None:
        self.script_planning(node("a"))
        self.ends(0, "plan", "make a")
        self.assertIsNone(self.listed()[self.job_id()]["landed"])

    def test_damaged_records_are_listed_as_such(self) -> None:
        first = self.finish("a")
        self.plan_another("b")
        folder = self.home / "jobs" / first
        for name in ("plan.json", "plan_stage.json"):
            (folder / name).write_text("{")
        self.assertEqual(self.listed()[first]["standing"], "damaged")
        self.assertRegex(self.ends(0, "jobs").out, rf"{first} +damaged")

    def test_it_fits_the_width_and_shows_no_control_characters(self) -> None:
        self.script_planning(node("a"))
        self.ends(0, "plan", "make \x1b[31m a lot of things that were not asked for, twice")
        for width in (64, 80, 120):
            env = {**self.env, "COLUMNS": str(width), "PYTHONIOENCODING": "ascii"}
            shown = self.ends(0, "jobs", env=env).out
            self.assertNotIn("\x1b", shown)
            self.assertLessEqual(max(map(len, shown.splitlines())), width, shown)

    def test_no_journal_is_read_whole(self) -> None:
        first = self.finish("a")
        journal = self.home / "events.jsonl"
        at_its_end = journal.read_text()
        bad = '{"kind": "stopped", "exit_code": 3, "reason": "ceiling"}\n'
        journal.write_text(bad + "x" * 2**26 + "\n" + at_its_end)
        self.assertEqual(self.listed()[first]["standing"], "done")


class TestResume(JobsCase):
    def test_makes_an_archived_job_the_current_one(self) -> None:
        first = self.finish("a")
        second = self.plan_another("b")
        refused = self.ends(2, "jobs", "--resume", first)
        self.assertIn(f"job {second} (make b) is not finished", refused.err)
        said = self.ends(0, "jobs", "--resume", first, "--new", "--json").json
        self.assertEqual((said["job_id"], self.job_id()), (first, first))
        self.assertIn("is the current one again", said["what"])
        back = self.ends(0, "jobs", "--resume", second)
        self.assertIn("Next: director run", back.out)
        self.assertEqual(self.job_id(), second)

    def test_by_the_beginning_of_its_id(self) -> None:
        first = self.finish("a")
        self.plan_another("b")
        for command in ("jobs", "plan"):
            said = self.ends(0, command, "--resume", first[:-1], "--new", "--json").json
            self.assertEqual(said["job_id"], first)

    def test_what_cannot_be_meant_is_refused(self) -> None:
        first = self.finish("a")
        wrong = self.ends(2, "jobs", "--resume", f"{first}x").err
        self.assertIn(f"did you mean {first}?", wrong)
        bench = self.bench()
        wrong = self.ends(2, "jobs", "--resume", f"{bench}-cheap").err
        self.assertIn("no archived job", wrong)
        self.assertEqual(self.ends(2, "jobs", "--new", "--json").json["reason"], "usage")


class TestNamed(JobsCase):
    """``--job`` of other commands, for archived jobs and those of a bench."""

    def test_by_id_or_its_beginning(self) -> None:
        first = self.finish("a")
        bench = self.bench()
        self.plan_another("c")
        for job_id, made in ((first, "a"), (f"{bench}-cheap", "b")):
            for word in (job_id, job_id[:-1]):
                shown = self.ends(0, "status", "--job", word).out
                self.assertIn(f"job {job_id}", shown)
                self.assertIn("1 merge verified", self.ends(0, "verify", "--job", word).out)
                self.assertIn(made, self.ends(0, "logs", made, "--job", word).out)
                self.assertIn("gates run", json.dumps(self.verified_again(word)))
        self.assertIn(f"job {bench}", self.ends(0, "status", "--job", bench).out)

    def verified_again(self, word: str) -> dict[str, str]:
        said = self.ends(0, "verify", "--rerun", "--job", word, "--json").json
        self.assertGreater(said["gates_run"], 0)
        return {"gates run": word}

    def test_several_that_could_be_meant_are_listed(self) -> None:
        self.finish("a")
        bench = self.bench()
        said = self.ends(2, "status", "--job", bench[:4], "--json").json
        self.assertEqual(said["reason"], "usage")
        self.assertRegex(said["what"], rf"^{bench[:4]} is the beginning of 3 jobs")
        self.assertIn(f"{bench}-cheap", said["next"])
        for command in (("status",), ("verify",), ("logs", "a"), ("stop",)):
            wrong = self.ends(2, *command, "--job", f"{bench}-chaep").err
            self.assertIn(f"did you mean {bench}-cheap?", wrong)
            self.ends(2, *command, "--job", "")

    def test_a_job_that_is_only_begun_has_a_name_too(self) -> None:
        self.script_planning(node("a"))
        self.ends(0, "plan", "make a")
        self.assertIn("of the spec", self.ends(0, "status", "--job", self.job_id()).out)

    def test_names_for_shells(self) -> None:
        first = self.finish("a")
        bench = self.bench()
        second = self.plan_another("c")
        named = self.ends(0, "completions", "jobs").out.split()
        self.assertEqual(named, [second, first, bench, f"{bench}-cheap"])
        names = self.ends(0, "completions", "nodes", "--job", first).out.split()
        self.assertEqual(names, ["a"])

    def test_a_folder_without_records_is_no_job(self) -> None:
        first = self.finish("a")
        for name in ("jobs/20200101-000000-aaaa", "bench/runs/x"):
            (self.home / name).mkdir(parents=True)
            (self.home / name / "lock").touch()
        self.assertEqual(list(self.listed()), [first])
        self.assertEqual(self.ends(0, "completions", "jobs").out.split(), [first])


def copies(home: Path, job_id: str, count: int) -> list[str]:
    """Make ``count`` archived jobs like the archived ``job_id``; return their ids."""
    import shutil

    made = []
    for number in range(count):
        copy = re.sub(r"....$", f"{number:04x}", job_id)
        if copy != job_id:
            shutil.copytree(home / "jobs" / job_id, home / "jobs" / copy, symlinks=True)
            made.append(copy)
    return made
