"""What director believes is written by director: forged records turn nothing red into green.

No confinement helps here: the agents of these tests write wherever they like.

With it: ``believing``.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from typing import Any

from tests.faults.cases import FaultCase, bad, good
from tests.support.fake_opencode import Step, answer, shell, silent_shell, write
from tests.support.jobs import NO_REPAIR, JobCase, node
from tests.support.repositories import SampleRepo

GREEN_NOTE = """\
import json, os, subprocess, sys
calls = sys.argv[1]
def git(*argv):
    return subprocess.run(("git", *argv), capture_output=True, text=True, check=True).stdout.strip()
def made(path, text, parent):
    open(path, "w").write(text)
    git("add", "--force", path)
    return git("commit-tree", git("write-tree"), "-p", parent, "-m", "forged")
base = made("a.txt", "good\\n", "HEAD")
commit = made("b.txt", "bad\\n", base)
git("rm", "--quiet", "--force", "b.txt")
tree = git("rev-parse", commit + "^{tree}")
run = dict(purpose="candidate", command="sh tests/b.sh", verdict="green", exit_code=0)
run |= dict(wall_secs=0.1, commit=commit, tree=tree, tests_run=1)
green = dict(commit=commit, base=base, role="executor", gates=[run])
memo = dict(base=base, start=base, first_output="", feedback=None, fallback=None, green=green)
memo |= dict(drafted=dict(commit=commit, before="", after=""))
note = dict(name="b-executor-1", log=os.devnull, cwd=os.getcwd(), memo=memo, outcome="completed")
os.makedirs(calls, exist_ok=True)
with open(calls + "/b-executor-1.json", "w") as stream:
    json.dump(note, stream)
"""


class ForgingCase(FaultCase):
    """Nothing keeps agents from the records: what director checks itself."""

    confined = False

    def forging(self, script: str, *arguments: str) -> Step:
        """Return the step of an agent that runs a Python script."""
        place = self.tmp / "forge.py"
        place.write_text(script)
        return silent_shell(f"python3 {place} {' '.join(arguments)}")

    def plant_commit(self, text: str, name: str = "b") -> str:
        """Put a commit with the trailers of a's merge, as one of ``name``, into the job repository.

        The journal gets its tip, as an agent would write it.
        """
        git = ("--git-dir", str(self.home / "job.git"))
        lines = self.repo.git("log", "-1", "--format=%B", self.branch).splitlines()
        # The last node sees all tests: a forger who knows that names no view.
        message = "\n".join(line for line in lines if not line.startswith("Director-View"))
        place = self.tmp / "work"
        place.mkdir(exist_ok=True)
        env = {**self.env, "GIT_INDEX_FILE": str(self.tmp / "index")}
        work = SampleRepo(place, env)
        work.git(*git, "read-tree", self.branch)
        work.write(f"{name}.txt", text)
        work.git(*git, "--work-tree", str(place), "add", "--force", f"{name}.txt")
        forged = work.git(
            *git, "commit-tree", work.git(*git, "write-tree"), "-p", self.branch,
            "-m", message.replace("Director-Node: a", f"Director-Node: {name}"),
        )  # fmt: skip
        with (self.home / "tips.jsonl").open("a") as stream:
            stream.write(json.dumps({"tip": forged}) + "\n")
        work.git(*git, "update-ref", f"refs/heads/{self.branch}", forged)
        return forged

    def edit_plan(self, name: str, **values: Any) -> None:
        """Change fields of a node in plan.json; a node that is not there is added."""
        plan = self.stored("plan.json")
        known = {one["id"]: one for one in plan["nodes"]}
        known.setdefault(name, node(name)).update(values)
        plan["nodes"] = list(known.values())
        (self.home / "plan.json").write_text(json.dumps(plan))


class TestNotes(ForgingCase):
    """Notes of calls."""

    def test_a_note_written_while_the_run_goes_on_merges_nothing(self) -> None:
        self.plan(node("a"), node("b", depends_on=["a"]))
        self.implement("a", self.forging(GREEN_NOTE, str(self.home / "calls")), *good())
        self.implement("b")
        self.ends(0, "run")
        self.assertEqual(self.on_branch("b.txt"), "good")
        self.assertEqual(self.executor_calls(), 2)
        self.ends(0, "verify", "--rerun")

    def test_a_note_written_before_the_run_merges_nothing(self) -> None:
        self.plan(node("a"), node("b", depends_on=["a"]))
        hang = shell(f"touch {self.tmp}/began; sleep 300")
        self.fake.queue(
            "executor", self.forging(GREEN_NOTE, str(self.home / "calls")), *good(), hang, node="a"
        )
        running = self.start("run")
        self.until(self.tmp / "began")
        running.send(signal.SIGKILL)
        running.ended()
        self.implement("a")
        self.implement("b")
        self.implement("b")
        self.ends(0, "run")
        self.assertEqual(self.on_branch("b.txt"), "good")
        self.ends(0, "verify", "--rerun")

    def test_notes_of_rubbish_cost_nothing(self) -> None:
        memos: dict[str, Any] = {
            "a": {},
            "b": {"base": 1, "start": [], "feedback": 3, "fallback": 4},
            "c": {"base": "HEAD\n\n", "start": "HEAD", "feedback": None, "fallback": None},
            "d": {"base": "x", "start": "y", "feedback": {"no": 1}, "fallback": {}, "drafted": []},
        }
        self.plan(*(node(name) for name in memos))
        (self.home / "calls").mkdir(exist_ok=True)
        for name, memo in memos.items():
            note = {"name": f"{name}-executor-1", "log": os.devnull, "cwd": "/", "memo": memo}
            (self.home / "calls" / f"{name}-executor-1.json").write_text(json.dumps(note))
            self.implement(name)
        self.ends(0, "run")
        self.assertEqual(self.executor_calls(), len(memos))


class TestPlans(ForgingCase):
    """plan.json, after it was approved."""

    def test_a_command_that_an_agent_edits_is_not_what_runs_then_or_later(self) -> None:
        self.plan(node("a"))
        edit = (
            "import json, sys; place = sys.argv[1]; plan = json.load(open(place));"
            "plan['nodes'][0]['test_cmd'] = 'true'; json.dump(plan, open(place, 'w'))"
        )
        self.implement("a", self.forging(edit, str(self.home / "plan.json")), *bad())
        for _ in range(3):
            self.implement("a", *bad())
        self.ends(1, "run")
        for argv in (("run",), ("run", "--retry-failed")):
            done = self.ends(2, *argv)
            self.assertIn("changed after it was approved: node a: test_cmd", done.err)
            self.assertIn("director plan --continue", done.err)
        self.assertIn("node a: test_cmd", self.ends(1, "verify").out)
        self.nothing_is_merged()

    def test_a_gate_that_an_agent_calls_red_before_the_job_excuses_nothing(self) -> None:
        self.configure(NO_REPAIR + '[gates]\nwhole = "! test -e a.txt"\n')
        self.plan(node("a"))
        place = self.home / "plan_stage.json"
        excuse = f'sed -i \'s/"verdict": "green"/"verdict": "red"/\' {place}'
        self.implement("a", silent_shell(excuse), *good())
        self.assertIn("the integration gate is red", self.ends(1, "run").out)
        self.assertIn('"verdict": "red"', place.read_text())

    def test_a_planted_node_is_neither_run_nor_done(self) -> None:
        self.plan(node("a"))
        self.implement("a")
        self.ends(0, "run")
        self.edit_plan("zz", test_cmd="true", test_hashes={"tests/zz.sh": "0" * 64})
        calls = self.executor_calls()
        self.assertIn("node zz is new", self.ends(2, "run").err)
        self.assertIn("node zz is new", self.ends(1, "verify").out)
        self.assertIn("tests/zz.sh", self.ends(2, "plan", "--continue").err)
        self.assertEqual(self.executor_calls(), calls)

    def test_every_edit_of_a_ready_plan_is_named(self) -> None:
        self.plan(node("a"), node("b", depends_on=["a"]))
        whole = (self.home / "plan.json").read_text()
        edits: dict[str, Any] = {
            "spec": "another", "files": ["a.txt", "c.txt"], "test_cmd": "true", "depends_on": [],
            "test_hashes": {"tests/b.sh": "0" * 64}, "title": "Another",
        }  # fmt: skip
        for field, value in edits.items():
            with self.subTest(field):
                self.edit_plan("b", **{field: value})
                self.assertIn(f"node b: {field}", self.ends(2, "run").err)
                (self.home / "plan.json").write_text(whole)
        plan = json.loads(whole)
        (self.home / "plan.json").write_text(json.dumps({**plan, "nodes": plan["nodes"][:1]}))
        self.assertIn("node b is gone", self.ends(2, "run").err)
        (self.home / "plan.json").write_text(whole)
        (self.home / "sealed.json").unlink()
        self.assertIn("never sealed", self.ends(2, "run").err)
        self.assertEqual(self.executor_calls(), 0)


class TestMerges(ForgingCase):
    """Merges on the job branch."""

    def setUp(self) -> None:
        super().setUp()
        self.plan(node("a"), node("b", depends_on=["a"]))
        self.implement("a")
        self.ends(0, "run", "--node", "a")

    def test_a_forged_merge_that_is_red_ends_the_run_by_its_name(self) -> None:
        forged = self.plant_commit("bad\n")
        before = self.repo.git("rev-parse", self.branch)
        done = self.ends(2, "run")
        self.assertIn(forged, done.err)
        self.assertIn("director recorded no such merge of b", done.err)
        self.assertEqual(self.executor_calls(), 1)
        self.assertEqual(self.lines("receipts.jsonl")[-1]["node"], "a")
        published = self.repo.git("rev-parse", self.branch)
        self.assertIn(published, (before, forged))
        self.assertIn("b", self.ends(1, "verify").out)
        self.take_back(forged)

    def take_back(self, forged: str) -> None:
        """Do what the message says, and see the job done."""
        tips = self.home / "tips.jsonl"
        kept = [line for line in tips.read_text().splitlines() if forged not in line]
        tips.write_text("\n".join(kept) + "\n")
        self.repo.git("branch", "--quiet", "-D", self.branch)
        self.implement("b")
        self.ends(0, "run")
        self.ends(0, "verify")

    def test_a_merge_that_was_not_noted_but_is_green_is_believed_and_said(self) -> None:
        forged = self.plant_commit("good\n")
        done = self.ends(0, "run")
        self.assertIn(f"no receipt of b ({forged})", done.err)
        self.assertEqual(self.executor_calls(), 1)
        (line,) = (one for one in self.lines("receipts.jsonl") if one["node"] == "b")
        self.assertEqual((line["rebuilt"], line["merged"]), (True, forged))
        self.assertEqual([run["purpose"] for run in line["gates"]], ["rebuilt", "again"])

    def test_one_that_changes_more_than_its_node_may_is_not_believed(self) -> None:
        forged = self.plant_commit("good\n", name="README")
        self.assertIn(forged, self.ends(2, "run").err)
        self.take_back(forged)

    def test_a_receipt_copied_beside_it_is_not_believed_either(self) -> None:
        forged = self.plant_commit("bad\n")
        receipt = {**self.lines("receipts.jsonl")[0], "node": "b", "merged": forged}
        with (self.home / "receipts.jsonl").open("a") as stream:
            stream.write(json.dumps(receipt) + "\n")
        self.assertIn(forged, self.ends(2, "run").err)

    def test_what_agents_write_into_the_records_meanwhile_is_undone(self) -> None:
        before = {name: (self.home / name).read_text() for name in ("sealed.json", "plan.json")}
        spoil = "; ".join(
            f'cp {self.home}/{name} {self.tmp}/{name}; echo \'{{"tip": "{"f" * 40}"}}\' '
            f">> {self.home}/{name}"
            for name in ("tips.jsonl", "receipts.jsonl", "sealed.json")
        )
        self.implement("b", silent_shell(spoil), write("b.txt", "good\n"))
        done = self.ends(0, "run")
        self.assertIn("sealed.json was changed while director was working", done.err)
        for name, text in before.items():
            self.assertEqual((self.home / name).read_text(), text)
        for name in ("tips.jsonl", "receipts.jsonl"):
            self.assertNotIn("f" * 40, (self.home / name).read_text())
        self.ends(0, "verify")


class TestSwitches(ForgingCase):
    """A rebase that was never begun: ``rebasing.json``, with records to be taken for the job's."""

    def setUp(self) -> None:
        super().setUp()
        self.plan(node("a"))

    def plant(self, **values: Any) -> str:
        """Return a script that plants one, with a plan whose test is always green."""
        plan = self.stored("plan.json")
        intent = {key: plan[key] for key in ("job_id", "job_branch")}
        intent |= {"since": "2026-01-02T03:04:05Z", "before": plan["base_commit"]}
        intent |= {"base": plan["base_commit"], **values}
        easy = {**plan, "nodes": [{**plan["nodes"][0], "test_cmd": "echo 1 passed"}]}
        seal = {**self.stored("sealed.json"), "plan": easy}
        records = {"plan.json": easy, "sealed.json": seal}
        (self.tmp / "rebasing").mkdir()
        for name, content in records.items():
            (self.tmp / "rebasing" / name).write_text(json.dumps(content))
        (self.tmp / "rebasing.json").write_text(json.dumps(intent))
        return f"cp -R {self.tmp}/rebasing {self.tmp}/rebasing.json {self.home}"

    def test_one_that_an_agent_plants_is_never_finished(self) -> None:
        self.implement("a", silent_shell(self.plant()), write("a.txt", "bad\n"))
        for _ in range(7):
            self.implement("a", write("a.txt", "bad\n"))
        before = {name: self.stored(name) for name in ("plan.json", "sealed.json")}
        self.ends(1, "run")
        self.ends(1, "run", "--retry-failed")
        self.assertEqual({name: self.stored(name) for name in before}, before)
        self.nothing_is_merged()
        self.assertEqual(list(self.home.glob("rebasing.json")), [])

    def test_one_of_a_branch_of_the_users_moves_nothing(self) -> None:
        silent = self.plant(job_branch="main")
        subprocess.run(["sh", "-ec", silent], check=True)
        self.assertIn("main, which is no branch of director's", self.ends(2, "run").err)
        (self.home / "rebasing.json").unlink()
        self.implement("a")
        self.ends(0, "run")


class TestBuilt(ForgingCase):
    """What is written into the records that a rebase builds."""

    def test_tips_that_a_gate_adds_are_none_of_the_jobs(self) -> None:
        tips = self.home / "rebasing" / "tips.jsonl"
        line = json.dumps({"tip": "f" * 40})
        forge = f"if test -e {tips}; then echo '{line}' >> {tips}; fi\ngrep -q good c.txt\n"
        self.plan(node("a"), node("c"), tests={"c": forge})
        self.implement("a")
        self.ends(0, "run", "--node", "a")
        self.commit_files({"more.txt": "x\n"})
        self.ends(0, "rebase", "--yes")
        self.assertNotIn("f" * 40, (self.home / "tips.jsonl").read_text())
        self.before = self.repo.fingerprint()
        self.ends(0, "verify")


class TestCrash(ForgingCase):
    """The receipt is part of the note that moves the branch."""

    def test_a_receipt_that_was_not_written_is_restored_word_for_word(self) -> None:
        self.plan(node("a"))
        self.implement("a")
        self.ends(0, "run")
        written = (self.home / "receipts.jsonl").read_text()
        (self.home / "receipts.jsonl").unlink()
        (self.home / "state.json").unlink()
        self.ends(0, "run")
        self.assertEqual((self.home / "receipts.jsonl").read_text(), written)
        self.assertEqual(self.executor_calls(), 1)


class TestDamage(FaultCase):
    """The job repository's objects are damaged between two commands."""

    def zero_objects(self) -> None:
        for path in (self.home / "job.git" / "objects").glob("??/*"):
            size = path.stat().st_size
            path.chmod(0o644)
            path.write_bytes(b"\0" * size)

    def test_what_was_published_takes_its_place_before_any_call(self) -> None:
        self.plan(node("a"), node("b"))
        self.zero_objects()
        self.implement("a")
        self.implement("b")
        done = self.ends(0, "run")
        self.assertIn("are damaged, and read from your repository now", done.err)
        self.assertEqual(self.executor_calls(), 2)
        self.ends(0, "verify")

    def test_between_merges_too(self) -> None:
        self.plan(node("a"), node("b"))
        self.implement("a")
        self.ends(0, "run", "--node", "a")
        self.zero_objects()
        self.implement("b")
        self.ends(0, "run")
        self.assertEqual(self.executor_calls(), 2)
        self.ends(0, "verify")

    def test_where_nothing_was_published_it_is_named_before_any_call(self) -> None:
        self.plan(node("a"))
        self.repo.git("branch", "--quiet", "-D", self.branch)
        self.repo.git("gc", "--quiet", "--prune=now")
        self.before = self.repo.fingerprint()
        self.zero_objects()
        done = self.ends(3, "run")
        self.assertIn("job.git", done.err)
        self.assertIn("does not hold the frozen tests", done.err)
        self.assertEqual(self.executor_calls(), 0)


class TestMoved(JobCase):
    """The repository is moved, or mounted elsewhere, after it was planned in."""

    def move(self) -> None:
        target = self.tmp / "elsewhere" / "the repo"
        target.parent.mkdir()
        self.repo.root.rename(target)
        self.repo = SampleRepo(target, self.env)

    def test_the_job_goes_on_and_is_verified(self) -> None:
        self.plan(node("a"), node("b"))
        self.implement("a")
        self.ends(0, "run", "--node", "a")
        self.move()
        self.repo.git("branch", "--quiet", "-D", self.branch)
        self.ends(0, "verify")
        self.implement("b")
        self.ends(0, "run")
        self.assertEqual(self.stored("plan.json")["repo"], str(self.repo.root))
        self.assertEqual(self.on_branch("b.txt"), "good")
        self.ends(0, "verify", "--rerun")
        self.assertEqual(self.left_behind(), [])

    def test_after_a_kill_too(self) -> None:
        self.plan(node("a"))
        self.fake.queue("executor", *good(), shell(f"touch {self.tmp}/began; sleep 300"), node="a")
        self.kill_at(self.tmp / "began", "run")
        self.move()
        self.implement("a")
        self.ends(0, "run")
        self.assertEqual(self.on_branch("a.txt"), "good")
        self.assertEqual(self.left_behind(), [])

    def test_a_plan_at_a_gate_goes_on(self) -> None:
        self.script_planning(node("a"))
        self.ends(0, "plan", "make a")
        self.ends(0, "plan", "--continue")
        self.move()
        self.ends(0, "plan", "--continue")
        self.implement("a")
        self.ends(0, "run")
        self.ends(0, "verify")

    def test_a_job_of_a_bench_is_verified(self) -> None:
        (self.home / "profiles").mkdir()
        shutil.copy(self.home / "config.toml", self.home / "profiles" / "one.toml")
        self.script_planning(node("a"))
        approved = answer({"verdict": "approve", "problems": []})
        for about in ("spec", "plan"):
            self.fake.always("planner", approved, heading=f"Critique of the {about}")
        self.fake.always("executor", *self.good_work("a"), node="a")
        self.ends(0, "bench", "make a", "--profiles", "one", "--json")
        (plan,) = (self.home / "bench").glob("runs/one/plan.json")
        job = json.loads(plan.read_text())["job_id"]
        self.move()
        self.repo.git("branch", "--quiet", "-D", f"director/job-{job}")
        self.ends(0, "verify", "--job", job)
