"""A repository with a submodule that its tests need."""

from __future__ import annotations

from tests.e2e.projects.project import Project, ProjectCase, Work
from tests.support.repositories import SampleRepo

TEST = """\
import sys
import unittest

sys.path.insert(0, "vendor/greeting")
from politely import politely


class TestPolitely(unittest.TestCase):
    def test_it(self):
        self.assertEqual(politely("you"), "Good day, you!")
"""
CODE = """\
from greeting import greeting


def politely(name):
    return greeting(name) + "!"
"""


def with_submodule(repo: SampleRepo) -> None:
    """Make ``vendor/greeting`` a submodule of the repository, and check it out."""
    files = {"greeting.py": "def greeting(name):\n    return f'Good day, {name}'\n"}
    library = SampleRepo.create(repo.root.parent / "greeting", repo.env, files)
    allowed = ("-c", "protocol.file.allow=always")
    repo.git(*allowed, "submodule", "--quiet", "add", str(library.root), "vendor/greeting")


class TestSubmodule(ProjectCase):
    def test_worktrees_hold_what_the_users_checkout_holds(self) -> None:
        work = Work(
            "politely",
            tests={"tests/test_politely.py": TEST},
            files={"politely.py": CODE},
            test_cmd="python3 -m unittest tests.test_politely",
        )
        files = {"README.md": "a polite word\n", "tests/__init__.py": ""}
        scene = self.finished(Project(files, [work], files_of=with_submodule))
        self.assertNotIn("-", scene.repo.git("submodule", "status")[:1])
