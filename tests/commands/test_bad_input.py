"""Nonsense in, one clear line out: what happened, what to do next, the documented exit code.

With it: how commands begin (``workspace``).
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

from tests.support.fake_opencode import say
from tests.support.jobs import CONFIG, SOURCE, JobCase, node
from tests.support.repositories import SampleRepo
from tests.support.typist import Typist


class TestBadInput(JobCase):
    def refused(self, *argv: str, code: int = 2, **how: object) -> str:
        """Return the message, after checking its form: one line, then one line what next."""
        done = self.ends(code, *argv, **how)
        lines = done.err.strip().splitlines()
        self.assertTrue(lines[-2].startswith("director: "), done.err)
        self.assertTrue(lines[-1].startswith("  next: "), done.err)
        self.assertEqual(done.out, "")
        return done.err

    def test_a_terminal_has_it_broken_between_words(self) -> None:
        with Typist(
            self.repo.root, self.env, "plan", "--drop", "a", "--show", columns=50
        ) as person:
            code, shown = person.leaves()
        self.assertEqual(code, 2)
        lines = [line.rstrip() for line in shown.splitlines()]
        self.assertLessEqual(max(map(len, lines)), 50)
        self.assertIn('  next: for example: director plan "add a --json', lines)

    def test_no_repository(self) -> None:
        folder = self.tmp / "elsewhere"
        folder.mkdir()
        for command in (["plan", "x"], ["run"], ["status"], ["sync-agents"]):
            with self.subTest(command):
                self.assertIn(
                    "not in a git repository", self.refused(*command, "--repo", str(folder))
                )

    def test_no_such_folder(self) -> None:
        self.assertIn("there is no folder", self.refused("status", "--repo", "no/where"))

    def test_a_bare_repository(self) -> None:
        self.repo.git("init", "--bare", "-q", str(self.tmp / "bare.git"))
        self.assertIn("working tree", self.refused("status", "--repo", str(self.tmp / "bare.git")))

    def test_no_commit_yet(self) -> None:
        empty = self.tmp / "empty"
        empty.mkdir()
        subprocess.run(["git", "init", "-q"], cwd=empty, env=self.env, check=True)
        (empty / ".director").mkdir()
        (empty / ".director" / "config.toml").write_text(CONFIG)
        self.assertIn("no commit yet", self.refused("plan", "x", "--repo", str(empty)))

    def test_no_opencode(self) -> None:
        plain = [f for f in self.env["PATH"].split(os.pathsep) if not f.startswith(str(self.tmp))]
        path = os.pathsep.join(f for f in plain if not Path(f, "opencode").exists())
        said = self.refused("plan", "x", env={**self.env, "PATH": path})
        self.assertIn("opencode", said)
        self.assertIn("npm install", said)

    def test_no_configuration(self) -> None:
        (self.home / "config.toml").unlink()
        self.assertIn("director init", self.refused("plan", "x"))

    def test_a_wrong_configuration_is_named_whole(self) -> None:
        self.configure("[limit]\n[limits]\nmax_attempt = 2\nflake_runs = 'two'\n")
        said = self.refused("plan", "x")
        for part in (
            "limit ",
            "max_attempt ",
            "'max_attempts'",
            "flake_runs",
            "config.toml",
            "line",
        ):
            self.assertIn(part, said)

    def test_broken_toml_names_the_line(self) -> None:
        self.configure("[limits\n")
        self.assertRegex(self.refused("run"), r"not valid TOML.*line \d+")

    def test_no_plan(self) -> None:
        self.assertIn("no plan", self.refused("run"))
        self.assertIn("no plan to continue", self.refused("plan", "--continue"))
        self.assertIn("no job", self.refused("status"))

    def test_a_plan_that_waits_at_a_gate_is_not_run(self) -> None:
        self.script_planning(node("a"))
        self.ends(0, "plan", "make a")
        self.assertIn("plan --continue", self.refused("run"))

    def test_a_plan_that_is_ready_cannot_be_continued(self) -> None:
        self.plan(node("a"))
        self.assertIn("director run", self.refused("plan", "--continue"))

    def test_a_damaged_plan_is_named(self) -> None:
        self.plan(node("a"))
        (self.home / "plan.json").write_text('{"nodes": [')
        self.assertIn("plan.json", self.refused("run"))
        self.assertIn("plan.json", self.refused("status"))

    def test_a_task_in_one_form_and_not_empty(self) -> None:
        for argv in (
            ["plan"],
            ["plan", "x", "--continue"],
            ["plan", "  "],
            ["plan", "--file", "no"],
        ):
            with self.subTest(argv):
                self.refused(*argv)

    def test_a_task_that_is_no_text(self) -> None:
        path = self.tmp / "task"
        path.write_bytes(b"M\xfcller")
        self.assertIn("not text", self.refused("plan", "--file", str(path)))
        self.assertIn("cannot read", self.refused("plan", "--file", str(self.tmp)))
        for command in ("plan -", "plan --revise -", "amend a --revise -"):
            with self.subTest(command):
                done = self.shell(f"PYTHONIOENCODING=utf-8:strict director {command} <{path}")
                self.assertEqual(done.code, 2, done.err)
                self.assertIn("standard input is not text", done.err)

    def test_missing_profiles_are_named_with_those_there_are(self) -> None:
        (self.home / "profiles").mkdir()
        (self.home / "profiles" / "cheap.toml").write_text(CONFIG)
        said = self.refused("bench", "x", "--profiles", "cheap,dear")
        self.assertIn("'dear'", said)
        self.assertIn("profiles there: cheap", said)
        self.refused("bench", "x", "--profiles", "../evil")
        self.refused("bench", "x", "--profiles", ",")

    def test_wrong_usage_is_exit_2(self) -> None:
        for argv in (["run", "--parallel", "0"], ["run", "--parallel", "many"], ["fly"]):
            with self.subTest(argv):
                self.assertIn("next: ", self.refused(*argv))

    def test_an_error_is_one_json_object_with_json(self) -> None:
        done = self.ends(2, "run", "--json")
        self.assertEqual(done.json["exit_code"], 2)
        self.assertIn("no plan", done.json["error"])
        self.assertTrue(done.json["next"])

    def test_a_second_run_says_who_holds_the_lock(self) -> None:
        self.plan(node("a"))
        with (self.home / "lock").open("r+") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            stream.write('{"pid": 4711, "command": "director run", "since": "yesterday"}')
            stream.flush()
            self.assertIn("4711", self.refused("run", code=3))

    def test_an_agent_file_that_cannot_be_read_names_its_line(self) -> None:
        self.repo.write(".opencode/agents/executor.md", "---\ntools: [a, b]\n---\nDo it.\n")
        self.assertRegex(self.refused("plan", "x"), r"executor\.md.*line 2")

    def test_a_bug_leaves_its_traceback_in_a_file(self) -> None:
        broken = self.tmp / "broken"
        broken.mkdir()
        (broken / "sitecustomize.py").write_text(
            "import tomllib\ntomllib.loads = lambda _: 1 / 0\n"
        )
        done = subprocess.run(
            [sys.executable, "-m", "director", "plan", "x"],
            cwd=self.repo.root,
            env={**self.env, "PYTHONPATH": f"{broken}{os.pathsep}{SOURCE}"},
            capture_output=True,
            text=True,
        )
        self.assertEqual(done.returncode, 70, done.stderr)
        self.assertIn("ZeroDivisionError", done.stderr)
        self.assertNotIn("Traceback", done.stderr)
        (log,) = (self.home / "logs").glob("bug-*.log")
        self.assertIn(str(log), done.stderr)
        self.assertIn("Traceback", log.read_text())


class TestTasks(JobCase):
    def task_of(self, *argv: str, stdin: str = "") -> str:
        self.fake.always("explorer", say("recon"))
        self.fake.always("brainstorm", say("spec"))
        self.ends(0, "plan", *argv, stdin=stdin)
        return str(self.stored("plan_stage.json")["task"])

    def test_from_a_file(self) -> None:
        path = self.tmp / "task.md"
        path.write_text("do\nit well\n")
        self.assertEqual(self.task_of("--file", str(path)), "do\nit well")

    def test_from_standard_input(self) -> None:
        self.assertEqual(self.task_of("-", stdin="from a pipe\n"), "from a pipe")

    def test_from_any_subfolder(self) -> None:
        (self.repo.root / "deep" / "down").mkdir(parents=True)
        self.fake.always("explorer", say("recon"))
        self.fake.always("brainstorm", say("spec"))
        self.ends(0, "plan", "x", cwd=self.repo.root / "deep" / "down")
        self.assertTrue((self.home / "spec.md").exists())

    def test_from_a_linked_worktree(self) -> None:
        self.repo.git("worktree", "add", "-q", str(self.tmp / "linked"))
        linked = SampleRepo(self.tmp / "linked", self.env)
        (linked.root / ".director").mkdir()
        (linked.root / ".director" / "config.toml").write_text(CONFIG)
        self.script_planning(node("a"))
        before = linked.fingerprint()
        self.ends(0, "plan", "x", "--no-critique", cwd=linked.root)
        self.implement("a")
        self.ends(0, "run", cwd=linked.root)
        self.assertEqual(linked.fingerprint(), before)
