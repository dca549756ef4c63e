"""What agents and people are told of a failing test: its headline first, and no noise.

With it: ``running.prompts``.
"""

from __future__ import annotations

from tests.support.fake_opencode import shell, write
from tests.support.jobs import JobCase, node

HEADLINE = "test_a: AssertionError: 'bad' != 'good'"
UNITTEST = """\
import unittest
from pathlib import Path


class TestA(unittest.TestCase):
    def test_a(self):
        print("noise " * 2000)
        self.assertEqual(Path("a.txt").read_text().strip(), "good")
"""
COMMAND = "python3 -m unittest discover -s tests -p test_a.py"
CACHE = shell("mkdir -p .cache_dir/v/x && touch .cache_dir/v/x/lastfailed notes.md")


class TestFeedback(JobCase):
    def setUp(self) -> None:
        super().setUp()
        self.repo.write(".gitignore", ".cache_dir/\n")
        self.repo.write("a.txt", "worse\n")
        self.repo.commit()
        self.configure("[limits]\nmax_attempts = 2\n")
        made = node("a", test_cmd=COMMAND, tests=["tests/test_a.py"])
        self.script_planning(made)
        self.fake.always("test-author", write("tests/test_a.py", UNITTEST), node="a")
        self.ends(0, "plan", "make a", "--no-critique")

    def test_a_failing_attempt_is_told_by_its_headline_without_ignored_strays(self) -> None:
        self.implement("a", write("a.txt", "bad\n"), CACHE)
        self.implement("a", write("a.txt", "good\n"))
        self.ends(0, "run")
        first, second = (call.prompt for call in self.fake.calls() if call.heading == "Implement")
        self.assertIn("It fails now:\n\n```\ntest_a: AssertionError: 'worse' != 'good'\n\n", first)
        lesson = f"The tests fail (exit code 1): {HEADLINE}. New files outside the allowlist were "
        self.assertIn(f"## The last attempt was not accepted\n\n{lesson}dropped: notes.md.", second)
        self.assertIn(f"Output of the test command on it:\n\n```\n{HEADLINE}\n\n", second)
        self.assertNotIn(".cache_dir", second)

    def test_a_node_that_fails_says_its_headline_in_message_and_status(self) -> None:
        for _ in range(3):
            self.implement("a", write("a.txt", "bad\n"), CACHE)
        done = self.ends(1, "run")
        self.assertIn(HEADLINE, done.in_one_line)
        self.assertNotIn(".cache_dir", done.out + done.err)
        self.assertIn(HEADLINE, self.ends(0, "status").in_one_line)
        self.assertIn(HEADLINE, self.node_state("a")["error"])
