"""A job whose commits are made as the user's configuration says, and verify that believes them.

With it: ``commits``.
"""

from __future__ import annotations

import shutil
import subprocess
import unittest
from pathlib import Path

from tests.support.jobs import JobCase, node

TEMPLATE = """\
[git]
message = "{type}({node}): {title}\\n\\nOf the task: {task}"
signoff = true
"""


class TestTemplate(JobCase):
    def test_every_commit_of_the_branch_follows_it_and_verify_holds(self) -> None:
        self.configure(TEMPLATE)
        self.plan(node("a", type="feat"), node("b", depends_on=["a"]))
        self.implement("a")
        self.implement("b")
        self.ends(0, "run")
        log = self.repo.git("log", "--reverse", "--format=%s|%(trailers:key=Signed-off-by)",
                            "HEAD.." + self.branch)  # fmt: skip
        subjects = [line.partition("|")[0] for line in log.splitlines() if line]
        self.assertEqual(subjects[2:], ["feat(a): Make a", "chore(b): Make b"])
        self.assertEqual(sorted(subjects[:2]), ["test(a): Tests of a", "test(b): Tests of b"])
        self.assertEqual(log.count("Signed-off-by: "), 4)
        body = self.repo.git("log", "-1", "--format=%b", self.branch)
        self.assertTrue(body.startswith("Of the task: make things\n\nDirector-Job: "), body)
        self.ends(0, "verify")

    def test_a_title_that_ends_the_message_for_git_is_merged_and_believed(self) -> None:
        cut = "# ------------------------ >8 ------------------------"
        self.plan(node("a", title=cut))
        self.implement("a")
        self.ends(0, "run")
        self.ends(0, "verify")


@unittest.skipUnless(shutil.which("ssh-keygen"), "there is no ssh-keygen to sign with")
class TestSigned(JobCase):
    def setUp(self) -> None:
        super().setUp()
        self.key = self.place / "key"
        make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "t", "-f", str(self.key)]
        subprocess.run(make, check=True)
        self.repo.git("config", "gpg.format", "ssh")
        self.repo.git("config", "user.signingkey", str(self.key))
        self.configure("[git]\nsign = true\n")

    def test_all_commits_are_signed_and_verify_holds(self) -> None:
        allowed = self.place / "allowed"
        allowed.write_text(f"* {Path(f'{self.key}.pub').read_text()}")
        self.repo.git("config", "gpg.ssh.allowedSignersFile", str(allowed))
        self.script_planning(node("a"))
        self.ends(0, "plan", "make a", "--no-critique")
        self.implement("a")
        self.ends(0, "run")
        signed = self.repo.git("log", "--format=%G?", f"HEAD..{self.branch}").split()
        self.assertEqual(signed, ["G", "G"])
        self.ends(0, "verify")

    def test_without_the_key_nothing_is_paid_for(self) -> None:
        self.key.unlink()
        self.script_planning(node("a"))
        done = self.ends(3, "plan", "make a", "--no-critique", "--json")
        self.assertIn("git cannot sign the job's commits ([git] sign): ", done.json["error"])
        self.assertEqual(self.fake.calls(), [])
