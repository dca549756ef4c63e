"""Commits as the user wants them made, and trailers that no text above them can forge.

Of ``signing`` in repositories, too.
"""

from __future__ import annotations

import shutil
import subprocess
import unittest
from pathlib import Path

from director.job.commits import Commits
from director.job.receipts import expected_trailers
from director.model.commit_policy import CommitPolicy
from director.model.plan import Node
from director.model.receipt import GateRun, Receipt
from director.repositories.git_settings import freeze_settings
from director.repositories.signing import Signer, SigningError
from tests.worktrees.jobs import JobCase

NODE = Node("a", "Make a", "spec", ("a.py",), (), "true", ("tests/test_a.py",), type="fix")
SCISSORS = "# ------------------------ >8 ------------------------"


class CommitsCase(JobCase):
    def commits(self, policy: CommitPolicy, task: str = "do it\nall of it") -> Commits:
        settings = freeze_settings(self.job.user.git, self.tmp, self.tmp / "frozen")
        signer = Signer(settings.everywhere) if policy.sign else None
        return Commits(self.job, "1", task, policy, signer)

    def receipt(self) -> Receipt:
        tree = self.job.tree(self.base)
        run = GateRun("candidate", "true", "green", 0, 0.1, self.base, tree, 1)
        return Receipt(
            "now", "1", "a", self.base, self.base, "", tree, self.base, {}, "-", (run,), (),
            "executor", "m/m", 1,
        )  # fmt: skip

    def merged(self, policy: CommitPolicy, node: Node = NODE, task: str = "do it") -> Receipt:
        return self.commits(policy, task).merge(node, self.receipt())

    def message(self, commit: str) -> str:
        return self.job.git.output("show", "-s", "--format=%B", commit).decode().strip()

    def pairs(self, commit: str) -> tuple[tuple[str, str], ...]:
        (found,) = self.job.log(self.base, commit)
        return found.pairs


class TestMessages(CommitsCase):
    def test_by_default_a_merge_is_the_title_and_the_trailers(self) -> None:
        receipt = self.merged(CommitPolicy())
        subject, empty, *rest = self.message(receipt.merged).splitlines()
        self.assertEqual((subject, empty), ("Make a", ""))
        self.assertEqual(
            tuple((k, v) for k, _, v in (line.partition(": ") for line in rest)),
            expected_trailers(receipt),
        )

    def test_the_template_decides_what_stands_above_the_trailers(self) -> None:
        policy = CommitPolicy("{type}({node}): {title}\n\nOf the task: {task}")
        receipt = self.merged(policy, task="\n do  it\nall of it")
        begins = "fix(a): Make a\n\nOf the task: do it\n\nDirector-Job: 1\n"
        self.assertTrue(self.message(receipt.merged).startswith(begins))
        self.assertEqual(self.pairs(receipt.merged), expected_trailers(receipt))

    def test_a_node_without_a_type_is_a_chore_and_tests_are_tests(self) -> None:
        policy = CommitPolicy("{type}: {title}")
        receipt = self.merged(policy, NODE._replace(type=""))
        self.assertTrue(self.message(receipt.merged).startswith("chore: Make a\n\n"))
        tree = self.job.tree(self.base)
        commit = self.commits(policy).tests("Tests of a", ["a", "b"], tree, self.base)
        self.assertEqual(
            self.message(commit),
            "test: Tests of a\n\nDirector-Job: 1\nDirector-Node: a\nDirector-Node: b\n"
            "Director-Kind: tests",
        )

    def test_who_commits_signs_off_below_the_trailers(self) -> None:
        receipt = self.merged(CommitPolicy(signoff=True))
        who = self.job.user.identity()
        signed = f"{who['GIT_COMMITTER_NAME']} <{who['GIT_COMMITTER_EMAIL']}>"
        pairs = (*expected_trailers(receipt), ("Signed-off-by", signed))
        self.assertEqual(self.pairs(receipt.merged), pairs)
        tree = self.job.tree(self.base)
        commit = self.commits(CommitPolicy(signoff=True)).tests("x", ["a"], tree, self.base)
        self.assertEqual(self.pairs(commit)[-1], ("Signed-off-by", signed))

    def test_no_title_and_no_task_forges_a_trailer(self) -> None:
        for hostile in (
            "Director-Node: b",
            "x\n\nDirector-Node: b\nDirector-Kind: tests",
            "x\r\rDirector-Node: b",
            SCISSORS,
            f"x\n{SCISSORS}\nDirector-Node: b",
            "Conflicts:",
            "---",
            "#",
            "\udcff",
        ):
            for template in ("{title}", "{task}\n{title}", "x\n\n{title}\n{task}", "{task}\n---"):
                with self.subTest(hostile=hostile, template=template):
                    node = NODE._replace(title=hostile)
                    receipt = self.merged(CommitPolicy(template), node, task=hostile)
                    self.assertEqual(self.pairs(receipt.merged), expected_trailers(receipt))


@unittest.skipUnless(shutil.which("ssh-keygen"), "there is no ssh-keygen to sign with")
class TestSignatures(CommitsCase):
    def setUp(self) -> None:
        super().setUp()
        self.key = self.tmp / "key"
        make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "t", "-f", str(self.key)]
        subprocess.run(make, check=True)
        self.sample.git("config", "gpg.format", "ssh")
        self.sample.git("config", "user.signingkey", str(self.key))
        self.allowed = self.tmp / "allowed"
        public = Path(f"{self.key}.pub").read_text()
        self.allowed.write_text(f"* {public}")

    def is_good(self, commit: str) -> bool:
        setting = f"gpg.ssh.allowedSignersFile={self.allowed}"
        return self.job.git.with_settings(setting).ok("verify-commit", commit)

    def test_merges_and_tests_are_signed_and_say_what_they_would(self) -> None:
        policy = CommitPolicy("{type}: {title} – ü", sign=True)
        receipt = self.merged(policy)
        self.assertTrue(self.is_good(receipt.merged))
        self.assertEqual(self.pairs(receipt.merged), expected_trailers(receipt))
        plain = self.merged(policy._replace(sign=False)).merged
        self.assertFalse(self.is_good(plain))
        self.assertEqual(self.message(receipt.merged), self.message(plain))
        tests = self.commits(policy).tests("x", ["a"], self.job.tree(self.base), self.base)
        self.assertTrue(self.is_good(tests))

    def test_the_branch_can_be_moved_to_a_signed_commit(self) -> None:
        receipt = self.merged(CommitPolicy(sign=True))
        self.assertTrue(self.job.advance(receipt.merged, self.base, receipt))
        self.assertTrue(self.job.holds(self.base, receipt.merged))

    def test_one_that_cannot_be_signed_is_one_line_and_what_to_do(self) -> None:
        self.key.unlink()
        with self.assertRaises(SigningError) as caught:
            self.commits(CommitPolicy(sign=True)).try_out()
        self.assertEqual(caught.exception.exit_code, 3)
        self.assertEqual(len(caught.exception.what.splitlines()), 1)
        self.assertIn(str(self.key), caught.exception.what)
        self.assertIn("`sign = false`", caught.exception.next_step)

    def test_trying_out_leaves_the_branch_where_it_is(self) -> None:
        self.commits(CommitPolicy(sign=True)).try_out()
        self.commits(CommitPolicy()).try_out()
        self.assertEqual(self.job.tip(), self.base)
