"""git gets exactly the environment it is given, and its failures show the command."""

import os

from director.model.errors import RequestError, StoppedError
from director.model.reason import Reason
from director.processes.capture import Captured
from director.repositories.git import Git, GitError, join_z, split_z, without_git_variables
from tests.support.hermetic import HermeticCase
from tests.support.repositories import SampleRepo


class TestGit(HermeticCase):
    def setUp(self) -> None:
        super().setUp()
        self.repo = SampleRepo.create(self.tmp / "repo", self.env)
        self.git = Git.at(self.repo.root, self.env)

    def test_output_text_and_ok(self) -> None:
        self.assertEqual(self.git.output("show", "HEAD:a.py"), b"A = 1\n")
        self.assertEqual(self.git.text("show", "HEAD:a.py"), "A = 1")
        self.assertTrue(self.git.ok("rev-parse", "--verify", "-q", "HEAD"))
        self.assertFalse(self.git.ok("rev-parse", "--verify", "-q", "nothing"))

    def test_standard_input(self) -> None:
        oid = self.git.text("hash-object", "-w", "--stdin", stdin=b"\xff")
        self.assertEqual(self.git.output("cat-file", "blob", oid), b"\xff")

    def test_a_failure_shows_command_code_and_message(self) -> None:
        with self.assertRaises(GitError) as caught:
            self.git.output("rev-parse", "--verify", "no such thing")
        self.assertIsInstance(caught.exception, StoppedError)
        for part in ("git rev-parse --verify 'no such thing'", "128", "Needed a single revision"):
            self.assertIn(part, caught.exception.what)
        self.assertIn("Needed a single revision", caught.exception.message)

    def test_a_full_disk_is_named_whatever_git_says_besides(self) -> None:
        said = b"error: cannot write x: No space left on device\nfatal: could not set 'y'\n"
        error = GitError(("init",), Captured(128, b"", said))
        self.assertEqual(error.reason, Reason.DISK_FULL)
        self.assertTrue(error.what.endswith("cannot write x: No space left on device"))
        self.assertEqual(error.next_step, "free disk space, then run the command again")

    def test_inherited_variables_do_not_redirect(self) -> None:
        other = SampleRepo.create(self.tmp / "other", self.env, {"b.py": ""})
        hook = {
            "GIT_DIR": str(other.root / ".git"),
            "GIT_INDEX_FILE": str(other.root / ".git/index"),
            "GIT_WORK_TREE": str(other.root),
            "GIT_OBJECT_DIRECTORY": str(other.root / ".git/objects"),
        }
        git = Git.at(self.repo.root, {**self.env, **hook})
        self.assertEqual(git.text("rev-parse", "--show-toplevel"), str(self.repo.root))
        self.assertEqual(git.text("ls-files"), "a.py")

    def test_variables_that_configure_git_stay(self) -> None:
        kept = {"GIT_CONFIG_COUNT": "0", "GIT_SSH_COMMAND": "ssh -4", "GIT_ASKPASS": "ask"}
        env = {**kept, "GIT_DIR": "x", "GIT_PREFIX": "", "HOME": "h"}
        self.assertEqual(without_git_variables(env), {**kept, "HOME": "h"})

    def test_looking_does_not_write(self) -> None:
        os.utime(self.repo.root / "a.py", (1, 1))  # git would like to refresh its index
        before = self.repo.fingerprint()
        self.assertEqual(self.git.text("status", "--porcelain"), "")
        self.assertEqual(self.repo.fingerprint(), before)

    def test_hooks_do_not_run(self) -> None:
        hook = self.repo.write(".git/hooks/reference-transaction", "#!/bin/sh\ntouch ran\n")
        hook.chmod(0o755)
        self.git.output("update-ref", "refs/heads/director/x", "HEAD")
        self.assertFalse((self.repo.root / "ran").exists())
        self.assertFalse((self.repo.root / ".git/ran").exists())

    def test_paths_are_taken_literally(self) -> None:
        self.repo.write("b.py", "")
        self.repo.commit()
        self.assertEqual(self.git.text("ls-files", "--", "*.py"), "")

    def test_replacement_objects_are_not_looked_at(self) -> None:
        blob = self.repo.git("rev-parse", "HEAD:a.py")
        other = self.git.text("hash-object", "-w", "--stdin", stdin=b"other\n")
        self.repo.git("replace", blob, other)
        self.assertEqual(self.git.output("cat-file", "blob", blob), b"A = 1\n")

    def test_no_git_and_no_folder_are_requests_that_cannot_be_met(self) -> None:
        with self.assertRaisesRegex(RequestError, "git is not on PATH"):
            Git(self.repo.root, {"PATH": str(self.tmp)}).run("status")
        with self.assertRaisesRegex(RequestError, "there is no folder"):
            Git.at(self.tmp / "none", self.env).run("status")

    def test_with_variables_adds_to_a_copy(self) -> None:
        more = self.git.with_variables(GIT_INDEX_FILE="x")
        self.assertEqual(more.env["GIT_INDEX_FILE"], "x")
        self.assertNotIn("GIT_INDEX_FILE", self.git.env)
        self.assertEqual(more.cwd, self.git.cwd)

    def test_odd_bytes_survive_splitting_and_joining(self) -> None:
        raw = b"a b\0\xff\n\0" + "ü".encode() + b"\0"
        self.assertEqual(join_z(split_z(raw)), raw)
        self.assertEqual(split_z(b""), [])
