"""A finished job of two nodes, made once per class; every test gets a copy to tamper with."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, ClassVar

from director.records.job_directory import JobDirectory
from director.repositories.repository import open_repository
from director.verifying.verify import verify_job
from tests.support.fake_opencode import write
from tests.support.jobs import Done, JobCase, node

GATES = '[gates]\nwhole = "grep -q good a.txt b.txt"\n'


class _Made(JobCase):
    """The original. Its first node's test also wants a file outside the repository."""

    def runTest(self) -> None:  # noqa: N802
        """Make the job."""
        self.outside = self.tmp / "outside"
        self.outside.touch()
        self.configure(GATES)
        self.script_planning(node("a"), node("b", depends_on=["a"]))
        wants = f"test -e {self.outside} && grep -q good a.txt || exit 1\n"
        self.fake.always("test-author", write("tests/a.sh", wants), node="a")
        self.ends(0, "plan", "make things", "--no-critique")
        self.implement("a")
        self.implement("b")
        self.ends(0, "run")


class CopiedJobCase(JobCase):
    """``self.repo`` holds a copy of the job that ``original`` makes, with its records."""

    original: ClassVar[type[JobCase]]
    made: ClassVar[Any]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.made = cls.original()
        cls.addClassCleanup(cls.made.doCleanups)
        cls.made.setUp()
        cls.made.runTest()

    def setUp(self) -> None:
        super().setUp()
        shutil.rmtree(self.repo.root)
        shutil.copytree(self.made.repo.root, self.repo.root, symlinks=True)


class FinishedJobCase(CopiedJobCase):
    """A copy of the finished job of two nodes."""

    original = _Made

    def refused(self, *words: str) -> Done:
        """Verify, and demand exit 1, one line that has all ``words``, and a next step."""
        done = self.ends(1, "verify")
        first, *rest = done.out.splitlines()
        for word in words:
            self.assertIn(word, first)
        self.assertTrue(len(rest) == 1 and rest[0].startswith("Next: "), done.out)
        return done

    def problem(self) -> str:
        """Verify in this process, for tests that do it often; returns what does not hold."""
        repository = open_repository(self.repo.root, self.env)
        problem = verify_job(repository, JobDirectory(self.home)).problem
        return problem.what if problem else ""

    def tip(self) -> str:
        """Return the tip of the job branch."""
        return self.repo.git("rev-parse", self.branch)

    def amend(self, path: str, text: str) -> str:
        """Change a file in the last commit of the job branch, and return that commit."""
        self._change(path, text, "--amend", "--no-edit")
        return self.tip()

    def add_commit(self, path: str, text: str, message: str) -> str:
        """Put a commit on the job branch, and return it."""
        self._change(path, text, "--message", message)
        return self.tip()

    def _change(self, path: str, text: str, *how: str) -> None:
        self.repo.git("checkout", "--quiet", self.branch)
        self.repo.write(path, text)
        self.repo.git("add", "--force", path)
        self.repo.git("commit", "--quiet", *how)
        self.repo.git("checkout", "--quiet", "-")

    @property
    def receipts(self) -> Path:
        return self.home / "receipts.jsonl"

    def edit_receipt(self, name: str, **values: Any) -> None:
        """Change fields of a node's receipt."""
        lines = [
            {**line, **values} if line["node"] == name else line
            for line in self.lines("receipts.jsonl")
        ]
        self.write_receipts(*lines)

    def write_receipts(self, *lines: dict[str, Any]) -> None:
        self.receipts.write_text("".join(json.dumps(line) + "\n" for line in lines))

    def receipt(self, name: str) -> dict[str, Any]:
        """Return a node's receipt."""
        (line,) = [one for one in self.lines("receipts.jsonl") if one["node"] == name]
        return line

    def edit_plan(self, name: str, **values: Any) -> None:
        """Change fields of a node in plan.json."""
        plan = self.stored("plan.json")
        for one in plan["nodes"]:
            if one["id"] == name:
                one.update(values)
        (self.home / "plan.json").write_text(json.dumps(plan))
