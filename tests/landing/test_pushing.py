"""A pull request: the branch is pushed, and its text says what was done and how that is known.

With it: ``pull_request``.
"""

from __future__ import annotations

import unittest
from pathlib import Path

from director.landing.pull_request import fenced
from director.landing.pushing import Request, command_of, program_for
from tests.landing.land_case import LandCase

PR = ("--pr", "--yes")
REQUEST = Request("head", "main", "a title", Path("/body.md"))


class TestPullRequest(LandCase):
    def setUp(self) -> None:
        super().setUp()
        self.remote = self.place / "shared" / "remote.git"
        self.repo.git("init", "--quiet", "--bare", str(self.remote))
        self.repo.git("remote", "add", "origin", str(self.remote))
        self.program("gh", f'printf "%s\\n" "$@" > {self.place}/said; echo https://forge/pr/7')

    def pushed(self) -> str:
        listed = self.repo.git("ls-remote", str(self.remote))
        return "" if not listed else listed.split()[0]

    def test_the_job_branch_is_pushed_and_the_forge_is_asked(self) -> None:
        before = self.repo.fingerprint()
        self.repo.write("a.txt", "dirty, which does not matter\n")
        found = self.land(*PR)
        (self.repo.root / "a.txt").unlink()
        changed = {k for k, v in self.repo.fingerprint().items() if before.get(k) != v}
        tracking = [one for one in changed if "refs/remotes/origin" not in one]
        self.assertEqual(tracking, [])  # git notes what it pushed, nothing else
        self.assertEqual(self.pushed(), self.tip())
        self.assertEqual(found["pull_request"]["url"], "https://forge/pr/7")
        said = (self.place / "said").read_text().split("\n")
        body = str(self.home / "pull-request.md")
        expected = ["pr", "create", "--base", "main", "--head", self.branch]
        self.assertEqual(said[:-1], [*expected, "--title", "make things", "--body-file", body])
        record = self.stored("landed.json")
        self.assertEqual((record["how"], record["url"]), ("pr", "https://forge/pr/7"))
        self.assertIn("a pull request for main was pushed", self.ends(0, "status").in_one_line)

    def test_its_text_has_nodes_evidence_cost_and_spec(self) -> None:
        self.land(*PR)
        text = (self.home / "pull-request.md").read_text()
        for words in ("> make things", "| `a` | `Make a` | 1 | `fake/cheap` |", "the spec"):
            self.assertIn(words, text)
        self.assertIn("2 merges, 2 receipts, frozen tests unchanged", text)
        self.assertIn("green on the tree merged with `main`: `grep -q good a.txt b.txt`", text)
        self.assertIn("cost: $", text)

    def test_without_the_forges_program_the_command_is_printed(self) -> None:
        self.program("gh", "echo no such thing >&2; exit 4")
        done = self.ends(0, "land", *PR)
        self.assertIn("no pull request was made: `gh` failed: no such thing", done.out)
        self.assertIn("Make it with: gh pr create --base main", done.out)
        self.assertIn(str(self.home / "pull-request.md"), done.out)
        self.assertEqual(self.pushed(), self.tip())

    def test_nothing_is_pushed_that_is_not_green(self) -> None:
        self.configure('[gates]\nwhole = "test ! -e a.txt"\n')
        self.refuses(1, "integration_red", *PR)
        self.assertEqual(self.pushed(), "")

    def test_a_remote_that_refuses_ends_it(self) -> None:
        self.hook("pre-push", "echo not today >&2; exit 1")
        self.assertIn("could not be pushed to origin", self.refuses(3, "stopped", *PR)["what"])
        self.assertFalse((self.place / "said").exists())

    def test_without_a_remote_there_is_nowhere_to_push_to(self) -> None:
        self.repo.git("remote", "remove", "origin")
        self.assertIn("no remote to push to", self.refuses(2, "request", *PR)["what"])


class TestForge(unittest.TestCase):
    def test_the_program_is_the_one_of_the_forge(self) -> None:
        self.assertEqual(program_for("git@gitlab.example:x/y.git", ["gh", "glab"]), "glab")
        self.assertEqual(program_for("https://github.com/x/y", ["glab"]), "gh")
        self.assertEqual(program_for("ssh://elsewhere/x", ["glab"]), "glab")
        self.assertEqual(program_for("ssh://elsewhere/x", []), "gh")

    def test_gitlab_gets_the_text_itself(self) -> None:
        command = command_of("glab", REQUEST, "the text")
        self.assertEqual(command[command.index("--description") + 1], "the text")
        self.assertIn("/body.md", command_of("gh", REQUEST, "the text"))


class TestText(unittest.TestCase):
    def test_nothing_that_agents_wrote_ends_its_block(self) -> None:
        text = fenced("a\n````\n@everybody\x1b[31m\n````")
        self.assertTrue(text.startswith("`````text\n") and text.endswith("\n`````"))
        self.assertNotIn("\x1b", text)
