"""The existing tests run in a fresh worktree before anything is paid for.

With it: ``job.base_tests``.
"""

from __future__ import annotations

import shutil
from typing import Any

from tests.support.fake_opencode import say, write
from tests.support.jobs import JobCase, node

TESTS = "import unittest\n{imports}\n\nclass TestA(unittest.TestCase):\n    def test_a(self):\n"
PASSES = TESTS.format(imports="import dependency") + "        self.assertEqual(dependency.A, 1)\n"
ALONE = "python3 -m unittest discover -s tests -p test_a.py"
SUITE = "python3 -m unittest discover -s tests"


class PreflightCase(JobCase):
    """A Python project whose test needs ``dependency``, which git ignores."""

    def setUp(self) -> None:
        super().setUp()
        self.repo.write("requirements.txt", "dependency\n")
        self.repo.write("tests/test_a.py", PASSES)
        self.repo.write(".gitignore", "dependency.py\n.venv/\n")
        self.repo.commit("a project")
        self.script_planning(node("a"))

    def provide(self) -> None:
        """Put the dependency where tests in the checkout find it."""
        self.repo.write("dependency.py", "A = 1\n")

    def tried(self) -> list[tuple[str, str, str]]:
        """Return where and how the commands of the preflight ran."""
        seen = [one for one in self.lines("events.jsonl") if one["kind"] == "preflight"]
        return [(one["where"], one["command"], one["outcome"]) for one in seen]


class TestWhatWorks(PreflightCase):
    SETUP = "[worktree]\nsetup = \"echo 'A = 1' > dependency.py\"\n"

    def test_the_suite_and_one_file_run_once_per_job(self) -> None:
        self.configure(self.SETUP)
        self.ends(0, "plan", "make a")
        once = [("worktree", SUITE, "green"), ("worktree", ALONE, "green")]
        self.assertEqual(self.tried(), once)
        self.ends(0, "plan", "--continue")
        self.ends(0, "plan", "--continue")
        self.assertEqual(self.tried(), once)
        self.assertEqual(self.stored("plan_stage.json")["stage"], "ready")

    def test_planner_and_author_are_told_what_was_seen(self) -> None:
        self.configure(self.SETUP)
        self.ends(0, "plan", "make a", "--no-critique")
        told = {call.heading: call.prompt for call in self.fake.calls()}
        for heading in ("Plan", "Tests"):
            section = told[heading].partition("## How tests run here")[2].partition("\n## ")[0]
            self.assertIn("echo 'A = 1' > dependency.py` made there", section)
            self.assertIn("no file that git ignores", section)
            self.assertIn("Interpreter and test runner: Python (unittest).", section)
            self.assertIn(f"before any work: `{SUITE}` (green, 1 test)", section)
            self.assertIn(f"`tests/test_a.py`. Seen to run it alone: `{ALONE}`", section)
            self.assertIn('belongs in "files"', section)
        self.assertNotIn("How tests run here", told["Recon"])

    def test_tests_that_fail_by_themselves_stop_nothing(self) -> None:
        self.repo.write("tests/test_a.py", TESTS.format(imports="") + "        self.fail('x')\n")
        self.repo.commit("red")
        self.ends(0, "plan", "make a")
        self.assertEqual(
            self.tried(),
            [
                ("worktree", SUITE, "red"),
                ("checkout", SUITE, "red"),
                ("worktree", ALONE, "red"),
            ],
        )

    def test_the_console_says_what_is_under_way_and_why_it_is_red(self) -> None:
        self.repo.write("tests/test_a.py", TESTS.format(imports="") + "        self.fail('x')\n")
        self.repo.commit("red")
        self.configure('[worktree]\nsetup = "true"\n')
        said = self.ends(0, "plan", "make a").err
        steps = (
            "setup of slot 1 of gates begins: `true`",
            "setup of slot 1 of gates: green",
            f"running the existing tests in a fresh worktree: `{SUITE}`",
            "fresh worktree: red, 1 test (exit code 1: test_a: AssertionError: x): "
            f"`{SUITE}`; see logs/preflight.log",
        )
        places = [said.find(step) for step in steps]
        self.assertEqual(places, sorted(places), said)
        self.assertNotIn(-1, places, said)

    def test_where_nothing_is_recognised_nothing_runs(self) -> None:
        self.repo.git("rm", "--quiet", "requirements.txt")
        self.repo.commit("no manifest")
        self.ends(0, "plan", "make a")
        self.assertEqual(self.tried(), [])
        self.assertEqual(list((self.home / "logs").glob("*preflight*")), [])
        prompt = self.prompt_of_plan()
        self.assertIn("A worktree holds the tracked files of one commit; nothing else", prompt)
        self.assertNotIn("Seen to run", prompt)

    def prompt_of_plan(self) -> str:
        self.ends(0, "plan", "--continue")
        return next(call.prompt for call in self.fake.calls() if call.heading == "Plan")

    def test_where_there_are_no_tests_nothing_runs(self) -> None:
        self.repo.git("rm", "--quiet", "tests/test_a.py")
        self.repo.commit("no tests")
        self.ends(0, "plan", "make a")
        self.assertEqual(self.tried(), [])

    def test_gates_that_are_green_take_its_place(self) -> None:
        self.configure('[gates]\ntest = "true"\n')
        self.ends(0, "plan", "make a")
        self.assertEqual(self.tried(), [])
        prompt = self.prompt_of_plan()
        self.assertIn("before any work: `true` (green)", prompt)
        self.assertIn("An existing test file: `tests/test_a.py`.", prompt)
        self.assertNotIn("alone", prompt.partition("## How tests run here")[2])


class TestWhatCannotRun(PreflightCase):
    def test_planning_stops_before_anybody_is_paid(self) -> None:
        refused = self.ends(2, "plan", "make a")
        self.assertEqual(self.fake.calls(), [])
        self.assertIn(f"can run in a fresh worktree: `{SUITE}`: ", refused.err)
        self.assertIn("worktree: cannot run (ModuleNotFoundError: No module", refused.err)
        proposed = (
            'setup = "python3 -m venv .venv && .venv/bin/python -m pip install -q '
            '-r requirements.txt", setup_inputs = ["requirements.txt"]'
        )
        told = f"`director sync-agents` prints into {self.home / 'config.toml'} ({proposed}); then"
        self.assertIn(told, refused.err)
        printed = self.ends(0, "sync-agents").out.partition("\n[worktree]\n")[2]
        self.assertEqual(", ".join(printed.splitlines()), proposed)
        self.assertIn("--allow-broken-gates", refused.err)

    def test_it_is_tried_again_when_the_user_has_corrected_it(self) -> None:
        self.ends(2, "plan", "make a")
        self.ends(2, "plan", "--continue")
        self.configure(TestWhatWorks.SETUP)
        self.ends(0, "plan", "--continue")
        self.assertEqual(self.tried()[-2:][0], ("worktree", SUITE, "green"))

    def test_a_setup_that_is_there_is_to_be_corrected(self) -> None:
        self.configure('[worktree]\nsetup = "true"\n')
        refused = self.ends(2, "plan", "make a")
        self.assertIn("correct `setup` of [worktree]", refused.err)
        self.assertNotIn("pip install", refused.err)

    def test_when_that_is_allowed_planning_goes_on_and_says_so(self) -> None:
        self.ends(2, "plan", "make a")
        done = self.ends(0, "plan", "--continue", "--allow-broken-gates")
        self.assertIn(f"`{SUITE}` cannot run in a fresh worktree: ", done.err)
        before = self.tried()
        self.ends(0, "plan", "--continue")
        self.ends(0, "plan", "--continue")
        self.assertEqual(self.tried(), before)
        told = next(call.prompt for call in self.fake.calls() if call.heading == "Plan")
        self.assertIn(f"Cannot run in a worktree: `{SUITE}`", told)
        self.assertNotIn("Seen to run", told)

    def test_a_gate_that_is_red_for_want_of_something_cannot_run(self) -> None:
        self.configure(f'[gates]\ntest = "{SUITE}"\n')
        refused = self.ends(2, "plan", "make a")
        self.assertEqual(self.fake.calls(), [])
        self.assertIn("No module named 'dependency'", refused.err)
        self.configure(f'[gates]\ntest = "{SUITE}"\nlint = "true"\n')
        done = self.ends(0, "plan", "--continue")
        self.assertIn(f"`{SUITE}` cannot run in a fresh worktree", done.err)

    def test_gates_that_are_broken_are_let_through_with_the_job(self) -> None:
        self.configure('[gates]\ntest = "no-such-program"\n')
        refused = self.ends(2, "plan", "make a")
        self.assertIn("a gate cannot run on the base commit", refused.err)
        self.assertIn("-r requirements.txt", refused.err)
        self.ends(0, "plan", "--continue", "--allow-broken-gates")
        self.ends(0, "plan", "--continue")
        self.ends(0, "plan", "--continue")
        self.implement("a")
        self.assertIn("green but for test (broken before)", self.ends(0, "run").in_one_line)
        self.ends(0, "verify", "--rerun")
        self.assertEqual(self.node_state("a")["status"], "done")

    def test_a_suite_that_takes_too_long_is_ended_and_nothing_is_claimed(self) -> None:
        self.configure("[limits]\nnode_timeout_secs = 1\n")
        endless = TESTS.format(imports="import time") + "        time.sleep(600)\n"
        self.repo.write("tests/test_a.py", endless)
        self.repo.commit("endless")
        self.ends(0, "plan", "make a")
        self.assertEqual(self.tried(), [("worktree", SUITE, "ended")])


class TestBesideTheCheckout(PreflightCase):
    # Runs in the checkout; each line by itself tries to change something there.
    MEDDLES = """\
import os, unittest
def tries(what, *args):
    try:
        what(*args)
    except OSError:
        pass
tries(os.chmod, "README", 0o600)
tries(os.chmod, "tests", 0o700)
tries(os.utime, "README", (1, 1))
tries(os.truncate, "README", 1)
tries(os.mkdir, "new")
tries(os.rename, "README", "other")
tries(os.unlink, "requirements.txt")
tries(os.link, "README", "hard")
tries(os.symlink, "README", "soft")
tries(open, "README", "a")
tries(open, ".git/new", "w")
"""

    def test_what_sync_agents_wrote_makes_no_difference(self) -> None:
        self.provide()
        self.ends(0, "sync-agents")
        self.ends(2, "plan", "make a")
        self.assertIn(("checkout", SUITE, "green"), self.tried())

    def test_a_difference_is_named(self) -> None:
        self.provide()
        refused = self.ends(2, "plan", "make a")
        said = f"`{SUITE}` is green in your checkout but does not run in a fresh worktree: "
        self.assertIn(said, refused.err)
        self.assertIn(("checkout", SUITE, "green"), self.tried())

    def test_pytest_is_told_where_else_its_cache_may_lie(self) -> None:
        self.provide()
        given = "shlex.split(os.environ['PYTEST_ADDOPTS'])[-2:]"
        self.repo.write(
            "tests/test_a.py",
            TESTS.format(imports="import dependency, os, shlex")
            + f"        option, cache = {given}\n"
            + "        self.assertEqual(option, '-o')\n"
            + "        os.makedirs(cache.removeprefix('cache_dir='))\n",
        )
        self.repo.commit("caches")
        self.ends(2, "plan", "make a")
        self.assertEqual(self.tried()[-1], ("checkout", SUITE, "green"))

    def test_each_place_has_its_own_interpreter(self) -> None:
        self.provide()
        self.repo.write(".venv/bin/python", '#!/bin/sh\nexec python3 "$@"\n').chmod(0o755)
        refused = self.ends(2, "plan", "make a")
        own = f"`.venv/bin/{SUITE[:6]}{SUITE[7:]}`"
        self.assertIn(f"{own} is green in your checkout but `{SUITE}` does not run", refused.err)

    def test_one_that_lets_tests_run_is_a_notice(self) -> None:
        depends = TESTS.format(imports="import os")
        self.repo.write(
            "tests/test_a.py", f"{depends}        self.assertTrue(os.path.exists('dependency.py'))"
        )
        self.repo.commit("depends on a file")
        self.provide()
        done = self.ends(0, "plan", "make a")
        self.assertIn(
            f"`{SUITE}` is green in your checkout but red in a fresh worktree: exit code 1",
            done.err,
        )

    def test_the_checkout_stays_as_it_is(self) -> None:
        self.provide()
        self.repo.write("tests/test_a.py", self.MEDDLES + PASSES)
        self.repo.commit("meddles")
        before, times = self.repo.fingerprint(), self.times()
        self.assertIn("in your checkout", self.ends(2, "plan", "make a").err)
        self.assertEqual((self.repo.fingerprint(), self.times()), (before, times))
        self.assertEqual(self.left_behind(), [])

    def times(self) -> dict[str, int]:
        """Return when the files of the working tree were changed."""
        found = (path for path in self.repo.root.rglob("*") if ".git" not in path.parts)
        return {
            str(path): path.lstat().st_mtime_ns for path in found if ".director" not in path.parts
        }

    def test_nothing_runs_there_where_it_is_not_clean(self) -> None:
        self.provide()
        self.repo.write("README", "hello, edited\n")
        self.ends(2, "plan", "make a")
        self.assertEqual(self.tried(), [("worktree", SUITE, "cannot_run")])


class TestUnconfined(PreflightCase):
    confined = False

    def test_nothing_runs_in_the_checkout(self) -> None:
        self.provide()
        self.ends(2, "plan", "make a")
        self.assertEqual(self.tried(), [("worktree", SUITE, "cannot_run")])


class TestMonorepo(PreflightCase):
    def test_one_part_that_runs_suffices(self) -> None:
        self.repo.write("native/Makefile", "test:\n\t@echo fine\n")
        self.repo.commit("another part")
        done = self.ends(0, "plan", "make a")
        self.assertIn(("worktree", "cd native && make test", "green"), self.tried())
        self.assertIn(f"`{SUITE}` cannot run in a fresh worktree", done.err)


SOURCE = "int main(void) { return 0; }\n"
REAL = {
    "make": ({"Makefile": "t: t.c\n\tcc -o t t.c\n\ntest: t\n\t./t\n", "t.c": SOURCE}, 1),
    "node": ({"package.json": "{}", "a.test.js": "require('node:test')('a', () => {})\n"}, 2),
    "cmake": (
        {
            "CMakeLists.txt": "cmake_minimum_required(VERSION 3.10)\nproject(t C)\n"
            "enable_testing()\nadd_executable(t t.c)\nadd_test(NAME t COMMAND t)\n",
            "t.c": SOURCE,
        },
        1,
    ),
}
"""Program → a project that needs nothing from elsewhere, and how many commands are tried."""


class TestWithTheToolsThemselves(JobCase):
    def test_what_is_detected_runs_in_a_worktree(self) -> None:
        for program, (files, commands) in REAL.items():
            if shutil.which(program) is None:
                continue
            with self.subTest(program):
                self.repo.git("rm", "-r", "--quiet", "--ignore-unmatch", ".")
                self.configure()
                for path, text in files.items():
                    self.repo.write(path, text)
                self.repo.commit(program)
                self.script_planning(node("a"))
                self.ends(0, "plan", "--new", f"make a ({program})")
                seen = [one for one in self.lines("events.jsonl") if one["kind"] == "preflight"]
                self.assertEqual([one["outcome"] for one in seen], ["green"] * commands)


class TestContradiction(JobCase):
    def test_a_test_that_is_there_may_be_part_of_the_work(self) -> None:
        self.repo.write("tests/old.sh", "test ! -e a.txt\n")
        self.repo.commit("a test that the change contradicts")
        contradicted: dict[str, Any] = node("a", files=["a.txt", "tests/old.sh"])
        self.plan(contradicted)
        work = (write("a.txt", "good\n"), write("tests/old.sh", "test -e a.txt\n"), say("done"))
        self.implement("a", *work)
        self.ends(0, "run")
        self.assertEqual(self.on_branch("tests/old.sh"), "test -e a.txt")
