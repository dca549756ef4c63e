"""What a node may do with its files besides writing them: remove, rename, make executable.

With it: ``running.node``.
"""

from __future__ import annotations

from tests.support.fake_opencode import say, shell
from tests.support.jobs import JobCase, node


class TestKindsOfChange(JobCase):
    def setUp(self) -> None:
        super().setUp()
        self.repo.write("old/name.txt", "the same text\nin three\nlines\n")
        self.repo.write("gone.txt", "gone\n")
        self.repo.write("tool.sh", "#!/bin/sh\necho good\n")
        (self.home / ".gitignore").write_text("*\n")
        self.repo.commit("files")
        self.before = self.repo.fingerprint()

    def work(self, files: list[str], test: str, script: str) -> list[str]:
        """Do one node; returns what the job branch changes beside the tests, as git says it."""
        base = self.repo.git("rev-parse", "HEAD")
        self.plan(node("a", files=files), tests={"a": f"{test} || {{ echo no; exit 1; }}\n"})
        self.implement("a", shell("sh tests/a.sh"), shell(script), say("done"))
        self.ends(0, "run")
        self.ends(0, "verify", "--rerun")
        self.assertEqual(self.repo.fingerprint(), self.before)
        self.repo.git("merge", "--quiet", "--ff-only", self.branch)
        self.assertEqual(self.repo.git("status", "--porcelain"), "")
        diff = self.repo.git(
            "diff", "-M", "--raw", "--abbrev=4", base, "HEAD", "--", ".", ":!tests"
        )
        return [" ".join((*line.split()[:2], *line.split()[4:])) for line in diff.splitlines()]

    def test_a_node_that_deletes_and_renames(self) -> None:
        changed = self.work(
            ["old/name.txt", "new/name.txt", "gone.txt"],
            "test ! -e gone.txt && test ! -e old && grep -q three new/name.txt",
            "mkdir new && git mv old/name.txt new/name.txt && rm gone.txt",
        )
        self.assertEqual(
            changed,
            [":100644 000000 D gone.txt", ":100644 100644 R100 old/name.txt new/name.txt"],
        )

    def test_a_file_that_becomes_executable_and_a_new_one_that_is(self) -> None:
        changed = self.work(
            ["tool.sh", "bin/new.sh"],
            "./tool.sh | grep -q good && ./bin/new.sh | grep -q good",
            "chmod +x tool.sh; mkdir bin; cp tool.sh bin/new.sh",
        )
        self.assertEqual(changed, [":000000 100755 A bin/new.sh", ":100644 100755 M tool.sh"])
        self.assertEqual((self.repo.root / "tool.sh").stat().st_mode & 0o111, 0o111)
