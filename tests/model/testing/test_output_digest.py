"""Two runs say the same where only times, places and identifiers differ; a plain number counts.

With it: two runs beside each other (``control_run``).
"""

from __future__ import annotations

import unittest

from director.model.testing.command_run import CommandRun
from director.model.testing.control_run import UNREADABLE, may_be_independent
from director.model.testing.output_digest import output_digest
from tests.model.testing.test_environment import recorded

PAIRS = (
    ("/state/slot-1/tests/a.py:3: boom", "/other/place/slot-7/tests/a.py:3: boom"),
    ("1 error in 0.12s", "1 error in 1.90s"),
    ("# duration_ms 100.523403", "# duration_ms 99.1"),
    ("Finished at: 2026-11-21T19:27:12Z", "Finished at: 2026-11-22T00:01:59Z"),
    ("Start at 19:26:35", "Start at 07:01:02"),
    ("<T object at 0x7f24ad637d80>", "<T object at 0x7fffad637d80>"),
    ("connect ECONNREFUSED 127.0.0.1:4711", "connect ECONNREFUSED 127.0.0.1:9"),
    ("/tmp/tmpab12cd34/x: gone", "/tmp/tmpzz99yy88/x: gone"),
    ("/tmp/ccSM9DFj.o: in function `main'", "/tmp/ccAbCdEf.o: in function `main'"),
    ("id 3f2504e0-4f89-11d3-9a0c-0305e82c3301", "id 11111111-4f89-11d3-9a0c-0305e82c3301"),
    ("at commit 21b0992aa0", "at commit 3ec0290bb1"),
    ("Randomized with seed 123", "Randomized with seed 9"),
    ("Downloaded 12 kB at 3.4 kB/s", "Downloaded 12.5 kB at 34 kB/s"),
    ("[pid 312] gone", "[pid 99] gone"),
    ("one\ntwo", "two\none"),
    ("\x1b[31mred\x1b[0m", "red"),
    ("==== x ====", "======= x ======="),
)
DIFFERENT = (
    ("AssertionError: 2 != 3", "AssertionError: 4 != 3"),
    ("a.py:3: boom", "a.py:4: boom"),
    ("No module named 'a'", "No module named 'b'"),
    ("one", "one\none"),
)


def words(output: str, code: int = 1) -> str:
    return output_digest(CommandRun("run", code, output))


class TestSameWords(unittest.TestCase):
    def test_what_differs_from_run_to_run(self) -> None:
        for one, other in PAIRS:
            with self.subTest(one):
                self.assertEqual(words(one), words(other))

    def test_what_says_something_else(self) -> None:
        for one, other in DIFFERENT:
            with self.subTest(one):
                self.assertNotEqual(words(one), words(other))
        self.assertNotEqual(words("x", 1), words("x", 2))

    def test_no_output_has_no_digest(self) -> None:
        self.assertEqual(words(" \n\n"), "")


class TestMayBeIndependent(unittest.TestCase):
    def said(self, run: CommandRun) -> bool:
        return may_be_independent(output_digest(run), run, ("a.py", "tests/test_a.py"))

    def unknown(self, output: str) -> bool:
        return self.said(CommandRun("sh tests/a.sh", 1, output))

    def test_a_runner_that_came_to_no_test(self) -> None:
        for name in ("pytest-conftest", "right-pytest-feature", "right-jest"):
            run = recorded(name)
            with self.subTest(name):
                self.assertEqual(self.said(run), run.executed == 0)
        self.assertTrue(self.said(recorded("right-pytest-feature")))

    def test_a_test_that_ran_is_the_work_s(self) -> None:
        self.assertFalse(self.said(recorded("right-pytest-quote")))
        ran = "Ran 1 test in 0.001s\n\nOK\nerror: cannot open display\n"
        self.assertFalse(self.said(CommandRun("python3 -m unittest", 1, ran)))

    def test_a_runner_that_did_not_get_to_its_summary(self) -> None:
        for name in ("right-go-undefined", "right-cargo"):
            with self.subTest(name):
                self.assertTrue(self.said(recorded(name)))

    def test_another_output_than_before(self) -> None:
        run = recorded("right-pytest-feature")
        self.assertFalse(may_be_independent("other", run, ()))
        self.assertFalse(may_be_independent("", run, ()))

    def test_a_program_that_cannot_go_on(self) -> None:
        for output in (
            "cat: /etc/shop.conf: No such file or directory\n",
            "error: could not connect to the queue\n",
            "tests/test_a.py: line 3: frobnicate: command not found\n",
            "cat: /etc/x.conf: No such file or directory\nmake: *** [Makefile:2: test] Error 1\n",
            "Error: cannot open display\n",
            "psql: connection refused\n",
            "curl: (6) could not resolve host: example.org, not reachable\n",
            "sh: 1: node_modules/.bin/tool: not found\n",
        ):
            with self.subTest(output):
                self.assertTrue(self.unknown(output))

    def test_a_test_s_own_words(self) -> None:
        for output in (
            "",
            "no good a\n",
            "2 != 3\n",
            "slug not found\n",
            "tests/run.sh: line 1: tput: command not found\nno good a\n",
            "FAIL: /slug: 404 not found\n",
            "error: expected 200, cannot find it\n",
            "grep: a.py: No such file or directory\n",
            "not ok 1 - x: missing\n",
            "cat: out/report.txt: No such file or directory\n",
            "cat: report.txt: No such file or directory\n",
            "cat: ./out/report: No such file or directory\n",
            "ls: cannot access 'out/report.txt': No such file or directory\n",
            "cat: /s/job-0123456789ab/gates/slot-1/out/x: No such file or directory\n",
            "tests/run.sh: 3: bin/tool: not found\n",
        ):
            with self.subTest(output):
                self.assertFalse(self.unknown(output))

    def test_what_a_test_caught_of_another_program(self) -> None:
        failed = "E   CalledProcessError: Command '['tool']' returned non-zero exit status 1.\n"
        self.assertTrue(self.said(CommandRun("python3 -m pytest", 1, "1 error in 0.1s\n")))
        self.assertFalse(
            self.said(CommandRun("python3 -m pytest", 1, f"{failed}1 error in 0.1s\n"))
        )

    def test_no_program_takes_what_stands_in_for_the_work(self) -> None:
        with self.assertRaises(SyntaxError):
            compile(UNREADABLE, "x", "exec")
